"""From what was seen to figures. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median

Figures = Mapping[str, float | None]
"""What was measured of one bot, by the measure's key; None where nothing was answered."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of numbered questions."""

    answered: int
    lost: int
    doubled: int
    disordered: int


def quantile(values: Sequence[float], part: float) -> float | None:
    """Return the smallest value that at least this part of all does not exceed; None of nothing."""
    return sorted(values)[max(0, ceil(part * len(values)) - 1)] if values else None


def tally(asked: Sequence[Sequence[int]], heard: Iterable[int]) -> Tally:
    """Compare what each speaker asked, in rising numbers, with the numbers as they were answered.

    An answer is out of order if its speaker already had one to a later question. What nobody asked does not
    count.
    """
    speaker = {number: who for who, numbers in enumerate(asked) for number in numbers}
    seen: set[int] = set()
    latest: dict[int, int] = {}
    doubled = disordered = 0
    for number in heard:
        if (who := speaker.get(number)) is None:
            continue
        if number in seen:
            doubled += 1
            continue
        seen.add(number)
        disordered += number < latest.get(who, 0)
        latest[who] = max(number, latest.get(who, 0))
    return Tally(len(seen), len(speaker) - len(seen), doubled, disordered)


def medians(rounds: Sequence[Figures]) -> dict[str, float | None]:
    """Return each figure's median over the rounds that have it; None if in any of them nothing came out."""
    keys = dict.fromkeys(key for figures in rounds for key in figures)
    return {key: _median([figures[key] for figures in rounds if key in figures]) for key in keys}


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if len(known) == len(values) else None


def table(rows: Sequence[Sequence[str]]) -> str:
    """Set rows in columns: the first to the left, the others to the right, a rule below the head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(_cells(row, widths)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _cells(row: Sequence[str], widths: Sequence[int]) -> Iterable[str]:
    yield row[0].ljust(widths[0])
    yield from (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
