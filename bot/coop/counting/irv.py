"""Instant-runoff voting: the last is eliminated and its ballots move on, until one has a majority.

Ballots are strict and may be short; one whose options are all gone is exhausted and leaves the denominator.
A tie for the last place goes to who had the fewest in the round before, back to the first round, then to the
lot. `winners` are all that win if each tie may go either way, which shows what ties decided.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from bot.coop.counting.exact import Check, grouped, reaches

Strict = tuple[int, ...]
"""A ballot without equal ranks: options from the best."""

MOST_WORK = 400_000
"""How many ballots are looked at to follow all the ways in which ties may go: less than a second."""

_HALF = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Round:
    """One round: each continuing option's votes, the exhausted weight, and what came of it.

    `eliminated` is None in the last round. `tied` had the fewest votes; where they are several, `by` says
    what decided: `round N`, or `lot`.
    """

    tally: Mapping[int, int]
    exhausted: int
    majority: Check
    eliminated: int | None = None
    tied: tuple[int, ...] = ()
    by: str = ""


@dataclass(frozen=True, slots=True)
class Runoff:
    """The rounds, who is elected in them, whether the lot decided, and all that may win by any tie's end.

    `winners` is empty if ties go too many ways to follow them all.
    """

    rounds: tuple[Round, ...]
    elected: int
    by_lot: bool
    winners: tuple[int, ...]


def irv(
    profile: Mapping[Strict, int], size: int, order: Sequence[int] | None = None, *, work: int = MOST_WORK
) -> Runoff:
    """Count strict rankings of `size` options; `order` is the lot's, the options' own if it is left out."""
    rounds = _rounds(profile, size, order or range(size))
    last = rounds[-1]
    elected = max(last.tally, key=lambda option: last.tally[option])
    by_lot = any(turn.by == "lot" for turn in rounds)
    return Runoff(tuple(rounds), elected, by_lot, tuple(sorted(_possible(profile, size, work))))


def _rounds(profile: Mapping[Strict, int], size: int, order: Sequence[int]) -> list[Round]:
    rounds: list[Round] = []
    whole, left = sum(profile.values()), profile
    continuing = list(range(size))
    while True:
        tally = _tally(left, continuing)
        votes = sum(tally.values())
        best = reaches("majority", max(tally.values()), _HALF, votes, strict=True)
        if best.holds or len(continuing) == 1:
            return [*rounds, Round(tally, whole - votes, best)]
        last, tied, by = _last(tally, [turn.tally for turn in rounds], order)
        rounds.append(Round(tally, whole - votes, best, last, tied, by))
        continuing.remove(last)
        left = _without(left, frozenset({last}))


def _tally(profile: Mapping[Strict, int], continuing: Sequence[int]) -> dict[int, int]:
    tally = dict.fromkeys(continuing, 0)
    for ballot, weight in profile.items():
        if ballot:
            tally[ballot[0]] += weight
    return tally


def _without(profile: Mapping[Strict, int], gone: frozenset[int]) -> Mapping[Strict, int]:
    """Return a profile of the options that are left; ballots that have become equal are one."""
    return grouped(
        (tuple(option for option in ballot if option not in gone), weight)
        for ballot, weight in profile.items()
    )


def _fewest(tally: Mapping[int, int], among: Sequence[int]) -> tuple[int, ...]:
    low = min(tally[option] for option in among)
    return tuple(option for option in among if tally[option] == low)


def _last(
    tally: Mapping[int, int], before: Sequence[Mapping[int, int]], order: Sequence[int]
) -> tuple[int, tuple[int, ...], str]:
    """Return who is eliminated, who was tied for it, and what broke the tie."""
    tied = left = _fewest(tally, list(tally))
    if len(tied) == 1:
        return tied[0], tied, ""
    for number in range(len(before), 0, -1):
        left = _fewest(before[number - 1], left)
        if len(left) == 1:
            return left[0], tied, f"round {number}"
    return max(left, key=order.index), tied, "lot"


def _possible(profile: Mapping[Strict, int], size: int, work: int) -> set[int]:
    """Return all that win if each tie for the last place may go either way; none if that is too much work."""
    found: set[int] = set()
    seen: set[frozenset[int]] = set()
    nobody: frozenset[int] = frozenset()
    waiting = [(frozenset(range(size)), profile, nobody)]
    while waiting:
        continuing, before, gone = waiting.pop()
        if continuing in seen or continuing <= found:
            continue
        seen.add(continuing)
        work -= len(before) + size
        if work < 0:
            return set()
        left = _without(before, gone)
        tally = _tally(left, sorted(continuing))
        best = max(tally.values())
        if 2 * best > sum(tally.values()) or len(continuing) == 1:
            found.add(max(tally, key=lambda option: tally[option]))
        else:
            waiting += [(continuing - gone, left, gone) for gone in _ways(tally)]
    return found


def _ways(tally: Mapping[int, int]) -> list[frozenset[int]]:
    """Return who may go next: all at once that together have less than any other, else one of the last."""
    rising = sorted(tally, key=lambda option: tally[option])
    total, ways = 0, [frozenset({option}) for option in _fewest(tally, rising)]
    for place, option in enumerate(rising[:-1], 1):
        total += tally[option]
        if total < tally[rising[place]]:
            ways = [frozenset(rising[:place])]
    return ways
