"""What rows tell, as tables and properties."""

from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import Machine, MachineSample, MachineState, NotFound, Share, Slot, Usage, sparkline
from bot.config.policies import read, read_folder
from bot.paths import share
from plugins.hosts.rows import (
    DAY,
    FAR_OFF,
    FIVE,
    HOUR,
    WINDOWS,
    Used,
    Window,
    bars,
    busiest,
    days_until_full,
    known,
    pieces,
    used,
)
from plugins.hosts.watch import of_share

GIB = 2**30
DAY_OF_BARS = WINDOWS[""]
BOOK = read_folder(share("policies"))


def test_a_host_is_known_by_its_name_in_any_case() -> None:
    assert known("FORD", ("ford", "zaphod")) == "ford"
    assert known(None, ("ford",)) == "ford"
    for name, hosts, said in (
        (None, (), "Which host: there is none."),
        (None, ("a", "b"), "Which host: a, b?"),
        ("x", ("a",), "There is no host “x”: there is a."),
    ):
        with pytest.raises((NotFound, Usage)) as refused:
            known(name, hosts)
        assert str(refused.value) == said


def test_a_bar_that_was_not_measured_is_told_apart_from_nothing() -> None:
    rows = [Slot(0, 1, load=0.0), Slot(1800, 1, load=2.0), Slot(3600, 0, load=9.0), Slot(5400, 1, load=1.0)]
    assert bars(rows, DAY_OF_BARS, 7199) == [0.0, 2.0, None, 1.0]
    assert bars(rows, DAY_OF_BARS, 7200) == [0.0, 2.0, None, 1.0]
    assert sparkline(bars(rows, DAY_OF_BARS, 7200)) == "▁█·▅"
    assert bars(rows, DAY_OF_BARS, 9000) == [0.0, 2.0, None, 1.0, None]
    assert bars([], DAY_OF_BARS, 7200) == []


@given(
    st.lists(st.tuples(st.integers(0, 2 * DAY), st.floats(0, 1e6)), max_size=60), st.integers(DAY, 2 * DAY)
)
def test_bars_are_never_more_than_the_time_has(found: list[tuple[int, float]], until: int) -> None:
    rows = [Slot(at, 1, load=load) for at, load in found]
    means = bars(rows, DAY_OF_BARS, until)
    assert len(means) <= DAY_OF_BARS.count
    assert not means or means[0] is not None
    assert all(mean is None or mean <= max(load for _, load in found) + 1e-6 for mean in means)


@pytest.mark.parametrize("window", WINDOWS.values())
def test_a_time_is_whole_rows_and_ends_with_the_bar_that_goes_on(window: Window) -> None:
    until = 1_795_349_999
    assert window.start(until) < until < window.end(until)
    assert window.end(until) - window.start(until) == window.count * window.bar
    assert window.start(until) % window.bar == window.bar % window.step == 0


def test_means_are_weighted_and_of_all_the_time() -> None:
    rows = [
        Slot(0, 6, cpu=10.0, cpu_peak=20.0, load=1.0, load_peak=3.0, memory=100),
        Slot(60, 3, cpu=40.0, cpu_peak=41.0, load=4.0, load_peak=4.0, memory=400),
        Slot(120, 0, cpu=9e9, load_peak=9e9),
    ]
    assert used(rows) == Used(2.0, 4.0, 20.0, 41.0, 200.0)
    assert used(rows, 18).cpu == 10.0
    assert used(rows, 18).memory == 200.0
    assert used([]) == used(rows[2:]) == Used()
    assert busiest({"a": Used(cpu=1), "b": Used(cpu=2), "c": Used(), "d": Used(cpu=1)}, 3) == [
        ("b", Used(cpu=2)),
        ("a", Used(cpu=1)),
        ("d", Used(cpu=1)),
    ]


