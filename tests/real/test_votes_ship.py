"""A motion on two real InspIRCds with atheme and a Prosody: a netsplit, an impostor, a bot that is killed."""

import asyncio
import contextlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from bot import cli
from bot.paths import share
from bot.store import chains
from bot.store.connection import connect
from bot.store.database import FILE
from tests.real.irc.people import Person
from tests.real.irc.servers import Atheme, InspIrcd, Pki, Proxy
from tests.real.xmpp.people import Person as Jabberer
from tests.real.xmpp.prosody import DOMAIN, Prosody, certify
from tests.real.xmpp.prosody import TEAM as ROOM
from tests.ship import ROOT, Running, running

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]

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


HISTORY = '<module name="chanhistory"><chanhistory bots="yes" maxlines="50" prefixmsg="yes">'
CHECKER = ROOT / "docs" / "check_certificate.py"
EDDIE = f"eddie@{DOMAIN}"


@dataclass
class Sea:
    """Both networks, the cable between the two IRC servers, and the bot's folder."""

    folder: Path
    insp: InspIrcd
    far: InspIrcd
    cable: Proxy
    atheme: Atheme
    prosody: Prosody

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    def shell(self, *words: str) -> int:
        return cli.main(["--config", str(self.config), *words])


@dataclass
class Crew:
    """Alice is on the bot's IRC server, bob under another nick on the far one, carol on Jabber."""

    alice: Person
    bob: Person
    carol: Jabberer
    nick: str = "Eddie"


@pytest.fixture
async def sea(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sea]:
    pki = certify(Pki(tmp_path_factory.mktemp("pki")))
    for name in ("irc", "far", "services", "jabber"):
        (tmp_path / name).mkdir()
    insp = InspIrcd(tmp_path / "irc", pki=pki, fakelag=False)
    far = InspIrcd(tmp_path / "far", pki=pki, fakelag=False, name="irc2.test", number="002")
    cable = Proxy(insp.link_port)
    atheme, prosody = Atheme(tmp_path / "services", ircd=insp), Prosody(tmp_path / "jabber", pki=pki)
    made = Sea(tmp_path, insp, far, cable, atheme, prosody)
    install(made, pki)
    try:
        await cable.start()
        for ircd in (insp, far):
            ircd.linked += HISTORY
        insp.linked_to("irc2.test", far.link_port, calls=False)
        far.linked_to("irc.test", cable.port, calls=True)
        await asyncio.gather(insp.start(), prosody.start())
        await far.start()
        atheme.start()
        yield made
    finally:
        await cable.stop()
        for server in (prosody, atheme, far, insp):
            server.kill()


def install(sea: Sea, pki: Pki) -> None:
    """Make the bot's folder: rules by which whoever is new may vote at once, and three members."""
    (sea.folder / "password").write_text("eddiepw")
    (sea.folder / "password").chmod(0o600)
    ports = {"irc": sea.insp.tls_port, "jabber": sea.prosody.port, "ca": pki.ca}
    sea.config.write_text(CONFIG.format(domain=DOMAIN, room=ROOM, **ports))
    shutil.copytree(share("policies"), sea.folder / "rules")
    voting = sea.folder / "rules" / "voting.md"
    text = re.sub(r"(?m)^(discussion_hours|min_tenure_days) = \d+", r"\1 = 0", voting.read_text("utf-8"))
    voting.write_text(text, "utf-8")
    for name, identity in MEMBERS.items():
        assert sea.shell("member", "add", name, "--identity", identity) == 0


@asynccontextmanager
async def crew(sea: Sea) -> AsyncIterator[Crew]:
    """Let everybody in, who each prove themselves; who comes later is shown what was said in the channel."""
    alice, bob = await Person.join(sea.insp.port, "alice"), await Person.join(sea.far.port, "robert")
    carol = Jabberer("carol", sea.prosody)
    try:
        await carol.login()
        await carol.join()
        alice.send("MODE #ford +H 50:1h")
        await alice.expect(r":alice!\S+ MODE #ford \+H .*")
        await asyncio.gather(served(alice), served(bob))
        await asyncio.gather(alice.identified("alice"), bob.identified("bob"))
        yield Crew(alice, bob, carol)
    finally:
        await carol.leave()
        for one in (alice, bob):
            one.close()


async def served(who: Person) -> None:
    """Wait until the services are there."""
    async with asyncio.timeout(60):
        while True:
            who.send("ISON NickServ")
            if (await who.expect(r":\S+ 303 \S+ :(.*)"))[1].strip():
                return
            await asyncio.sleep(0.05)


async def aboard(them: Crew) -> None:
    """Wait until the bot is there on both networks, hears the far server too, and knows who is who."""
    await answered(them.carol)
    them.nick = await them.alice.answered("!whoami", "You are alice.*")
    await them.bob.answered("!whoami", "You are bob.*")
    await them.carol.fence()


