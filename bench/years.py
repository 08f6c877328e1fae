"""A database of many years of measurements, as a bot leaves it that measures 40 machines and a host."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlite_utils import Database

from bot.store import rollup, traffic
from bot.store.connection import connect
from bot.store.database import prepare

MACHINES = 40
NOW = 1_795_392_000
"""When it ends, a Unix time at the beginning of a day."""

KEPT = {"minutes": 14, "fives": 400, "hours": 5 * 366, "days": 10 * 366}
"""The days of each table."""

# In the order in which they are measured, so that the file is as large as it becomes. A machine has no load;
# all tables hold the same bytes, so many a second each day.
_FILL = """
WITH RECURSIVE times (at) AS (SELECT :start UNION ALL SELECT at + :step FROM times WHERE at + :step < :until)
INSERT INTO {table} SELECT
    id, at, 6 * :step / 60, CPU, CPU * 2, CPU * (id = 1) / 10, CPU * (id = 1) / 4,
    MEMORY, MEMORY + 4 * (CPU % 99), 8000000 + at / 3600 * 4,
    RECEIVED * :step, SENT * :step, RECEIVED * 3
FROM times CROSS JOIN subjects
"""
_WORDS = {
    "CPU": "(at / :step * 7919 + id * 104729) % 9973",
    "MEMORY": "(300000 + 4 * ((at / :step * 31 + id * 17) % 65536))",
    "RECEIVED": "((at / 86400 * 6007 + id * 7907) % 99991)",
    "SENT": "((at / 86400 * 3571 + id * 1009) % 29989)",
}


def fill(db: Database) -> None:
    """Let all tables be as full as they become; a machine changes its owner each year."""
    sql = _FILL
    for word, meaning in _WORDS.items():
        sql = sql.replace(word, meaning)
    rollup.subject(db, "host", "ford")
    for number in range(MACHINES):
        rollup.subject(db, "machine", f"ford-{number}")
    for year in range(10):
        owners = {f"ford-{number}": f"member{(number + year) % 24}" for number in range(MACHINES)}
        traffic.note_owners(db, owners, NOW - (10 - year) * 366 * rollup.DAY)
    for level in rollup.LEVELS:
        span = {"start": NOW - KEPT[level.table] * rollup.DAY, "step": level.step, "until": NOW}
        db.conn.execute(sql.format(table=level.table), span)
        db.conn.execute("INSERT OR REPLACE INTO rolled_up VALUES (?, ?)", [level.table, NOW])
        db.conn.execute("INSERT OR REPLACE INTO pruned VALUES (?, ?)", [level.table, span["start"]])


@contextmanager
def years(path: Path) -> Iterator[Database]:
    """Make such a file, and open it."""
    with closing(connect(path)) as db:
        prepare(db)
        db.conn.execute("BEGIN IMMEDIATE")
        fill(db)
        db.conn.execute("COMMIT")
        db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        yield db
