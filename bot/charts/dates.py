"""Hours and days below an axis, as the clock on the wall of the chart's zone shows them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

HOUR, DAY = 3600, 86400
_SPACINGS = (60, 300, 600, 900, 1800, HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR, 6 * HOUR, 12 * HOUR)
_MOST, _MOST_LONG = 9, 6
"""Labels at most, short ones and long ones: they are to be read on a phone."""

_SOME_DAYS, _SOME_WEEKS, _SOME_MONTHS = 10, 63, 800
_SATURDAY, _MONDAY = 5, 0


@dataclass(frozen=True, slots=True)
class Dates:
    """What stands below the axis: `labels` at their Unix times, `ticks` at begins, `shades` for weekends."""

    labels: tuple[tuple[float, str], ...] = ()
    ticks: tuple[float, ...] = ()
    shades: tuple[tuple[float, float], ...] = field(default=())


def dates(start: int, until: int, step: int, zone: str) -> Dates:
    """Return the marks from one Unix time until another; ValueError or KeyError for a zone that is none."""
    place = ZoneInfo(zone)
    days = (until - start) / DAY
    if days <= 1.5:  # noqa: PLR2004 - a day, also that of 25 hours, is one of hours
        return _hours(start, until, place)
    if days <= _SOME_DAYS:
        return _named_days(start, until, place)
    if days <= _SOME_WEEKS:
        return _mondays(start, until, step, place)
    return _months(start, until, place)


def _hours(start: int, until: int, place: ZoneInfo) -> Dates:
    spacing = next(s for s in _SPACINGS if (until - start) / s <= _MOST)
    labels = []
    for day in _days(start, until, place):
        for number in range(DAY // spacing):
            wall = datetime.combine(day, time(), place) + timedelta(seconds=number * spacing)
            at = wall.timestamp()
            if start <= at <= until and datetime.fromtimestamp(at, place).time() == wall.time():
                labels.append((at, f"{wall:%H:%M}" if number else f"{wall:%a} {wall.day}"))
    return Dates(tuple(labels), tuple(at for at, _ in labels))


def _named_days(start: int, until: int, place: ZoneInfo) -> Dates:
    found = _noons(start, until, place)
    labels = tuple((noon, f"{day:%a} {day.day}") for day, noon in found)
    return Dates(labels, _midnights(start, until, place), _weekends(start, until, place))


def _mondays(start: int, until: int, step: int, place: ZoneInfo) -> Dates:
    found = [(day, noon) for day, noon in _noons(start, until, place) if day.weekday() == _MONDAY]
    if step < DAY:
        found = [(day, _midnight(day, place)) for day, _ in found]
        found = [(day, at) for day, at in found if at >= start]
    found = found[:: -(-len(found) // _MOST_LONG) or 1]
    labels = tuple((at, f"{day:%a} {day.day} {day:%b}") for day, at in found)
    return Dates(labels, tuple(at for at, _ in labels), _weekends(start, until, place))


def _months(start: int, until: int, place: ZoneInfo) -> Dates:
    firsts = [day for day in _days(start, until, place) if day.day == 1]
    if len(firsts) * 31 > _SOME_MONTHS:
        firsts = [day for day in firsts if day.month == 1]
    firsts = firsts[:: -(-len(firsts) // _MOST) or 1]
    named = [(_midnight(day, place), f"{day:%Y}" if day.month == 1 else f"{day:%b}") for day in firsts]
    labels = tuple((at, text) for at, text in named if at >= start)
    return Dates(labels, tuple(at for at, _ in labels))


def _days(start: int, until: int, place: ZoneInfo) -> Iterator[date]:
    day, last = datetime.fromtimestamp(start, place).date(), datetime.fromtimestamp(until, place).date()
    while day <= last:
        yield day
        day += timedelta(days=1)


def _midnight(day: date, place: ZoneInfo) -> float:
    return datetime.combine(day, time(), place).timestamp()


def _midnights(start: int, until: int, place: ZoneInfo) -> tuple[float, ...]:
    return tuple(at for day in _days(start, until, place) if start <= (at := _midnight(day, place)) <= until)


def _noons(start: int, until: int, place: ZoneInfo) -> list[tuple[date, float]]:
    """Return the days of which the better half is shown, each with its middle."""
    middles = [
        (day, _midnight(day, place), _midnight(day + timedelta(days=1), place))
        for day in _days(start, until, place)
    ]
    return [(day, (begin + end) / 2) for day, begin, end in middles if start <= (begin + end) / 2 <= until]


def _weekends(start: int, until: int, place: ZoneInfo) -> tuple[tuple[float, float], ...]:
    first = datetime.fromtimestamp(start, place).date() - timedelta(days=1)
    found = []
    for number in range((until - start) // DAY + 3):
        day = first + timedelta(days=number)
        if day.weekday() == _SATURDAY:
            begin, end = _midnight(day, place), _midnight(day + timedelta(days=2), place)
            found.append((max(begin, float(start)), min(end, float(until))))
    return tuple((begin, end) for begin, end in found if begin < end)
