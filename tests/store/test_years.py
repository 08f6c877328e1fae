"""A file as a bot leaves it after ten years with 40 machines and a host."""

import time
from collections import Counter as Tally
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlite_utils import Database

from bench import years
from bench.years import NOW
from bot.store import rollup, traffic

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

MONTH = 31 * rollup.DAY
SLACK = 10
"""By how much a busy machine may be slower."""


def took(work: Callable[[], object]) -> float:
    """Return the ms of a work, the best of three."""
    found = []
    for _ in range(3):
        before = time.perf_counter()
        work()
        found.append(time.perf_counter() - before)
    return min(found) * 1000


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with years.years(tmp_path_factory.mktemp("years") / "years.db") as made:
        yield made


def test_they_are_small(db: Database) -> None:
    (file,) = db.execute("SELECT file FROM pragma_database_list WHERE name = 'main'").fetchone()
    assert Path(file).stat().st_size < 400e6
    subjects = years.MACHINES + 1
    for level in rollup.LEVELS:
        (rows,) = db.execute(f"SELECT count(*) FROM {level.table}").fetchone()  # noqa: S608 - our own names
        assert rows == years.KEPT[level.table] * rollup.DAY // level.step * subjects


def test_a_months_chart_is_there_at_once(db: Database) -> None:
    hours = partial(rollup.series, db, "machine", "ford-7", "hours", NOW - MONTH, NOW)
    assert [len(hours()), hours()[0].at] == [744, NOW - MONTH]
    assert took(hours) < 10 * SLACK
    assert took(partial(rollup.flow, db, "machine", ["ford-7"], "fives", NOW - MONTH, NOW)) < 20 * SLACK
    assert took(partial(traffic.traffic, db, NOW - MONTH, NOW)) < 10 * SLACK


@pytest.mark.parametrize(
    ("zone", "ago"), [("Europe/Berlin", 0), ("Asia/Kathmandu", 0), ("UTC", 0), ("Europe/Berlin", 2)]
)
def test_a_month_of_any_zone_is_counted_to_the_byte_by_who_owned_it(
    db: Database, zone: str, ago: int
) -> None:
    start, until = (
        int(datetime(2026 - ago, month, 1, tzinfo=ZoneInfo(zone)).timestamp()) for month in (3, 4)
    )
    expected: Tally[str] = Tally()
    ids = dict(db.execute("SELECT name, id FROM subjects WHERE kind = 'machine'").fetchall())
    for name, number in ids.items():
        for at in range(start, until, 900):
            expected[name] += (at // rollup.DAY * 6007 + number * 7907) % 99991 * 900
    found: Tally[str] = Tally()
    for one in traffic.traffic(db, start, until):
        if one.kind == "machine":
            assert one.owner is not None
            found[one.name] += one.received
    assert found == expected


def test_the_hour_is_rolled_up_and_the_day_pruned_in_passing_and_no_byte_is_lost(db: Database) -> None:
    db.conn.execute("BEGIN IMMEDIATE")
    assert took(partial(rollup.roll_up, db, NOW + 3605, NOW)) < 10 * SLACK
    whole = [
        sum(one.total for one in traffic.traffic(db, NOW - n * rollup.DAY, NOW)) for n in (20, 300, 3000)
    ]
    before = time.perf_counter()
    gone = rollup.prune(db, NOW + rollup.DAY)
    assert time.perf_counter() - before < SLACK
    assert gone == (years.MACHINES + 1) * (1440 + 288 + 24 + 1)
    after = [
        sum(one.total for one in traffic.traffic(db, NOW - n * rollup.DAY, NOW)) for n in (20, 300, 3000)
    ]
    assert after == whole
    db.conn.execute("ROLLBACK")
