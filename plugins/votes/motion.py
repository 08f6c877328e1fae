"""A motion: what the events of its life have made of it. `motion = fold(records)`, nothing else is stored.

draft -> seconding -> discussion -> open -> closed -> appealed -> closed again, upheld or annulled.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import reduce
from typing import Protocol

from bot.words import VoteRules, counting
from plugins.votes.electorate import Elector

MOTION, NO_CHANGE = "motion", "no change"
"""The names on the ballot of a motion that has amendments: its own text, and the default option."""

VETO = "veto"
"""A no that, with its reason, stops a motion whose rules know vetoes."""


class Stage(StrEnum):
    """Where a motion stands."""

    DRAFT = "draft"
    SECONDING = "seconding"
    DISCUSSION = "discussion"
    OPEN = "open"
    CLOSED = "closed"
    APPEALED = "appealed"


class End(StrEnum):
    """How a motion ended."""

    PASSED = "passed"
    FAILED = "failed"
    TIED = "tied"
    NO_QUORUM = "no-quorum"
    VETOED = "vetoed"
    WITHDRAWN = "withdrawn"
    ANNULLED = "annulled"


@dataclass(frozen=True, slots=True)
class Amendment:
    """Another text for a motion, by one who is not its proposer; on the ballot unless settled before."""

    number: int
    by: str
    text: str
    pending: bool = True

    @property
    def option(self) -> str:
        """What it is called on the ballot."""
        return f"amendment-{self.number}"


@dataclass(frozen=True, slots=True)
class Cast:
    """Somebody's latest ballot: its words, or its seal while a secret one is closed in."""

    member: str
    words: str
    seal: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Opening:
    """What was fixed when the ballot opened: rules, electorate, text, and the promise of the lot's seed.

    `roll` has the electors by their names.
    """

    at: datetime
    rules: VoteRules
    rules_digest: str
    method: str
    options: tuple[str, ...]
    electors: tuple[Elector, ...]
    text_hash: str
    commitment: str
    roll: Mapping[str, Elector] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Make the roll."""
        object.__setattr__(self, "roll", {elector.name: elector for elector in self.electors})


@dataclass(frozen=True, slots=True)
class Closing:
    """What the end fixed: the result, the chain's head before it, the lot's seed, and who took part.

    `receipts` are a secret ballot's (receipt, words), sorted, without names.
    """

    at: datetime
    end: End
    why: str = ""
    head: str = ""
    seed: str = ""
    receipts: tuple[tuple[str, str], ...] = ()
    voters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Motion:
    """The state of one motion after its events so far; times are in UTC."""

    number: int = 0
    kind: str = ""
    title: str = ""
    text: str = ""
    proposer: str = ""
    subject: str = ""
    offered: tuple[str, ...] = ()
    stage: Stage = Stage.DRAFT
    seconds_needed: int = 0
    seconders: tuple[str, ...] = ()
    lapses: datetime | None = None
    discussed_since: datetime | None = None
    discussed_until: datetime | None = None
    amendments: tuple[Amendment, ...] = ()
    answer: str = ""
    opening: Opening | None = None
    closes: datetime | None = None
    ballots: Mapping[str, Cast] = field(default_factory=dict)
    recused: frozenset[str] = frozenset()
    objection: str = ""
    extended: timedelta = timedelta()
    reminded: int = 0
    notes: tuple[str, ...] = ()
    closing: Closing | None = None
    appeal: str = ""
    in_effect: bool = False
    confirmed_by: str = ""
    ran_out: bool = False
    lasts_by: int = 0
    erased: bool = False
    first_seq: int = 0
    last_seq: int = 0
    last_at: datetime | None = None
    head: str = ""

    @property
    def pending(self) -> tuple[Amendment, ...]:
        """The amendments that go on the ballot."""
        return tuple(amendment for amendment in self.amendments if amendment.pending)

    @property
    def voting(self) -> Opening:
        """What was fixed at the opening; LookupError for a motion whose ballot never opened."""
        if self.opening is None:
            raise LookupError(f"the ballot of motion {self.number} never opened")
        return self.opening

    @property
    def open_until(self) -> datetime:
        """When the ballot of an opened motion closes; LookupError like `voting`."""
        if self.closes is None:
            raise LookupError(f"the ballot of motion {self.number} never opened")
        return self.closes

    @property
    def ended(self) -> Closing:
        """What the end fixed; LookupError for a motion that is not closed."""
        if self.closing is None:
            raise LookupError(f"motion {self.number} is not closed")
        return self.closing

    @property
    def is_secret(self) -> bool:
        """Whether the ballots of an opened motion are secret."""
        return self.voting.rules.secrecy == "secret"

    @property
    def takes_vetoes(self) -> bool:
        """Whether one may veto an opened motion: its ballot is yes or no, and its rules know vetoes."""
        return self.voting.method == "yesno" and self.voting.rules.veto

    @property
    def vetoes(self) -> Mapping[str, str]:
        """The reason of each veto that stands, by its author; sorted."""
        if not self.takes_vetoes:
            return {}
        return {name: cast.reason for name, cast in sorted(self.ballots.items()) if cast.words == VETO}

    @property
    def electors(self) -> tuple[Elector, ...]:
        """Those who may vote: the electorate of the opening without who has recused themselves since."""
        return tuple(elector for elector in self.voting.electors if elector.name not in self.recused)

    @property
    def count(self) -> int:
        """How many `electors` are, without going through them."""
        return len(self.voting.electors) - sum(name in self.voting.roll for name in self.recused)

    def elector(self, name: str) -> Elector | None:
        """Return one who may vote by their name."""
        return None if name in self.recused else self.voting.roll.get(name)

    @property
    def options(self) -> counting.Options:
        """The options of the ballot; `none` is the default option too, if there is one."""
        found = counting.options(self.voting.options)
        return found.called("none", self.default_option) if self.default_option else found

    @property
    def default_option(self) -> str:
        """The option that stands for the status quo where there are several, else nothing."""
        opening = self.voting
        if opening.method != "schulze":
            return ""
        return NO_CHANGE if MOTION in opening.options else opening.rules.default_option

    @property
    def waiting(self) -> tuple[str, ...]:
        """Who may vote and has not yet."""
        return tuple(elector.name for elector in self.electors if elector.name not in self.ballots)

    def instant(self, now: datetime) -> datetime:
        """Return the time of the next event: a clock that was set back does not undo what has happened."""
        return max(now, self.last_at) if self.last_at else now


class Deed(Protocol):
    """What happened: it says what it makes of a motion."""

    def onto(self, motion: Motion, by: str, at: datetime, /) -> Motion:
        """Return the motion after it."""


@dataclass(frozen=True, slots=True)
class Record:
    """A deed, whose and when; `seq` and `hash` are its place in the chain once it is written."""

    motion: int
    at: datetime
    by: str
    deed: Deed
    seq: int = 0
    hash: str = ""


def after(motion: Motion, record: Record) -> Motion:
    """Return a motion after one more record."""
    changed = record.deed.onto(motion, record.by, record.at)
    return replace(
        changed,
        number=record.motion,
        first_seq=motion.first_seq or record.seq,
        last_seq=record.seq,
        last_at=record.at,
        head=record.hash,
    )


def fold(records: Iterable[Record]) -> Motion:
    """Return what the records of one motion, in their order, have made of it."""
    return reduce(after, records, Motion())
