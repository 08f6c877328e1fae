"""Where motions are dealt with: one transaction in which events are written, told, and their effects done."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeVar

from bot import (
    About,
    Entropy,
    Member,
    MotionPassed,
    NotFound,
    Notice,
    Plan,
    Policies,
    Refusal,
    Roster,
    Schedule,
    Standing,
    Store,
    Tx,
)
from bot.words import Change, PolicyBook, counting, read_changes
from plugins.votes import deeds, ledger, rules, texts
from plugins.votes.declared import plugin
from plugins.votes.due import due, outage
from plugins.votes.electorate import Elector, Person
from plugins.votes.motion import MOTION, End, Motion, Record, Stage, after
from plugins.votes.rules import Deeds, Scene
from plugins.votes.tally import recount
from plugins.votes.waking import wake

T = TypeVar("T")

SEED_BITS = 256
APPEAL = "#"
"""A motion about an appeal has `#N` as its subject, which is nobody's name."""

_CHANGES, _AS_BEFORE = ("is ", "has "), "is as they were again"
"""How notes about an elector's standing or share begin, and the one of a change back."""

_BEFORE = frozenset({Stage.DRAFT, Stage.SECONDING, Stage.DISCUSSION})


@dataclass(frozen=True, slots=True)
class Desk:
    """What dealing with motions needs of the ship."""

    store: Store
    roster: Roster
    policies: Policies
    schedule: Schedule
    entropy: Entropy
    about: About

    async def sit(self, work: "Callable[[Sitting], T]", only: Member | None = None) -> T:
        """Do something with motions in one transaction; what it put in force is then written down.

        `only` is the one member whom it concerns, where the others need not be known.
        """
        members = (only,) if only else await self.roster.members()

        def run(tx: Tx) -> tuple[T, bool]:
            sitting = Sitting(tx, self, self.policies.book(), {member.name: member for member in members})
            sitting.come_back()
            result = work(sitting)
            sitting.tell()
            return result, sitting.amended

        result, amended = await self.store.write(run)
        if amended:
            await self.policies.settle()
        return result

    async def consider(self, number: int, member: Member, rule: Callable[[Motion, Person], Deeds]) -> Motion:
        """Return a motion unless the rule refuses what a member wants of it; nothing is changed."""
        motion = await self.read(number)
        rule(motion, _person(member, 0))
        return motion

    async def read(self, number: int) -> Motion:
        """Return a motion; NotFound if there is none of that number."""
        return await self.store.read(lambda db: ledger.motion(db, number))

    async def motions(self) -> tuple[Motion, ...]:
        """Return all motions."""
        return await self.store.read(ledger.motions)


