"""Yes or no, with exact thresholds: integers cross-multiplied, never a decimal."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from bot.coop.counting.exact import Check, at_least, at_most, reaches


class Result(StrEnum):
    """What becomes of a motion when its ballot closes."""

    PASSED = "passed"
    FAILED = "failed"
    TIED = "tied"
    NO_QUORUM = "no-quorum"
    VETOED = "vetoed"


class Of(StrEnum):
    """What a threshold is a part of: yes and no, abstentions too, or all who may vote."""

    CAST = "cast"
    PRESENT = "present"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Votes:
    """How many members, and the half-units that they hold."""

    members: int = 0
    units: int = 0

    def __add__(self, other: "Votes") -> "Votes":
        return Votes(self.members + other.members, self.units + other.units)

    def amount(self, *, weighted: bool) -> int:
        """Return the half-units where votes are weighted by share, else the members."""
        return self.units if weighted else self.members


@dataclass(frozen=True, slots=True)
class Count:
    """What was cast, and who might have: `active` is the quorum's denominator, all `eligible` by default."""

    eligible: Votes
    yes: Votes = Votes()
    no: Votes = Votes()
    abstain: Votes = Votes()
    vetoes: int = 0
    active: Votes | None = None

    @property
    def cast(self) -> Votes:
        """All that cast anything, abstentions included."""
        return self.yes + self.no + self.abstain


@dataclass(frozen=True, slots=True)
class Threshold:
    """What passing takes: a part of the votes, and optionally limits counted in members.

    `strict` is more than the part, else it is enough to reach it. More than `max_no` noes fail the motion
    (black-ball; 0 is consensus). One veto stops it, unless the ayes reach `override`.
    """

    part: Fraction = Fraction(1, 2)
    strict: bool = True
    of: Of = Of.CAST
    min_yes: int = 1
    max_no: int | None = None
    veto: bool = False
    override: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Quorum:
    """How much of the active electorate must cast something; at least `least` members, or all if fewer."""

    part: Fraction = Fraction(1, 3)
    least: int = 3
    by_share: bool = False


@dataclass(frozen=True, slots=True)
class YesNo:
    """The result with each test that led to it."""

    result: Result
    checks: tuple[Check, ...]


def quorum_checks(cast: Votes, active: Votes, quorum: Quorum) -> tuple[Check, Check]:
    """Return the two tests of a quorum: the part, and the fewest members; nobody at all is never a quorum."""
    part = reaches(
        "quorum", cast.amount(weighted=quorum.by_share), quorum.part, active.amount(weighted=quorum.by_share)
    )
    fewest = min(quorum.least, max(active.members, 1))
    return part, at_least("quorum", cast.members, fewest)


def yes_no(count: Count, threshold: Threshold, quorum: Quorum, *, weighted: bool = False) -> YesNo:
    """Decide a yes/no ballot; `weighted` compares half-units instead of members."""
    met = quorum_checks(count.cast, count.active or count.eligible, quorum)
    yes, whole = count.yes.amount(weighted=weighted), _whole(count, threshold.of).amount(weighted=weighted)
    checks = [*met, reaches("threshold", yes, threshold.part, whole, strict=threshold.strict)]
    # Without a yes nothing passes: two thirds of no votes at all would be reached.
    checks.append(at_least("yes", count.yes.members, max(threshold.min_yes, 1)))
    if threshold.max_no is not None:
        checks.append(at_most("black-ball", count.no.members, threshold.max_no))
    if not all(check.holds for check in met):
        return YesNo(Result.NO_QUORUM, tuple(checks))
    if threshold.veto and count.vetoes:
        override = threshold.override
        overridden = reaches("veto", yes, override, whole) if override else at_most("veto", count.vetoes, 0)
        checks.append(overridden)
        if not overridden.holds:
            return YesNo(Result.VETOED, tuple(checks))
    if all(check.holds for check in checks):
        return YesNo(Result.PASSED, tuple(checks))
    tie = _is_tie(count, threshold, weighted=weighted)
    return YesNo(Result.TIED if tie else Result.FAILED, tuple(checks))


def _whole(count: Count, of: Of) -> Votes:
    if of is Of.ALL:
        return count.eligible
    return count.cast if of is Of.PRESENT else count.yes + count.no


def _is_tie(count: Count, threshold: Threshold, *, weighted: bool) -> bool:
    """Tell whether exactly half said yes where more than half was needed, and no other limit failed."""
    half = threshold.strict and threshold.part == Fraction(1, 2) and threshold.of is Of.CAST
    black_balled = threshold.max_no is not None and count.no.members > threshold.max_no
    even = count.yes.amount(weighted=weighted) == count.no.amount(weighted=weighted)
    return half and even and not black_balled
