"""A busy guest on two real networks: told of on both, taken, over; and what one of them misses meanwhile."""

import asyncio
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot import app, cli
from bot import config as configs
from bot.demo.client import Person
from bot.errors import Conflict
from bot.hypervisors.uml.runfolder import run_folder
from bot.store import digest
from tests.real.irc.servers import Pki
from tests.real.test_ship_ngircd import Server
from tests.real.xmpp.people import Person as Jabberer
from tests.real.xmpp.prosody import DOMAIN, Prosody, certify
from tests.real.xmpp.prosody import TEAM as ROOM
from tests.ship import BOT, TEAM, Seat

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

PATIENCE = 120.0
WORK, CALM = "!vm run ford-1 yes > /dev/null 2>&1 &", "!vm run ford-1 killall yes"
CONFIG = """\
[bot]
state = "state"
[networks.irc]
kind = "irc"
host = "127.0.0.1"
port = {irc}
tls = false
rooms = ["{team}"]
pace = "off"
[networks.jabber]
kind = "xmpp"
jid = "eddie@{domain}"
address = "127.0.0.1:{jabber}"
tls_ca_file = {ca}
password_file = "password"
rooms = ["{room}"]
pace = "off"
[places]
team = ["irc/{team}", "jabber/{room}"]
alerts = ["irc/{team}", "jabber/{room}"]
[hosts.ford]
hypervisor = "uml"
memory_mib = 48
[[plugins.alerts.rule]]
name = "excess-use"
scope = "machine"
metric = "cpu"
severity = "CRIT"
raise = 8
clear = 5
for = 1
clear_for = 0
"""


@dataclass
class Watch:
    """A bot that measures twice a second, in this process, with one machine; and who looks on."""

    ship: app.Ship
    ngircd: Server
    carol: Jabberer
    bob: Seat

    async def hears(self, pattern: str) -> str:
        """Wait until both have heard the bot say that to their room; return the line."""
        on_irc = await self.bob.hears(f"^{pattern}$", seconds=PATIENCE)
        on_jabber = await self.carol.hears(pattern, patience=PATIENCE)
        assert on_irc == on_jabber.body
        return on_irc

    async def asks(self, text: str, pattern: str) -> None:
        """Let carol, on Jabber, who is an admin and the machine's owner, say something."""
        self.carol.say(text)
        await self.carol.hears(pattern, patience=PATIENCE)

    async def calm(self) -> None:
        """Wait until the guest has booted and rests; forget what was told of its boot."""
        async with asyncio.timeout(PATIENCE):
            rested = False
            while True:
                self.carol.say("!alert list")
                listed = await self.carol.hears(r"(No alert: |A\d+ |Nothing was measured).*")
                if rested and self._rests() and listed.body.startswith("No alert"):
                    break
                rested = self._rests()
        self.carol.got.clear()
        self.bob.heard.clear()

    def _rests(self) -> bool:
        tick = self.ship.world.samples.latest()
        used = tick.machines["ford-1"].cpu if tick else None
        return used is not None and used < 5  # less than where it is over


@pytest.fixture
async def watch(need: Callable[..., None]) -> AsyncIterator[Watch]:
    need("linux.uml", "busybox", "prosody", "openssl")
    if not shutil.which("ngircd", path="/usr/sbin"):
        need("ngircd")
    folder = Path(tempfile.mkdtemp(prefix="ship"))  # short, for what is bound in it
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        stack.callback(shutil.rmtree, run_folder(folder / "state" / "ford"), ignore_errors=True)
        (folder / "prosody").mkdir()
        pki = certify(Pki(folder))
        prosody, ngircd = Prosody(folder / "prosody", pki=pki, accounts=("eddie", "carol")), Server(folder)
        stack.callback(prosody.kill)
        stack.push_async_callback(ngircd.kill)
        await asyncio.gather(prosody.start(), ngircd.start())
        path = _config(folder, ngircd, prosody)
        carol = Jabberer("carol", prosody)
        stack.push_async_callback(carol.leave)
        await carol.login()
        await carol.join()
        bob = await _seat(ngircd, stack)
        ship = replace(await app.build(configs.load(path), stack), every=0.5)
        stack.push_async_callback(_halt, ship)
        sailing = asyncio.create_task(ship.sail())
        stack.push_async_callback(_end, sailing)
        await asyncio.gather(bob.sees_the_bot(), carol.sees(f"{ROOM}/{BOT}"))
        yield Watch(ship, ngircd, carol, bob)
        assert not sailing.done()


