"""The clock on the wall of a zone, and the instants at which it shows a time."""

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from bot.coop import quotes
from bot.errors import Usage

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,31}(/[A-Za-z0-9_+-]{1,32}){0,2}")
_NOT_OURS = re.compile(
    r"(right|posix)/.*|localtime|posixrules|factory", re.IGNORECASE
)  # the machine's, not IANA's
_SHOWN = 61


def quoted(word: str) -> str:
    """Return a word in quotes, cut where nobody would read on."""
    return quotes.quoted(word, _SHOWN)


def zone_named(name: str) -> ZoneInfo:
    """Return the zone of an IANA name, in whatever case; Usage that names it if there is none."""
    if _NAME.fullmatch(name) and not _NOT_OURS.fullmatch(name):
        try:
            return ZoneInfo(name)
        except (
            ZoneInfoNotFoundError,
            ValueError,
            OSError,
        ):  # also a folder's name, or a file of another kind
            if name.lower() in _names():
                return ZoneInfo(_names()[name.lower()])
    raise Usage(f"{quoted(name)} is no time zone: write it like Europe/Berlin or UTC")


def is_within(hours: str, now: datetime, zone: ZoneInfo) -> bool:
    """Tell whether the wall clock shows one of some hours of the day, like 22:00-06:00.

    >>> is_within("22:00-06:00", datetime(2026, 11, 22, 23, tzinfo=UTC), ZoneInfo("UTC"))
    True
    """
    start, end = map(time.fromisoformat, hours.split("-"))
    local = now.astimezone(zone).time()
    return start <= local < end if start <= end else local >= start or local < end


@cache
def _names() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones()}


def first(day: date, minute: int, zone: ZoneInfo, second: int = 0) -> datetime:
    """Return the first instant at which the wall clock shows this minute of the day, or leaps over it."""
    wall = datetime.combine(day, time(minute // 60, minute % 60, second), tzinfo=zone)
    before, after = _offset(wall), _offset(wall.replace(fold=1))
    naive = wall.replace(tzinfo=UTC)
    if before >= after:
        return naive - before
    return _leap(naive, naive - after, naive - before, zone)


def _leap(wall: datetime, low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """Halve down to the second at which the clock leaps over `wall`, between `low` and `high` (PEP 495)."""
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        middle -= timedelta(microseconds=middle.microsecond)
        if middle.astimezone(zone).replace(tzinfo=UTC) < wall:
            low = middle
        else:
            high = middle
    return high


def _offset(wall: datetime) -> timedelta:
    return wall.utcoffset() or timedelta(0)