async def answered(who: Jabberer) -> None:
    """Ask in the room until the bot answers there; its presence may be that of one who is dead."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(AssertionError):
                who.say("!ping here")
                await who.hears("pong here", patience=0.5)
                return


async def test_a_motion_from_its_proposal_to_its_certificate(sea: Sea) -> None:
    async with crew(sea) as them:
        async with running(sea.config) as bot:
            await aboard(them)
            await proposed(them)
            await recorded(them.alice, "!vote 1 yes")
            await split(sea, them)
            await bot.kill()
        await while_nobody_listens(sea, them)
        async with running(sea.config) as bot:
            await aboard(them)
            await only_one_has_voted(them)
            head = await closed(them)
            tokens = await secret(them)
            assert (await bot.terminate())[0] == 0
    certified(sea, 1)
    certified(sea, 2, *tokens)
    verified(sea, head)


async def proposed(them: Crew) -> None:
    """Let a motion be proposed and seconded, and its opening be told on both networks."""
    them.alice.say("!propose policy Buy 8 GiB RAM | As we swap.")
    await them.alice.expect(r":\S+ PRIVMSG #ford :.*Motion 1 .*")
    them.bob.say("!second 1")
    await them.bob.expect(rf":\S+ PRIVMSG #ford :VOTE 1 open: “Buy 8 GiB RAM” .*{CHAIN}")
    await them.carol.hears(rf"VOTE 1 open: “Buy 8 GiB RAM” by alice, seconded bob.*{CHAIN}")


async def recorded(who: Person, words: str) -> None:
    """Vote in the room, and hear that it counts."""
    who.say(words)
    await who.expect(r":\S+ PRIVMSG #ford :.*Recorded: vote 1, .*")


async def split(sea: Sea, them: Crew) -> None:
    """Part bob's server from the bot's; somebody takes his nick here, and nobody hears him there."""
    sea.cable.stall()
    sea.cable.cut()
    await asyncio.gather(them.alice.expect(r":robert!\S+ QUIT .*"), them.bob.expect(r":alice!\S+ QUIT .*"))
    them.bob.say("!vote 1 no")
    thief = await Person.join(sea.insp.port, "robert")
    try:
        thief.say("!vote 1 no")
        await thief.expect(r":\S+ PRIVMSG #ford :.*Only members may vote.*")
        thief.send("QUIT :so long")
        with contextlib.suppress(ConnectionError):
            await thief.expect("ERROR .*")
    finally:
        thief.close()
    await recorded(them.alice, "!vote 1 abstain")
    sea.cable.heal()
    await them.bob.answered("!whoami", "You are bob.*")
    await recorded(them.alice, "!vote 1 yes")


async def while_nobody_listens(sea: Sea, them: Crew) -> None:
    """Let ballots be cast that the bot is shown as history when it is back: in the rooms, and directly."""
    them.carol.say("!vote 1 no")
    await them.carol.saw("!vote 1 no")
    them.carol.tell("vote 1 no")
    them.bob.say("!vote 1 no")
    await them.alice.expect(r":robert!\S+ PRIVMSG #ford :!vote 1 no")
    them.alice.say("!vote 1 no")
    latecomer = await Person.join(sea.insp.port, "late")
    try:
        await latecomer.expect(r"(?:@\S+ )?:alice!\S+ PRIVMSG #ford :!vote 1 no")
    finally:
        latecomer.close()


async def only_one_has_voted(them: Crew) -> None:
    """Wait until the bot has read everything; alice has voted, and no history has."""
    them.carol.tell("ping directly")
    await them.carol.hears("pong directly", EDDIE, "chat")
    them.carol.say("!vote show 1")
    shown = await them.carol.hears(".*of 3 voted.*")
    assert "1 of 3 voted" in shown.body


async def closed(them: Crew) -> str:
    """Let the others vote, an impostor too; return the chain's head that is told at the close."""
    them.carol.tell("vote 1 no")
    await them.carol.hears("Recorded: vote 1, no.*", EDDIE, "chat")
    them.bob.say("!vote 1 yes")
    line = await them.carol.hears(rf"VOTE 1 PASSED: yes 2, no 1, .*{CHAIN}")
    await them.alice.expect(r":\S+ PRIVMSG #ford :VOTE 1 PASSED: yes 2, no 1, .*")
    them.alice.say("!vote cert 1")
    await them.alice.expect(rf":\S+ PRIVMSG #ford :.*VOTE 1 PASSED.*{CHAIN}")
    them.carol.say("!vote 1 yes")
    await them.carol.hears(".*Not counted, vote 1: Motion 1 is closed.*")
    told = re.search(CHAIN, line.body)
    assert told
    return told[1]


