"""Who may vote on a motion: taken once, when its ballot opens, and never computed anew."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.words import Role, VoteRules, VotingStanding, counted, counting


@dataclass(frozen=True, slots=True)
class Person:
    """A member as the roster has them now; `units` are half-units, `missed` the votes missed in a row."""

    name: str
    role: Role = Role.MEMBER
    units: int = 2
    in_good_standing: bool = True
    joined: datetime | None = None
    missed: int = 0


@dataclass(frozen=True, slots=True)
class Elector:
    """One who may vote: their half-units, and whether the quorum counts them while they are silent."""

    name: str
    units: int
    active: bool = True

    @property
    def votes(self) -> counting.Votes:
        """One member, with the half-units they hold."""
        return counting.Votes(1, self.units)


def why_not(person: Person, standing: VotingStanding, now: datetime) -> str:
    """Return why somebody may not vote, propose or second now; empty if they may."""
    if person.role is Role.GUEST:
        return "only members may"
    if not person.in_good_standing:
        return "you are suspended"
    if person.joined and now - person.joined < timedelta(days=standing.min_tenure_days):
        return f"joined {person.joined:%Y-%m-%d}, {counted(standing.min_tenure_days, 'day')} needed"
    return ""


def may_from(person: Person, standing: VotingStanding) -> datetime | None:
    """Return when a member in good standing has been one for long enough, None for any other."""
    if person.role is Role.GUEST or not person.in_good_standing or person.joined is None:
        return None
    return person.joined + timedelta(days=standing.min_tenure_days)


def snapshot(
    people: Iterable[Person],
    rules: VoteRules,
    standing: VotingStanding,
    now: datetime,
    without: Sequence[str] = (),
) -> tuple[Elector, ...]:
    """Return the electorate by name; `without` are recused.

    Each has one unit where shares do not count, and in a secret ballot: its weight would name its voter.
    """
    shares = rules.secrecy == "open" and (rules.weight == "share" or rules.quorum_basis == "weight")
    return tuple(
        Elector(person.name, person.units if shares else 1, _is_active(person, standing))
        for person in sorted(people, key=lambda person: person.name)
        if person.name not in without and not why_not(person, standing, now)
    )


def digest(electors: Sequence[Elector]) -> str:
    """Return SHA-256 over the electorate as JSON, 64 hex digits."""
    rows = [[elector.name, elector.units, elector.active] for elector in electors]
    return hashlib.sha256(json.dumps(rows, separators=(",", ":")).encode()).hexdigest()


def _is_active(person: Person, standing: VotingStanding) -> bool:
    return person.missed < max(1, standing.inactive_after_missed_votes)
