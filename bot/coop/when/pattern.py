"""A rule that comes again: which days, and at which minutes of them."""

from bisect import bisect_right
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.coop.when.zones import first

ANY, LAST = 0, -1
"""Beside 1 to 5, which of a month's Mondays is meant: each, or the last."""

EVERY_MONTH = frozenset(range(1, 13))
EVERY_DATE = frozenset(range(1, 32))
EVERY_WEEKDAY = frozenset((weekday, ANY) for weekday in range(7))

_DAY = timedelta(days=1)
_WEEK, _MONTHS = 7, 12
_YEARS = 48  # no rule has a longer gap: 29 February on one weekday comes after 40 years at the latest
_FIRST = datetime(1, 1, 3, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Pattern:
    """Minutes of the day on days that fit.

    `dates` are days of the month, `weekdays` pairs of 0 (Monday) to 6 and which of the month; a day must
    fit both, or with `either` one of the two (crontab(5)). `last_day` adds the month's last day to `dates`.
    """

    minutes: tuple[int, ...]
    months: frozenset[int] = EVERY_MONTH
    dates: frozenset[int] = EVERY_DATE
    weekdays: frozenset[tuple[int, int]] = EVERY_WEEKDAY
    either: bool = False
    last_day: bool = False

    def comes(self) -> bool:
        """Tell whether there is any day that fits."""
        return next(self._days(date(2000, 1, 1)), None) is not None

    def after(self, instant: datetime, zone: ZoneInfo) -> datetime | None:
        """Return the next instant strictly after this one, of before 9940; None if no day fits."""
        start = max(instant, _FIRST).astimezone(UTC)
        for day in self._days(start.astimezone(zone).date() - _DAY):
            index = bisect_right(self.minutes, start, key=lambda minute: first(day, minute, zone))
            if index < len(self.minutes):
                return first(day, self.minutes[index], zone)
        return None

    def _days(self, start: date) -> Iterator[date]:
        """Yield the days that fit, from this one on; the end of a long search is the end."""
        day, final = start, start.year + _YEARS
        while day.year <= final:
            if day.month not in self.months:
                day = _next_month(day)
                continue
            if self._fits(day):
                yield day
                final = day.year + _YEARS
            day += _DAY

    def _fits(self, day: date) -> bool:
        """Tell whether a day of a month that fits is one of its days that do."""
        weekday, left = day.weekday(), monthrange(day.year, day.month)[1] - day.day
        by_date = day.day in self.dates or (self.last_day and not left)
        by_weekday = (
            (weekday, ANY) in self.weekdays
            or (weekday, (day.day - 1) // _WEEK + 1) in self.weekdays
            or (left < _WEEK and (weekday, LAST) in self.weekdays)
        )
        return by_date or by_weekday if self.either else by_date and by_weekday


def _next_month(day: date) -> date:
    if day.month == _MONTHS:
        return date(day.year + 1, 1, 1)
    return date(day.year, day.month + 1, 1)
