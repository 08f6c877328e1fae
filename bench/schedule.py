"""What the schedule costs: loading, adding, idling, and being on time when many entries are due at once.

The store and the timer are the real ones, the handler says one line; a line counts as on time when the
transaction that puts it into the outbox is committed.
"""

import asyncio
import time
from bisect import bisect_left
from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles

from sqlite_utils import Database

from bot import Due, Outcome, Place, Plan, Reply, Scheduled, Tx
from bot.ports import Agenda
from bot.runtime.clock import SystemClock, SystemEntropy
from bot.runtime.incidents import IncidentLog
from bot.runtime.scheduler import Scheduler
from bot.runtime.timer import Timer
from bot.store.agenda import SqlAgenda
from bot.store.database import FILE, SqliteStore
from bot.store.times import instant, text

ENTRIES, SAME_MINUTE, AT_ONCE = 10_000, 500, 2_000
IDLE_SECONDS = 30.0
_TICK, _TIMES, _AHEAD = 0.001, 200, timedelta(seconds=1)

Point = Mapping[str, float]


class Speaker:
    """The handler of every entry."""

    @property
    def kinds(self) -> Collection[str]:
        """Return its only kind."""
        return ("bench post",)

    async def __call__(self, entry: Scheduled, due: Due) -> Outcome:
        """Say a line."""
        return Outcome(Reply((f"[{entry.number}] it is {due.due_utc:%H:%M}",)))


@dataclass(slots=True)
class Rig:
    """A schedule that runs, with all that is measured of it."""

    store: SqliteStore
    agenda: Agenda
    scheduler: Scheduler
    commits: list[float] = field(default_factory=list)
    committed: asyncio.Event = field(default_factory=asyncio.Event)
    lag: float = 0.0

    def commit(self) -> None:
        """Note when something was committed."""
        self.commits.append(time.time())
        self.committed.set()

    async def tick(self) -> None:
        """Measure by how much the loop turns too late, at most."""
        while True:
            before = time.perf_counter()
            await asyncio.sleep(_TICK)
            self.lag = max(self.lag, time.perf_counter() - before - _TICK)

    async def come(self, count: int) -> tuple[float, float]:
        """Let that many be due together; return the 99th percentile of their lateness, and the lag, in ms."""
        self.lag, self.commits[:] = 0.0, []
        due = text(datetime.now(UTC) + _AHEAD)
        await self.store.write(lambda tx: _let_come(tx, due, count))
        self.scheduler.poke()
        while not await self.store.read(lambda db: _claims(db, due) == count):
            self.committed.clear()
            await self.committed.wait()
        sql = "SELECT at FROM schedule_claims WHERE due_utc = ?"
        written = await self.store.read(
            lambda db: [instant(at).timestamp() for (at,) in db.execute(sql, [due])]
        )
        start = instant(due).timestamp()
        late = [self.commits[bisect_left(self.commits, at)] - start for at in written]
        return quantiles(late, n=100)[98] * 1000, self.lag * 1000


def _let_come(tx: Tx, due: str, count: int) -> None:
    sql = "UPDATE schedule SET next_due = ?, wake = ? WHERE number IN (SELECT number FROM schedule LIMIT ?)"
    tx.db.execute("DELETE FROM outbox")
    tx.db.execute(sql, [due, due, count])


def _claims(db: Database, due: str) -> int:
    found: int = db.execute("SELECT count(*) FROM schedule_claims WHERE due_utc = ?", [due]).fetchone()[0]
    return found


def _fill(agenda: Agenda, tx: Tx) -> None:
    for number in range(ENTRIES):
        agenda.add(tx, _plan(number))


def _plan(number: int) -> Plan:
    when = f"every day {number // 60 % 24:02}:{number % 60:02}"
    return Plan(
        plugin="bench", kind="post", when=when, zone="Europe/Berlin", where=(Place("bench", "#bench"),)
    )


async def schedule(folder: Path) -> list[Point]:
    """Return the figures, as one point."""
    async with AsyncExitStack() as stack:
        rig, timer = await _rigged(folder, stack)
        await rig.store.write(lambda tx: _fill(rig.agenda, tx))
        before = time.perf_counter()
        with timer.running():
            await rig.scheduler.turn()
            timer.set(await rig.scheduler.soonest())
            ready = time.perf_counter() - before
            await rig.scheduler.recompute()
            load = time.perf_counter() - before
            tasks = [
                asyncio.create_task(work) for work in (rig.scheduler.run(timer), rig.scheduler.beat(timer))
            ]
            point = {
                "entries": float(ENTRIES),
                "ready_s": ready,
                "load_s": load,
                "add_ms": await _adding(rig),
            }
            await asyncio.sleep(2 * _AHEAD.total_seconds())
            used = time.process_time()
            await asyncio.sleep(IDLE_SECONDS)
            point["idle_percent"] = (time.process_time() - used) / IDLE_SECONDS * 100
            tasks.append(asyncio.create_task(rig.tick()))
            point["late_p99_ms"], _ = await rig.come(SAME_MINUTE)
            point["late_p99_ms_2000"], point["lag_ms"] = await rig.come(AT_ONCE)
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        return [point]


async def _rigged(folder: Path, stack: AsyncExitStack) -> tuple[Rig, Timer]:
    clock = SystemClock()
    store = await SqliteStore.open(folder / FILE, clock)
    stack.push_async_callback(store.close)
    agenda = SqlAgenda(store, clock)
    incidents = IncidentLog(clock, SystemEntropy())
    scheduler = Scheduler(agenda=agenda, store=store, handlers=Speaker(), clock=clock, incidents=incidents)
    agenda.on_change(scheduler.poke)
    rig = Rig(store, agenda, scheduler)
    store.after_commit(rig.commit)
    return rig, Timer(scheduler.poke)


async def _adding(rig: Rig) -> float:
    """Return how many ms one more entry takes, until it is on disk."""
    times = []
    for number in range(_TIMES):
        before = time.perf_counter()
        await rig.store.write(lambda tx, number=number: rig.agenda.add(tx, _plan(number)))  # type: ignore[misc]  # mypy#12557
        times.append(time.perf_counter() - before)
    return median(times) * 1000
