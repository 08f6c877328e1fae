"""Shipboard on IRC and Jabber at once, beside a bare slixmpp bot: one room on Debian's Prosody, nagle off."""

import asyncio
import contextlib
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psutil

from bench import laden
from bench.arithmetic import Figures, quantile
from bench.bots import Bot, Failed, Running, floor, shipboard
from bench.measures import FLOOR, SUBJECT
from bench.people import Ledger
from bench.people import Person as OnIrc
from bench.rounds import CHATTER, SAMPLES, SETTLE, WARM_UPS
from bench.server import PATIENCE, Missing, Server
from bot import Place
from bot.config import XmppNetwork
from bot.demo.jabber import Person
from bot.demo.prosody import DOMAIN, ROOMS, Prosody, serving
from bot.errors import TransportFault
from bot.model import Message, Reply
from bot.ports import Report
from bot.runtime.clock import SystemClock, SystemEntropy
from bot.runtime.incidents import IncidentLog
from bot.runtime.supervisor import Supervisor
from bot.testing import QuietRoad
from bot.transports.xmpp.transport import XmppTransport

ROOM = f"bench@{ROOMS}"
LIBRARY = "slixmpp"
QUICKLY = 'limits = { c2s = { rate = "1gb/s", burst = "1s" } }'
"""Else Prosody takes 10 kB a second of each client, and that is what would be measured."""

WAITING, SLOWLY = 1000, 'limits = { c2s = { rate = "60kb/s", burst = "1s" } }'
"""How many messages wait for a server that takes only so much."""

_PASSWORD = "bench"  # noqa: S105 - of a server that lives for minutes on 127.0.0.1
_TALK = "rebuilt the mirror of vm{} after lunch, looks fine to me: load is back to normal !important"
_CHUNK = 500
_TICK = 0.005
_CONFIG = """
[networks.jabber]
kind = "xmpp"
jid = "{jid}"
address = "127.0.0.1:{port}"
tls_ca_file = "{ca}"
password_file = "{secret}"
rooms = ["{room}"]
pace = "off"
"""


@dataclass(eq=False, slots=True)
class Asker:
    """Somebody in the room who sees when the bot comes in, and hears its numbered answers."""

    person: Person
    bot: str
    joined: asyncio.Event = field(default_factory=asyncio.Event)
    joined_at: float = 0.0
    ended: bool = False
    _count: int = 100_000
    _waiting: dict[int, asyncio.Future[float]] = field(default_factory=dict)

    async def listen(self) -> None:
        """Hear all that is said, until the connection ends."""
        came = re.compile(rb"<presence (?![^>]*type=)[^>]*from='%b/%b'" % (ROOM.encode(), self.bot.encode()))
        rest = b""
        async for data in self.person.raw():
            now, rest = time.perf_counter(), rest + data
            if not self.joined.is_set() and came.search(rest):
                self.joined_at = now
                self.joined.set()
            end = 0
            for found in re.finditer(rb"<body>pong (\d+)</body>", rest):
                end = found.end()
                if waiting := self._waiting.pop(int(found[1]), None):
                    waiting.set_result(now)
            rest = rest[end:][-1000:]
        self.ended = True

    async def ask(self, patience: float = PATIENCE) -> float:
        """Ask one thing and return the seconds until its answer; Failed if there is none."""
        self._count += 1
        answer = self._waiting[self._count] = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        self.person.say(ROOM, f"!ping {self._count}")
        try:
            arrived: float = await asyncio.wait_for(answer, patience)
        except TimeoutError:
            raise Failed(f"{self.bot} did not answer on Jabber within {patience:g} s") from None
        return arrived - began


class _Nowhere(QuietRoad):
    async def handle(self, message: Message, report: Report) -> Reply:  # noqa: ARG002 - whatever it is
        """Answer nothing."""
        return Reply()


def library(prosody: Prosody) -> Bot:
    """Return the least possible bot on slixmpp."""

    def words(nick: str, _: Server, __: Path) -> Sequence[str]:
        who = (f"{nick}@{DOMAIN}", _PASSWORD, ROOM, nick, str(prosody.ca), str(prosody.port))
        return (sys.executable, "-m", "bench.floors.bare_slixmpp", *who)

    return Bot(LIBRARY, words)


def both(prosody: Prosody, profile: Path | None = None) -> Bot:
    """Return shipboard on both networks."""
    alone = shipboard(profile)

    def words(nick: str, server: Server, folder: Path) -> Sequence[str]:
        line = alone.words(nick, server, folder)
        (folder / "secret").write_text(_PASSWORD, encoding="utf-8")
        (folder / "secret").chmod(0o600)
        place = {"jid": f"{nick}@{DOMAIN}", "port": prosody.port, "ca": prosody.ca, "room": ROOM}
        with (folder / "config.toml").open("a", encoding="utf-8") as config:
            config.write(_CONFIG.format(secret=folder / "secret", **place))
        return line

    return Bot(SUBJECT, words)


async def measure(
    server: Server, rounds: int, say: Callable[[str], None], profile: Path | None = None
) -> dict[str, list[Figures]]:
    """Return, for each bot, the figures of each round; Missing where Prosody cannot be had."""
    results: dict[str, list[Figures]] = {FLOOR: [], LIBRARY: [], SUBJECT: []}
    accounts = dict.fromkeys((LIBRARY, SUBJECT, "asker"), _PASSWORD)
    try:
        with tempfile.TemporaryDirectory(prefix="bench") as folder:
            async with serving(Path(folder) / "prosody", accounts, QUICKLY) as prosody:
                for number in range(1, rounds + 1):
                    say(f"jabber, round {number} of {rounds}")
                    results[FLOOR].append(await _joining(floor(FLOOR, "bench.floors.bare_irc"), server))
                    for bot in (library(prosody), both(prosody, profile)):
                        results[bot.name].append(await _round(bot, server, prosody, chatter=number == 1))
                say("jabber and all else, idle")
                results[SUBJECT].append(await _laden(server, prosody))
            say(f"jabber, {WAITING:,} messages to a slow server")
            async with serving(Path(folder) / "prosody", accounts, SLOWLY) as prosody:
                results[SUBJECT].append(await _throttled(prosody))
    except TransportFault as fault:
        raise Missing(str(fault)) from fault
    return results


