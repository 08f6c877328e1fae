from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from sqlite_utils import Database

from bot.ports import Slot
from bot.store import rollup
from bot.store.database import prepare

FORD = ("host", "ford")


@pytest.fixture
def db() -> Iterator[Database]:
    made = Database(memory=True)
    prepare(made)
    yield made
    made.close()


def fill(db: Database, minutes: int, start: int = 0) -> None:
    for minute in range(minutes):
        at = start + minute * 60
        slot = Slot(at, 6, cpu=minute, cpu_peak=minute + 1, memory=1000, disk=minute, received=7, sent=3)
        rollup.record(db, {FORD: slot, ("machine", "ford-1"): replace(slot, received=1)})


def test_a_roll_up_loses_no_byte_and_keeps_the_peaks(db: Database) -> None:
    fill(db, 60 * 25)
    rollup.roll_up(db, 60 * 60 * 25)
    (day,) = rollup.series(db, *FORD, "days", 0, 10**9)
    assert day == Slot(
        0,
        1440 * 6,
        cpu=719.5,
        cpu_peak=1440,
        memory=1000,
        disk=1439,
        received=1440 * 7,
        sent=1440 * 3,
    )
    hours = rollup.series(db, *FORD, "hours", 0, 10**9)
    assert [hour.at for hour in hours] == [hour * 3600 for hour in range(25)]
    assert sum(hour.received for hour in hours) == 1500 * 7


def test_an_interval_that_goes_on_is_not_rolled_up(db: Database) -> None:
    fill(db, 7)
    rollup.roll_up(db, 7 * 60)
    assert [slot.at for slot in rollup.series(db, *FORD, "fives", 0, 10**9)] == [0]


def test_rolling_up_twice_or_late_gives_the_same(db: Database) -> None:
    fill(db, 120)
    rollup.roll_up(db, 7200)
    once = rollup.series(db, *FORD, "hours", 0, 10**9)
    rollup.roll_up(db, 7200)
    rollup.roll_up(db, 7200, again_from=30)
    assert rollup.series(db, *FORD, "hours", 0, 10**9) == once
    late = Slot(600, 6, received=1000, sent=3)
    rollup.record(db, {FORD: late})
    rollup.roll_up(db, 7200, again_from=600)
    assert rollup.series(db, *FORD, "hours", 0, 10**9)[0].received == once[0].received + 1000


def test_a_gap_is_no_zero(db: Database) -> None:
    fill(db, 10)
    fill(db, 10, start=3600)
    rollup.roll_up(db, 7200)
    assert [slot.at for slot in rollup.series(db, *FORD, "fives", 0, 7200)] == [0, 300, 3600, 3900]
    assert rollup.series(db, "host", "none", "fives", 0, 7200) == []


def test_what_is_old_goes_but_never_before_it_was_rolled_up(db: Database) -> None:
    fill(db, 60)
    later = 15 * rollup.DAY
    assert rollup.prune(db, later) == 0
    rollup.roll_up(db, later)
    assert rollup.prune(db, later) == 120
    assert len(rollup.series(db, *FORD, "fives", 0, later)) == 12


def test_each_level_is_made_of_whole_ones_below() -> None:
    assert all(
        coarse.step % fine.step == 0 and coarse.kept > fine.kept for fine, coarse in pairwise(rollup.LEVELS)
    )
