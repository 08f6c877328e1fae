"""What somebody asks to see of what was measured, and a row of values as bars in a line of chat."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.errors import Usage

TIMES = ("today", "week", "month")
ASCII = "ascii"

BARS, ASCII_BARS = "▁▂▃▄▅▆▇█", "_.-:=+*#"
GAP, ASCII_GAP = "·", "?"
"""What stands in a sparkline where nothing was measured."""


@dataclass(frozen=True, slots=True)
class View:
    """Of whom or of what, None where it was left out; over which of TIMES, "" if none; in which signs."""

    name: str | None = None
    over: str = ""
    ascii: bool = False


def view(*words: str | None) -> View:
    """Sort the words behind a command, of which each may be left out and come in any place.

    Usage for two names, or for two times.

    >>> view("ford", "week"), view("ASCII", "today", None)
    (View(name='ford', over='week', ascii=False), View(name=None, over='today', ascii=True))
    """
    said = [word for word in words if word]
    times = [word.casefold() for word in said if word.casefold() in TIMES]
    names = [word for word in said if word.casefold() not in {*TIMES, ASCII}]
    for several, what in ((times, "time"), (names, "name")):
        if len(several) > 1:
            raise Usage(f"One {what} is enough, not {' and '.join(word[:40] for word in several)}.")
    signs = any(word.casefold() == ASCII for word in said)
    return View(names[0] if names else None, times[0] if times else "", signs)


def sparkline(values: Sequence[float | None], *, ascii: bool = False) -> str:  # noqa: A002 - what people type
    """Return values from 0 up as bars, the largest as the highest, None as a gap.

    >>> sparkline([0, 1, None, 8]), sparkline([0, 1, None, 8], ascii=True)
    ('▁▂·█', '_.?#')
    """
    bars, gap = (ASCII_BARS, ASCII_GAP) if ascii else (BARS, GAP)
    most = max((value for value in values if value), default=0) or 1
    return "".join(gap if value is None else bars[round(value / most * (len(bars) - 1))] for value in values)
