"""The words of a time expression.

every DAY[,DAY] [at] HH:MM         DAY: mon … sun, mon-fri, weekday, weekend, day
every N min|hours                  counted from midnight
monthly 1 HH:MM · monthly first|second|third|fourth|last mon HH:MM · monthly last day HH:MM
on YYYY-MM-DD HH:MM · today HH:MM · tomorrow HH:MM · in 3h · in 1h 30min
cron "MINUTE HOUR DAY MONTH WEEKDAY" · cron @daily
24h before, in front of any of these
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.coop.when.cron import ALIASES, compiled
from bot.coop.when.pattern import ANY, LAST, Pattern
from bot.coop.when.zones import first, quoted
from bot.errors import Usage

Fixed = Callable[[ZoneInfo, datetime], datetime]
"""What `on`, `tomorrow` and `in` mean: an instant, once the zone and the present are known."""

MINUTES, HOURS, SECONDS, DAYS, WEEKS = 60, 3600, 1, 86400, 604800
_UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), SECONDS),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), MINUTES),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), HOURS),
    **dict.fromkeys(("d", "day", "days"), DAYS),
    **dict.fromkeys(("w", "wk", "week", "weeks"), WEEKS),
}
_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORT = {"tues": 1, "weds": 2, "thur": 3, "thurs": 3}
_SETS = {"day": range(7), "weekday": range(5), "weekend": range(5, 7)}
_WHICH = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fourth": 4,
    "last": LAST,
    "1st": 1,
    "2nd": 2,
    "3rd": 3,
    "4th": 4,
}
_OTHERS = frozenset(("second", "2nd", "other"))
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")
_TWELVE = re.compile(r"[0-9:.]*\s*[ap]\.?m\.?")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_COUNT = re.compile(r"([0-9]+)([a-z]*)")
_AMOUNT = re.compile(r"(?:[0-9]+[a-z]+)+")
_OF_MONTH = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th)?")
_ALWAYS, _LONGEST_MONTH = 28, 31
_LONGEST_LEAD = 366 * DAYS
_FAR = datetime(3000, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Words:
    """What was typed, word by word."""

    left: list[str]
    taken: list[str] = field(default_factory=list)

    @property
    def last(self) -> str:
        """The word that was taken last, or nothing."""
        return self.taken[-1] if self.taken else ""

    def next(self, wanted: str) -> str:
        """Take the next word; Usage that says what is wanted after the last one."""
        if not self.left:
            raise Usage(f"{quoted(self.last)} needs {wanted}")
        self.taken.append(self.left.pop(0))
        return self.last

    def ahead(self) -> str:
        """Return the next word in lower case, or nothing."""
        return self.left[0].lower() if self.left else ""


def every(words: Words) -> Pattern:
    """Read what follows `every`."""
    word = words.next("a day or a number: every friday 18:00, every 15 min")
    if word.lower() in _OTHERS and _weekday(words.ahead()) is not None:
        raise Usage(f"{quoted(word)}: there is no every other week; write the dates, or cron")
    count = _COUNT.fullmatch(word.lower())
    if count or _UNITS.get(word.lower(), DAYS) < DAYS:
        return _interval(word, count, words)
    days = frozenset((weekday, ANY) for part in word.split(",") for weekday in _weekdays(part))
    return Pattern((_minute(words, f"every {word} 18:00"),), weekdays=days)


def _interval(word: str, count: re.Match[str] | None, words: Words) -> Pattern:
    unit, number = word, 1
    if count:
        number = int(count[1])
        unit = count[2] or words.next(f"min or hours: every {word} min")
    typed = word if unit == word or (count and count[2]) else f"{word} {unit}"
    size = _UNITS.get(unit.lower(), 0)
    if not size:
        raise Usage(
            f"{quoted(word if count and count[2] else unit)} is no unit of time: every 15 min, every 2 hours"
        )
    if size == SECONDS or not number:
        raise Usage(f"{quoted(typed)} is more often than every minute: every 1 min")
    if size > HOURS:
        raise Usage(
            f"{quoted(typed)}: every counts minutes or hours; for days: every day 09:00, every mon 09:00"
        )
    if number * size > DAYS:
        raise Usage(f"{quoted(typed)} is more than a day, and every counts from midnight: every day 09:00")
    return Pattern(tuple(range(0, DAYS // MINUTES, number * size // MINUTES)))


def monthly(words: Words) -> Pattern:
    """Read what follows `monthly`."""
    word = words.next("a day: monthly 1 09:00, monthly last fri 18:00")
    which, then = _WHICH.get(word.lower()), words.ahead()
    if which and then in {"day", "days"}:
        words.next("")
        return _by_date([str(which)], word, words)
    if which and (weekday := _weekday(then)) is not None:
        words.next("")
        day = frozenset({(weekday, which)})
        return Pattern((_minute(words, f"monthly {word} {then} 18:00"),), weekdays=day)
    if which == LAST:
        return _by_date([str(LAST)], word, words)
    return _by_date(word.split(","), word, words)


def _by_date(parts: list[str], word: str, words: Words) -> Pattern:
    last = parts == [str(LAST)]
    dates = frozenset() if last else frozenset(_of_month(part) for part in parts)
    return Pattern((_minute(words, f"monthly {word} 09:00"),), dates=dates, last_day=last)


def _of_month(part: str) -> int:
    found = _OF_MONTH.fullmatch(part.lower())
    day = int(found[1]) if found else 0
    if _ALWAYS < day <= _LONGEST_MONTH:
        raise Usage(f"{quoted(part)} is not in every month: monthly last day 09:00, or 1 to 28")
    if not day or day > _LONGEST_MONTH:
        raise Usage(f"{quoted(part)} is no day of every month: monthly 1 09:00, monthly last fri 18:00")
    return day


def on(words: Words) -> Fixed:
    """Read what follows `on`."""
    word = words.next("a date: on 2026-12-24 18:00")
    found = _DATE.fullmatch(word)
    try:
        day = date(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        day = None
    if day is None:
        raise Usage(f"{quoted(word)} is no date: write it like on 2026-12-24 18:00")
    if day.year >= _FAR.year:
        raise _too_far(word)
    minute, second = _time(words, f"on {word} 18:00", seconds=True)
    typed = f"{word} {words.last}"
    return lambda zone, now: _to_come(first(day, minute, zone, second), now, typed)


def relative(days: int) -> Callable[[Words], Fixed]:
    """Return the reader of what follows `today` or `tomorrow`."""

    def read(words: Words) -> Fixed:
        word = words.last
        minute = _minute(words, f"{word} 18:00")
        typed = f"{word} {words.last}"

        def fixed(zone: ZoneInfo, now: datetime) -> datetime:
            day = now.astimezone(zone).date() + timedelta(days=days)
            return _to_come(first(day, minute, zone), now, typed)

        return fixed

    return read


def within(words: Words) -> Fixed:
    """Read what follows `in`."""
    begun = len(words.taken)
    word = words.next("a length of time: in 3h, in 1h 30min")
    seconds = _amount(word, words)
    while _COUNT.fullmatch(words.ahead()) or _AMOUNT.fullmatch(words.ahead()):
        seconds += _amount(words.next(""), words)
    typed = " ".join(words.taken[begun:])
    if not seconds:
        raise Usage(f"{quoted(typed)} is no time to come: write it like in 3h")

    def fixed(_zone: ZoneInfo, now: datetime) -> datetime:
        whole = now.replace(microsecond=0)
        if seconds >= (_FAR - whole).total_seconds():
            raise _too_far(typed)
        return whole + timedelta(seconds=seconds)

    return fixed


def ahead(words: Words) -> int:
    """Take `24h before` off the beginning and return its seconds; 0 if it is not there."""
    before = next((index for index, word in enumerate(words.left) if word.lower() == "before"), 0)
    if not before:
        return 0
    seconds = 0
    while words.ahead() != "before":
        seconds += _amount(words.next(""), words)
    words.next("")
    if not 0 < seconds <= _LONGEST_LEAD:
        typed = " ".join(words.taken[:-1])
        raise Usage(f"{quoted(typed)} before is too early or no time at all: 24h before every friday 18:00")
    return seconds


def _amount(word: str, words: Words) -> int:
    """Return the seconds of `3h`, `1h30min`, or `3` with the unit that follows."""
    typed = word
    if word.isascii() and word.isdigit():
        typed += words.next(f"a unit: in {word} min")
    parts = _COUNT.findall(typed.lower()) if _AMOUNT.fullmatch(typed.lower()) else []
    if not parts or any(unit not in _UNITS for _, unit in parts):
        raise Usage(f"{quoted(words.last)} is no length of time: in 45 min, in 3h, in 1h 30min, in 2d")
    return sum(int(number) * _UNITS[unit] for number, unit in parts)


def cron(words: Words) -> Pattern:
    """Read what follows `cron`: one word in quotes, or the five fields."""
    word = words.next('five fields: cron "0 18 * * 5"')
    if word.startswith("@"):
        return alias(word)
    fields = word.split()
    if len(fields) == 1:
        fields += words.left[:4]
        del words.left[:4]
        words.taken[-1] = " ".join(fields)
    return compiled(fields)


def alias(word: str) -> Pattern:
    """Read a word like @daily; Usage that names it if there is no such."""
    if word.lower() not in ALIASES:
        raise Usage(f"{quoted(word)} is not among {', '.join(ALIASES)}")
    return compiled(ALIASES[word.lower()].split())


def _weekdays(part: str) -> range | list[int]:
    low, ranged, high = part.lower().partition("-")
    if ranged and (start := _weekday(low)) is not None and (end := _weekday(high)) is not None:
        return [(start + step) % 7 for step in range((end - start) % 7 + 1)]
    if (found := _SETS.get(part.lower().removesuffix("s"))) is not None:
        return found
    if (weekday := _weekday(part.lower())) is not None:
        return [weekday]
    raise Usage(f"{quoted(part)} is no day: mon to sun, weekday, weekend or day, or a number of min or hours")


def _weekday(word: str) -> int | None:
    for number, name in enumerate(_NAMES):
        if word in {name, f"{name}s", name[:3]}:
            return number
    return _SHORT.get(word)


def _minute(words: Words, example: str) -> int:
    return _time(words, example)[0]


def _time(words: Words, example: str, *, seconds: bool = False) -> tuple[int, int]:
    """Read a time of day: its minute, and its second where that may be given."""
    if words.ahead() == "at":
        words.next("")
    word = words.next(f"a time of day: {example}")
    found = _TIME.fullmatch(word)
    if _TWELVE.fullmatch(word.lower()) or (found and _TWELVE.fullmatch(words.ahead())):
        late = word if not found else f"{word} {words.left[0]}"
        raise Usage(f"{quoted(late)}: write the time with 24 hours, 09:00 or 21:00")
    hour, minute, second = (int(part or 0) for part in found.groups()) if found else (24, 0, 0)
    if hour >= 24 or minute >= 60 or second >= 60 or (found and found[3] and not seconds):  # noqa: PLR2004 - a clock's bounds
        raise Usage(f"{quoted(word)} is no time of day: write it like {example}")
    return hour * 60 + minute, second


def _to_come(instant: datetime, now: datetime, typed: str) -> datetime:
    if instant <= now:
        raise Usage(f"{quoted(typed)} is over")
    return instant


def _too_far(typed: str) -> Usage:
    return Usage(f"{quoted(typed)} is too far away: before the year {_FAR.year}")


FORMS: dict[str, Callable[[Words], Pattern | Fixed]] = {
    "every": every,
    "monthly": monthly,
    "on": on,
    "today": relative(0),
    "tomorrow": relative(1),
    "in": within,
    "cron": cron,
}
