"""Round numbers beside an axis."""

import math
from dataclasses import dataclass

_STEPS = (1.0, 2.0, 2.5, 4.0, 5.0, 10.0)
_PARTS = (4, 5, 6)
_SUFFIXES = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_LONG = 100_000
"""From where on numbers get a suffix."""


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from 0, or from `low` where there is less, in `parts` of `step` each."""

    low: float
    step: float
    parts: int

    @property
    def top(self) -> float:
        """The number at the upper end."""
        return self.low + self.step * self.parts

    @property
    def marks(self) -> tuple[float, ...]:
        """The numbers that are written."""
        return tuple(self.low + self.step * number for number in range(self.parts + 1))

    def label(self, value: float) -> str:
        """Return a mark of this axis, or a number that is as round, as it is written."""
        return label(value, self.step, max(abs(self.low), abs(self.top)))

    def exact(self, value: float) -> str:
        """Return any number of this axis as it is written, to about a hundredth of the axis."""
        step = 10.0 ** math.floor(math.log10(self.step / 10))
        most = max(abs(self.low), abs(self.top))
        text = label(value, step if most >= _LONG else min(step, 1.0), most)
        whole, point, part = text.partition(".")
        digits = part.rstrip("".join(suffix for _, suffix in _SUFFIXES))
        return f"{whole}{point if digits.strip('0') else ''}{digits.rstrip('0')}{part[len(digits) :]}"


def scales(*ranges: tuple[float, float]) -> tuple[Scale, ...]:
    """Return an axis for each range of values, all of the same parts, so that one grid fits them all.

    Of the possible numbers of parts it is the one that leaves the least empty.
    """
    options = [tuple(_scale(low, high, parts) for low, high in ranges) for parts in _PARTS]
    return min(
        options, key=lambda made: sum(_empty(one, high) for one, (_, high) in zip(made, ranges, strict=True))
    )


def label(value: float, step: float, most: float) -> str:
    """Return a number with as many decimals as `step` needs; with a suffix where `most` is long."""
    size, suffix = next(((size, end) for size, end in _SUFFIXES if most >= _LONG and most >= size), (1.0, ""))
    value, step = value / size, step / size
    decimals = next((places for places in range(4) if _is_whole(step * 10**places)), 4)
    return f"{value + 0.0:,.{decimals}f}{suffix}"


def _scale(low: float, high: float, parts: int) -> Scale:
    low = min(low, 0.0)
    span = high - low if high > low else 1.0
    power = 10.0 ** math.floor(math.log10(span / parts))
    for step in (base * size for size in (power, power * 10) for base in _STEPS):
        floor = math.floor(low / step + _SLACK) * step
        if floor + step * parts >= high - step * _SLACK:
            return Scale(floor, step, parts)
    raise AssertionError("ten times the power is enough")  # pragma: no cover - arithmetic


def _empty(scale: Scale, high: float) -> float:
    return (scale.top - high) / (scale.top - scale.low)


def _is_whole(number: float) -> bool:
    return abs(number - round(number)) < _SLACK


_SLACK = 1e-6