@given(st.integers(0, 10**6).map(lambda hour: hour * HOUR), st.integers(0, 40 * DAY))
def test_the_pieces_of_a_time_touch_and_are_few(start: int, long: int) -> None:
    found = pieces(start, start + long)
    edges = [edge for _, *both in found for edge in both]
    assert edges == sorted(edges)
    assert edges[1:-1:2] == edges[2::2]
    assert (edges[:1] + edges[-1:]) == ([start, start + long] if long else [])
    assert all(low % step == 0 for step, low, _ in found)
    assert sum(-(-(high - low) // step) for step, low, high in found) <= 40 + 2 * 24 + 12


def disk(*filled: int, samples: int = 6) -> list[Slot]:
    return [Slot(hour * HOUR, samples, disk=amount) for hour, amount in enumerate(filled)]


def test_a_disk_is_full_when_the_line_through_its_hours_says_so() -> None:
    """A GiB an hour: of 200 there are 48 left, two days."""
    growing = disk(*(GIB * (100 + hour) for hour in range(53)))
    assert days_until_full(growing, 200 * GIB, 152 * GIB) == 2.0
    assert days_until_full(growing, 200 * GIB, 201 * GIB) == 0
    wavy = disk(*(GIB * (100 + hour) + (GIB if hour % 2 else 0) for hour in range(52)))
    assert days_until_full(wavy, 200 * GIB, 152 * GIB) == pytest.approx(2.0, rel=0.01)


def test_a_disk_that_does_not_fill_is_far_from_full() -> None:
    assert days_until_full(disk(*[GIB] * 24), 2 * GIB, GIB) == FAR_OFF
    assert days_until_full(disk(*range(48, 0, -1)), 2 * GIB, GIB) == FAR_OFF
    assert days_until_full(disk(*range(48)), 2 * GIB, GIB) == FAR_OFF


def test_less_than_a_day_tells_nothing() -> None:
    assert days_until_full(disk(*range(23)), 2 * GIB, GIB) is None
    assert days_until_full(disk(*range(99), samples=0), 2 * GIB, GIB) is None


@given(st.lists(st.integers(0, 2**50), min_size=24, max_size=168), st.integers(0, 2**50))
def test_a_disk_is_full_some_time_from_now(filled: list[int], total: int) -> None:
    days = days_until_full(disk(*filled), total, filled[-1])
    assert days is not None
    assert 0 <= days <= FAR_OFF


def shares(sample: MachineSample, of: Share = Share.FULL) -> dict[str, float]:
    machine = Machine("web", "ford", "alice", of, disk=PurePath("web.img"))
    return {one.measure: one.value for one in of_share(machine, sample, BOOK)}


def test_memory_and_disk_are_told_in_percent_of_the_share() -> None:
    up = MachineSample(name="web", host="ford", state=MachineState.RUNNING, memory=GIB, disk=30 * GIB)
    assert shares(up) == {"memory-share": 50.0, "disk-share": 75.0}
    assert shares(up, Share.HALF) == {"memory-share": 100.0, "disk-share": 150.0}


@pytest.mark.parametrize(
    ("state", "told"),
    [(MachineState.STOPPED, {"memory-share": 0.0}), (MachineState.RUNNING, {}), (None, {})],
)
def test_what_was_not_measured_is_not_told(state: MachineState | None, told: dict[str, float]) -> None:
    assert shares(MachineSample(name="web", host="ford", state=state)) == told


def test_what_no_policy_gives_is_not_told() -> None:
    texts = {path.stem: path.read_text("utf-8") for path in share("policies").glob("*.md")}
    texts.pop("README")
    texts["shares"] = texts["shares"].replace("memory_mib", "memory_b")
    up = MachineSample(name="web", host="ford", state=MachineState.RUNNING, memory=GIB, disk=30 * GIB)
    found = of_share(Machine("web", "ford"), up, read(texts))
    assert [one.measure for one in found] == ["disk-share"]


def test_an_hour_has_twelve_rows_of_five_minutes() -> None:
    assert pieces(0, HOUR - 1) == [(FIVE, 0, HOUR - 1)]
    assert pieces(HOUR, 2 * DAY + HOUR) == [
        (HOUR, HOUR, DAY),
        (DAY, DAY, 2 * DAY),
        (HOUR, 2 * DAY, 2 * DAY + HOUR),
    ]
