"""The events of a motion's life, as they stand in the chain: small values that JSON can hold.

Each says in `onto` what it makes of a motion; who did it and when stand beside it in the record.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from bot.words import VoteRules
from plugins.votes.electorate import Elector
from plugins.votes.motion import Amendment, Cast, Closing, End, Motion, Opening, Stage


@dataclass(frozen=True, slots=True)
class Proposed:
    """A motion was made; `subject` is the member whom it concerns, `options` what an election offers."""

    kind: str
    title: str
    text: str = ""
    subject: str = ""
    options: tuple[str, ...] = ()

    def onto(self, motion: Motion, by: str, _at: datetime, /) -> Motion:
        """Make the draft."""
        made = replace(motion, kind=self.kind, title=self.title, text=self.text, subject=self.subject)
        return replace(made, offered=self.options, proposer=by)


@dataclass(frozen=True, slots=True)
class Submitted:
    """A draft is whole and needs so many seconds; it lapses without them."""

    seconds: int
    lapses: datetime

    def onto(self, motion: Motion, _by: str, _at: datetime, /) -> Motion:
        """Wait for seconds."""
        return replace(motion, stage=Stage.SECONDING, seconds_needed=self.seconds, lapses=self.lapses)


@dataclass(frozen=True, slots=True)
class Seconded:
    """A member seconded it."""

    def onto(self, motion: Motion, by: str, _at: datetime, /) -> Motion:
        """Add the second."""
        return replace(motion, seconders=(*motion.seconders, by))


@dataclass(frozen=True, slots=True)
class Unseconded:
    """A seconder took their second back, and others are waited for again."""

    lapses: datetime

    def onto(self, motion: Motion, by: str, _at: datetime, /) -> Motion:
        """Go back to seconding."""
        left = tuple(name for name in motion.seconders if name != by)
        return replace(motion, stage=Stage.SECONDING, seconders=left, lapses=self.lapses)


@dataclass(frozen=True, slots=True)
class Discussing:
    """The discussion goes on until then, from now where it had not begun."""

    until: datetime

    def onto(self, motion: Motion, _by: str, at: datetime, /) -> Motion:
        """Discuss."""
        since = motion.discussed_since if motion.stage is Stage.DISCUSSION else at
        changed = replace(motion, stage=Stage.DISCUSSION, discussed_since=since)
        return replace(changed, discussed_until=self.until)


@dataclass(frozen=True, slots=True)
class Edited:
    """The proposer changed the text."""

    text: str

    def onto(self, motion: Motion, _by: str, _at: datetime, /) -> Motion:
        """Change the text."""
        return replace(motion, text=self.text)


@dataclass(frozen=True, slots=True)
class AmendmentOffered:
    """Somebody else asked for another text."""

    number: int
    text: str

    def onto(self, motion: Motion, by: str, _at: datetime, /) -> Motion:
        """Add the amendment."""
        return replace(motion, amendments=(*motion.amendments, Amendment(self.number, by, self.text)))


@dataclass(frozen=True, slots=True)
class AmendmentSettled:
    """The proposer took an amendment as the text, or its author dropped it."""

    number: int
    accepted: bool

    def onto(self, motion: Motion, _by: str, _at: datetime, /) -> Motion:
        """Settle the amendment."""
        text = motion.amendments[self.number - 1].text if self.accepted else motion.text
        amendments = tuple(
            replace(one, pending=False) if one.number == self.number else one for one in motion.amendments
        )
        return replace(motion, text=text, amendments=amendments)


@dataclass(frozen=True, slots=True)
class Answered:
    """The member whom it concerns answered; it stands on the ballot."""

    text: str

    def onto(self, motion: Motion, _by: str, _at: datetime, /) -> Motion:
        """Attach the answer."""
        return replace(motion, answer=self.text)


@dataclass(frozen=True, slots=True)
class Opened:
    """The ballot opened: from here on its text, its rules and its electorate are these."""

    closes: datetime
    rules: Mapping[str, str | int]
    rules_digest: str
    method: str
    options: tuple[str, ...]
    electors: tuple[tuple[str, int, bool], ...]
    electorate_digest: str
    text_hash: str
    commitment: str

    @staticmethod
    def table(rules: VoteRules) -> dict[str, str | int]:
        """Return rules as the whole table that the event keeps, without the keys of vetoes where none are."""
        return {key: value for key, value in asdict(rules).items() if rules.veto or "veto" not in key}

    def onto(self, motion: Motion, _by: str, at: datetime, /) -> Motion:
        """Open the ballot."""
        opening = Opening(
            at=at,
            rules=VoteRules(**self.rules),  # type: ignore[arg-type]  # VoteRules checks them
            rules_digest=self.rules_digest,
            method=self.method,
            options=self.options,
            electors=tuple(Elector(*elector) for elector in self.electors),
            text_hash=self.text_hash,
            commitment=self.commitment,
        )
        return replace(motion, stage=Stage.OPEN, opening=opening, closes=self.closes, ballots={}, reminded=0)


@dataclass(frozen=True, slots=True)
class Voted:
    """A ballot: its words, or the seal of a secret one."""

    words: str = ""
    seal: str = ""
    reason: str = ""

    def onto(self, motion: Motion, by: str, at: datetime, /) -> Motion:
        """Put it in the place of this member's earlier ballot."""
        cast = Cast(by, self.words, self.seal, self.reason, at)
        return replace(motion, ballots={**motion.ballots, by: cast})


