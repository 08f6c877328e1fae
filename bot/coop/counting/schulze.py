"""Debian's standard resolution procedure (constitution 1.9, A.5): Schulze by dropping the weakest defeats.

Options that miss their quorum or their majority over the default option are dropped first, which may change
the winner. Where several options remain at the end, they are tied: a lot or a casting vote decides.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from bot.coop.counting.ballots import Ranking
from bot.coop.counting.exact import Check, above, at_least, reaches
from bot.coop.counting.pairwise import Matrix, pairwise


class Dropped(StrEnum):
    """Why an option is out before the options are compared with each other."""

    QUORUM = "quorum"
    MAJORITY = "majority"


@dataclass(frozen=True, slots=True)
class Default:
    """The option that wins when no other one is good enough, and what beating it takes.

    `quorum` is the votes over it that every option needs; `ratios` the majority of each option, 1 by default.
    `strict` is more than these, where the constitution has as much.
    """

    option: int
    quorum: Fraction = Fraction(0)
    ratios: Mapping[int, Fraction] | None = None
    strict: bool = False

    def ratio(self, option: int) -> Fraction:
        """Return the majority ratio that an option needs."""
        return (self.ratios or {}).get(option, Fraction(1))


@dataclass(frozen=True, slots=True)
class Defeat:
    """One option beats another: the votes for it and against it."""

    winner: int
    loser: int
    votes: int
    against: int

    @property
    def strength(self) -> tuple[int, int]:
        """What defeats are ordered by: more votes are stronger, then fewer against (A.5.7.1)."""
        return self.votes, -self.against


@dataclass(frozen=True, slots=True)
class Step:
    """One turn of the procedure: the Schwartz set, and the weakest defeats within it that were dropped."""

    schwartz: tuple[int, ...]
    weakest: tuple[Defeat, ...]


@dataclass(frozen=True, slots=True)
class Schulze:
    """The whole reasoning of a count; `winners` is the last Schwartz set, several if they tie."""

    matrix: Matrix
    checks: tuple[tuple[int, Check], ...]
    dropped: Mapping[int, Dropped]
    defeats: tuple[Defeat, ...]
    steps: tuple[Step, ...]
    winners: tuple[int, ...]


def schulze(profile: Mapping[Ranking, int], size: int, default: Default | None = None) -> Schulze:
    """Count rankings of `size` options; without a default option none is dropped."""
    matrix = pairwise(profile, size)
    checks, dropped = _drop(matrix, default)
    kept = [option for option in range(size) if option not in dropped]
    defeats = tuple(_defeats(matrix, kept))
    steps = tuple(_steps(defeats, kept))
    return Schulze(matrix, checks, dropped, defeats, steps, steps[-1].schwartz)


def _drop(
    matrix: Matrix, default: Default | None
) -> tuple[tuple[tuple[int, Check], ...], Mapping[int, Dropped]]:
    checks: list[tuple[int, Check]] = []
    dropped: dict[int, Dropped] = {}
    if default is None:
        return (), dropped
    for option in range(len(matrix)):
        if option == default.option:
            continue
        over, under = matrix[option][default.option], matrix[default.option][option]
        above_it = default.strict and default.quorum > 0
        quorum = at_least(Dropped.QUORUM, over, default.quorum, strict=above_it)
        ratio = reaches(Dropped.MAJORITY, over, default.ratio(option), under, strict=default.strict)
        more = above(Dropped.MAJORITY, over, under)
        checks += [(option, check) for check in (quorum, ratio, more)]
        if not quorum.holds:
            dropped[option] = Dropped.QUORUM
        elif not (ratio.holds and more.holds):
            dropped[option] = Dropped.MAJORITY
    return tuple(checks), dropped


def _defeats(matrix: Matrix, kept: Sequence[int]) -> Iterator[Defeat]:
    for winner in kept:
        for loser in kept:
            votes, against = matrix[winner][loser], matrix[loser][winner]
            if votes > against:
                yield Defeat(winner, loser, votes, against)


def _steps(defeats: Sequence[Defeat], kept: Sequence[int]) -> Iterator[Step]:
    """Do A.5.5 to A.5.7 until there are no defeats within the Schwartz set."""
    standing = list(defeats)
    while True:
        schwartz = _schwartz(standing, kept)
        inner = [defeat for defeat in standing if defeat.winner in schwartz and defeat.loser in schwartz]
        lowest = min((defeat.strength for defeat in inner), default=None)
        weakest = tuple(defeat for defeat in inner if defeat.strength == lowest)
        yield Step(tuple(sorted(schwartz)), weakest)
        if not weakest:
            return
        standing = [defeat for defeat in standing if defeat not in weakest]


def _schwartz(defeats: Sequence[Defeat], kept: Sequence[int]) -> frozenset[int]:
    """Return the options that nobody defeats transitively whom they do not so defeat themselves (A.5.6)."""
    beats = dict.fromkeys(kept, 0)  # each option's victims as the bits of an integer
    for defeat in defeats:
        beats[defeat.winner] |= 1 << defeat.loser
    for through in kept:
        for option in kept:
            if beats[option] >> through & 1:
                beats[option] |= beats[through]
    return frozenset(
        option
        for option in kept
        if all(beats[option] >> other & 1 or not beats[other] >> option & 1 for other in kept)
    )