def _config(folder: Path, ngircd: Server, prosody: Prosody) -> Path:
    assert prosody.pki is not None
    password, path = folder / "password", folder / "config.toml"
    password.write_text("eddiepw")
    password.chmod(0o600)
    ports = {"irc": ngircd.port, "jabber": prosody.port, "ca": f'"{prosody.pki.ca}"'}
    path.write_text(CONFIG.format(team=TEAM, room=ROOM, domain=DOMAIN, **ports))
    for words in (
        ("member", "add", "carol", "--role", "admin", "--identity", f"jabber:carol@{DOMAIN}"),
        ("machine", "add", "ford-1", "--owner", "carol", "--host", "ford"),
    ):
        assert cli.main(["--config", str(path), *words]) == 0
    return path


async def _seat(ngircd: Server, stack: AsyncExitStack) -> Seat:
    seat = Seat(await Person.enter(ngircd.port, "bob", None, [TEAM]))
    stack.push_async_callback(seat.leave)
    await seat.sees("bob", f"is in {TEAM}")
    return seat


async def _halt(ship: app.Ship) -> None:
    """Leave no guest behind."""
    for machine in await ship.world.roster.machines():
        with suppress(Conflict):
            await ship.fleet.stop(machine, 0)


async def _end(sailing: "asyncio.Task[None]") -> None:
    sailing.cancel()
    await asyncio.gather(sailing, return_exceptions=True)


async def test_a_busy_guest_is_told_of_on_both_networks_taken_and_over_and_irc_hears_later_what_it_missed(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    await watch.asks("!vm start ford-1", "ford-1 is up on ford, .*")
    await watch.calm()
    watch.carol.say(WORK)
    fired = await watch.hears(r"A\d+ CRIT ford-1 CPU \d+ % \(limit 8 %\) for .*")
    number = fired[1 : fired.index(" ")]
    await watch.asks(f"!ack {number} 1h on it", rf"A{number} is yours until .*")
    await watch.bob.hears(rf"^carol has A{number} until .*: \[carol\] on it$", seconds=PATIENCE)

    await watch.ngircd.kill()
    watch.carol.say(CALM)
    over = (
        await watch.carol.hears(rf"A{number} over: ford-1 CPU .*; carol had it\.", patience=PATIENCE)
    ).body
    watch.carol.say(WORK)
    again = (await watch.carol.hears(r"A\d+ CRIT ford-1 CPU .*", patience=PATIENCE)).body
    assert again.split(" ")[0] != f"A{number}"

    monkeypatch.setattr(digest, "LATE", timedelta(0))  # nobody wants to wait for a minute
    await watch.ngircd.start()
    async with AsyncExitStack() as stack:
        bob = await _seat(watch.ngircd, stack)
        for line in (over, again):
            await bob.hears(rf"^late by \d+ s: {re.escape(line)}$", seconds=PATIENCE)
        monkeypatch.undo()
        watch.carol.say(CALM)
        last = await watch.carol.hears(r"A\d+ over: ford-1 CPU .*", patience=PATIENCE)
        await bob.hears(f"^{re.escape(last.body)}$", seconds=PATIENCE)
        told = [*watch.bob.lines(), *bob.lines()]
        for line in (fired, over, again, last.body):
            assert len([one for one in told if line in one]) == 1, told
            assert [got.body for got in watch.carol.seen].count(line) == 1