@dataclass(frozen=True, slots=True)
class Retracted:
    """A member took their ballot back."""

    def onto(self, motion: Motion, by: str, _at: datetime, /) -> Motion:
        """Remove it."""
        return replace(motion, ballots=_without(motion.ballots, by))


@dataclass(frozen=True, slots=True)
class Recused:
    """A member stays out of it: out of the electorate, its quorum, and what is a part of all."""

    reason: str = ""

    def onto(self, motion: Motion, by: str, _at: datetime, /) -> Motion:
        """Remove the member, and their ballot."""
        return replace(motion, recused=motion.recused | {by}, ballots=_without(motion.ballots, by))


@dataclass(frozen=True, slots=True)
class Objected:
    """A member objected to what silence would have passed: it becomes a motion of that type."""

    kind: str
    reason: str

    def onto(self, motion: Motion, by: str, _at: datetime, /) -> Motion:
        """Begin anew as an ordinary draft."""
        return replace(
            motion,
            kind=self.kind,
            objection=f"{by}: {self.reason}",
            stage=Stage.DRAFT,
            opening=None,
            closes=None,
            ballots={},
        )


@dataclass(frozen=True, slots=True)
class Extended:
    """The ballot stays open for so many seconds longer, as the bot was away."""

    closes: datetime
    seconds: int

    def onto(self, motion: Motion, _by: str, _at: datetime, /) -> Motion:
        """Move the end."""
        longer = motion.extended + timedelta(seconds=self.seconds)
        return replace(motion, closes=self.closes, extended=longer)


@dataclass(frozen=True, slots=True)
class Reminded:
    """Those who had not voted were reminded, for the so-manieth time."""

    stage: int

    def onto(self, motion: Motion, _by: str, _at: datetime, /) -> Motion:
        """Remember it."""
        return replace(motion, reminded=self.stage)


@dataclass(frozen=True, slots=True)
class Noted:
    """An identity or a standing changed while the ballot was open: it stands in the certificate."""

    member: str
    text: str

    def onto(self, motion: Motion, _by: str, at: datetime, /) -> Motion:
        """Note it."""
        note = f"{at:%Y-%m-%d %H:%M} UTC {self.member}: {self.text}"
        return replace(motion, notes=(*motion.notes, note))


@dataclass(frozen=True, slots=True)
class Closed:
    """The end; `head` is the chain's before it and `seed` the lot's.

    A secret ballot's words come here, each with its receipt, in their own order and without names.
    """

    end: str
    why: str = ""
    head: str = ""
    seed: str = ""
    receipts: tuple[tuple[str, str], ...] = ()
    voters: tuple[str, ...] = ()

    def onto(self, motion: Motion, _by: str, at: datetime, /) -> Motion:
        """Close it."""
        closing = Closing(at, End(self.end), self.why, self.head, self.seed, self.receipts, self.voters)
        return replace(motion, stage=Stage.CLOSED, closing=closing)


@dataclass(frozen=True, slots=True)
class Appealed:
    """An elector appealed against how it went; others decide."""

    reason: str

    def onto(self, motion: Motion, by: str, _at: datetime, /) -> Motion:
        """Hold its effect back."""
        return replace(motion, stage=Stage.APPEALED, appeal=f"{by}: {self.reason}")


@dataclass(frozen=True, slots=True)
class Judged:
    """The appeal was decided: the result is annulled, or upheld."""

    annulled: bool
    reason: str

    def onto(self, motion: Motion, _by: str, _at: datetime, /) -> Motion:
        """Close it again; what was annulled is in force no more."""
        if not self.annulled:
            return replace(motion, stage=Stage.CLOSED)
        closing = replace(motion.ended, end=End.ANNULLED, why=self.reason)
        return replace(motion, stage=Stage.CLOSED, closing=closing, in_effect=False)


@dataclass(frozen=True, slots=True)
class TookEffect:
    """What was passed is in force, or waits for an admin to do it."""

    def onto(self, motion: Motion, _by: str, _at: datetime, /) -> Motion:
        """Remember it."""
        return replace(motion, in_effect=True)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """An admin did what the bot does not do by itself."""

    def onto(self, motion: Motion, by: str, _at: datetime, /) -> Motion:
        """Remember who."""
        return replace(motion, confirmed_by=by)


@dataclass(frozen=True, slots=True)
class RanOut:
    """What an emergency motion ordered has lapsed, as no ordinary motion confirmed it."""

    def onto(self, motion: Motion, _by: str, _at: datetime, /) -> Motion:
        """Remember it."""
        return replace(motion, ran_out=True)


@dataclass(frozen=True, slots=True)
class Lasts:
    """What an emergency motion ordered lasts, as an ordinary motion of that number confirmed it."""

    motion: int

    def onto(self, motion: Motion, _by: str, _at: datetime, /) -> Motion:
        """Remember it."""
        return replace(motion, lasts_by=self.motion)


@dataclass(frozen=True, slots=True)
class Erased:
    """What linked a secret ballot with its voter was erased, after the time for an appeal."""

    def onto(self, motion: Motion, _by: str, _at: datetime, /) -> Motion:
        """Remember it."""
        return replace(motion, erased=True)


def _without(ballots: Mapping[str, Cast], member: str) -> Mapping[str, Cast]:
    return {name: cast for name, cast in ballots.items() if name != member}
