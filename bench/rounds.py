"""One round: a bot that was just started, its figures taken one after the other."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.arithmetic import Figures, quantile, tally
from bench.bots import Bot, Failed, Running
from bench.people import Ledger, Person, several
from bench.server import PATIENCE, Server

SPEAKERS, REPLIES, CHATTER = 4, 20_000, 20_000
WARM_UPS, SAMPLES = 20, 300
CROWDS = (1, 12, 200)
"""How many people ask something slow at the same time."""

SLOW = 4
"""Seconds that a slow command takes."""

QUIET = 5.0
"""Seconds without any reply after which the rest counts as lost."""

SETTLE = 2.0
"""Seconds that a bot has after its first answer for what it puts off until then."""

IDLE = 60.0

_CHUNK = 1000
_TALK = "rebuilt the {thing} of vm{number} after lunch, looks fine to me: load is back to normal !important"
_THINGS = ("kernel", "disk", "mirror", "quota", "bridge", "image", "backup", "uplink")


@dataclass(frozen=True, slots=True)
class Scene:
    """A bot that runs, and the people in its channel; `asker` is the one who sees what it says."""

    server: Server
    running: Running
    ledger: Ledger
    asker: Person
    speakers: Sequence[Person]
    started: Figures


@contextlib.asynccontextmanager
async def scene(bot: Bot, server: Server, *, proven: bool = False) -> AsyncIterator[Scene]:
    """Start a bot before people who are in its channel already; `proven`: with accounts of their own."""
    ledger, names = Ledger(bot.name), speaker_names()
    asker = await Person.join(server.port, names[0], ledger.hear)
    speakers = await several(server.port, names[1:])
    if proven:
        for name in names:
            server.services.vouch(name, name)
    try:
        with tempfile.TemporaryDirectory(prefix="bench") as folder:
            async with bot.running(server, Path(folder)) as running:
                try:
                    started = await _started(running, ledger, asker)
                    await asyncio.sleep(SETTLE)
                    yield Scene(server, running, ledger, asker, speakers, started)
                except (Failed, ConnectionError, TimeoutError) as error:
                    log = (Path(folder) / "log").read_text("utf-8", "replace")[-1000:]
                    what = str(error) or type(error).__name__
                    raise Failed(f"{bot.name}: {what} {ledger.left}\n{log}".rstrip()) from error
    finally:
        for person in (asker, *speakers):
            person.leave()


def speaker_names() -> tuple[str, ...]:
    """Return who is in the channel: the asker and the speakers."""
    return ("asker", *(f"speaker{number}" for number in range(SPEAKERS)))


async def _started(running: Running, ledger: Ledger, asker: Person) -> Figures:
    """Wait for the JOIN, then ask something new every 20 ms until something is answered."""
    while ledger.joined_at is None:
        if running.process.returncode is not None or time.perf_counter() - running.began > PATIENCE:
            raise Failed("it did not come into the channel")
        await asyncio.sleep(0.002)
    while not ledger.answered:
        if running.process.returncode is not None or time.perf_counter() - running.began > 2 * PATIENCE:
            raise Failed("it never answered")
        asker.say(f"!ping {ledger.number()}")
        await asyncio.sleep(0.02)
    first = min(ledger.answered.values())
    return {"join_s": ledger.joined_at - running.began, "answer_s": first - running.began}


async def measure(bot: Bot, server: Server, parts: Collection[str]) -> Figures:
    """Start a bot anew and take the figures of these parts; what only shipboard can is left out of others."""
    figures: dict[str, float | None] = {}
    async with scene(bot, server) as on:
        figures |= on.started
        if "latency" in parts:
            figures |= await latency(on)
        if "throughput" in parts:
            figures |= await throughput(on)
        if "chatter" in parts:
            figures |= await chatter(on)
        if "behind" in parts and bot.name == "shipboard":
            figures |= await behind(on)
        if on.ledger.left:
            raise Failed(f"{bot.name} left: {on.ledger.left}")
    return figures


async def measure_proven(bot: Bot, server: Server) -> Figures:
    """Start a bot anew and take the figures of people whom it knows as members."""
    async with scene(bot, server, proven=True) as on:
        figures = {**await latency(on), **await throughput(on)}
        if on.ledger.left:
            raise Failed(f"{bot.name} left: {on.ledger.left}")
    return {f"proven_{key}": figure for key, figure in figures.items() if not key.startswith("rss")}


async def latency(on: Scene) -> Figures:
    """Ask one thing at a time."""
    for _ in range(WARM_UPS):
        await on.ledger.ask(on.asker)
    took = [seconds for _ in range(SAMPLES) if (seconds := await on.ledger.ask(on.asker)) is not None]
    p50, p99 = (quantile(took, part) for part in (0.5, 0.99))
    return {"p50_ms": p50 and 1e3 * p50, "p99_ms": p99 and 1e3 * p99}


async def throughput(on: Scene) -> Figures:
    """Ask REPLIES things from several sockets, without waiting for any answer."""
    ledger, running = on.ledger, on.running
    asked: list[list[int]] = [[] for _ in on.speakers]
    for index in range(REPLIES):
        asked[index % len(asked)].append(ledger.number())
    heard, cpu, rss = len(ledger.order), running.cpu(), running.rss()
    began = time.perf_counter()
    await asyncio.gather(
        *(
            person.say_all([f"!ping {number}" for number in numbers])
            for person, numbers in zip(on.speakers, asked, strict=True)
        )
    )
    await ledger.settled([number for numbers in asked for number in numbers], QUIET)
    end = max((ledger.answered[number] for number in ledger.order[heard:]), default=began)
    found, used = tally(asked, ledger.order[heard:]), running.cpu() - cpu
    return {
        "replies_s": found.answered / (end - began) if found.answered else 0.0,
        "lost": found.lost,
        "doubled": found.doubled,
        "disordered": found.disordered,
        "cpu_us": 1e6 * used / found.answered if found.answered else None,
        "rss_start_mib": rss,
        "rss_peak_mib": running.rss_peak(),
        "rss_growth_mib": running.rss() - rss,
    }


async def chatter(on: Scene) -> Figures:
    """Say CHATTER lines that are for nobody; a command after each thousand shows that they were read."""
    cpu = on.running.cpu()
    for start in range(0, CHATTER, _CHUNK):
        talk = [
            _TALK.format(thing=_THINGS[number % len(_THINGS)], number=number % 97)
            for number in range(start, start + _CHUNK)
        ]
        for index, person in enumerate(on.speakers):
            await person.say_all(talk[index :: len(on.speakers)])
        await asyncio.gather(*(person.synced() for person in on.speakers))
        if await on.ledger.ask(on.speakers[0]) is None:
            raise Failed("it no longer answers amidst chatter")
    return {"chatter_s": on.running.cpu() - cpu}


async def behind(on: Scene) -> Figures:
    """Let crowds of people ask something slow, and another one something quick meanwhile."""
    figures: dict[str, float | None] = {}
    lost = 0
    for size in CROWDS:
        crowd = await several(on.server.port, [f"slow{number}" for number in range(size)])
        numbers = [on.ledger.number() for _ in crowd]
        for person, number in zip(crowd, numbers, strict=True):
            person.say(f"!bench slow {SLOW} {number}")
        await asyncio.gather(*(person.synced() for person in crowd))
        for person in crowd:
            person.look_away()
        await asyncio.sleep(SLOW / 4)
        waits = [await on.ledger.ask(on.asker) for _ in range(5)]
        known = [wait for wait in waits if wait is not None]
        figures[f"behind_{size}_ms"] = 1e3 * max(known) if len(known) == len(waits) else None
        await on.ledger.settled(numbers, SLOW + QUIET)
        lost += sum(number not in on.ledger.answered for number in numbers)
        for person in crowd:
            person.leave()
    return {**figures, "behind_lost": lost}


async def idle(bots: Sequence[Bot], server: Server) -> dict[str, Figures]:
    """Let all bots be idle at the same time, and return what each used of a minute."""
    async with contextlib.AsyncExitStack() as stack:
        figures: dict[str, Figures] = {}
        running = {}
        for bot in bots:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench")))
            running[bot.name] = await stack.enter_async_context(bot.running(server, folder))
        await asyncio.sleep(5 * SETTLE)
        before = {name: process.cpu() for name, process in running.items()}
        await asyncio.sleep(IDLE)
        for name, process in running.items():
            if process.process.returncode is not None:
                raise Failed(f"{name} ended while it should be idle")
            figures[name] = {"idle_s": process.cpu() - before[name]}
    return figures
