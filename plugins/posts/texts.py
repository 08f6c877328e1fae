"""The chat lines of this plugin."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bot import Maintenance, Place, Scheduled, ScheduleState, span, zone_named

PIECE = 300
"""Bytes of people's words in one chat line: what a network splits further stands there without its mark."""

SHOWN = 60
"""Characters of a text in a list."""


def date(instant: datetime, zone: ZoneInfo, now: datetime) -> str:
    """Return an instant on the wall of a zone, and in UTC where that is another."""
    local, utc = instant.astimezone(zone), instant.astimezone(UTC)
    year = "" if local.year == now.astimezone(zone).year else f" {local.year}"
    said = f"{local:%a} {local.day} {local:%b}{year} {local:%H:%M} {local.tzname()}"
    if local.utcoffset() == utc.utcoffset() and local.tzname() == "UTC":
        return said
    day = "" if local.date() == utc.date() else f"{utc:%a} {utc.day} {utc:%b} "
    return f"{said} ({day}{utc:%H:%M} UTC)"


def dates(instants: Sequence[datetime], zone: ZoneInfo, now: datetime) -> str:
    """Return the next dates, or that there are none."""
    return ", ".join(date(instant, zone, now) for instant in instants) or "no more"


def marked(who: str, text: str) -> tuple[str, ...]:
    """Return somebody's words as lines that all say whose they are."""
    return tuple(f"[{who}] {piece}" for piece in _pieces(text))


def _pieces(text: str) -> Iterator[str]:
    while len(raw := text.encode(errors="replace")) > PIECE:
        piece = raw[:PIECE].decode(errors="ignore")
        if (space := piece.rfind(" ")) > len(piece) // 2:
            piece = piece[:space]
        yield piece
        text = text[len(piece) :].lstrip()
    yield text


def late(seconds: float) -> str:
    """Say how late something comes, if it does."""
    return f"late by {span(seconds)}: " if seconds else ""


def place(where: Iterable[object], owner: str | None) -> str:
    """Say where a post goes."""
    names = (f"{owner} directly" if to == "owner" else _room(to) for to in where)
    return ", ".join(names) or "the plugin itself"


def _room(to: object) -> str:
    return to.name if isinstance(to, Place) else f"the {to}"


def short(text: str) -> str:
    """Cut a text where a list shows it."""
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def listed(entry: Scheduled, what: str, zone: ZoneInfo, now: datetime) -> str:
    """Return an entry's line in the list."""
    where = place(entry.plan.where, entry.plan.owner)
    if entry.state is not ScheduleState.ACTIVE or entry.next_due is None:
        then = f"{entry.state.value}{f' ({entry.reason})' if entry.reason else ''}"
    else:
        then = f"next {date(entry.next_due, zone, now)}"
    return f"{entry.number} to {where}: {what}; {entry.plan.when}; {then}."


def announced(window: Maintenance, phase: str, now: datetime, zone: ZoneInfo) -> tuple[str, ...]:
    """Say that maintenance comes, begins or is over, and then what it is, in the words of who said so."""
    until = date(window.end, zone, now)
    if phase == "before":
        begins, left = date(window.start, zone, now), span((window.start - now).total_seconds())
        head = f"Maintenance of {window.host} in {left}: {begins} to {until}."
    elif phase == "start":
        head = f"Maintenance of {window.host} begins, until {until}."
    else:
        head = f"Maintenance of {window.host} is over."
    return (head, *marked(window.by, window.text)) if phase != "end" else (head,)


def zone_of(*names: str | None) -> ZoneInfo:
    """Return the first zone that is named."""
    return zone_named(next(name for name in names if name))
