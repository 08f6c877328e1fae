"""How what waited is told: its age where it is late, and in a digest where it is too much. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.coop.spans import counted, span
from bot.store.notices import EXPIRED, Waiting

LATE = timedelta(seconds=60)
"""How old a message may be before it says how old it is."""

SHOWN = 3
"""How many of the newest messages a digest quotes."""

_MOST = 300
"""How many characters of each."""


def spoken(row: Waiting, now: datetime) -> tuple[str, ...]:
    """Return a row's lines as they are said now; one that is late begins with its age."""
    if row.key == EXPIRED or not row.lines:
        return row.lines
    return (_dated(row.lines[0], row.at, now), *row.lines[1:])


def digest(count: int, oldest: datetime, newest: Sequence[Waiting], now: datetime) -> tuple[str, ...]:
    """Return what is said instead of so many messages: how many, how old, and the newest of them."""
    waited = span((now - oldest).total_seconds())
    head = f"{counted(count, 'message')} waited here, for up to {waited}; the newest {len(newest)}:"
    return (head, *(_dated(_cut(row), row.at, now) for row in newest))


def _cut(row: Waiting) -> str:
    line, more = (row.lines or ("",))[0], len(row.lines) > 1
    return f"{line[: _MOST - 1]}…" if more or len(line) > _MOST else line


def _dated(line: str, at: datetime, now: datetime) -> str:
    age = now - at
    return f"late by {span(age.total_seconds())}: {line}" if age > LATE else line
