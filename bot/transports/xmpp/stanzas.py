"""Stanzas as values: what is read of those that come, and how those that go are made. Pure.

What a stanza claims is only read here; who is believed in what is decided by those that use it.
"""

import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

CLIENT = "{jabber:client}"
MESSAGE, PRESENCE, IQ = f"{CLIENT}message", f"{CLIENT}presence", f"{CLIENT}iq"
BODY = f"{CLIENT}body"

_MUC = "{http://jabber.org/protocol/muc}"  # XEP-0045
_MUC_USER = "{http://jabber.org/protocol/muc#user}"
_MUC_OWNER = "{http://jabber.org/protocol/muc#owner}"
_DELAY = "{urn:xmpp:delay}delay"  # XEP-0203
_OLD_DELAY = "{jabber:x:delay}x"  # XEP-0091
_STANZA_ID = "{urn:xmpp:sid:0}stanza-id"  # XEP-0359
_REPLACE = "{urn:xmpp:message-correct:0}replace"  # XEP-0308
_RETRACTS = frozenset(
    {
        "{urn:xmpp:message-retract:1}retract",  # XEP-0424
        "{urn:xmpp:fasten:0}apply-to",  # as its first versions had it, XEP-0422
    }
)
_OOB = "{jabber:x:oob}"  # XEP-0066
_PING = "{urn:xmpp:ping}ping"  # XEP-0199
_NO_CHAR = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2
_STANZAS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"
_FORWARDS = frozenset(
    {
        "{urn:xmpp:carbons:2}received",  # XEP-0280
        "{urn:xmpp:carbons:2}sent",
        "{urn:xmpp:forward:0}forwarded",  # XEP-0297
        "{urn:xmpp:mam:2}result",  # XEP-0313
    }
)


def parted(jid: str) -> tuple[str, str]:
    """Return a JID's bare form and its resource, which is empty where there is none."""
    bare, _, resource = jid.partition("/")
    return bare, resource


@dataclass(frozen=True, slots=True)
class Said:
    """What a <message/> with a body says about itself, beside its body.

    `stamps` are its stanza-ids as (by, id); `delayed` marks what was said earlier, `corrects` what replaces
    an earlier message, `retracts` what takes one back, `forwards` what wraps somebody else's.
    """

    id: str
    stamps: tuple[tuple[str, str], ...] = ()
    delayed: bool = False
    corrects: bool = False
    retracts: bool = False
    forwards: bool = False

    def stamp(self, by: str) -> str | None:
        """Return the id that this address gave the message; None if it gave none.

        The last one counts: servers put theirs at the end, and Prosody 0.12 leaves forged ones before it.
        """
        return next((ident for who, ident in reversed(self.stamps) if who == by and ident), None)


def said(stanza: Element) -> Said:
    """Read a message's children, each by its full name."""
    stamps, delayed, corrects, retracts, forwards = [], False, False, False, False
    for child in stanza:
        if child.tag == _STANZA_ID:
            stamps.append((child.get("by", ""), child.get("id", "")))
        elif child.tag in {_DELAY, _OLD_DELAY}:
            delayed = True
        elif child.tag == _REPLACE:
            corrects = True
        elif child.tag in _RETRACTS:
            retracts = True
        elif child.tag in _FORWARDS:
            forwards = True
    return Said(stanza.get("id", ""), tuple(stamps), delayed, corrects, retracts, forwards)


@dataclass(frozen=True, slots=True)
class Item:
    """What a room tells of an occupant; `jid` is empty where it does not show who that really is."""

    jid: str = ""
    nick: str = ""
    role: str = ""
    affiliation: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Presence:
    """A <presence/>: `kind` is its type, "available" where it has none; `error` the condition of an error."""

    bare: str
    resource: str
    kind: str
    codes: frozenset[str] = frozenset()
    item: Item | None = None
    destroyed: bool = False
    error: str = ""
    text: str = ""


def presence(stanza: Element) -> Presence:
    """Read a presence."""
    bare, resource = parted(stanza.get("from", ""))
    user = stanza.find(f"{_MUC_USER}x")
    item, destroyed = None, False
    if user is not None:
        item = _item(user.find(f"{_MUC_USER}item"))
        destroyed = user.find(f"{_MUC_USER}destroy") is not None
    kind = stanza.get("type", "available")
    condition, text = error(stanza) if kind == "error" else ("", "")
    return Presence(bare, resource, kind, room_codes(stanza), item, destroyed, condition, text)


