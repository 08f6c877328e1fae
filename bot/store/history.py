"""Years of measurements: wide rows a minute, rolled up to 5 minutes, hours and days, and pruned.

A row covers the `step` seconds from `at`, a Unix time that is a multiple of it. Gauges are means weighted by
`samples`, with their largest value beside them; traffic is a sum of bytes, of which a roll-up loses none.
"""

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from functools import partial
from itertools import pairwise

from sqlite_utils import Database

from bot.coop.samples import Tick
from bot.coop.traffic import Counter, Traffic
from bot.ports import Minute, Slot, Store, Tx

DAY = 86400


@dataclass(frozen=True, slots=True)
class Level:
    """One table: how long a row is, and for how long it is kept, both in seconds."""

    table: str
    step: int
    kept: int


LEVELS = (
    Level("minutes", 60, 14 * DAY),
    Level("fives", 300, 400 * DAY),
    Level("hours", 3600, 5 * 366 * DAY),
    Level("days", DAY, 10 * 366 * DAY),
)
PRUNED_EVERY = 3600
"""Seconds between two removals of what is kept no longer."""

_BY_NAME = {level.table: level for level in LEVELS}
_BY_STEP = {level.step: level.table for level in LEVELS}
_CELLS = tuple(field.name for field in fields(Slot) if field.name != "at")
_SUMS = ("samples", "received", "sent")
_PEAKS = ("cpu_peak", "load_peak", "memory_peak", "rate_peak", "disk")


def create(db: Database) -> None:
    """Create the tables, inside a migration."""
    db.execute(
        "CREATE TABLE subjects (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, "
        "UNIQUE (kind, name)) STRICT"
    )
    db.execute(
        "CREATE TABLE rolled_up (level TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID"
    )
    for level in LEVELS:
        cells = ", ".join(f"{name} {'INTEGER' if _is_whole(name) else 'REAL'} NOT NULL" for name in _CELLS)
        db.execute(
            f"CREATE TABLE {level.table} (subject INTEGER NOT NULL REFERENCES subjects, at INTEGER NOT NULL, "
            f"{cells}, PRIMARY KEY (subject, at)) STRICT, WITHOUT ROWID"
        )


def _is_whole(name: str) -> bool:
    return name not in {"cpu", "cpu_peak", "load", "load_peak"}


def record(db: Database, slots: Mapping[tuple[str, str], Slot]) -> None:
    """Write one minute's row of each subject, (kind, name); a row that is there already is replaced."""
    marks = ", ".join("?" * (len(_CELLS) + 2))
    order = [field.name for field in fields(Slot)]
    db.conn.executemany(
        f"INSERT OR REPLACE INTO minutes (subject, {', '.join(order)}) VALUES ({marks})",  # noqa: S608 - our own names
        [(_subject(db, *key), *astuple(slot)) for key, slot in slots.items()],
    )


def _subject(db: Database, kind: str, name: str) -> int:
    db.conn.execute("INSERT OR IGNORE INTO subjects (kind, name) VALUES (?, ?)", [kind, name])
    found = db.conn.execute("SELECT id FROM subjects WHERE kind = ? AND name = ?", [kind, name]).fetchone()
    return int(found[0])


