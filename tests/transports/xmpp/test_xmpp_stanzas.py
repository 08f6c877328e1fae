"""What is read of stanzas and what is written into them, whoever made them."""

from xml.etree.ElementTree import Element, fromstring, tostring

from hypothesis import given
from hypothesis import strategies as st

from bot.transports.xmpp import stanzas
from bot.transports.xmpp.delivery import LARGEST, LINE, bundled, pieces

ROOM = "ford@rooms.test"
TEXT = st.text(st.characters(), max_size=60)  # every code point there is, lone surrogates and all
PRESENCE = """
<presence xmlns='jabber:client' from='ford@rooms.test/Eddie' type='unavailable'>
  <x xmlns='http://jabber.org/protocol/muc#user'>
    <item jid='eddie@ford.test/x' nick='Ed' role='none' affiliation='none'><reason>why not</reason></item>
    <status code='110'/><status code='307'/><destroy/>
  </x>
</presence>"""
ERROR = """
<presence xmlns='jabber:client' from='ford@rooms.test/Eddie' type='error'>
  <error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
  <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>taken</text></error>
</presence>"""


def read(text: str | bytes) -> Element:
    return fromstring(text)


def test_a_presence_is_read_as_it_stands() -> None:
    seen = stanzas.presence(read(PRESENCE))
    item = stanzas.Item("eddie@ford.test/x", "Ed", "none", "none", "why not")
    codes = frozenset({"110", "307"})
    assert seen == stanzas.Presence(ROOM, "Eddie", "unavailable", codes, item, destroyed=True)
    assert stanzas.presence(read(ERROR)).error == "conflict"
    assert stanzas.presence(read(ERROR)).text == "taken"
    bare = stanzas.presence(Element(stanzas.PRESENCE))
    assert bare == stanzas.Presence("", "", "available")


def test_an_error_without_a_condition_has_an_undefined_one() -> None:
    assert stanzas.error(Element(stanzas.IQ)) == ("undefined-condition", "")
    odd = read(
        "<iq xmlns='jabber:client'><error><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    )
    assert stanzas.error(odd) == ("undefined-condition", "")


def test_a_message_tells_what_it_is() -> None:
    got = stanzas.said(
        read(
            "<message xmlns='jabber:client' id='7'><body>x</body>"
            "<stanza-id xmlns='urn:xmpp:sid:0' by='a' id='1'/>"
            "<stanza-id xmlns='urn:xmpp:sid:0' by='a' id='2'/>"
            "<stanza-id xmlns='urn:xmpp:sid:0' by='b' id=''/><stanza-id xmlns='urn:xmpp:sid:0'/></message>"
        )
    )
    assert got.id == "7"
    assert (got.stamp("a"), got.stamp("b"), got.stamp("c")) == ("2", None, None)
    assert (got.delayed, got.corrects, got.forwards) == (False, False, False)


def test_the_codes_of_a_room_are_read_where_it_says_any() -> None:
    assert stanzas.room_codes(read(PRESENCE)) == {"110", "307"}
    assert stanzas.room_codes(Element(stanzas.MESSAGE)) == frozenset()


def test_what_asks_to_be_let_in_asks_for_no_history() -> None:
    text = tostring(stanzas.join(ROOM, "Eddie"), encoding="unicode")
    assert 'maxstanzas="0"' in text
    assert f'to="{ROOM}/Eddie"' in text


@given(TEXT, TEXT)
def test_the_gate_lets_out_nothing_but_xml(body: str, name: str) -> None:
    made = stanzas.message(name, body, kind="chat", ident=name, corrects=name, occupant=True)
    made[0].tail = body
    again = read(tostring(stanzas.gated(made), encoding="utf-8"))
    assert again.tag == stanzas.MESSAGE
    assert len(again) == len(made)


@given(TEXT)
def test_what_is_xml_stays_as_it_is(body: str) -> None:
    body = "".join(sign for sign in body if sign in "\t\n" or (" " <= sign <= "\ud7ff"))
    made = stanzas.message("a@b", body, kind="chat", ident="1")
    assert stanzas.gated(made)[0].text == body


@given(st.lists(TEXT, max_size=8))
def test_lines_are_cleaned_and_fit(lines: list[str]) -> None:
    made = pieces(lines)
    assert all(len(piece.encode()) <= LINE and piece.strip() and "\n" not in piece for piece in made)
    assert "\n".join(bundled(made)).split("\n") == (list(made) or [""])


def test_a_long_answer_is_as_few_messages_as_it_fits() -> None:
    bodies = bundled(pieces(["x" * 10_000, "é" * 5_000]))
    assert len(bodies) == 3
    assert all(len(body.encode()) <= LARGEST for body in bodies)
    assert bundled(()) == ()


def test_the_gate_takes_what_the_package_makes_of_an_error() -> None:
    made = Element(stanzas.IQ, {"type": "error"})
    made.attrib["code"] = 503  # type: ignore[assignment]  # as slixmpp refuses a stranger's roster push
    assert 'code="503"' in tostring(stanzas.gated(made), encoding="unicode")
