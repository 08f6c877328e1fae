"""The whole ship between ngIRCd and Prosody: two rooms, one conversation."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.demo.client import Person
from tests.real.test_ship_ngircd import Server
from tests.real.xmpp.people import People
from tests.real.xmpp.prosody import DOMAIN, Prosody
from tests.real.xmpp.prosody import TEAM as ROOM
from tests.ship import BOT, TEAM, Seat, running

pytestmark = pytest.mark.real

CONFIG = """\
[bot]
state = "state"
[networks.irc]
kind = "irc"
host = "127.0.0.1"
port = {irc}
tls = false
rooms = ["{team}"]
[networks.jabber]
kind = "xmpp"
jid = "eddie@{domain}"
address = "127.0.0.1:{jabber}"
tls_ca_file = "{ca}"
password_file = "jabber.password"
rooms = ["{room}"]
[plugins.relay]
rooms = [["irc/{team}", "jabber/{room}"]]
"""


@pytest.fixture
async def ngircd(tmp_path: Path, need: Callable[..., None]) -> AsyncIterator[Server]:
    need("ngircd")
    made = Server(tmp_path)
    await made.start()
    yield made
    await made.kill()


async def seat(server: Server, nick: str) -> Seat:
    seat = Seat(await Person.enter(server.port, nick, None, [TEAM]))
    await seat.sees(nick, f"is in {TEAM}")
    return seat


@pytest.fixture
def config(tmp_path: Path, ngircd: Server, prosody: Prosody) -> Path:
    assert prosody.pki is not None
    password = tmp_path / "jabber.password"
    password.write_text("eddiepw\n")
    password.chmod(0o600)
    path = tmp_path / "config.toml"
    ports = {"irc": ngircd.port, "jabber": prosody.port, "ca": prosody.pki.ca}
    path.write_text(CONFIG.format(team=TEAM, room=ROOM, domain=DOMAIN, **ports))
    return path


async def test_two_networks_are_one_conversation(
    config: Path, ngircd: Server, prosody: Prosody, people: People
) -> None:
    await prosody.start()
    alice, carol = await people(prosody, "alice"), await people(prosody, "carol", nick="ford")
    robot = await people(prosody, "bob", nick="robot")
    bob, ford = await seat(ngircd, "bob"), await seat(ngircd, "ford")
    async with running(config) as bot:
        await alice.sees(f"{ROOM}/{BOT}")
        await bob.sees_the_bot()
        assert await bob.asks("!ping one", "^pong one") == "pong one"  # it listens from its first answer on
        bob.say("hello, Jabber")
        await alice.hears("<bob@irc> hello, Jabber")
        alice.say("hello, IRC")
        await bob.hears("^<alice@jabber> hello, IRC$")
        alice.say("/me waves")
        await bob.hears(r"^\* alice@jabber waves$")
        bob.say("\x01ACTION waves, too\x01")
        await alice.hears(r"\* bob@irc waves, too")
        ford.say("bob: trillian is on both, and so am I")
        await alice.hears("<ford@irc> bob: trillian is on both, and so am I")
        bob.say("ford, look here")
        await alice.hears("<bob@irc> f\u200bord, look here")
        await alice.fence()
        robot.say("<bob@irc> !ping forged")
        robot.say("<bob@oftc> relayed by another")
        carol.say("\n".join(f"line {number}" for number in range(15)))
        await bob.hears("^<ford@jabber> line 2$")
        await bob.hears(r"\(12 more lines not relayed\)$")
        bob.say("the end")
        await alice.hears("<bob@irc> the end")
        assert (await bot.terminate())[0] == 0
    heard = [got.body for got in alice.seen if got.sender == f"{ROOM}/{BOT}"]
    assert [text for text in heard if "ping" in text or "pong one" in text] == []
    assert not any("forged" in text or "another" in text for text in (*heard, *bob.lines()))
    assert len([text for text in bob.lines() if "line " in text]) == 3
    for one in (bob, ford):
        await one.leave()