def roll_up(db: Database, now: int, again_from: int | None = None) -> None:
    """Bring every coarser table up to the last whole interval before `now`; doing it twice changes nothing.

    `again_from` names the oldest row that came late: from its interval on it is done anew.
    """
    for fine, coarse in pairwise(LEVELS):
        until = now // coarse.step * coarse.step
        row = db.conn.execute("SELECT until FROM rolled_up WHERE level = ?", [coarse.table]).fetchone()
        start = int(row[0]) if row else 0
        if again_from is not None:
            start = min(start, again_from // coarse.step * coarse.step)
        if start < until:
            db.conn.execute(_ROLL[fine.table], {"step": coarse.step, "start": start, "until": until})
            db.conn.execute("INSERT OR REPLACE INTO rolled_up VALUES (?, ?)", [coarse.table, until])


def _rolling(fine: Level, coarse: Level) -> str:
    cells = {name: f"sum({name} * samples) / sum(samples)" for name in _CELLS}
    cells |= {name: f"sum({name})" for name in _SUMS} | {name: f"max({name})" for name in _PEAKS}
    cells["memory"] = "CAST(sum(memory * samples) / sum(samples) AS INTEGER)"
    updates = ", ".join(f"{name} = excluded.{name}" for name in _CELLS)
    return (
        f"INSERT INTO {coarse.table} (subject, at, {', '.join(_CELLS)}) "  # noqa: S608 - our own names
        f"SELECT subject, at / :step * :step AS slot, {', '.join(cells[name] for name in _CELLS)} "
        f"FROM subjects CROSS JOIN {fine.table} ON subject = subjects.id AND at >= :start AND at < :until "
        f"WHERE samples > 0 GROUP BY subject, slot "
        f"ON CONFLICT (subject, at) DO UPDATE SET {updates}"
    )


_ROLL = {fine.table: _rolling(fine, coarse) for fine, coarse in pairwise(LEVELS)}


def prune(db: Database, now: int) -> int:
    """Remove what is kept no longer, if it was rolled up; return how many rows that were."""
    gone = 0
    for level, coarse in zip(LEVELS, (*LEVELS[1:], None), strict=True):
        before = now - level.kept
        if coarse:
            row = db.conn.execute("SELECT until FROM rolled_up WHERE level = ?", [coarse.table]).fetchone()
            before = min(before, int(row[0]) if row else 0)
        gone += db.conn.execute(
            f"DELETE FROM {level.table} WHERE (subject, at) IN (SELECT subject, at FROM subjects "  # noqa: S608 - our own names
            f"CROSS JOIN {level.table} ON subject = subjects.id AND at < ?)",
            [before],
        ).rowcount
    return gone


def series(db: Database, kind: str, name: str, level: str, start: int, until: int) -> list[Slot]:
    """Return a subject's rows of a table, the oldest first; what was not measured is not there."""
    rows = db.conn.execute(
        f"SELECT {', '.join(field.name for field in fields(Slot))} FROM {_BY_NAME[level].table} "  # noqa: S608 - our own names
        "WHERE subject = (SELECT id FROM subjects WHERE kind = ? AND name = ?) AND at >= ? AND at < ? "
        "ORDER BY at",
        [kind, name, start, until],
    )
    return [Slot(*row) for row in rows]


def traffic(db: Database, kind: str, start: int, until: int) -> dict[str, tuple[int, int]]:
    """Return what each subject of a kind received and sent in a time, from the coarsest rows that fit it.

    What is not rolled up yet is taken from the finer ones.
    """
    totals: dict[str, tuple[int, int]] = {}
    for table, low, high in _pieces(db, start, until):
        for name, received, sent in db.conn.execute(
            f"SELECT name, sum(received), sum(sent) FROM subjects CROSS JOIN {table} "  # noqa: S608 - our own names
            "ON subject = subjects.id AND at >= ? AND at < ? WHERE kind = ? GROUP BY name",
            [low, high, kind],
        ):
            before = totals.get(name, (0, 0))
            totals[name] = (before[0] + received, before[1] + sent)
    return totals


def _pieces(db: Database, start: int, until: int) -> Iterable[tuple[str, int, int]]:
    """Cover a time with intervals of the coarsest tables, without counting any row twice."""
    low = start
    for level in reversed(LEVELS):
        row = db.conn.execute("SELECT until FROM rolled_up WHERE level = ?", [level.table]).fetchone()
        done = until if level is LEVELS[0] else min(until, int(row[0]) if row else 0)
        first = -(-low // level.step) * level.step
        last = max(first, done // level.step * level.step) if level is not LEVELS[0] else max(low, done)
        if level is LEVELS[0]:
            yield level.table, low, last
        elif first == low and last > first:
            yield level.table, first, last
            low = last


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
        """Write a minute's rows, and bring all that follows from them up to date."""
        await self._store.write(partial(_minute, minute.slots, now))

    async def counters(self) -> Mapping[tuple[str, str], Counter]:
        """Return the raw counters as they were last written."""
        return {}

    async def traffic(self, start: int, until: int) -> list[Traffic]:
        """Return all bytes of a time, one a subject."""
        return [
            Traffic(kind, name, None, *both)
            for kind in ("host", "machine")
            for name, both in (
                await self._store.read(partial(traffic, kind=kind, start=start, until=until))
            ).items()
        ]

    async def series(self, kind: str, name: str, step: int, start: int, until: int) -> list[Slot]:
        """Return the rows of a subject; KeyError for a step that no table has."""
        table = _BY_STEP[step]
        return await self._store.read(lambda db: series(db, kind, name, table, start, until))


def _minute(slots: Mapping[tuple[str, str], Slot], now: int, tx: Tx) -> None:
    record(tx.db, slots)
    roll_up(tx.db, now, again_from=min((slot.at for slot in slots.values()), default=None))
    if now % PRUNED_EVERY < LEVELS[0].step:
        prune(tx.db, now)
