"""What was measured, in the bot's database: the newest tick, and years of rows, owners and counters."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial

from sqlite_utils import Database

from bot.coop.samples import Tick
from bot.coop.traffic import Counter, Traffic
from bot.ports import Minute, Slot, Store, Tx
from bot.store import rollup, traffic

PRUNED_EVERY = 3600
"""Seconds between two removals of what is kept no longer."""

_MINUTE = rollup.LEVELS[0].step


class SqlHistory:
    """A bot.ports.History in the bot's database."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._newest: Tick | None = None

    def latest(self) -> Tick | None:
        """Return the newest tick."""
        return self._newest

    def put(self, tick: Tick) -> None:
        """Take the newest tick."""
        self._newest = tick

    async def record(self, minute: Minute, now: int) -> None:
        """Write a minute's rows, owners and counters, and bring all that follows from them up to date."""
        await self._store.write(partial(_minute, minute, now))

    async def counters(self) -> Mapping[tuple[str, str], Counter]:
        """Return the raw counters as they were last written."""
        return await self._store.read(traffic.counters)

    async def traffic(self, start: int, until: int) -> list[Traffic]:
        """Return all bytes of a time, one a subject and owner."""
        return await self._store.read(partial(traffic.traffic, start=start, until=until))

    async def parts(self, times: Sequence[tuple[int, int]]) -> list[list[Traffic]]:
        """Return the bytes of each time, as one look at the rows shows them."""
        return await self._store.read(partial(_parts, times))

    async def series(self, kind: str, name: str, step: int, start: int, until: int) -> list[Slot]:
        """Return the rows of a subject; KeyError for a step that no table has."""
        table = rollup.BY_STEP[step]

        def find(db: Database) -> list[Slot]:
            return rollup.series(db, kind, name, table, start, until)

        return await self._store.read(find)

    async def flow(
        self, kind: str, names: Collection[str], step: int, start: int, until: int
    ) -> list[tuple[int, int, int]]:
        """Return what some subjects passed together, in rows of time, bytes received and bytes sent."""
        table = rollup.BY_STEP[step]

        def find(db: Database) -> list[tuple[int, int, int]]:
            return rollup.flow(db, kind, names, table, start, until)

        return await self._store.read(find)


def _minute(minute: Minute, now: int, tx: Tx) -> None:
    at = min((slot.at for slot in minute.slots.values()), default=now // _MINUTE * _MINUTE)
    rollup.record(tx.db, minute.slots)
    traffic.note_owners(tx.db, minute.owners, at)
    if minute.counters:
        traffic.put_counters(tx.db, minute.counters)
    rollup.roll_up(tx.db, now, again_from=at)
    if now % PRUNED_EVERY < _MINUTE:
        rollup.prune(tx.db, now)


def _parts(times: Sequence[tuple[int, int]], db: Database) -> list[list[Traffic]]:
    ledger = traffic.Ledger(db)
    return [ledger.traffic(start, until) for start, until in times]