@dataclass(slots=True)
class Sitting:
    """One transaction about motions; `head` is the chain's last hash as news tell it."""

    tx: Tx
    desk: Desk
    book: PolicyBook
    members: dict[str, Member]
    amended: bool = False
    _stages: dict[int, str] = field(default_factory=dict)
    _lines: list[str] = field(default_factory=list)

    def motion(self, number: int) -> Motion:
        """Return a motion as it is now; NotFound."""
        return ledger.motion(self.tx.db, number)

    def person(self, member: Member) -> Person:
        """Return a member as the rules of votes see them."""
        return _person(self.members.get(member.name, member), 0)

    def scene(self, motion: Motion) -> Scene:
        """Return what is so now, as far as this motion's next events need it."""
        early, number = motion.stage in _BEFORE, motion.number
        missed = ledger.missed(self.tx.db) if early else {}
        seed = ""
        if number and motion.stage in {Stage.DISCUSSION, Stage.OPEN}:
            seed = ledger.seed(self.tx, number, self.desk.entropy.token(SEED_BITS))
        return Scene(
            now=self.tx.at,
            rules=self.book.rules,
            standing=self.book.standing,
            people={name: _person(member, missed.get(name, 0)) for name, member in self.members.items()},
            rules_digest=self.book.digest,
            commitment=counting.commitment(seed),
            seed=seed,
            head=ledger.head(self.tx.db),
            sealed=ledger.sealed(self.tx.db, number) if motion.stage is Stage.OPEN else {},
            confirming=self._confirming(motion),
        )

    def _confirming(self, motion: Motion) -> int:
        """Return the ordinary motion by which what an emergency one ordered lasts, 0 if there is none."""
        if motion.stage is not Stage.CLOSED or not motion.opening or not motion.opening.rules.expires_days:
            return 0
        others = ledger.motions(self.tx.db)
        return next((other.number for other in others if rules.confirms(other, motion)), 0)

    def voting(self) -> Scene:
        """Return what is so now, as far as casting a ballot needs it."""
        return Scene(now=self.tx.at, rules=self.book.rules, standing=self.book.standing, people={})

    def write(self, motion: Motion, by: str, made: Deeds) -> Motion:
        """Write events, with all that follows from each."""
        for deed in made:
            record = ledger.append(self.tx, Record(motion.number, motion.instant(self.tx.at), by, deed))
            motion = after(motion, record)
            self._news(motion, record)
            motion = self._follow(motion, record)
        return motion

    def go_on(self, motion: Motion) -> Motion:
        """Do all that has come due for a motion, and be called again when more does."""
        while made := due(motion, self.scene(motion)):
            if isinstance(made[0], deeds.Closed) and motion.opening is not None:
                motion = self._note_changes(motion)
                made = due(motion, self.scene(motion))
            motion = self.write(motion, "", made)
        self._arm(motion)
        return motion

    def move(self, motion: Motion, by: str, made: Deeds) -> Motion:
        """Write what somebody does, and what comes due by it."""
        return self.go_on(self.write(motion, by, made))

    def say(self, line: str) -> None:
        """Tell the team something more."""
        self._lines.append(line)

    def tell(self) -> None:
        """Put what is to be told into the outbox: of a motion's stages only the one that it has come to."""
        for line in (*self._stages.values(), *self._lines):
            self.tx.notice(Notice("team", (line,)))

    def come_back(self) -> None:
        """After a start, give ballots that were open meanwhile the time that the bot was away."""
        away = ledger.beat(self.tx, self.desk.about.started)
        for motion in ledger.motions(self.tx.db) if away else ():
            if away and (made := outage(motion, *away)):
                self._arm(self.write(motion, "", made))

    def _news(self, motion: Motion, record: Record) -> None:
        if line := texts.stage(motion, record, self.tx.at):
            self._stages[motion.number] = line
        self._lines += texts.news(motion, record, self.tx.at)
        for name, words in texts.direct(motion, record, self.tx.at):
            to: Member | Literal["admins"] = self.members.get(name, "admins")
            if not name or name in self.members:
                key, expires = texts.key(motion, record), texts.expiry(motion)
                wait: Literal["patient", "plain"] = "plain"
                if texts.can_wait(motion, record, self.tx.at):
                    wait = "patient"
                self.tx.notice(Notice(to, (words,), key=key, expires=expires, manner=wait))

    def _follow(self, motion: Motion, record: Record) -> Motion:
        """Do what an event brings with it, in its own transaction."""
        number = motion.number
        match record.deed:
            case deeds.Retracted() | deeds.Recused():
                ledger.forget_seals(self.tx, number, [record.by])
            case deeds.Objected():
                self.tx.db.execute("DELETE FROM votes_seeds WHERE motion = ?", [number])
            case deeds.Closed():
                self.tx.db.execute("DELETE FROM votes_seeds WHERE motion = ?", [number])
                self._judge(motion)
            case deeds.Erased():
                ledger.forget_seals(self.tx, number)
            case deeds.TookEffect():
                self._take_effect(motion)
        return motion

    def _take_effect(self, motion: Motion) -> None:
        passed = MotionPassed(
            motion=motion.number, kind=motion.kind, title=motion.title, subject=motion.subject
        )
        self.tx.event(passed)
        if motion.kind != "policy-change" or not (changes := changes_of(motion)):
            return
        done = ", ".join(map(str, changes))
        try:
            self.desk.policies.amend(self.tx, changes)
        except Refusal as error:
            self.say(texts.line(f"VOTE {motion.number}: {done} cannot be put in force any more: {error}"))
        else:
            self.amended = True
            self.say(texts.line(f"VOTE {motion.number}: the policies now say {done}."))

    def _judge(self, motion: Motion) -> None:
        """Let a motion about an appeal decide it."""
        if not motion.subject.startswith(APPEAL):
            return
        judged = self.motion(int(motion.subject.removeprefix(APPEAL)))
        if judged.stage is Stage.APPEALED:
            annulled = motion.ended.end is End.PASSED
            made = rules.judge(judged, annulled=annulled, reason=f"motion {motion.number}")
            self.move(judged, "", made)

    def note_changes(self) -> None:
        """Note of every open ballot how its electors have changed."""
        for motion in ledger.motions(self.tx.db):
            if motion.stage is Stage.OPEN:
                self._note_changes(motion)

    def _note_changes(self, motion: Motion) -> Motion:
        """Write into the certificate how electors changed while the ballot was open, or changed back."""
        noted = []
        for elector in motion.electors:
            told = [note.partition(f" UTC {elector.name}: ")[2] for note in motion.notes]
            last = [text for text in told if text.startswith(_CHANGES)][-1:] or [_AS_BEFORE]
            now = _changed(motion, elector, self.members.get(elector.name)) or _AS_BEFORE
            if now != last[0]:
                noted.append(deeds.Noted(elector.name, now))
        return self.write(motion, "", tuple(noted))

    def _arm(self, motion: Motion) -> None:
        """Be called when time does something to the motion next."""
        row = self.tx.db.execute(
            "SELECT entry FROM votes_timers WHERE motion = ?", [motion.number]
        ).fetchone()
        at = wake(motion)
        if row is not None:
            with suppress(NotFound):
                if at is not None:
                    self.desk.schedule.change(self.tx, row[0], _plan(motion, max(at, self.tx.at)))
                    return
                self.desk.schedule.delete(self.tx, row[0])
            self.tx.db.execute("DELETE FROM votes_timers WHERE motion = ?", [motion.number])
        if at is not None:
            entry = self.desk.schedule.add(self.tx, _plan(motion, max(at, self.tx.at)))
            self.tx.db.execute(
                "INSERT INTO votes_timers (motion, entry) VALUES (?, ?)", [motion.number, entry]
            )