async def _joining(bot: Bot, server: Server) -> Figures:
    """Return how long the floor of IRC takes to come in."""
    ledger = Ledger(bot.name)
    watcher = await OnIrc.join(server.port, "watcher", ledger.hear)
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        async with bot.running(server, Path(folder)) as running:
            await _until(lambda: ledger.joined_at is not None, running)
    watcher.leave()
    return {"join_s": (ledger.joined_at or running.began) - running.began}


@contextlib.asynccontextmanager
async def _asking(prosody: Prosody, bot: str) -> AsyncIterator[Asker]:
    asker = Asker(await Person.enter(prosody, "asker", _PASSWORD, ROOM), bot)
    listening = asyncio.create_task(asker.listen())
    try:
        yield asker
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await asker.person.leave()


async def _round(bot: Bot, server: Server, prosody: Prosody, *, chatter: bool) -> Figures:
    ledger = Ledger(bot.name)
    watcher = await OnIrc.join(server.port, "watcher", ledger.hear)
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        async with _asking(prosody, bot.name) as asker, bot.running(server, Path(folder)) as running:
            on_irc = bot.name == SUBJECT
            try:
                await _until(lambda: asker.joined.is_set() and (ledger.joined_at or not on_irc), running)
                joined = max(asker.joined_at, ledger.joined_at or 0.0) - running.began
                await asker.ask()
                await asyncio.sleep(SETTLE)
                rss = running.rss()
                figures = {**await _latency(asker), **(await _chatter(asker, running) if chatter else {})}
            except Failed as error:
                log = (Path(folder) / "log").read_text("utf-8", "replace")[-1000:]
                raise Failed(f"{error}\n{log}") from error
            figures |= {"rss_mib": rss, "rss_peak_mib": running.rss_peak()}
    watcher.leave()
    return {**figures, **({"join_s": joined} if on_irc else {})}


async def _laden(server: Server, prosody: Prosody) -> Figures:
    """Let a bot that has everything do nothing."""
    bot = laden.laden(both(prosody), f"asker@{DOMAIN}")
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        async with _asking(prosody, bot.name) as asker, bot.running(server, Path(folder)) as running:
            await _until(asker.joined.is_set, running)
            await asker.ask()
            return await laden.measure(running, Path(folder), partial(asker.person.say, ROOM), asker.ask)


async def _until(so: Callable[[], object], running: Running) -> None:
    while not so():
        if running.process.returncode is not None or time.perf_counter() - running.began > PATIENCE:
            raise Failed("it did not come in")
        await asyncio.sleep(0.002)


async def _latency(asker: Asker) -> Figures:
    for _ in range(WARM_UPS):
        await asker.ask()
    took = [await asker.ask() for _ in range(SAMPLES)]
    return {"p50_ms": 1e3 * (quantile(took, 0.5) or 0.0), "p99_ms": 1e3 * (quantile(took, 0.99) or 0.0)}


async def _chatter(asker: Asker, running: Running) -> Figures:
    """Say lines that are for nobody; a command after each chunk shows that they were read."""
    cpu = running.cpu()
    for start in range(0, CHATTER, _CHUNK):
        for number in range(start, start + _CHUNK):
            asker.person.say(ROOM, _TALK.format(number % 97))
        await asker.ask(4 * PATIENCE)
    return {"chatter_s": running.cpu() - cpu}


async def _throttled(prosody: Prosody) -> Figures:
    """Let many messages wait for a slow server; return the longest delay of the loop meanwhile."""
    clock = SystemClock()
    incidents = IncidentLog(clock, SystemEntropy())
    settings = {"kind": "xmpp", "jid": f"{SUBJECT}@{DOMAIN}", "address": f"127.0.0.1:{prosody.port}"}
    network = XmppNetwork.model_validate(
        {**settings, "tls_ca_file": prosody.ca, "rooms": (ROOM,), "pace": "off"}
    )
    transport = XmppTransport(
        "jabber",
        network,
        nick=SUBJECT,
        prefix="!",
        road=_Nowhere(),
        clock=clock,
        password=_PASSWORD,
        room_lines=3,
        direct_lines=12,
        incidents=incidents,
    )
    supervisor = Supervisor(transport, clock, SystemEntropy(), incidents, lambda: None)
    task = asyncio.create_task(supervisor.run())
    try:
        async with asyncio.timeout(PATIENCE):
            while not transport.status().rooms:  # noqa: ASYNC110 - nothing tells of a status
                await asyncio.sleep(0.02)
        return await _flooded(transport)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _flooded(transport: XmppTransport) -> Figures:
    rss, place, lag = _rss(), Place("jabber", ROOM), 0.0
    saying = asyncio.gather(*(transport.say(place, (f"row {n} " + "." * 200,)) for n in range(WAITING)))
    while not saying.done():
        before = time.perf_counter()
        await asyncio.sleep(_TICK)
        lag = max(lag, time.perf_counter() - before - _TICK)
    lost = sum(not arrived for arrived in await saying)
    if lost:
        raise Failed(f"{lost} of {WAITING} messages did not arrive at a slow server")
    return {"lag_ms": 1e3 * lag, "waiting_mib": _rss() - rss}


def _rss() -> float:
    return float(psutil.Process().memory_info().rss) / 2**20
