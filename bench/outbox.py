"""What the outbox costs: rows a second, and how soon an urgent one goes: `python -m bench.outbox`."""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median, quantiles

from sqlite_utils import Database

from bench.measures import OUTBOX, SUBJECT, report
from bot import Identity, LinkStatus, Notice, Place, Tx, Urgency
from bot.model import Relayed
from bot.runtime.clock import SystemClock, SystemEntropy
from bot.runtime.incidents import IncidentLog
from bot.store.database import FILE, SqliteStore
from bot.store.outbox import Outbox
from bot.store.roster import SqlRoster

ROWS = 10_000
BATCH = 100
"""Rows a transaction."""

ALERTS = 300


@dataclass(slots=True)
class Taker:
    """A network that takes everything at once."""

    network: str = "bench"
    taken: int = 0
    wanted: int = 0
    at: float = 0.0
    done: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, up: Callable[[], None]) -> None:
        """Have no connection to hold."""

    async def say(self, place: Place, lines: Sequence[str]) -> bool:  # noqa: ARG002 - whatever, wherever
        """Take it."""
        self.at = time.perf_counter()
        self.taken += 1
        if self.taken == self.wanted:
            self.done.set()
        return True

    async def tell(self, identity: Identity, lines: Sequence[str]) -> bool:  # noqa: ARG002 - nobody is there
        """Reach nobody."""
        return False

    async def leave_word(self, identity: Identity, lines: Sequence[str]) -> bool:  # noqa: ARG002 - it keeps none
        """Keep nothing."""
        return False

    def pass_on(self, relayed: Relayed) -> bool:  # noqa: ARG002 - nothing is relayed
        """Drop it."""
        return False

    def show(self, text: str) -> None:
        """Show nothing."""

    def status(self) -> LinkStatus:
        """Be up."""
        return LinkStatus(self.network, up=True)

    async def takes(self, count: int) -> None:
        """Wait until so many more were taken."""
        self.wanted = self.taken + count
        self.done.clear()
        await self.done.wait()


def _put(first: int, count: int, urgency: Urgency, tx: Tx) -> None:
    for number in range(first, first + count):
        tx.notice(Notice(Place("bench", "#bench"), (f"row {number}",), urgency))


def _read_back(count: int, db: Database) -> list[str]:
    newest = db.execute("SELECT lines FROM outbox ORDER BY id DESC LIMIT ?", [count]).fetchall()
    return [json.loads(lines)[0] for (lines,) in reversed(newest)]


async def measure(folder: Path, rows: int = ROWS, alerts: int = ALERTS) -> dict[str, float]:
    """Return rows written and read back a second, said and crossed off a second, and the ms to a hand-over.

    A row counts as read back once a reader with a connection of its own, as the outbox's, has it whole.
    """
    clock, taker = SystemClock(), Taker()
    store = await SqliteStore.open(folder / FILE, clock)
    incidents = IncidentLog(clock, SystemEntropy(), store)
    outbox = Outbox(store, [taker], clock, SqlRoster(store, clock), incidents=incidents)
    began = time.perf_counter()
    for first in range(0, rows, BATCH):
        await store.write(partial(_put, first, BATCH, Urgency.NEWS))
        there = await store.read(partial(_read_back, BATCH))
        if there != [f"row {number}" for number in range(first, first + BATCH)]:
            raise AssertionError(f"rows {first} to {first + BATCH} are not what was written")
    durable = rows / (time.perf_counter() - began)
    store.after_commit(outbox.wake)
    began = time.perf_counter()
    running = asyncio.create_task(outbox.run())
    await taker.takes(rows)
    said = rows / (time.perf_counter() - began)
    took = []
    for number in range(alerts):
        waiting = asyncio.create_task(taker.takes(1))
        await store.write(partial(_put, number, 1, Urgency.ALERT))
        committed = time.perf_counter()
        await waiting
        took.append(1e3 * (taker.at - committed))
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await store.close()
    worst = quantiles(took, n=100)[98]
    return {"durable_s": durable, "said_s": said, "urgent_p50_ms": median(took), "urgent_p99_ms": worst}


def main() -> int:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="bench", dir=Path.cwd()) as folder:
        sys.stdout.write(report({SUBJECT: asyncio.run(measure(Path(folder)))}, OUTBOX) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
