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
        slot = Slot(
            at, 6, cpu=minute, cpu_peak=minute + 1, memory=10240, disk=minute * 1024, received=7, sent=3
        )
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
        memory=10240,
        disk=1439 * 1024,
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


def test_percents_and_loads_are_kept_to_hundredths_and_sizes_to_kib(db: Database) -> None:
    slot = Slot(0, 6, cpu=1.239, cpu_peak=6399.99, load=0.004, load_peak=14.2, memory=2**40 + 700, disk=400)
    rollup.record(db, {FORD: slot})
    (found,) = rollup.series(db, *FORD, "minutes", 0, 60)
    assert (found.cpu, found.cpu_peak, found.load, found.load_peak) == (1.24, 6399.99, 0.0, 14.2)
    assert (found.memory, found.disk) == (2**40 + 1024, 0)


def test_what_comes_to_a_row_that_is_there_is_added(db: Database) -> None:
    rollup.record(db, {FORD: Slot(0, 6, cpu=10, cpu_peak=20, memory=10240, received=5, rate_peak=3)})
    rollup.record(db, {FORD: Slot(0, 2, cpu=50, cpu_peak=15, memory=2048, received=1, sent=9, rate_peak=4)})
    assert rollup.series(db, *FORD, "minutes", 0, 60) == [
        Slot(0, 8, cpu=20, cpu_peak=20, memory=8192, received=6, sent=9, rate_peak=4)
    ]


def test_a_row_without_samples_has_traffic_and_counts_for_no_mean(db: Database) -> None:
    rollup.record(db, {FORD: Slot(0, 0, received=5)})
    rollup.record(db, {FORD: Slot(60, 6, cpu=10, received=1)})
    rollup.record(db, {FORD: Slot(300, 0, sent=1)})
    rollup.roll_up(db, 600)
    found = rollup.series(db, *FORD, "fives", 0, 600)
    assert found == [Slot(0, 6, cpu=10, received=6), Slot(300, 0, sent=1)]


def test_the_flow_of_some_is_their_sum(db: Database) -> None:
    fill(db, 2)
    assert rollup.flow(db, "machine", ["ford-1", "gone"], "minutes", 0, 120) == [(0, 1, 3), (60, 1, 3)]
    rollup.record(db, {("machine", "ford-2"): Slot(60, 1, received=10)})
    assert rollup.flow(db, "machine", ["ford-1", "ford-2"], "minutes", 60, 120) == [(60, 11, 3)]
    assert rollup.flow(db, "machine", [], "minutes", 0, 120) == []


def test_a_clock_far_ahead_or_behind_spoils_nothing_for_good(db: Database) -> None:
    now, ahead = 3000 * rollup.DAY, 9000 * rollup.DAY
    rollup.record(db, {FORD: Slot(now, 6, received=1)})
    rollup.roll_up(db, ahead)
    rollup.prune(db, ahead)
    assert rollup.pruned(db)["minutes"] == ahead - 14 * rollup.DAY
    later = now + rollup.DAY
    rollup.record(db, {FORD: Slot(later, 6, received=1)})
    rollup.roll_up(db, later + 65, again_from=later)
    rollup.prune(db, later + 65)
    assert rollup.pruned(db)["minutes"] == later - 14 * rollup.DAY
    assert rollup.rolled_up(db)["fives"] == later
    rollup.record(db, {FORD: Slot(later + 60, 6, received=1)})
    assert len(rollup.series(db, *FORD, "minutes", later, later + 300)) == 1
