"""A motion on a real InspIRCd with atheme and a Prosody, members on both, and a bot killed in its middle."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot import cli
from bot.paths import share
from bot.store import chains
from bot.store.connection import connect
from bot.store.database import FILE
from tests.real.irc.people import Person
from tests.real.irc.servers import Atheme, InspIrcd, Pki
from tests.real.xmpp.people import Person as Jabberer
from tests.real.xmpp.prosody import DOMAIN, Prosody, certify
from tests.real.xmpp.prosody import TEAM as ROOM
from tests.ship import running

pytestmark = [pytest.mark.real, pytest.mark.long, pytest.mark.timeout(240)]

CONFIG = """\
[bot]
state = "state"
policies = "rules"
[networks.irc]
kind = "irc"
host = "127.0.0.1"
port = {irc}
tls_ca_file = "{ca}"
account = "eddie"
password_file = "password"
rooms = ["#ford"]
pace = "off"
[networks.jabber]
kind = "xmpp"
jid = "eddie@{domain}"
address = "127.0.0.1:{jabber}"
tls_ca_file = "{ca}"
password_file = "password"
rooms = ["{room}"]
pace = "off"
[places]
team = ["irc/#ford", "jabber/{room}"]
"""
MEMBERS = {"alice": "irc:alice", "bob": "irc:bob", "carol": f"jabber:carol@{DOMAIN}"}
CHAIN = r"\[chain ([0-9a-f]{12})\]"


@dataclass
class Sea:
    """Both networks and the bot's folder."""

    folder: Path
    insp: InspIrcd
    atheme: Atheme
    prosody: Prosody

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    def shell(self, *words: str) -> int:
        return cli.main(["--config", str(self.config), *words])


@pytest.fixture
async def sea(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sea]:
    pki = certify(Pki(tmp_path_factory.mktemp("pki")))
    for name in ("irc", "services", "jabber"):
        (tmp_path / name).mkdir()
    insp = InspIrcd(tmp_path / "irc", pki=pki, fakelag=False)
    made = Sea(
        tmp_path,
        insp,
        Atheme(tmp_path / "services", ircd=insp),
        Prosody(tmp_path / "jabber", pki=pki),
    )
    (tmp_path / "password").write_text("eddiepw")
    (tmp_path / "password").chmod(0o600)
    ports = {"irc": insp.tls_port, "jabber": made.prosody.port, "ca": pki.ca}
    made.config.write_text(CONFIG.format(domain=DOMAIN, room=ROOM, **ports))
    shutil.copytree(share("policies"), tmp_path / "rules")
    voting = tmp_path / "rules" / "voting.md"
    text = re.sub(r"(?m)^(discussion_hours|min_tenure_days) = \d+", r"\1 = 0", voting.read_text("utf-8"))
    voting.write_text(text, "utf-8")
    for name, identity in MEMBERS.items():
        assert (
            made.shell("member", "add", name, "--role", "member", "--share", "full", "--identity", identity)
            == 0
        )
    try:
        await asyncio.gather(insp.start(), made.prosody.start())
        made.atheme.start()
        yield made
    finally:
        for server in (made.prosody, made.atheme, insp):
            server.kill()


async def test_a_motion_from_its_proposal_to_its_certificate(sea: Sea) -> None:
    alice, bob = await Person.join(sea.insp.port, "alice"), await Person.join(sea.insp.port, "robert")
    mallory = await Person.join(sea.insp.port, "bob")
    carol = Jabberer("carol", sea.prosody)
    await carol.login()
    await carol.join()
    await alice.identified("alice")
    await bob.identified("bob")
    try:
        async with running(sea.config) as bot:
            await carol.sees(f"{ROOM}/Eddie")
            await alice.answered("!ping one", "pong one")
            await proposed(alice, bob, carol)
            alice.say("!vote 1 yes")
            await alice.expect(r":\S+ PRIVMSG #ford :.*Recorded: vote 1, yes.*")
            await bot.kill()
        async with running(sea.config) as bot:
            await carol.sees(f"{ROOM}/Eddie")
            await carol.fence()
            await mallory.answered("!ping two", "pong two")
            mallory.say("!vote 1 no")
            await mallory.expect(r":\S+ PRIVMSG #ford :.*Only members may vote.*")
            carol.say("!vote show 1")
            await carol.hears(".*1 of 3 voted.*")
            carol.tell("vote 1 no")
            await carol.hears("Recorded: vote 1, no.*", f"eddie@{DOMAIN}", "chat")
            bob.say("!vote 1 yes")
            closing_line = await carol.hears(rf"VOTE 1 PASSED: yes 2, no 1, .*{CHAIN}")
            await alice.expect(r":\S+ PRIVMSG #ford :VOTE 1 PASSED: yes 2, no 1, .*")
            alice.say("!vote cert 1")
            await alice.expect(rf":\S+ PRIVMSG #ford :.*VOTE 1 PASSED.*{CHAIN}")
            carol.say("!vote 1 yes")
            await carol.hears(".*Not counted, vote 1: Motion 1 is closed.*")
            await secret(alice, bob, carol)
            assert (await bot.terminate())[0] == 0
    finally:
        await carol.leave()
        for one in (alice, bob, mallory):
            one.close()
    told = re.search(CHAIN, closing_line.body)
    assert told
    verified(sea, told[1])


async def proposed(alice: Person, bob: Person, carol: Jabberer) -> None:
    """Let a motion be proposed and seconded, and its opening be told on both networks."""
    alice.say("!propose policy Buy 8 GiB RAM | As we swap.")
    await alice.expect(r":\S+ PRIVMSG #ford :.*Motion 1 .*")
    bob.say("!second 1")
    await bob.expect(rf":\S+ PRIVMSG #ford :VOTE 1 open: \"Buy 8 GiB RAM\" .*{CHAIN}")
    await carol.hears(rf"VOTE 1 open: \"Buy 8 GiB RAM\" by alice, seconded bob.*{CHAIN}")


async def secret(alice: Person, bob: Person, carol: Jabberer) -> None:
    """Let a secret ballot be typed in the room, where it is void, and then directly."""
    alice.say("!propose admit zoe | Knows disks.")
    await carol.hears(r"VOTE 2 proposed: .*")
    bob.say("!second 2")
    await carol.hears(r"VOTE 2 open: .*Secret, only to me directly.*")
    bob.say("!vote 2 no")
    await bob.expect(r":\S+ PRIVMSG #ford :.*Not counted, vote 2: Motion 2 is secret.*")
    carol.tell("vote 2 yes")
    await carol.hears(r"Recorded: vote 2, yes\. Receipt [0-9a-f]{16}, .*", f"eddie@{DOMAIN}", "chat")
    carol.say("!vote show 2")
    await carol.hears(".*1 of 3 voted.*")


def verified(sea: Sea, head: str) -> None:
    """The chain is whole and has the published head; one changed byte and it is named."""
    assert sea.shell("verify", "--head", head) == 0
    path = sea.folder / "state" / FILE
    with closing(connect(path)) as db:
        db.execute("DROP TRIGGER votes_events_no_update")
        db.execute("UPDATE votes_events SET body = replace(body, 'no', 'on') WHERE actor = 'carol'")
        verdict = chains.verify(db, "votes_events")
        assert re.fullmatch(r"row \d+ was changed", verdict.fault or "")
    assert sea.shell("verify") != 0
