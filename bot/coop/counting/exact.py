"""Comparisons of integers and fractions that keep what they compared: the lines of a certificate."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class Check:
    """One test of a rule: its name, whether it holds, and its numbers as `8*3=24 >= 2*11=22 yes`."""

    rule: str
    holds: bool
    text: str


def reaches(rule: str, part: int, share: Fraction, whole: int, *, strict: bool = False) -> Check:
    """Check that `part` is at least (`strict`: more than) `share` of `whole`, by cross-multiplication.

    >>> reaches("threshold", 8, Fraction(2, 3), 11).text
    '8*3=24 >= 2*11=22 yes'
    """
    left, right = part * share.denominator, share.numerator * whole
    holds, sign = (left > right, ">") if strict else (left >= right, ">=")
    text = f"{_product(part, share.denominator)} {sign} {_product(share.numerator, whole)}"
    return _check(rule, holds, text)


def at_least(rule: str, amount: int, bound: Fraction | int, *, strict: bool = False) -> Check:
    """Check that an amount is not below a bound (`strict`: is above it)."""
    holds, sign = (amount > bound, ">") if strict else (amount >= bound, ">=")
    return _check(rule, holds, f"{amount} {sign} {number(bound)}")


def at_most(rule: str, amount: int, bound: int) -> Check:
    """Check that an amount is not above a bound."""
    return _check(rule, amount <= bound, f"{amount} <= {bound}")


def above(rule: str, amount: int, other: int) -> Check:
    """Check that an amount is more than another."""
    return _check(rule, amount > other, f"{amount} > {other}")


def number(value: Fraction | int) -> str:
    """Return an exact number in decimals where they end, else as a fraction.

    >>> number(3), number(Fraction(181, 4)), number(Fraction(2, 3))
    ('3', '45.25', '2/3')
    """
    value = Fraction(value)
    places, rest = 0, value.denominator
    for prime in (2, 5):
        power = 0
        while rest % prime == 0:
            rest //= prime
            power += 1
        places = max(places, power)
    if rest != 1:
        return f"{value.numerator}/{value.denominator}"
    scaled = abs(value.numerator) * 10**places // value.denominator
    sign = "-" if value < 0 else ""
    whole, digits = divmod(scaled, 10**places)
    return f"{sign}{whole}.{digits:0{places}}" if places else f"{sign}{whole}"


def grouped(ballots: Iterable[tuple[B, int]]) -> Mapping[B, int]:
    """Return how much weight each different ballot has: equal ballots are counted once, with their sum."""
    profile: dict[B, int] = {}
    for ballot, weight in ballots:
        profile[ballot] = profile.get(ballot, 0) + weight
    return profile


def highest(scores: Mapping[int, int]) -> tuple[int, ...]:
    """Return all that have the highest score, in order."""
    top = max(scores.values())
    return tuple(sorted(option for option, score in scores.items() if score == top))


def _product(one: int, other: int) -> str:
    return f"{one}*{other}={one * other}"


def _check(rule: str, holds: bool, text: str) -> Check:  # noqa: FBT001 - the three fields of a Check
    return Check(rule, holds, f"{text} {'yes' if holds else 'no'}")
