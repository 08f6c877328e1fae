"""A bot as it is run, among peers on Prosody who send whatever it lets through: it stays small."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.real.xmpp.people import People, Person
from tests.real.xmpp.prosody import DOMAIN, TEAM, Prosody
from tests.ship import running

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

CONFIG = """
[bot]
state = "state"
plugins = []
[networks.jabber]
kind = "xmpp"
jid = "eddie@{domain}"
address = "127.0.0.1:{port}"
tls_ca_file = "{ca}"
password_file = "jabber.password"
rooms = ["{room}"]
pace = "off"
"""
BOT = f"eddie@{DOMAIN}"
LARGE = 200_000
"""Bytes of the largest bodies; Prosody ends the stream of who sends stanzas of more than 256 KiB."""

MOST = 1024
"""KiB that what comes a second time may cost."""

FIRST, MORE = 3, 2
BODY = "<body>!ping garbage</body>"
MUC = "http://jabber.org/protocol/muc"
CARBON = (
    "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>"
    f"<message xmlns='jabber:client' from='alice@{DOMAIN}/pc' type='chat'><body>!ping forged</body></message>"
    "</forwarded></received>"
)
XHTML = (
    "<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>"
    "<p style='font-size:1000px'>!ping <b>xhtml</b><script>x</script></p></body></html>"
)
ODD = "".join(f"&#x{code:x};" for code in (9, 10, 13, 0x85, 0x2028, 0x202E, 0xFFFD, 0x10FFFF))
CHILDREN = (
    "<body/>",
    "<body></body><body>!ping second</body>",
    "<body xml:lang='de'>!ping de</body><body xml:lang='en'>!ping en</body>",
    f"{BODY}{XHTML}",
    f"{BODY}<stanza-id xmlns='urn:xmpp:sid:0'/>",
    f"{BODY}<stanza-id xmlns='urn:xmpp:sid:0' id='' by=''/>",
    f"{BODY}<origin-id xmlns='urn:xmpp:sid:0' id='{'x' * 9000}'/>",
    f"{BODY}<delay xmlns='urn:xmpp:delay' stamp='no date' from='{BOT}'/>",
    f"{BODY}<delay xmlns='urn:xmpp:delay'/><x xmlns='jabber:x:delay' stamp='99999999T99:99:99'/>",
    f"{BODY}{CARBON}",
    f"<x xmlns='{MUC}#user'><invite from='{BOT}'/><status code='110'/><status code='x'/><item/></x>",
    f"<x xmlns='{MUC}#user'><item jid='{BOT}' role='moderator' affiliation='owner' nick='Eddie'/></x>{BODY}",
    "<subject/>",
    "<thread/><active xmlns='http://jabber.org/protocol/chatstates'/>",
    "<received xmlns='urn:xmpp:receipts' id='1'/>",
    "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='x'><item/></items></event>",
    "<x xmlns='jabber:x:data' type='submit'><field var='x'><value>1</value></field></x>",
    "<command xmlns='http://jabber.org/protocol/commands' node='ping' action='execute'/>",
    f"<body>!ping {ODD}</body>",
    "<body>" + "e" + "\u0301" * 3000 + "\U000e0001\u200b\u202e!ping x</body>",
    "<body>!ping ]]&gt; &lt;![CDATA[ &amp;#0;</body>",
    "<a xmlns='urn:none'>" * 900 + "</a>" * 900,
    "<a xmlns='urn:none'/>" * 5000,
    f"<body>!ping {'long ' * (LARGE // 5)}</body>",
    f"<body>{'!ping x&#10;' * (LARGE // 12)}</body>",
)  # fmt: skip
PRESENCES = (
    "<presence to='{bot}'/>",
    "<presence to='{bot}' type='unavailable'/>",
    "<presence to='{bot}' type='subscribe'/>",
    "<presence to='{bot}' type='unsubscribe'/>",
    "<presence to='{bot}' type='probe'/>",
    "<presence to='{bot}' type='error' id='1'/>",
    "<presence to='{bot}'><priority>x</priority><status>" + "s" * 9000 + "</status></presence>",
    f"<presence to='{{bot}}'><x xmlns='{MUC}#user'><item jid='{{bot}}'/><status code='110'/></x></presence>",
    "<presence to='{room}/mallory'><show>none such</show><c xmlns='x'/></presence>",
)
QUESTIONS = (
    "<query xmlns='http://jabber.org/protocol/disco#info' node='{long}'/>",
    "<query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/>",
    "<command xmlns='http://jabber.org/protocol/commands' node='ping' action='no such' sessionid='{long}'/>",
    "<command xmlns='http://jabber.org/protocol/commands'><x xmlns='jabber:x:data' type='form'/></command>",
    "<query xmlns='jabber:iq:roster'><item jid='mallory' subscription='both'/></query>",
    "<ping xmlns='urn:xmpp:ping'/>",
    "<unknown xmlns='urn:none'/>",
    "",
)


def garbage() -> Iterator[str]:
    """Return stanzas of every kind, in the room, directly and from the room's nick."""
    for child in CHILDREN:
        yield f"<message to='{TEAM}' type='groupchat' id='{{n}}'>{child}</message>"
        yield f"<message to='{BOT}' type='chat'>{child}</message>"
        yield f"<message to='{TEAM}/Eddie' type='chat' id=''>{child}</message>"
    for kind in ("normal", "headline", "error", "no-such-kind", "groupchat"):
        yield f"<message to='{BOT}' type='{kind}' id='{{n}}'>{BODY}</message>"
    for number in range(20):
        yield f"<message to='{TEAM}' type='groupchat'><subject>{number} !ping subject</subject></message>"
        yield f"<message to='{TEAM}' type='groupchat'><body/></message>"
    for presence in PRESENCES:
        yield presence.format(bot=BOT, room=TEAM)
    for number in range(300):
        yield f"<presence to='{BOT}'><status>{number}</status></presence>"
        yield f"<presence to='{TEAM}/mallory'><status>{number}</status></presence>"
    for question in QUESTIONS:
        for kind in ("get", "set", "result", "error"):
            asked = question.format(long="x" * 9000)
            for to in (f"{BOT}/shipboard", f"{TEAM}/Eddie"):
                yield f"<iq to='{to}' type='{kind}' id='{{n}}'>{asked}</iq>"


