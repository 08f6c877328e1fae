"""How the database's times grow with what is in it: directly on the store, without a network."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median

from bot import Entry, Identity, IdentityKind, Role, Share, Tx
from bot.runtime.clock import SystemClock, SystemEntropy
from bot.runtime.incidents import IncidentLog
from bot.store.audit import AuditBook, append
from bot.store.connection import connect, transaction
from bot.store.database import FILE, SqliteStore, prepare
from bot.store.registrar import SqlRegistrar
from bot.store.roster import SqlRoster
from bot.transports.lines import clean, split
from plugins.members import member_list

AUDIT_ROWS = (1_000, 10_000, 100_000, 1_000_000)
MEMBERS = (10, 100, 1_000, 10_000)
NETWORK = "bench"

_BATCH = 10_000
_LINE = 400
_TIMES = 50
_ENTRY = Entry("done", "alice", "vm show", "ford-3", "bench:alice", "bench/#bench", "ford-3 is running.")

Point = Mapping[str, float]


def enroll(path: Path, names: Sequence[str]) -> None:
    """Take people into the co-op of a database, each with an account of the same name."""
    with closing(connect(path)) as db:
        prepare(db)
        for start in range(0, len(names), _BATCH):
            with transaction(db, datetime.now(UTC)) as tx:
                _enroll(tx, names[start : start + _BATCH])


def _enroll(tx: Tx, names: Sequence[str]) -> None:
    office = SqlRegistrar({NETWORK: "irc"})
    for name in names:
        member = office.add_member(tx, name, Role.MEMBER, Share.FULL, "bench")
        office.bind(tx, member, _identity(name), "bench")


def _identity(name: str) -> Identity:
    return Identity(NETWORK, IdentityKind.IRC_ACCOUNT, name)


async def audit(folder: Path, sizes: Sequence[int] = AUDIT_ROWS) -> list[Point]:
    """Return, for each number of rows, the times of a durable row, of the newest five and of verifying."""
    clock = SystemClock()
    store = await SqliteStore.open(folder / FILE, clock)
    book = AuditBook(store, clock, incidents=IncidentLog(clock, SystemEntropy(), store))
    points, there = [], 0
    try:
        for size in sizes:
            await _fill(store, size - there)
            points.append(await _audit_point(book, size))
            there = size + _TIMES
    finally:
        await store.close()
    return points


async def _fill(store: SqliteStore, count: int) -> None:
    def add(tx: Tx, rows: int) -> None:
        for _ in range(rows):
            append(tx, _ENTRY)

    for start, end in pairwise([*range(0, count, _BATCH), count]):
        await store.write(lambda tx, rows=end - start: add(tx, rows))  # type: ignore[misc]  # mypy#12557


async def _audit_point(book: AuditBook, size: int) -> Point:
    point = {
        "audit rows": size,
        "append, ms": 1e3 * await _median(lambda: book.write(_ENTRY)),
        "recent(5), ms": 1e3 * await _median(lambda: book.recent(5)),
    }
    began = time.perf_counter()
    verdict = await book.verify()
    if not verdict.whole:
        raise AssertionError(f"the chain that was measured is broken: {verdict.fault}")
    return {**point, "verify, s": time.perf_counter() - began}


async def members(folder: Path, sizes: Sequence[int] = MEMBERS) -> list[Point]:
    """Return, for each number of members, the times of a look-up, and of their list up to its lines."""
    clock, there, points = SystemClock(), 0, []
    for size in sizes:
        await asyncio.to_thread(enroll, folder / FILE, [f"member{number}" for number in range(there, size)])
        there = size
        store = await SqliteStore.open(folder / FILE, clock)
        try:
            points.append(await _members_point(SqlRoster(store, clock), size))
        finally:
            await store.close()
    return points


async def _members_point(roster: SqlRoster, size: int) -> Point:
    someone = _identity(f"member{size // 2}")

    async def listed() -> object:
        return split(clean(await member_list(roster)), _LINE)

    return {
        "members": size,
        "who is it, ms": 1e3 * await _median(lambda: roster.holder(someone)),
        "member list, ms": 1e3 * await _median(listed, times=5),
    }


async def _median(work: Callable[[], Awaitable[object]], times: int = _TIMES) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        await work()
        took.append(time.perf_counter() - began)
    return median(took)