def room_codes(stanza: Element) -> frozenset[str]:
    """Return the status codes of what a room itself says, such as that it is configured anew."""
    user = stanza.find(f"{_MUC_USER}x")
    found = () if user is None else user.iter(f"{_MUC_USER}status")
    return frozenset(status.get("code", "") for status in found)


def _item(found: Element | None) -> Item | None:
    if found is None:
        return None
    reason = found.findtext(f"{_MUC_USER}reason") or ""
    jid, nick, role, affiliation = (found.get(name, "") for name in ("jid", "nick", "role", "affiliation"))
    return Item(jid, nick, role, affiliation, reason)


def error(stanza: Element) -> tuple[str, str]:
    """Return the condition of an error stanza, and the text beside it (RFC 6120, section 8.3)."""
    condition, text = "", ""
    found = stanza.find(f"{CLIENT}error")
    for child in () if found is None else found:
        if child.tag == f"{_STANZAS}text":
            text = child.text or ""
        elif child.tag.startswith(_STANZAS):
            condition = child.tag.removeprefix(_STANZAS)
    return condition or "undefined-condition", text


def message(
    to: str, body: str, *, kind: str, ident: str, corrects: str = "", occupant: bool = False, link: str = ""
) -> Element:
    """Return a message; `corrects` is the id of the one that it replaces, `occupant` marks one to a nick.

    `link` is the address of a file, which clients show in the place of the text if that is the same.
    """
    made = Element(MESSAGE, {"to": to, "type": kind, "id": ident})
    SubElement(made, BODY).text = body
    if corrects:
        SubElement(made, _REPLACE, {"id": corrects})
    if occupant:
        SubElement(made, f"{_MUC_USER}x")
    if link:
        SubElement(SubElement(made, f"{_OOB}x"), f"{_OOB}url").text = link
    return made


def available(status: str = "", to: str = "") -> Element:
    """Return the presence that tells that we are here, and how we are; without `to` to all who see it."""
    made = Element(PRESENCE, {"to": to} if to else {})
    if status:
        SubElement(made, f"{CLIENT}status").text = status
    return made


def unavailable() -> Element:
    """Return the presence that tells that we go."""
    return Element(PRESENCE, {"type": "unavailable"})


def directed(to: str, kind: str = "") -> Element:
    """Return a presence to one address; without a kind it takes a nick in a room, where we are already."""
    return Element(PRESENCE, {"to": to, "type": kind} if kind else {"to": to})


def join(room: str, nick: str, status: str = "") -> Element:
    """Return what asks to be let in, without anything of what was said before."""
    made = available(status, f"{room}/{nick}")
    entry = SubElement(made, f"{_MUC}x")
    SubElement(entry, f"{_MUC}history", {"maxstanzas": "0"})
    return made


def ping(to: str, ident: str) -> Element:
    """Return the question whether somebody is there."""
    made = Element(IQ, {"to": to, "type": "get", "id": ident})
    SubElement(made, _PING)
    return made


def unlock(room: str, ident: str) -> Element:
    """Return what opens a room that we have just made, as its server makes rooms (XEP-0045, 10.1.2)."""
    made = Element(IQ, {"to": room, "type": "set", "id": ident})
    query = SubElement(made, f"{_MUC_OWNER}query")
    SubElement(query, "{jabber:x:data}x", {"type": "submit"})
    return made


def gated(stanza: Element) -> Element:
    """Return a stanza with U+FFFD wherever XML 1.0 knows no such character: a server hangs up on those.

    It is the last gate, for whatever made the stanza; what people said has been through `clean` long before.
    """
    for part in stanza.iter():
        part.text = part.text and _NO_CHAR.sub("\ufffd", part.text)
        part.tail = part.tail and _NO_CHAR.sub("\ufffd", part.tail)
        for name, value in part.items():
            part.set(name, _NO_CHAR.sub("\ufffd", str(value)))  # slixmpp gives its errors an int for a code
    return stanza