def renamed() -> Iterator[str]:
    """Take the longest and the oddest nicks."""
    for nick in (
        "n" * 1000,
        "\u202e" * 200,
        "!ping",
        "Eddie\u200b",
        "a:b, c",
        "\N{GRINNING FACE}" * 200,
        "mallory",
    ):
        yield f"<presence to='{TEAM}/{nick}'/>"
        yield f"<message to='{TEAM}' type='groupchat'><body>!ping named</body></message>"


async def test_whatever_a_peer_sends_the_bot_answers_and_does_not_grow(
    prosody: Prosody, people: People, tmp_path: Path
) -> None:
    prosody.rate = "100mb/s"
    await prosody.start()
    assert prosody.pki is not None
    (tmp_path / "jabber.password").write_text("eddiepw\n")
    (tmp_path / "jabber.password").chmod(0o600)
    config = tmp_path / "config.toml"
    config.write_text(CONFIG.format(port=prosody.port, ca=prosody.pki.ca, domain=DOMAIN, room=TEAM))
    watcher = await people(prosody, "bob")
    mallory = await people(prosody, "carol", nick="mallory")
    async with running(config) as bot:
        await watcher.sees(f"{TEAM}/Eddie")
        before = 0
        for number in range(FIRST + MORE):
            if number == FIRST:  # what it keeps of the first is there now: the allocator's, and caches
                before = bot.resident
            await sent(mallory, garbage, watcher, f"all {number}")
            await sent(mallory, renamed, watcher, f"nicks {number}")
        grown = bot.resident - before
        gone = [
            got
            for got in watcher.seen
            if got.sender == f"{TEAM}/Eddie" and got.kind == "presence:unavailable"
        ]
        assert gone == []
        assert not any("forged" in got.body for got in watcher.seen)
        assert grown < MOST
        assert (await bot.terminate())[0] == 0


async def sent(mallory: Person, stanzas: Callable[[], Iterator[str]], watcher: Person, mark: str) -> None:
    """Send all of it, and wait until the bot has read it and answers others."""
    for number, stanza in enumerate(stanzas()):
        mallory.raw(stanza.replace("{n}", str(number)))
    mallory.say(f"read {mark}")
    await watcher.hears(f"read {mark}", sender=TEAM, patience=60)
    watcher.say(f"!ping {mark}")
    await watcher.hears(f"pong {mark}", patience=60)
    for person in (watcher, mallory):
        person.got.clear()
        del person.seen[:-500]