async def secret(them: Crew) -> tuple[str, str]:
    """Let a secret ballot be typed in the room, where it is void, and then directly; return carol's token."""
    them.alice.say("!propose admit zoe | Knows disks.")
    await them.carol.hears(r"VOTE 2 proposed: .*")
    them.bob.say("!second 2")
    await them.carol.hears(r"VOTE 2 open: .*Secret, only to me directly.*")
    them.bob.say("!vote 2 no")
    await them.bob.expect(r":\S+ PRIVMSG #ford :.*Not counted, vote 2: Motion 2 is secret.*")
    them.carol.tell("vote 2 yes")
    answer = await them.carol.hears(r"Recorded: vote 2, yes\. Receipt [0-9a-f]{16}, .*", EDDIE, "chat")
    them.carol.say("!vote show 2")
    await them.carol.hears(".*1 of 3 voted.*")
    for one, word in ((them.bob, "no"), (them.alice, "yes")):
        one.say(f"vote 2 {word}", them.nick)
        await one.expect(rf":\S+ (?:PRIVMSG|NOTICE) {one.nick} :Recorded: vote 2, {word}\. Receipt .*")
    await them.carol.hears(rf"VOTE 2 PASSED: yes 2, no 1, .*{CHAIN}")
    token = re.search(r"token (\w+)\.", answer.body)
    assert token
    return "carol", token[1]


def certified(sea: Sea, number: int, *ballot: str) -> None:
    """What the command line exports is what the checker, alone, finds to be right."""
    folder = sea.folder / f"vote-{number}"
    assert sea.shell("vote", "export", str(number), str(folder)) == 0
    files = [str(folder / name) for name in ("certificate.json", "events.jsonl")]
    done = subprocess.run(
        [sys.executable, "-I", str(CHECKER), *files, *ballot], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    certificate = json.loads((folder / "certificate.json").read_text("utf-8"))
    assert certificate["counts"] == {"yes": 2, "no": 1, "abstain": 0}
    assert number == 2 or certificate["ballots"] == {"alice": "yes", "bob": "yes", "carol": "no"}
    assert number == 1 or not {"alice", "bob", "carol"} & certificate["ballots"].keys()


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


AHEAD = """
import os
from datetime import timedelta
from bot.runtime.clock import SystemClock
now = SystemClock.now
SystemClock.now = lambda self: now(self) + timedelta(seconds=float(os.environ["AHEAD"]))
"""
"""Python's own start-up file of a bot whose clock goes ahead of everybody's."""


def ahead(sea: Sea, by: timedelta) -> AbstractAsyncContextManager[Running]:
    """Start a bot whose clock is ahead."""
    folder = sea.folder / "ahead"
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(AHEAD)
    env = {"PYTHONPATH": f"{folder}:{ROOT}", "AHEAD": str(by.total_seconds())}
    return running(sea.config, env=env)


@pytest.mark.long
async def test_a_ballot_at_the_closing_instant_counts_or_is_told_that_it_does_not(sea: Sea) -> None:
    """The bot is killed, a week away, gives time back, and is killed again; a fourth member never votes."""
    assert sea.shell("member", "add", "zaphod") == 0
    async with crew(sea) as them:
        async with running(sea.config) as bot:
            await aboard(them)
            await proposed(them)
            await recorded(them.alice, "!vote 1 yes")
            await bot.kill()
        async with ahead(sea, timedelta(hours=167)) as bot:
            await them.alice.expect(r":\S+ PRIVMSG #ford :VOTE 1 stays open 3 d longer, as I was away: .*")
            await aboard(them)
            await recorded(them.bob, "!vote 1 yes")
            await bot.kill()
        async with ahead(sea, closes(sea) - timedelta(seconds=15) - datetime.now(UTC)) as bot:
            await aboard(them)
            last = await to_the_end(them.carol)
            await them.alice.expect(rf":\S+ PRIVMSG #ford :VOTE 1 (?:PASSED|NO-QUORUM).*{CHAIN}")
            assert (await bot.terminate())[0] == 0
    folder = sea.folder / "vote"
    assert sea.shell("vote", "export", "1", str(folder)) == 0
    certificate = json.loads((folder / "certificate.json").read_text("utf-8"))
    counted = {"alice": "yes", "bob": "yes", **({"carol": last} if last else {})}
    assert certificate["ballots"] == counted
    assert certificate["extended_seconds"] == 72 * 3600
    assert certificate["closed"] >= certificate["closes"]


def closes(sea: Sea) -> datetime:
    """Return when the ballot closes, by the last event that says so."""
    sql = "SELECT json_extract(body, '$.closes') FROM votes_events WHERE kind = 'extended'"
    with closing(connect(sea.folder / "state" / FILE, read_only=True)) as db:
        (at,) = db.execute(sql).fetchone()
    return datetime.fromisoformat(at)


async def to_the_end(voter: Jabberer) -> str:
    """Vote again and again until it is too late; return the last ballot that was acknowledged."""
    last = ""
    for number in count():
        word = ("yes", "no")[number % 2]
        voter.tell(f"vote 1 {word} because of {number}")
        answer = await voter.hears("(Recorded|Not counted).*", EDDIE, "chat")
        if answer.body.startswith("Not counted"):
            assert re.search("is closed|closed at", answer.body), answer.body
            return last
        last = word
        await asyncio.sleep(0.25)  # its pace, not what it waits for: as often as one may vote in a minute
    raise AssertionError
