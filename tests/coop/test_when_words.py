"""What may be said about a time, and that each error names the word that it did not understand."""

from datetime import UTC, datetime, timedelta
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.coop.when import When, parse, restored
from bot.errors import Usage

NOW = datetime(2026, 11, 22, 18, 30, 20, 5, tzinfo=UTC)  # a Sunday


def read(text: str, zone: str = "UTC") -> When:
    return parse(text, zone=zone, now=NOW)


def ahead(text: str, count: int = 2, zone: str = "UTC") -> list[str]:
    return [f"{at:%a %d %b %Y %H:%M}" for at in read(text, zone).upcoming(NOW, count)]


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("every friday 18:00", ["Fri 27 Nov 2026 18:00", "Fri 04 Dec 2026 18:00"]),
        ("every mon,thu at 9:30", ["Mon 23 Nov 2026 09:30", "Thu 26 Nov 2026 09:30"]),
        ("every weekday 08:00", ["Mon 23 Nov 2026 08:00", "Tue 24 Nov 2026 08:00"]),
        ("every weekend 08:00", ["Sat 28 Nov 2026 08:00", "Sun 29 Nov 2026 08:00"]),
        ("every day 7:15", ["Mon 23 Nov 2026 07:15", "Tue 24 Nov 2026 07:15"]),
        ("every 15 min", ["Sun 22 Nov 2026 18:45", "Sun 22 Nov 2026 19:00"]),
        ("every 2 hours", ["Sun 22 Nov 2026 20:00", "Sun 22 Nov 2026 22:00"]),
        ("every 24h", ["Mon 23 Nov 2026 00:00", "Tue 24 Nov 2026 00:00"]),
        ("monthly 1 09:00", ["Tue 01 Dec 2026 09:00", "Fri 01 Jan 2027 09:00"]),
        ("monthly 1st,15th at 09:00", ["Tue 01 Dec 2026 09:00", "Tue 15 Dec 2026 09:00"]),
        ("monthly last fri 18:00", ["Fri 27 Nov 2026 18:00", "Fri 25 Dec 2026 18:00"]),
        ("monthly first monday 9:00", ["Mon 07 Dec 2026 09:00", "Mon 04 Jan 2027 09:00"]),
        ("monthly 2nd thurs 9:00", ["Thu 10 Dec 2026 09:00", "Thu 14 Jan 2027 09:00"]),
        ("monthly last day 09:00", ["Mon 30 Nov 2026 09:00", "Thu 31 Dec 2026 09:00"]),
        ("monthly last 09:00", ["Mon 30 Nov 2026 09:00", "Thu 31 Dec 2026 09:00"]),
        ("monthly first day 09:00", ["Tue 01 Dec 2026 09:00", "Fri 01 Jan 2027 09:00"]),
        ("on 2026-12-24 18:00", ["Thu 24 Dec 2026 18:00"]),
        ("today 23:00", ["Sun 22 Nov 2026 23:00"]),
        ("tomorrow at 9:00", ["Mon 23 Nov 2026 09:00"]),
        ("in 3h", ["Sun 22 Nov 2026 21:30"]),
        ("in 1h30min", ["Sun 22 Nov 2026 20:00"]),
        ("in 1 week 2 days 1 hour", ["Tue 01 Dec 2026 19:30"]),
        ('cron "0 18 * * 5"', ["Fri 27 Nov 2026 18:00", "Fri 04 Dec 2026 18:00"]),
        ('cron "0 18 * * FRI"', ["Fri 27 Nov 2026 18:00", "Fri 04 Dec 2026 18:00"]),
        ("cron 0 18 * * 0", ["Sun 29 Nov 2026 18:00", "Sun 06 Dec 2026 18:00"]),
        ("cron '0 18 * * 7'", ["Sun 29 Nov 2026 18:00", "Sun 06 Dec 2026 18:00"]),
        ("cron “0 18 * * sat-sun”", ["Sat 28 Nov 2026 18:00", "Sun 29 Nov 2026 18:00"]),
        ('cron "0 18 13 * 5"', ["Fri 27 Nov 2026 18:00", "Fri 04 Dec 2026 18:00"]),
        ('cron "0 18 24 * 5"', ["Tue 24 Nov 2026 18:00", "Fri 27 Nov 2026 18:00"]),
        ('cron "0 18 */2 * 2"', ["Tue 01 Dec 2026 18:00", "Tue 15 Dec 2026 18:00"]),
        ('cron "5/20 4-6/2 1 jan,jul *"', ["Fri 01 Jan 2027 04:05", "Fri 01 Jan 2027 04:25"]),
        ('cron "0 0 29 2 *"', ["Tue 29 Feb 2028 00:00", "Sun 29 Feb 2032 00:00"]),
        ('cron "0 0 30 2 1"', ["Mon 01 Feb 2027 00:00", "Mon 08 Feb 2027 00:00"]),
        ("cron @daily", ["Mon 23 Nov 2026 00:00", "Tue 24 Nov 2026 00:00"]),
        ("24h before every friday 18:00", ["Thu 26 Nov 2026 18:00", "Thu 03 Dec 2026 18:00"]),
        ("1 h 30 min before monthly last day 09:00", ["Mon 30 Nov 2026 07:30", "Thu 31 Dec 2026 07:30"]),
        ("2d before on 2026-12-24 18:00", ["Tue 22 Dec 2026 18:00"]),
        ("1h before tomorrow 9:00", ["Mon 23 Nov 2026 08:00"]),
        ("@weekly", ["Sun 29 Nov 2026 00:00", "Sun 06 Dec 2026 00:00"]),
    ],
)
def test_what_may_be_said(text: str, due: list[str]) -> None:
    assert ahead(text) == due
    again = restored(read(text).canonical)
    assert again.upcoming(NOW, 2) == read(text).upcoming(NOW, 2)
    assert again.canonical == read(text).canonical


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("EVERY Friday AT 18:00", "every fri 18:00"),
        ("every  mon , thu   9:30", "every mondays,thursday 9:30"),
        ("every mon-wed 9:30", "every mon,tue,wed 9:30"),
        ("every sat-mon 9:30", "every weekend,mon 9:30"),
        ("every days 9:30", "every day 9:30"),
        ("every 15m", "every 15 minutes"),
        ("every min", "every 1 minute"),
        ("every HOUR", "every 60 mins"),
        ("every 2 hrs", "every 2h"),
        ("@midnight", 'cron "0 0 * * *"'),
        ('cron"0 0 * * *"', "@daily"),
        ("@annually", "@yearly"),
        ("every fri 18:00 europe/berlin", "every fri 18:00 Europe/Berlin"),
        ('cron "0 18 * * 5" Europe/Berlin', "cron 0 18 * * 5 Europe/Berlin"),
        ("in 90 s", "in 1min30s"),
    ],
)
def test_many_ways_to_say_the_same(one: str, other: str) -> None:
    assert read(one).upcoming(NOW, 5) == read(other).upcoming(NOW, 5)
    assert read(one).zone == read(other).zone


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "“” begins no time: every, monthly, on"),
        ("someday 18:00", "“someday” begins no time"),
        ("every", "“every” needs a day or a number"),
        ("every Freitag 18:00", "“Freitag” is no day"),
        ("every mon,xyz 18:00", "“xyz” is no day"),
        ("every mon-xyz 18:00", "“mon-xyz” is no day"),
        ("every xyz-mon 18:00", "“xyz-mon” is no day"),
        ("every friday", "“friday” needs a time of day: every friday 18:00"),
        ("every friday at", "“at” needs a time of day"),
        ("every friday 25:00", "“25:00” is no time of day"),
        ("every friday 18:60", "“18:60” is no time of day"),
        ("every friday 18:00:30", "“18:00:30” is no time of day"),
        ("every friday 18.00", "“18.00” is no time of day"),
        ("every friday 9am", "“9am”: write the time with 24 hours"),
        ("every friday 9:30 PM", "“9:30 PM”: write the time with 24 hours"),
        ("every friday 18:00 Europe/Berlim", "“Europe/Berlim” is no time zone"),
        ("every friday 18:00 Europe", "“Europe” is no time zone"),
        ("every friday 18:00 ../../etc/passwd", "“../../etc/passwd” is no time zone"),
        ("every friday 18:00 right/UTC", "“right/UTC” is no time zone"),
        ("every friday 18:00 localtime", "“localtime” is no time zone"),
        ("every friday 18:00 +02:00", "“+02:00” is no time zone"),
        ("every friday 18:00 or later", "“or” is not understood after “18:00”"),
        ("every 15 foo", "“foo” is no unit of time"),
        ("every 15foo", "“15foo” is no unit of time"),
        ("every 15", "“15” needs min or hours"),
        ("every 30 sec", "“30 sec” is more often than every minute"),
        ("every second friday 18:00", "“second”: there is no every other week"),
        ("every second", "“second” is more often than every minute"),
        ("every 0 min", "“0 min” is more often than every minute"),
        ("every -5 min", "“-5” is no day"),
        ("every 1.5 hours", "“1.5” is no day"),
        ("every ٣ min", "“٣” is no day"),
        ("every 3 days", "“3 days”: every counts minutes or hours"),
        ("every 25 hours", "“25 hours” is more than a day"),
        (f"every {'9' * 90} min", f"“{'9' * 60}…” is more than a day"),
        ("monthly", "“monthly” needs a day"),
        ("monthly 31 09:00", "“31” is not in every month: monthly last day 09:00"),
        ("monthly 29th 09:00", "“29th” is not in every month"),
        ("monthly 0 09:00", "“0” is no day of every month"),
        ("monthly 32 09:00", "“32” is no day of every month"),
        ("monthly fifth fri 09:00", "“fifth” is no day of every month"),
        ("monthly first foo 09:00", "“first” is no day of every month"),
        ("monthly last fri", "“fri” needs a time of day"),
        ("on", "“on” needs a date"),
        ("on friday 18:00", "“friday” is no date"),
        ("on 2026-02-30 18:00", "“2026-02-30” is no date"),
        ("on 2026-12-24", "“2026-12-24” needs a time of day"),
        ("on 2026-11-22 18:30", "“2026-11-22 18:30” is over"),
        ("on 9999-12-31 23:59", "“9999-12-31” is too far away"),
        ("on 12026-12-24 18:00", "“12026-12-24” is no date"),
        ("today 18:30", "“today 18:30” is over"),
        ("in", "“in” needs a length of time"),
        ("in 3", "“3” needs a unit"),
        ("in 3 parsecs", "“parsecs” is no length of time"),
        ("in 3x", "“3x” is no length of time"),
        ("in an hour", "“an” is no length of time"),
        ("in 1h 5y", "“5y” is no length of time"),
        ("in 0 min", "“0 min” is no time to come"),
        ("in 999999999999h", "“999999999999h” is too far away"),
        ("in ٣h", "“٣h” is no length of time"),
        ("cron", "“cron” needs five fields"),
        ('cron "0 18 * *"', "“0 18 * *” has 4 fields, cron has five"),
        ('cron "0 0 18 * * 5"', "“0 0 18 * * 5” has 6 fields"),
        ('cron ""', "“” has 0 fields"),
        ('cron "61 * * * *"', "“61” is no minute of cron: 0 to 59"),
        ('cron "* * * * Funday"', "“Funday” is no day of the week"),
        ('cron "* * * 1,Foo-3 *"', "“Foo-3” is no month"),
        ('cron "1, * * * *"', "“1,” has a comma too many"),
        ('cron "1--5 * * * *"', "“1--5” is no minute"),
        ('cron "5-1 * * * *"', "“5-1” goes backwards"),
        ('cron "* * * * fri-mon"', "“fri-mon” goes backwards"),
        ('cron "*/0 * * * *"', "“*/0” is no step"),
        ('cron "*/x * * * *"', "“*/x” is no step"),
        ('cron "٣ * * * *"', "“٣” is no minute"),
        ('cron "0 0 30 2 *"', "“0 0 30 2 *” never comes: no such month has a day 30"),
        ('cron "0 0 31 4,jun *"', "“0 0 31 4,jun *” never comes"),
        ("0h before every friday 18:00", "“0h” before is too early"),
        ("400d before every friday 18:00", "“400d” before is too early"),
        ("soon before every friday 18:00", "“soon” is no length of time"),
        ("3 before every friday 18:00", "“before” is no length of time"),
        ("before every friday 18:00", "“before” begins no time"),
        ("3h before", "“” begins no time"),
        ("3h before every foo 18:00", "“foo” is no day"),
        ("24h before on 2026-11-23 18:00", "“2026-11-23 18:00” is over"),
        ("in 3h before every friday 18:00", "“in” is no length of time"),
        ("@reboot", "“@reboot” is not among @hourly"),
        ("cron @often", "“@often” is not among @hourly"),
        ("x" * 10_000, f"“{'x' * 60}…” is too long for a time"),
        ("every " * 30, "“every” is no day"),
    ],
)
def test_each_error_names_the_word_that_was_not_understood(text: str, said: str) -> None:
    before = process_time()
    with pytest.raises(Usage) as refused:
        read(text)
    assert process_time() - before < 0.5
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)


