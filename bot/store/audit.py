"""The audit book: who asked for what, and what came of it; append-only and hash-chained."""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime, timedelta
from functools import partial
from operator import attrgetter
from typing import Any

from sqlite_utils import Database

from bot.coop.chain import Cell, Verdict
from bot.errors import StoreFault
from bot.ports import Clock, Entry, Incidents, Row, Store, Tx
from bot.store import chains
from bot.store.times import instant, storable, text

BATCH_SECONDS = 1.0
"""How long what only reads may wait for its row."""

BATCH_ROWS = 500
"""How many may wait so long; that many are written at once, so that a flood of them does not pile up."""

NOTED = 10_000
"""How many entries may wait; more are counted, and the count is a row of its own."""

STAMPS_KEPT = timedelta(hours=24)

_CELLS = tuple(cell.name for cell in fields(Entry))
_cells = attrgetter(*_CELLS)


def append(tx: Tx, entry: Entry, at: datetime | None = None) -> int:
    """Append a row in a transaction of the caller's; return its number."""
    return chains.append(tx.db, chains.AUDIT, _row_of(entry, at or tx.at))[0]


def _row_of(entry: Entry, at: datetime) -> dict[str, Cell]:
    return {"at": text(at), **dict(zip(_CELLS, _cells(entry), strict=True))}


class AuditBook:
    """The book as bot.ports.Book. `run` writes what was noted; `close` does so a last time."""

    def __init__(self, store: Store, clock: Clock, *, incidents: Incidents) -> None:
        self._store, self._clock, self._incidents = store, clock, incidents
        self._noted: deque[tuple[Entry, datetime]] = deque()
        self._lost = self._under_way = 0
        self._wake, self._many = asyncio.Event(), asyncio.Event()

    async def write(self, entry: Entry, *, stamp: str | None = None) -> int | None:
        """Append durably and return the row's number; None, with nothing written, for a stamp seen before."""
        return await self._write(entry, stamp)

    def enter(self, tx: Tx, entry: Entry) -> int:
        """Append in a transaction of the caller's; return the row's number."""
        return append(tx, entry)

    def note(self, entry: Entry) -> None:
        """Append in a batch, within BATCH_SECONDS; beyond NOTED waiting entries they are only counted."""
        if len(self._noted) < NOTED:
            self._noted.append((entry, self._clock.now()))
        else:
            self._lost += 1
        self._wake.set()
        if len(self._noted) >= BATCH_ROWS:
            self._many.set()

    @property
    def lag(self) -> float:
        """For how many seconds the oldest entry that was noted has waited for its row."""
        return (self._clock.now() - self._noted[0][1]).total_seconds() if self._noted else 0.0

    async def recent(self, count: int) -> tuple[Row, ...]:
        """Return the newest rows, the newest first."""
        await self.flush()
        return await self._store.read(lambda db: tuple(map(_row, _newest(db, count))))

    async def verify(self, head: str | None = None) -> Verdict:
        """Recompute the whole chain and name the first fault."""
        await self.flush()
        return await self._store.read(lambda db: chains.verify(db, chains.AUDIT, head))

    async def flush(self) -> None:
        """Return once all that was noted is written, what another call is just writing too."""
        if self._noted or self._lost or self._under_way:
            await self._write(None, None)

    async def run(self) -> None:
        """Write what was noted, BATCH_SECONDS after the first of it or once it is many, until cancelled."""
        pause = self._gather
        while True:
            await self._wake.wait()
            self._wake.clear()
            await pause()
            self._many.clear()
            try:
                await self.flush()
                pause = self._gather
            except StoreFault as error:
                self._incidents.report(error, during="the audit book, which tries again")
                self._wake.set()
                pause = partial(self._clock.sleep, BATCH_SECONDS)

    async def _gather(self) -> None:
        """Wait for more, so that many share one transaction."""
        waits: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(self._clock.sleep(BATCH_SECONDS)),
            asyncio.ensure_future(self._many.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def close(self) -> None:
        """Write what was noted, before the store is closed."""
        await self.flush()

    async def _write(self, entry: Entry | None, stamp: str | None) -> int | None:
        taken: list[tuple[Entry, datetime]] = []
        if self._lost:
            told = Entry(
                "lost", "shipboard", "", outcome=f"{self._lost} rows of what only read were not kept"
            )
            self._noted.append((told, self._clock.now()))
            self._lost = 0

        def work(tx: Tx) -> int | None:
            if stamp is not None and not _is_new(tx, stamp):
                return None
            while self._noted:
                taken.append(self._noted.popleft())
            chains.append_all(tx.db, chains.AUDIT, (_row_of(noted, at) for noted, at in taken))
            return append(tx, entry) if entry else None

        self._under_way += 1
        try:
            return await self._store.write(work)
        except Exception:  # rolled back, so what was noted waits again
            self._noted.extendleft(reversed(taken))
            raise
        finally:
            self._under_way -= 1


def _is_new(tx: Tx, stamp: str) -> bool:
    """Remember a stamp; whether it was not seen within 24 h."""
    tx.db.execute("DELETE FROM stamps WHERE at <= ?", [text(tx.at - STAMPS_KEPT)])
    kept = [storable(stamp), text(tx.at)]
    return tx.db.execute("INSERT OR IGNORE INTO stamps (stamp, at) VALUES (?, ?)", kept).rowcount == 1


def _newest(db: Database, count: int) -> Iterable[dict[str, Any]]:
    return db.table("audit").rows_where(order_by="seq DESC", limit=max(0, count))


def _row(cells: dict[str, Any]) -> Row:
    seq, at, made = cells.pop("seq"), cells.pop("at"), cells.pop("hash")
    del cells["prev"]
    return Row(seq, instant(at), Entry(**cells), made)
