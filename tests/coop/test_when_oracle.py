"""Random expressions against a slow, obvious reference: a clock on the wall that is watched."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.coop.when import parse

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ZONES = [
    "Africa/Cairo", "Africa/Casablanca", "America/Asuncion", "America/Havana", "America/New_York",
    "America/Santiago", "America/Sao_Paulo", "America/St_Johns", "Antarctica/Troll", "Asia/Beirut",
    "Asia/Gaza", "Asia/Kathmandu", "Asia/Tehran", "Atlantic/Azores", "Australia/Lord_Howe", "Europe/Berlin",
    "Europe/Dublin", "Europe/London", "Pacific/Apia", "Pacific/Chatham", "Pacific/Kwajalein", "UTC",
]  # fmt: skip
NAMES = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
LONG = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


@dataclass(frozen=True)
class Case:
    """An expression, and what it means said in another way."""

    text: str
    fits: Callable[[date], bool]
    minutes: frozenset[int]

    def names(self, wall: datetime) -> bool:
        return wall.hour * 60 + wall.minute in self.minutes and self.fits(wall.date())


def reference(case: Case, zone: ZoneInfo, start: datetime, days: int) -> tuple[list[datetime], datetime]:
    """Watch the wall clock on `days` days; return what was due after `start`, and up to when that holds."""
    due: list[datetime] = []
    now, highest = start.replace(hour=0, minute=0) - DAY, None
    while days > 0 and now < start + 4000 * DAY:
        local = read(zone, now).date()
        if not any(case.fits(local + n * DAY) for n in range(-2, 3)):
            now, highest = now + DAY, None
            continue
        for _ in range(24):
            if highest is not None and is_straight(zone, now, highest):  # an hour like any other
                due += [now + n * MINUTE for n in range(60) if case.names(highest + (n + 1) * MINUTE)]
                highest += HOUR
            else:
                for at in (now + n * MINUTE for n in range(60)):
                    wall = read(zone, at)
                    if any(map(case.names, shown(wall, highest))):
                        due.append(at)
                    highest = wall if highest is None else max(highest, wall)
            now += HOUR
        days -= 1
    return [at for at in due if start < at], now


def read(zone: ZoneInfo, at: datetime) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)


def is_straight(zone: ZoneInfo, now: datetime, highest: datetime) -> bool:
    """Tell whether the clock goes on in this hour from minute to minute: no zone has leapt there and back."""
    return read(zone, now) == highest + MINUTE and read(zone, now + 59 * MINUTE) == highest + HOUR


def shown(wall: datetime, highest: datetime | None) -> list[datetime]:
    """Return what the clock shows that it has not shown before, when it has come to `wall`."""
    if highest is None:
        return [wall]
    # set back: nothing new is shown; leapt ahead: all that was leapt over, too
    return [highest + n * MINUTE for n in range(1, (wall - highest) // MINUTE + 1)]


def anyhow(rng: random.Random, word: str) -> str:
    return rng.choice([word, word, word.upper(), word.capitalize()])


def clock(rng: random.Random) -> tuple[str, frozenset[int]]:
    hour = rng.choice([0, 0, 1, 2, 2, 3, 23, rng.randrange(24)])
    minute = rng.choice([0, 30, rng.randrange(60)])
    text = rng.choice([f"{hour}:{minute:02}", f"{hour:02}:{minute:02}", f"at {hour:02}:{minute:02}"])
    return text, frozenset({hour * 60 + minute})


def weekly(rng: random.Random) -> Case:
    days = rng.sample(range(7), rng.randint(1, 3))
    words = [anyhow(rng, rng.choice([NAMES[day], LONG[day]])) for day in days]
    wanted = set(days)
    if rng.random() < 0.4:
        word, more = rng.choice([("day", range(7)), ("weekday", range(5)), ("weekend", range(5, 7))])
        words, wanted = ([word], set(more)) if rng.random() < 0.7 else ([*words, word], wanted | set(more))
    at, minutes = clock(rng)
    return Case(
        f"{anyhow(rng, 'every')} {','.join(words)} {at}", lambda day: day.weekday() in wanted, minutes
    )


def interval(rng: random.Random) -> Case:
    number, unit, size = rng.choice([
        (rng.randint(1, 90), "min", 1), (rng.choice([5, 10, 15, 20, 30, 45]), "minutes", 1),
        (rng.randint(91, 1440), "m", 1), (rng.randint(1, 24), "hours", 60), (rng.randint(1, 24), "h", 60),
    ])  # fmt: skip
    text = f"every {number}{rng.choice(['', ' '])}{unit}"
    return Case(text, lambda _: True, frozenset(m for m in range(1440) if m % (number * size) == 0))


def monthly(rng: random.Random) -> Case:
    at, minutes = clock(rng)
    if rng.random() < 0.3:
        number = rng.randint(1, 28)
        return Case(f"monthly {number} {at}", lambda day: day.day == number, minutes)
    if rng.random() < 0.2:
        return Case(f"monthly last day {at}", lambda day: (day + DAY).day == 1, minutes)
    which, weekday = rng.randrange(5), rng.randrange(7)
    word = ["first", "second", "third", "fourth", "last"][which]

    def fits(day: date) -> bool:
        if which == 4:
            return day.weekday() == weekday and (day + 7 * DAY).month != day.month
        return day.weekday() == weekday and which * 7 < day.day <= which * 7 + 7

    return Case(f"monthly {word} {anyhow(rng, rng.choice([NAMES, LONG])[weekday])} {at}", fits, minutes)


def listed(rng: random.Random, low: int, high: int, names: list[str]) -> tuple[str, set[int]]:
    """Make one cron field and the numbers that it names."""
    parts, values = [], set()
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        a, b = sorted((rng.randint(low, high), rng.randint(low, high)))
        step = rng.randint(1, 9)

        def say(number: int) -> str:
            named = names and number - low < len(names) and rng.random() < 0.4
            return anyhow(rng, names[number - low]) if named else str(number)

        part, more = rng.choice([
            (say(a), {a}), (say(a), {a}), (f"{say(a)}-{b}", set(range(a, b + 1))),
            (f"{a}-{b}/{step}", set(range(a, b + 1, step))),
        ])  # fmt: skip
        parts.append(part)
        values |= more
    return ",".join(parts), values


def field(rng: random.Random, low: int, high: int, names: list[str], star: float) -> tuple[str, set[int]]:
    if rng.random() < star:
        step = rng.choice([1, 1, 2, 5, 15])
        return ("*" if step == 1 else f"*/{step}"), set(range(low, high + 1, step))
    return listed(rng, low, high, names)


def cron(rng: random.Random) -> Case:
    minute, minutes = field(rng, 0, 59, [], 0.15)
    hour, hours = field(rng, 0, 23, [], 0.3)
    dom, dates = field(rng, 1, 31, [], 0.6)
    month, months = field(rng, 1, 12, MONTHS, 0.8)
    dow, days = field(rng, 0, 7, ["sun", *NAMES[:6]], 0.5)
    weekdays = {6 if number in {0, 7} else number - 1 for number in days}
    both = dom.startswith("*") or dow.startswith("*")

    def fits(day: date) -> bool:
        by_date, by_weekday = day.day in dates, day.weekday() in weekdays
        return day.month in months and ((by_date and by_weekday) if both else (by_date or by_weekday))

    text = f'cron "{minute} {hour} {dom} {month} {dow}"'
    return Case(text, fits, frozenset(h * 60 + m for h in hours for m in minutes))


def instant(rng: random.Random, zone: ZoneInfo) -> datetime:
    """Choose an instant of the years 1975 to 2037, rather shortly before a shift of the clock."""
    start = datetime(rng.randint(1975, 2037), 1, 1, tzinfo=UTC) + timedelta(minutes=rng.randrange(525_600))
    if rng.random() < 0.3:
        return start
    offset = start.astimezone(zone).utcoffset()
    for day in range(366):
        if (start + day * DAY).astimezone(zone).utcoffset() != offset:
            return start + (day - 1) * DAY - timedelta(minutes=rng.randrange(720))
    return start


def cases(seed: int, count: int) -> Iterator[tuple[Case, ZoneInfo, datetime]]:
    rng = random.Random(seed)  # noqa: S311 - the same cases each time
    made = 0
    while made < count:
        case = rng.choice([weekly, interval, monthly, cron, cron])(rng)
        zone = ZoneInfo(rng.choice(ZONES))
        if any(case.fits(date(2024, 1, 1) + n * DAY) for n in range(366 * 28)):
            made += 1
            yield case, zone, instant(rng, zone)


def agree(seed: int, count: int) -> int:
    due = 0
    for case, zone, start in cases(seed, count):
        expected, until = reference(case, zone, start, 3)
        when = parse(f"{case.text} {zone.key}", zone="UTC", now=start)
        found = [at for at in when.upcoming(start, len(expected) + 1) if at < until]
        assert found == expected, (case.text, zone.key, start)
        due += len(found)
    return due


def test_three_hundred_expressions_agree_with_a_clock_on_the_wall() -> None:
    assert agree(7, 300) > 10_000


@pytest.mark.long
@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", range(100, 120))
def test_ten_thousand_expressions_agree_with_a_clock_on_the_wall(seed: int) -> None:
    assert agree(seed, 500) > 10_000
