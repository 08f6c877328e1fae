"""Which dates of an entry of the schedule are to come now, and which one is next. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.coop.when import When, parse, restored
from bot.errors import Usage
from bot.ports import CatchUp, Due, Scheduled

_SMALLEST = timedelta(microseconds=1)
_BEFORE_ALL = datetime(1, 1, 3, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Turn:
    """What an entry has to do: the dates that come now, the oldest first, and the next one after now."""

    dates: tuple[datetime, ...]
    next_due: datetime | None


def turn(entry: Scheduled, now: datetime) -> Turn:
    """Work out what is due of an entry; Usage if its rule cannot be read any more."""
    when, first = restored(entry.plan.when), entry.next_due
    if first is None or first > now:
        return Turn((), first)
    later = when.after(first)
    if later is None or later > now:
        return Turn(_kept(entry, (first,), now), later)
    plan = entry.plan
    count = plan.most if plan.catch_up is CatchUp.EACH else 1
    return Turn(_kept(entry, newest(when, first, now, count), now), when.after(now))


def _kept(entry: Scheduled, dates: tuple[datetime, ...], now: datetime) -> tuple[datetime, ...]:
    """Leave out what comes too late for one that skips."""
    late = (now - dates[-1]).total_seconds()
    return () if entry.plan.catch_up is CatchUp.SKIP and late > entry.plan.grace else dates


def newest(when: When, first: datetime, last: datetime, count: int) -> tuple[datetime, ...]:
    """Return the newest dates up to `last`, the oldest first; `first` is a date, and none before it counts.

    It takes some twenty looks at the rule for each, however many dates were missed.
    """
    found = [_newest(when, first, last)]
    while len(found) < count and found[-1] > first:
        found.append(_newest(when, first, found[-1] - _SMALLEST))
    return tuple(reversed(found))


def _newest(when: When, date: datetime, last: datetime) -> datetime:
    """Halve the time between a date and a bound behind which none is left."""
    bound = last
    while (later := when.after(date)) is not None and later <= last:
        date = later
        middle = date + (bound - date) / 2
        probe = when.after(middle)
        if probe is not None and probe <= last:
            date = probe
        else:
            bound = middle
    return date


def last_before(when: When, now: datetime) -> datetime | None:
    """Return the newest date up to now, if there is one within a year."""
    for days in (2, 32, 366):
        first = when.after(now - timedelta(days=days))
        if first is not None and first <= now:
            return _newest(when, first, now)
    return None


def due(entry: Scheduled, date: datetime, now: datetime, before: int) -> Due:
    """Return a date as its handler gets it; `before` of this entry come before it now."""
    late = (now - date).total_seconds()
    return Due(date, late if late > entry.plan.grace else 0.0, entry.occurrences + before + 1)


def upcoming(entry: Scheduled, now: datetime, count: int) -> Sequence[datetime]:
    """Return the next dates of an entry; of a resting one those after now."""
    when, first = restored(entry.plan.when), entry.next_due
    if first is None:
        return when.upcoming(now, count)
    return (first, *when.upcoming(first, count - 1))[:count]


def declared(text: str, zone: str) -> When:
    """Read the rule of a plan that code or config declares, which may be over by now.

    Usage for one that cannot be read, or depends on when it is read.
    """
    when = parse(text, zone=zone, now=_BEFORE_ALL)
    if when.after(_EPOCH) is None:
        raise Usage(f"“{text}” depends on when it is read; write it like on 2026-12-24 18:00")
    return when