def test_a_zone_that_is_not_there_is_named_whoever_gave_it() -> None:
    with pytest.raises(Usage, match="“Mars/Base” is no time zone"):
        read("every friday 18:00", "Mars/Base")
    assert read("every friday 18:00 UTC", "Mars/Base").zone == "UTC"


def test_a_fixed_time_stays_what_it_was() -> None:
    tomorrow = read("tomorrow 9:00", "Europe/Berlin")
    assert (tomorrow.text, tomorrow.zone) == ("tomorrow 9:00", "Europe/Berlin")
    assert tomorrow.canonical == "on 2026-11-23 09:00 Europe/Berlin"
    assert tomorrow.recurs is False
    at = datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert restored(tomorrow.canonical).after(at - timedelta(seconds=1)) == at
    assert tomorrow.after(at) is None
    assert read("every 5 min").recurs is True


def test_the_second_of_two_equal_times_is_kept_in_utc() -> None:
    start = datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    first, second = (parse(f"in {span}", zone="Europe/Berlin", now=start) for span in ("1 min", "1h"))
    assert first.canonical == "on 2027-10-31 02:31 Europe/Berlin"
    assert second.canonical == "on 2027-10-31 01:30 UTC"
    assert second.zone == "Europe/Berlin"
    assert restored(second.canonical).after(start) == start + timedelta(hours=1)


