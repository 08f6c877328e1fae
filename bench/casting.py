"""How soon a ballot is acknowledged, on disk by then, while many are cast: the whole road but the network."""

import asyncio
import re
import shutil
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from bot import Identity, IdentityKind, Message, Place, Reply, Role, Share, Tx
from bot.paths import share
from bot.store.registrar import SqlRegistrar
from bot.testing import NETWORK, PEOPLE, Chat
from plugins.votes import plugin

ELECTORS = (24, 100, 1_000)
A_SECOND, SECONDS = 100, 5
P95_MS = 10
"""What an acknowledgement may take at most, for 95 of 100."""

_QUICK = re.compile(r"(?m)^(discussion_hours|min_tenure_days) = \d+")

Point = Mapping[str, float]


async def casting(folder: Path, sizes: Sequence[int] = ELECTORS) -> list[Point]:
    """Return, for each number of electors, how long ballots take that are cast at an even pace."""
    return [await _point(folder / str(size), size) for size in sizes]


async def _point(folder: Path, size: int) -> Point:
    names = [*PEOPLE, *(f"member{number}" for number in range(size - len(PEOPLE)))]
    async with _open_ballot(folder, names) as chat:
        took = sorted(await _cast(chat, names[1:]))
        turnout = (await _said(chat, names[0], "vote show 1")).lines[0]
        if f"of {size} voted" not in turnout:
            raise AssertionError(f"not what was measured: {turnout}")
    half, most = took[len(took) // 2], took[len(took) * 95 // 100]
    figures = {"p50, ms": 1e3 * half, "p95, ms": 1e3 * most, "it may be": float(P95_MS)}
    return {"electors": size, "a second": A_SECOND, **figures}


@asynccontextmanager
async def _open_ballot(folder: Path, names: Sequence[str]) -> AsyncIterator[Chat]:
    async with Chat.open(folder, [plugin], policies=_quick(folder / "rules")) as chat:
        await chat.store.write(lambda tx: _enroll(tx, names[len(PEOPLE) :]))
        await _said(chat, names[0], "propose policy Tea")
        await _said(chat, names[1], "second 1")
        yield chat


def _quick(policies: Path) -> Path:
    """Make a copy of the policies in which whoever is new may vote at once."""
    shutil.copytree(share("policies"), policies)
    voting = policies / "voting.md"
    voting.write_text(_QUICK.sub(r"\1 = 0", voting.read_text("utf-8")), "utf-8")
    return policies


def _enroll(tx: Tx, names: Sequence[str]) -> None:
    office = SqlRegistrar({NETWORK: "irc"})
    for name in names:
        member = office.add_member(tx, name, Role.MEMBER, Share.FULL, "bench")
        office.bind(tx, member, _identity(name), "bench")


def _identity(name: str) -> Identity:
    return Identity(NETWORK, IdentityKind.IRC_ACCOUNT, name)


async def _said(chat: Chat, name: str, text: str) -> Reply:
    place = Place(NETWORK, name, direct=True)
    message = Message(place, name, text, chat.clock.now(), _identity(name))
    return await chat.crew.pipeline.handle(message, _unheard)


async def _unheard(part: float, text: str) -> None:
    """Take a report of progress."""


async def _cast(chat: Chat, names: Sequence[str]) -> list[float]:
    """Let ballots come at their times, however long the ones before take; return the seconds of each."""

    async def cast(number: int, due: float) -> float:
        await asyncio.sleep(due - time.perf_counter())
        reply = await _said(chat, names[number % len(names)], f"vote 1 {('yes', 'no')[number % 2]}")
        if not reply.lines[0].startswith("Recorded"):
            raise AssertionError(f"not what was measured: {reply.lines[0]}")
        return time.perf_counter() - due

    start = time.perf_counter() + 0.1
    due = [start + number / A_SECOND for number in range(A_SECOND * SECONDS)]
    return await asyncio.gather(*(cast(number, at) for number, at in enumerate(due)))
