"""Round numbers at the sides, the days of the zone below."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.charts.dates import DAY, HOUR, dates
from bot.charts.scales import Scale, label, scales


@given(st.floats(1e-6, 1e15), st.floats(0, 1e15))
def test_an_axis_holds_its_values_without_much_air(high: float, below: float) -> None:
    low = -min(below, high)
    (scale,) = scales((low, high))
    assert scale.low <= low + 1e-6 * scale.step
    assert scale.top >= high - 1e-3 * scale.step
    assert 4 <= scale.parts <= 6
    assert len(scale.marks) == scale.parts + 1
    assert (scale.top - scale.low) < 4 * (high - low)


def test_two_axes_share_one_grid() -> None:
    left, right = scales((0.0, 39.6), (0.0, 665.0))
    assert (left.parts, left.step) == (4, 10.0)
    assert (right.parts, right.step) == (4, 200.0)


@pytest.mark.parametrize(
    ("high", "marks"),
    [
        (39.6, "0 10 20 30 40"),
        (1.0, "0.00 0.25 0.50 0.75 1.00"),
        (1000.0, "0 250 500 750 1,000"),
        (2e6, "0.0M 0.5M 1.0M 1.5M 2.0M"),
    ],
)
def test_its_numbers_are_round(high: float, marks: str) -> None:
    (scale,) = scales((0.0, high))
    assert " ".join(map(scale.label, scale.marks)) == marks


def test_other_numbers_are_as_exact_as_can_be_seen() -> None:
    assert Scale(0.0, 100.0, 5).exact(247.28) == "247"
    assert Scale(0.0, 2.5, 4).exact(8.0) == "8"
    assert Scale(0.0, 2.5, 4).exact(8.25) == "8.2"
    assert Scale(0.0, 5e8, 5).exact(1.5e9) == "1.5G"
    assert Scale(0.0, 1e5, 5).exact(5e5) == "500k"
    assert label(-1250.0, 250.0, 2000.0) == "-1,250"


def at(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())


def words(start: int, until: int, step: int = HOUR, zone: str = "UTC") -> str:
    return " | ".join(text for _, text in dates(start, until, step, zone).labels)


def test_a_day_has_hours() -> None:
    start = at("2026-11-22T00:00")
    hours = "Sun 22 | 03:00 | 06:00 | 09:00 | 12:00 | 15:00 | 18:00 | 21:00 | Mon 23"
    assert words(start, start + DAY) == hours
    assert (
        words(start + HOUR // 2, start + HOUR * 9 // 4)
        == "00:30 | 00:45 | 01:00 | 01:15 | 01:30 | 01:45 | 02:00 | 02:15"
    )
    berlin = at("2026-11-22T00:00", "Europe/Berlin")
    assert words(berlin, berlin + DAY, zone="Europe/Berlin") == hours


@pytest.mark.parametrize(("day", "hours"), [("2027-03-28", 23), ("2026-10-25", 25)])
def test_a_day_on_which_the_clock_is_set_has_its_own_hours(day: str, hours: int) -> None:
    start = at(f"{day}T00:00", "Europe/Berlin")
    marks = dates(start, start + hours * HOUR, 300, "Europe/Berlin")
    for instant, text in marks.labels[1:-1]:
        assert f"{datetime.fromtimestamp(instant, ZoneInfo('Europe/Berlin')):%H:%M}" == text
    assert [text for _, text in marks.labels][1:8] == [f"{hour:02}:00" for hour in range(3, 24, 3)]


def test_a_week_has_its_days_named_at_their_middles_and_its_weekend_shaded() -> None:
    start = at("2026-11-16T00:00")
    marks = dates(start, start + 7 * DAY, HOUR, "UTC")
    assert [text for _, text in marks.labels] == [
        "Mon 16", "Tue 17", "Wed 18", "Thu 19", "Fri 20", "Sat 21", "Sun 22",
    ]  # fmt: skip
    assert marks.labels[0][0] == start + DAY / 2
    assert list(marks.shades) == [(start + 5 * DAY, start + 7 * DAY)]
    assert len(marks.ticks) == 8


def test_a_month_has_its_mondays() -> None:
    start = at("2026-11-01T00:00")
    assert (
        words(start, start + 30 * DAY, DAY) == "Mon 2 Nov | Mon 9 Nov | Mon 16 Nov | Mon 23 Nov | Mon 30 Nov"
    )
    marks = dates(start, start + 30 * DAY, HOUR, "UTC")
    assert marks.labels[0][0] == start + DAY
    assert marks.shades[0] == (start, start + DAY)


def test_long_times_have_months_and_years() -> None:
    start = at("2026-01-01T00:00")
    assert words(start, at("2026-05-02T00:00"), DAY) == "2026 | Feb | Mar | Apr | May"
    assert words(start, at("2027-01-01T00:00"), DAY) == "2026 | Mar | May | Jul | Sep | Nov | 2027"
    assert words(start, at("2030-06-01T00:00"), 30 * DAY) == "2026 | 2027 | 2028 | 2029 | 2030"
    assert words(at("1990-01-01T00:00"), at("2030-01-01T00:00"), 30 * DAY).count("|") == 8


@given(
    st.integers(0, 2_000_000_000),
    st.integers(60, 500 * DAY),
    st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia", "Asia/Kathmandu"]),
)
def test_all_marks_lie_in_the_picture_and_are_few(start: int, span: int, zone: str) -> None:
    marks = dates(start, start + span, 300, zone)
    places = [instant for instant, _ in marks.labels]
    assert all(start <= instant <= start + span for instant in (*places, *marks.ticks))
    assert len(places) <= 11
    assert sorted(places) == places
    assert all(begin < end for begin, end in marks.shades)


@pytest.mark.parametrize("zone", ["../../etc/passwd", "Ford/Prefect", ""])
def test_a_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        dates(0, DAY, 60, zone)