WORDS = st.sampled_from([
    "every", "monthly", "on", "in", "at", "cron", "today", "tomorrow", "fri", "mon,thu", "weekday", "last",
    "first", "day", "1", "31", "15", "min", "hours", "3h", "18:00", "2:30", "2026-12-24", '"', "'", "*",
    "*/5", "0", "5", "@daily", "UTC", "Europe/Berlin", ",", "|", "99", "jan",
])  # fmt: skip


@given(
    st.one_of(st.text(max_size=40), st.lists(WORDS, max_size=8).map(" ".join)),
    st.datetimes(timezones=st.just(UTC)),
)
def test_any_words_are_understood_or_refused(text: str, now: datetime) -> None:
    try:
        when = parse(text, zone="America/Havana", now=now)
    except Usage as refused:
        assert "\n" not in str(refused) or "\n" in text  # noqa: PT017 - both outcomes are right
        return
    dates = when.upcoming(now, 4)
    assert list(dates) == sorted(set(dates))
    assert all(at > now for at in dates)
    assert restored(when.canonical).upcoming(now, 4) == dates


def test_reading_and_looking_ahead_are_fast() -> None:
    rare = read('cron "0 0 29 2 */7"', "Europe/Berlin")
    before = process_time()
    for _ in range(100):
        rare.after(datetime(2088, 3, 1, tzinfo=UTC))  # 40 years ahead, as 2100 is no leap year
    assert process_time() - before < 2