def changes_of(motion: Motion) -> Sequence[Change]:
    """Return the numbers that a passed motion changes: its own, or those of the amendment that was chosen."""
    chosen = recount(motion).chosen
    for amendment in motion.pending:
        if amendment.option in chosen:
            return read_changes(amendment.text)
    return read_changes(f"{motion.title}\n{motion.text}") if not chosen or MOTION in chosen else ()


def _person(member: Member, missed: int) -> Person:
    return Person(
        name=member.name,
        role=member.role,
        units=member.share.half_units,
        in_good_standing=member.standing is Standing.GOOD,
        joined=member.joined,
        missed=missed,
    )


def _changed(motion: Motion, elector: Elector, member: Member | None) -> str:
    """Say how a member is no longer as the electorate has them."""
    if member is None or member.standing is not Standing.GOOD:
        return "is no member any more" if member is None else f"is {member.standing.value}"
    rules_ = motion.voting.rules
    shares = rules_.secrecy == "open" and (rules_.weight == "share" or rules_.quorum_basis == "weight")
    if shares and elector.units != member.share.half_units:
        return f"has {member.share.half_units} half-units now, and {elector.units} in this vote"
    return ""


def _plan(motion: Motion, at: datetime) -> Plan:
    """Return the plan for an instant; the schedule knows whole seconds, so the next one."""
    second = (at + timedelta(seconds=1)).astimezone(UTC).replace(microsecond=0)
    when = f"on {second:%Y-%m-%d %H:%M:%S} UTC"
    return Plan(plugin=plugin.name, kind="move", when=when, payload=f'{{"motion": {motion.number}}}')
