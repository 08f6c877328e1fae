"""Events between their commit and their handlers: stored with the deed, dispatched at least once."""

import asyncio
import json
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlite_utils import Database

from bot.coop.events import Event
from bot.errors import StoreFault
from bot.ports import Clock, Dispatch, Incidents, Store, Tx
from bot.store.times import storable, text
from bot.store.waiting import called

POLL_SECONDS = 5.0
"""How soon what another process committed is seen."""

RETRIES = 3
"""How often an event whose handler raised is dispatched again."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An event's row; `failures` counts the dispatches that raised."""

    id: int
    type: str
    body: str
    failures: int


def create(db: Database) -> None:
    """Create the table, inside a migration."""
    db.execute(
        "CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, body TEXT NOT NULL, "
        "at TEXT NOT NULL, failures INTEGER NOT NULL DEFAULT 0) STRICT"
    )


def put(db: Database, event: Event, at: datetime) -> None:
    """Write an event's row."""
    kind: Any = type(event)  # mypy takes the hash of its instances for that of the class
    plain = _adapter(kind).dump_python(event, mode="json")
    body = storable(json.dumps(plain, ensure_ascii=False, separators=(",", ":")))
    db.table("events").insert({"type": type(event).__name__, "body": body, "at": text(at)})


@cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    event: Any = kind
    return TypeAdapter(event)


def _oldest(db: Database) -> Stored | None:
    row = db.execute("SELECT id, type, body, failures FROM events ORDER BY id LIMIT 1").fetchone()
    return Stored(*row) if row else None


@dataclass(slots=True, kw_only=True)
class Dispatcher:
    """Hands committed events to `dispatch`, one after the other.

    An event whose dispatch raises is tried again RETRIES times, then dropped; so is one of an unknown type at
    once. The admins hear of each. `poke` is for the store's commits.
    """

    store: Store
    dispatch: Dispatch
    classes: Mapping[str, type[Event]]
    clock: Clock
    incidents: Incidents
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def poke(self) -> None:
        """Look for events at once."""
        self._wake.set()

    async def run(self) -> None:
        """Dispatch until cancelled."""
        while True:
            self._wake.clear()
            try:
                await self.drain()
            except StoreFault as error:
                self.incidents.report(error, during="the dispatch of events")
            await called(self._wake, self.clock, POLL_SECONDS)

    async def drain(self) -> None:
        """Dispatch all that waits; StoreFault where it cannot be read or crossed off."""
        while (row := await self.store.glance(_oldest)) is not None:
            event = self._revived(row)
            if event is None or await self._handed_over(row, event):
                await self.store.write(partial(_remove, row.id))
            else:
                await self.store.write(partial(_failed, row.id))
                await self.clock.sleep(2.0**row.failures)

    async def _handed_over(self, row: Stored, event: Event) -> bool:
        """Dispatch one event; whether it is done with."""
        task = asyncio.current_task()
        try:
            await self.dispatch(event)
        except (Exception, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and task and task.cancelling():
                raise
            last = row.failures >= RETRIES
            what = "the last dispatch" if last else "dispatch"
            self.incidents.report(error, during=f"{what} of event {row.id}, {row.type}")
            return last
        return True

    def _revived(self, row: Stored) -> Event | None:
        try:
            kind: Any = self.classes[row.type]
            event: Event = _adapter(kind).validate_python(json.loads(row.body))
        except (KeyError, ValueError, ValidationError) as error:
            fault = StoreFault(f"event {row.id} dropped, its type {row.type} is not known or has changed")
            fault.__cause__ = error
            self.incidents.report(fault, during="the dispatch of events")
            return None
        return event


def _remove(number: int, tx: Tx) -> None:
    tx.db.execute("DELETE FROM events WHERE id = ?", [number])


def _failed(number: int, tx: Tx) -> None:
    tx.db.execute("UPDATE events SET failures = failures + 1 WHERE id = ?", [number])
