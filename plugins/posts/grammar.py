"""What stands behind `!post add`, `!remind` and `!maint`. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.words import Usage, read_when

EARLIEST = datetime(1, 1, 3, tzinfo=UTC)
_PLACE = re.compile(r"(.*?)\s+(?:to|in)\s+(\S+)", re.IGNORECASE)
_ROOMLIKE = re.compile(r"[#&+!].*|.+@.+|.+/#.+")
_DAY = r"(?:([0-9]{4}-[0-9]{2}-[0-9]{2})[T_])?"
_SPAN = re.compile(rf"{_DAY}([0-9]{{1,2}}:[0-9]{{2}})[-–]{_DAY}([0-9]{{1,2}}:[0-9]{{2}})")  # noqa: RUF001 - as phones write it
_LEADING = re.compile(r"today|tomorrow|[0-9]{4}-[0-9]{2}-[0-9]{2}", re.IGNORECASE)
_LONGEST = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Said:
    """A post as it was asked for: when, where if that was said, and what."""

    when: str
    place: str | None
    text: str


def said(line: str, example: str) -> Said:
    """Part `WHEN [to PLACE] | TEXT`; Usage if there is no time or no text."""
    when, bar, text = line.partition("|")
    text = _one_line(text)
    if not bar or not when.strip() or not text:
        missing = "the time and the text are parted by |" if not bar else "a time and a text are needed"
        raise Usage(f"{missing[0].upper()}{missing[1:]}: {example}")
    found = _PLACE.fullmatch(when.strip())
    if found and (when.split()[-2].lower() == "to" or _ROOMLIKE.fullmatch(found[2])):
        return Said(found[1], found[2], text)
    return Said(when.strip(), None, text)


@dataclass(frozen=True, slots=True)
class Span:
    """A maintenance window as it was asked for."""

    start: datetime
    end: datetime
    text: str


def window(word: str, rest: str, zone: str, now: datetime) -> Span:
    """Read FROM-TO: `18:00-20:00`, `tomorrow 18:00-20:00`, `2026-12-24T18:00-2026-12-25T02:00`.

    Without a date it is the next such time. Usage names what is wrong.
    """
    day = ""
    if _LEADING.fullmatch(word):
        day, (word, _, rest) = word, rest.partition(" ")
    found = _SPAN.fullmatch(word)
    if found is None or (day and found[1]):
        raise Usage(f"“{word[:60]}” is no FROM-TO: write 18:00-20:00, or 2026-12-24T18:00-20:00")
    text = _one_line(rest.removeprefix("|"))
    if not text:
        raise Usage("Say what is done then: !maint ford 18:00-20:00 new kernel")
    start = _start(day or found[1] or "", found[2], zone, now)
    end = _end(found[3], found[4], zone, start)
    if end - start > _LONGEST:
        raise Usage(f"“{word[:60]}” is longer than {_LONGEST.days} days")
    return Span(start, end, text)


def _start(day: str, clock: str, zone: str, now: datetime) -> datetime:
    if day:
        head = day if day.lower() in {"today", "tomorrow"} else f"on {day}"
        return _instant(f"{head} {clock}", zone, now)
    return _instant(f"every day {clock}", zone, now)


def _end(day: str | None, clock: str, zone: str, start: datetime) -> datetime:
    return _instant(f"on {day} {clock}" if day else f"every day {clock}", zone, start)


def _instant(text: str, zone: str, now: datetime) -> datetime:
    found = read_when(text, zone=zone, now=now).after(now)
    return found or now


def _one_line(text: str) -> str:
    """Return a text as one line that every file and network can hold: no lone surrogates."""
    return " ".join(text.encode(errors="replace").decode().split())
