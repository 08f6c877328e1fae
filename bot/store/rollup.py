"""Years of measurements: wide rows a minute, rolled up to 5 minutes, hours and days, and pruned.

A row covers the `step` seconds from `at`, a Unix time that is a multiple of it. Gauges are means weighted by
`samples`, with their largest value beside them; traffic is a sum of bytes, of which a roll-up loses none. A
row without samples has only traffic. What a table holds before its mark in `pruned` counts for nothing, for
coarser ones hold all of that.

All cells are whole numbers, which SQLite keeps in as few bytes as they need: percents and loads in
hundredths, sizes in KiB. The file is a quarter smaller for it.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from itertools import pairwise

from sqlite_utils import Database

from bot.ports import Slot

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
BY_STEP = {level.step: level.table for level in LEVELS}
"""The table of each length of rows."""

_BY_NAME = {level.table: level for level in LEVELS}
_CELLS = tuple(field.name for field in fields(Slot) if field.name != "at")
_SUMS = ("samples", "received", "sent")
_HUNDREDTHS = ("cpu", "cpu_peak", "load", "load_peak")
_KIB = ("memory", "memory_peak", "disk")
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
    return name not in _HUNDREDTHS


def create_marks(db: Database) -> None:
    """Create the marks up to where each table was pruned, inside a migration; find them in older files."""
    db.execute("CREATE TABLE pruned (level TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID")
    for fine, coarse in pairwise(LEVELS):
        oldest = db.execute(f"SELECT min(at) FROM {fine.table}").fetchone()[0]  # noqa: S608 - our own names
        before = db.execute(f"SELECT min(at) FROM {coarse.table}").fetchone()[0]  # noqa: S608 - our own names
        if oldest is not None and before is not None and before + coarse.step <= oldest:
            _mark(db, fine, -(-oldest // coarse.step) * coarse.step)


def make_whole(db: Database) -> None:
    """Bring the rows of older files into whole numbers, inside a migration."""
    cells = [f"{name} = round({name} * 100)" for name in _HUNDREDTHS]
    cells += [f"{name} = ({name} + 512) / 1024" for name in _KIB]
    for level in LEVELS:
        db.execute(f"UPDATE {level.table} SET {', '.join(cells)}")  # noqa: S608 - our own names


def _mark(db: Database, level: Level, until: int) -> None:
    db.conn.execute("INSERT OR REPLACE INTO pruned VALUES (?, ?)", [level.table, until])


def pruned(db: Database) -> dict[str, int]:
    """Return by table up to when it was pruned, 0 for never."""
    return dict.fromkeys(_BY_NAME, 0) | dict(db.conn.execute("SELECT level, until FROM pruned"))


def rolled_up(db: Database) -> dict[str, int]:
    """Return by table up to when the finer one was rolled up into it, 0 for never."""
    return dict.fromkeys(_BY_NAME, 0) | dict(db.conn.execute("SELECT level, until FROM rolled_up"))


def finest(marks: Mapping[str, int], at: int) -> Level:
    """Return the finest of the tables that hold all there is from that time on, by what `pruned` returned."""
    return next((level for level in LEVELS if at >= marks[level.table]), LEVELS[-1])


def record(db: Database, slots: Mapping[tuple[str, str], Slot]) -> None:
    """Write one minute's row of each subject, (kind, name).

    To a row that is there already it is added, as after a clock that was set back; what is older than the
    minutes that are kept goes into the rows of a coarser table.
    """
    marks = pruned(db)
    for (kind, name), slot in slots.items():
        level = finest(marks, slot.at)
        at = slot.at // level.step * level.step
        cells = (round(getattr(slot, cell) * _SCALES.get(cell, 1)) for cell in _CELLS)
        db.conn.execute(_ADD[level.table], [subject(db, kind, name), at, *cells])


_SCALES = dict.fromkeys(_HUNDREDTHS, 100.0) | dict.fromkeys(_KIB, 1 / 1024)
"""What figures are multiplied with to be stored."""


def _adding(level: Level) -> str:
    total = "{0} * samples + excluded.{0} * excluded.samples"
    mean = f"coalesce(round(1.0 * ({total}) / (samples + excluded.samples)), 0)"
    cells = {name: mean.format(name) for name in _CELLS}
    cells |= {name: f"{name} + excluded.{name}" for name in _SUMS}
    cells |= {name: f"max({name}, excluded.{name})" for name in _PEAKS}
    updates = ", ".join(f"{name} = {cells[name]}" for name in _CELLS)
    return (
        f"INSERT INTO {level.table} (subject, at, {', '.join(_CELLS)}) "  # noqa: S608 - our own names
        f"VALUES ({', '.join('?' * (len(_CELLS) + 2))}) ON CONFLICT (subject, at) DO UPDATE SET {updates}"
    )


_ADD = {level.table: _adding(level) for level in LEVELS}


def subject(db: Database, kind: str, name: str) -> int:
    """Return the number of a subject, given now if it has none yet."""
    db.conn.execute("INSERT OR IGNORE INTO subjects (kind, name) VALUES (?, ?)", [kind, name])
    found = db.conn.execute("SELECT id FROM subjects WHERE kind = ? AND name = ?", [kind, name]).fetchone()
    return int(found[0])


def roll_up(db: Database, now: int, again_from: int | None = None) -> None:
    """Bring every coarser table up to the last whole interval before `now`; doing it twice changes nothing.

    `again_from` names the oldest row that came late: from its interval on it is done anew.
    """
    marks, done = pruned(db), rolled_up(db)
    for fine, coarse in pairwise(LEVELS):
        until, start = now // coarse.step * coarse.step, done[coarse.table]
        if again_from is not None:
            start = min(start, again_from // coarse.step * coarse.step)
        start = max(start, marks[fine.table])
        if start < until:
            db.conn.execute(_ROLL[fine.table], {"step": coarse.step, "start": start, "until": until})
        if until != done[coarse.table]:  # less, where the clock was set back
            db.conn.execute("INSERT OR REPLACE INTO rolled_up VALUES (?, ?)", [coarse.table, until])


def _rolling(fine: Level, coarse: Level) -> str:
    mean = "coalesce(round(1.0 * sum({0} * samples) / sum(samples)), 0)"
    cells = {name: mean.format(name) for name in _CELLS}
    cells |= {name: f"sum({name})" for name in _SUMS} | {name: f"max({name})" for name in _PEAKS}
    updates = ", ".join(f"{name} = excluded.{name}" for name in _CELLS)
    return (
        f"INSERT INTO {coarse.table} (subject, at, {', '.join(_CELLS)}) "  # noqa: S608 - our own names
        f"SELECT subject, at / :step * :step AS slot, {', '.join(cells[name] for name in _CELLS)} "
        f"FROM subjects CROSS JOIN {fine.table} ON subject = subjects.id AND at >= :start AND at < :until "
        f"WHERE true GROUP BY subject, slot "
        f"ON CONFLICT (subject, at) DO UPDATE SET {updates}"
    )


_ROLL = {fine.table: _rolling(fine, coarse) for fine, coarse in pairwise(LEVELS)}


def prune(db: Database, now: int) -> int:
    """Remove what is kept no longer, if it was rolled up; return how many rows that were."""
    gone, done, marks = 0, rolled_up(db), pruned(db)
    for level, coarse in zip(LEVELS, (*LEVELS[1:], None), strict=True):
        before = now - level.kept
        if coarse:  # whole intervals, so that what is left of this table fits on to the coarser one
            before = min(before, done[coarse.table]) // coarse.step * coarse.step
        mark = marks[level.table]  # one from a clock that was far ahead is void
        _mark(db, level, max(before, mark if mark <= now else 0, 0))
        gone += db.conn.execute(
            f"DELETE FROM {level.table} WHERE (subject, at) IN (SELECT subject, at FROM subjects "  # noqa: S608 - our own names
            f"CROSS JOIN {level.table} ON subject = subjects.id AND at < ?)",
            [before],
        ).rowcount
    return gone


def series(db: Database, kind: str, name: str, level: str, start: int, until: int) -> list[Slot]:
    """Return a subject's rows of a table, the oldest first; what was not measured is not there."""
    rows = db.conn.execute(
        f"SELECT at, {', '.join(map(_read, _CELLS))} FROM {_BY_NAME[level].table} "  # noqa: S608 - our own names
        "WHERE subject = (SELECT id FROM subjects WHERE kind = ? AND name = ?) AND at >= ? AND at < ? "
        "ORDER BY at",
        [kind, name, start, until],
    )
    return [Slot(*row) for row in rows]


def flow(
    db: Database, kind: str, names: Collection[str], level: str, start: int, until: int
) -> list[tuple[int, int, int]]:
    """Return what some subjects received and sent together in each row's time, the oldest first."""
    rows = db.conn.execute(
        f"SELECT at, sum(received), sum(sent) FROM {_BY_NAME[level].table} "  # noqa: S608 - our own names
        "WHERE subject IN (SELECT id FROM subjects WHERE kind = ? "
        "AND name IN (SELECT value FROM json_each(?))) AND at >= ? AND at < ? GROUP BY at ORDER BY at",
        [kind, json.dumps(sorted(names)), start, until],
    )
    return rows.fetchall()


def _read(cell: str) -> str:
    """Return how a cell is read, in the unit of a Slot."""
    return f"{cell} / 100.0" if cell in _HUNDREDTHS else f"{cell} * 1024" if cell in _KIB else cell
