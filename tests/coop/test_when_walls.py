"""Where the clock on the wall is shifted: each time comes once, and none is lost."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.coop.when import parse
from bot.coop.when.pattern import Pattern


def ahead(text: str, zone: str, start: str, count: int = 3) -> list[str]:
    instant = datetime.fromisoformat(start).replace(tzinfo=UTC)
    return [f"{at:%d %H:%M}" for at in parse(text, zone=zone, now=instant).upcoming(instant, count)]


@pytest.mark.parametrize(
    ("text", "zone", "start", "due"),
    [
        # midnight, over all four shifts: no day is skipped, none comes twice
        ("every day 0:00", "Europe/Berlin", "2027-03-26T23:00", ["27 23:00", "28 22:00", "29 22:00"]),
        ("every day 0:30", "Europe/Berlin", "2027-03-26T23:30", ["27 23:30", "28 22:30", "29 22:30"]),
        ("every day 0:00", "Europe/Berlin", "2027-10-29T22:00", ["30 22:00", "31 23:00", "01 23:00"]),
        ("every day 0:00", "America/New_York", "2027-03-13T05:00", ["14 05:00", "15 04:00", "16 04:00"]),
        ("every day 0:00", "America/New_York", "2027-11-06T04:00", ["07 04:00", "08 05:00", "09 05:00"]),
        # 02:30: missing in spring, twice in autumn (in New York 01:30 is)
        ("every day 2:30", "Europe/Berlin", "2027-03-26T01:30", ["27 01:30", "28 01:00", "29 00:30"]),
        ("every day 2:30", "Europe/Berlin", "2027-10-30T00:30", ["31 00:30", "01 01:30", "02 01:30"]),
        ("every day 2:30", "America/New_York", "2027-03-12T07:30", ["13 07:30", "14 07:00", "15 06:30"]),
        ("every day 2:30", "America/New_York", "2027-11-06T06:30", ["07 07:30", "08 07:30", "09 07:30"]),
        ("every day 1:30", "America/New_York", "2027-11-06T05:30", ["07 05:30", "08 06:30", "09 06:30"]),
        ('cron "30 2 * * *"', "Europe/Berlin", "2027-03-27T01:30", ["28 01:00", "29 00:30", "30 00:30"]),
        ("on 2027-03-28 02:30", "Europe/Berlin", "2027-03-01", ["28 01:00"]),
        ("on 2027-10-31 02:30", "Europe/Berlin", "2027-03-01", ["31 00:30"]),
        ("tomorrow 2:30", "Europe/Berlin", "2027-03-27T12:00", ["28 01:00"]),
        ("in 1d", "Europe/Berlin", "2027-03-27T12:00", ["28 12:00"]),
        # the time right at the shift, and one that is missing beside one that is not: one instant
        ("every day 3:00", "Europe/Berlin", "2027-03-27T02:00", ["28 01:00", "29 01:00", "30 01:00"]),
        ('cron "0,30 2,3 * * *"', "Europe/Berlin", "2027-03-28T00:00", ["28 01:00", "28 01:30", "29 00:00"]),
        # half an hour, at 02:00 in Lord Howe
        ("every day 2:15", "Australia/Lord_Howe", "2026-10-02T15:45", ["03 15:30", "04 15:15", "05 15:15"]),
        ("every day 1:45", "Australia/Lord_Howe", "2027-04-02T14:45", ["03 14:45", "04 15:15", "05 15:15"]),
        # midnight itself is missing, or twice
        ("every day 0:00", "America/Havana", "2026-03-07T05:00", ["08 05:00", "09 04:00", "10 04:00"]),
        ("every day 0:30", "America/Havana", "2026-10-31T04:30", ["01 04:30", "02 05:30", "03 05:30"]),
        ("every day 0:00", "Asia/Beirut", "2026-03-27T22:00", ["28 22:00", "29 21:00", "30 21:00"]),
        ("every sun 0:00", "Asia/Beirut", "2026-03-27T22:00", ["28 22:00", "04 21:00", "11 21:00"]),
        ("every sat 23:30", "Asia/Beirut", "2026-10-23T00:00", ["24 20:30", "31 21:30", "07 21:30"]),
        # the whole of Friday, 30 December 2011 is missing in Apia
        ("every day 12:00", "Pacific/Apia", "2011-12-28T22:00", ["29 22:00", "30 10:00", "30 22:00"]),
        ("every fri 18:00", "Pacific/Apia", "2011-12-24T12:00", ["30 10:00", "06 04:00", "13 04:00"]),
        ("on 2011-12-30 09:00", "Pacific/Apia", "2011-12-01", ["30 10:00"]),
        ("every day 0:00", "Pacific/Apia", "2011-12-29T00:00", ["29 10:00", "30 10:00", "31 10:00"]),
    ],
)
def test_each_time_of_day_comes_once(text: str, zone: str, start: str, due: list[str]) -> None:
    assert ahead(text, zone, start, len(due)) == due


@pytest.mark.parametrize(
    ("text", "zone", "start", "due"),
    [
        # from each midnight anew, on the clock: 7 hours leave 3 for the rest of the day
        (
            "every 7 hours",
            "Europe/Berlin",
            "2026-11-22T20:30",
            ["22 23:00", "23 06:00", "23 13:00", "23 20:00"],
        ),
        (
            "every 12 hours",
            "Europe/Berlin",
            "2027-03-27T11:30",
            ["27 23:00", "28 10:00", "28 22:00", "29 10:00"],
        ),
        ("every 2 hours", "Europe/Berlin", "2027-03-27T23:30", ["28 01:00", "28 02:00", "28 04:00"]),
        ("every 2 hours", "Europe/Berlin", "2027-10-30T22:30", ["31 00:00", "31 03:00", "31 05:00"]),
        ("every 90 min", "UTC", "2026-11-22T20:00", ["22 21:00", "22 22:30", "23 00:00", "23 01:30"]),
        # in every hour of the day too, each time on the clock comes once
        ("every 30 min", "Europe/Berlin", "2027-03-28T00:00", ["28 00:30", "28 01:00", "28 01:30"]),
        (
            "every 30 min",
            "Europe/Berlin",
            "2027-10-31T00:00",
            ["31 00:30", "31 02:00", "31 02:30", "31 03:00"],
        ),
        ("every hour", "America/New_York", "2027-11-07T04:30", ["07 05:00", "07 07:00", "07 08:00"]),
        ("every 30 min UTC", "Europe/Berlin", "2027-10-31T00:00", ["31 00:30", "31 01:00", "31 01:30"]),
        ('cron "30 * * * *"', "Europe/Berlin", "2027-03-28T00:00", ["28 00:30", "28 01:00", "28 01:30"]),
        ('cron "30 * * * *"', "Europe/Berlin", "2027-10-30T23:00", ["30 23:30", "31 00:30", "31 02:30"]),
        ('cron "*/20 * * * sun"', "Asia/Beirut", "2026-10-24T21:30", ["24 22:00", "24 22:20", "24 22:40"]),
        ('cron "0 * * * sun"', "America/St_Johns", "2006-10-29T02:00", ["29 02:30", "29 04:30", "29 05:30"]),
        ("every 45 min", "Pacific/Apia", "2011-12-30T09:00", ["30 09:15", "30 10:00", "30 10:45"]),
        ('cron "0 * 29 2 *"', "UTC", "2024-02-29T23:00", ["29 00:00", "29 01:00", "29 02:00"]),
    ],
)
def test_intervals_count_from_midnight(text: str, zone: str, start: str, due: list[str]) -> None:
    assert ahead(text, zone, start, len(due)) == due


def test_offsets_with_seconds_are_exact() -> None:
    start = datetime(1850, 1, 1, tzinfo=UTC)  # Berlin was at +00:53:28 until 1893
    assert parse("every day 12:00", zone="Europe/Berlin", now=start).after(start) == datetime(
        1850, 1, 1, 11, 6, 32, tzinfo=UTC
    )
    assert parse("every 30 min", zone="Europe/Berlin", now=start).upcoming(start, 2) == (
        datetime(1850, 1, 1, 0, 6, 32, tzinfo=UTC),
        datetime(1850, 1, 1, 0, 36, 32, tzinfo=UTC),
    )
    shift = datetime(1893, 3, 31, 22, 50, tzinfo=UTC)
    found = parse("every 30 min", zone="Europe/Berlin", now=start).upcoming(shift, 3)
    # 00:00 to 00:06:32 is missing
    assert [f"{at:%H:%M:%S}" for at in found] == ["23:06:32", "23:30:00", "00:00:00"]


@pytest.mark.parametrize(
    "text", ["every day 18:00", "every 7 min", "monthly last fri 2:00", 'cron "0 0 29 2 *"']
)
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "Europe/Berlin"])
def test_the_ends_of_the_calendar_raise_nothing(text: str, zone: str) -> None:
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    when = parse(text, zone=zone, now=first)
    assert when.after(last) is None
    soon = when.after(first)
    assert soon is not None
    assert soon < first + timedelta(days=9 * 366)
    late = last.replace(year=9930)
    assert (when.after(late) or late) > late


@pytest.mark.parametrize("minutes", [(0,), tuple(range(1440))])
def test_a_pattern_that_never_comes_is_searched_for_a_while_only(minutes: tuple[int, ...]) -> None:
    never = Pattern(minutes, months=frozenset({2}), dates=frozenset({30}))
    assert not never.comes()
    assert never.after(datetime(2026, 11, 22, tzinfo=UTC), ZoneInfo("UTC")) is None
