"""The fields of a post: `{date}` and the like, replaced exactly, once, and never formatted."""

import re
from collections.abc import Mapping
from datetime import date, datetime

from bot import Ask, PostField, Usage

_FIELD = re.compile(r"\{([^{}\s:]+)(?::([^{}]*))?\}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
OWN = ("date", "week", "days_until")
UNKNOWN = "(unknown)"
"""What stands for a field whose plugin cannot tell now."""


async def check(text: str, ask: Ask) -> None:
    """Usage that names the first field that there is not."""
    for found in _FIELD.finditer(text):
        name, argument = found[1], found[2]
        if name == "days_until":
            _day(found[0], argument)
        elif argument is not None or (name not in OWN and not await ask(PostField(name))):
            raise Usage(
                f"{_shown(found[0])} is no field: there are {{date}}, {{week}}, {{days_until:2026-12-24}}, "
                "and what plugins offer, like {machines_down}."
            )


async def filled(text: str, local: datetime, ask: Ask) -> str:
    """Return the text with each field replaced, once; `local` is now, on the wall of the post's zone."""
    values = {
        found[1]: next(iter(await ask(PostField(found[1]))), UNKNOWN)
        for found in _FIELD.finditer(text)
        if found[1] not in OWN
    }
    return _FIELD.sub(lambda found: _value(found, local, values), text)


def _value(found: re.Match[str], local: datetime, values: Mapping[str, str]) -> str:
    match found[1]:
        case "date":
            return f"{local:%Y-%m-%d}"
        case "week":
            return str(local.isocalendar().week)
        case "days_until":
            return str((_day(found[0], found[2]) - local.date()).days)
        case name:
            return values[name]


def _day(field: str, argument: str | None) -> date:
    try:
        if argument and _DATE.fullmatch(argument):
            return date.fromisoformat(argument)
    except ValueError:
        pass
    raise Usage(f"{_shown(field)} has no date: write it like {{days_until:2026-12-24}}.")


def _shown(field: str) -> str:
    return field if len(field) <= 60 else f"{field[:60]}…"  # noqa: PLR2004 - of what nobody would read on
