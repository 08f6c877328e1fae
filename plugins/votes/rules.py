"""A motion's way to the ballot: who may do what, and what comes of it.

Each function is one command: it returns the events that it makes, or raises the Refusal that is its answer.
It changes nothing; whoever calls it writes the events and folds them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.words import Conflict, NotAllowed, Role, Usage, VoteRules, VotingStanding, counted, counting, span
from plugins.votes import deeds
from plugins.votes.electorate import Person, may_from, why_not
from plugins.votes.motion import Deed, End, Motion, Stage

Deeds = tuple[Deed, ...]

AGAIN_AFTER = timedelta(days=30)
"""How long what was rejected needs more seconds to come again."""

SECONDS_AGAIN = 2
LAST_CHANGES = timedelta(hours=24)
"""Before the discussion's end nothing is amended any more, nor in the last third of a short one."""

LONGEST_TITLE, LONGEST_TEXT = 100, 4000
ENDED = (Stage.CLOSED, Stage.APPEALED)


@dataclass(frozen=True, slots=True)
class Scene:
    """What is so at the moment of a command: the time, the rules in force, the members.

    `rules` are those of the motion's type; an open ballot has its own. `commitment` promises a seed that was
    drawn just now, `seed` and `head` are for a close: what was promised, and the chain's last hash. `sealed`
    has, for a secret ballot, each voter's token and words; `confirming` is the number of the ordinary motion
    that confirmed what an emergency one ordered, 0 if there is none.
    """

    now: datetime
    rules: Mapping[str, VoteRules]
    standing: VotingStanding
    people: Mapping[str, Person]
    rules_digest: str = ""
    commitment: str = ""
    seed: str = ""
    head: str = ""
    sealed: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    confirming: int = 0

    def rules_of(self, kind: str) -> VoteRules:
        """Return the rules of a type of motion; Usage if there is no such type."""
        if kind not in self.rules:
            known = ", ".join(sorted(self.rules))
            raise Usage(f"{counting.shown(kind)} is no type of motion ({known}).")
        return self.rules[kind]


def confirms(motion: Motion, emergency: Motion) -> bool:
    """Tell whether an ordinary motion of the same title was passed since an emergency one was."""
    if motion.stage is not Stage.CLOSED or motion.opening is None or motion.opening.rules.expires_days:
        return False
    since = motion.ended.end is End.PASSED and motion.ended.at >= emergency.ended.at
    return since and motion.title.casefold() == emergency.title.casefold()


def propose(draft: deeds.Proposed, who: Person, scene: Scene, others: Iterable[Motion] = ()) -> Deeds:
    """Make a motion; `others` are all there are. One that lacks its grounds stays a draft until then."""
    rules = scene.rules_of(draft.kind)
    _may_move(who, scene)
    if rules.proposers == "admin" and who.role is not Role.ADMIN:
        raise NotAllowed(f"Only admins propose {draft.kind}.")
    _is_whole(draft, rules, scene)
    there = list(others)
    if same := next((one for one in there if one.stage not in ENDED and _is_same(one, draft)), None):
        raise Conflict(f"Motion {same.number} is about the same: !amend {same.number} offers another text.")
    if rules.answer_hours and not draft.text.strip():
        return (draft,)
    again = any(_is_same(one, draft) and _was_rejected(one, scene.now) for one in there)
    return (draft, *_submit(rules, scene, SECONDS_AGAIN if again else 0))


def second(motion: Motion, who: Person, scene: Scene) -> Deeds:
    """Second a motion; the last second that it needs begins its discussion."""
    rules = scene.rules_of(motion.kind)
    _at_stage(motion, Stage.SECONDING, "waits for no second")
    _may_move(who, scene)
    if who.name == motion.proposer:
        raise NotAllowed("A motion is seconded by somebody else than its proposer.")
    _is_not_subject(motion, who)
    if who.name in motion.seconders:
        raise Conflict(f"You have seconded motion {motion.number} already.")
    if len(motion.seconders) + 1 < motion.seconds_needed:
        return (deeds.Seconded(),)
    return (deeds.Seconded(), _discuss(rules, scene))


def unsecond(motion: Motion, who: Person, scene: Scene) -> Deeds:
    """Take a second back before the ballot opens, as when the text has changed."""
    rules = scene.rules_of(motion.kind)
    _at_stage(motion, (Stage.SECONDING, Stage.DISCUSSION), "is beyond its seconds")
    if who.name not in motion.seconders:
        raise Conflict(f"You have not seconded motion {motion.number}.")
    return (deeds.Unseconded(scene.now + timedelta(days=rules.second_within_days)),)


def amend(motion: Motion, who: Person, text: str, scene: Scene) -> Deeds:
    """Change one's own motion's text, or offer another text for somebody else's."""
    rules = scene.rules_of(motion.kind)
    _at_stage(motion, (Stage.DRAFT, Stage.SECONDING, Stage.DISCUSSION), "cannot be amended any more")
    _has_words(text, "text", LONGEST_TEXT)
    longer = _longer(motion, rules, scene)
    if who.name == motion.proposer:
        submitted = _submit(rules, scene) if motion.stage is Stage.DRAFT else ()
        return (deeds.Edited(text), *submitted, *longer)
    _may_move(who, scene)
    if rules.secrecy == "secret" or rules.ballot != "yesno" or rules.max_no >= 0 or rules.veto:
        raise NotAllowed(f"Only its proposer changes the text of a motion of type {motion.kind}.")
    return (deeds.AmendmentOffered(len(motion.amendments) + 1, text), *longer)


def accept(motion: Motion, who: Person, number: int, scene: Scene) -> Deeds:
    """Take an amendment as the motion's text, as its proposer."""
    rules = scene.rules_of(motion.kind)
    _at_stage(motion, (Stage.SECONDING, Stage.DISCUSSION), "cannot be amended any more")
    if who.name != motion.proposer:
        raise NotAllowed("Only the proposer accepts an amendment; it is on the ballot anyway.")
    _is_pending(motion, number)
    return (deeds.AmendmentSettled(number, accepted=True), *_longer(motion, rules, scene))


def drop(motion: Motion, who: Person, number: int) -> Deeds:
    """Take one's own amendment back."""
    _at_stage(motion, (Stage.SECONDING, Stage.DISCUSSION), "cannot be amended any more")
    _is_pending(motion, number)
    if who.name != motion.amendments[number - 1].by:
        raise NotAllowed("Only its author takes an amendment back.")
    return (deeds.AmendmentSettled(number, accepted=False),)


def answer(motion: Motion, who: Person, text: str) -> Deeds:
    """Answer as whom the motion concerns; the last answer before the opening stands on the ballot."""
    if who.name != motion.subject:
        raise NotAllowed(f"Only whom motion {motion.number} concerns answers it.")
    _at_stage(motion, (Stage.SECONDING, Stage.DISCUSSION), "takes no answer now")
    _has_words(text, "answer", LONGEST_TEXT)
    return (deeds.Answered(text),)


def withdraw(motion: Motion, who: Person) -> Deeds:
    """Withdraw one's own motion before its ballot opens."""
    if who.name != motion.proposer:
        raise NotAllowed("Only its proposer withdraws a motion.")
    _at_stage(
        motion, (Stage.DRAFT, Stage.SECONDING, Stage.DISCUSSION), "is open or over: only a vote undoes it"
    )
    return (deeds.Closed(End.WITHDRAWN, f"by {who.name}"),)


def annul(motion: Motion, who: Person, reason: str) -> Deeds:
    """End an open ballot as an admin, with a reason that stands for ever."""
    if who.role is not Role.ADMIN:
        raise NotAllowed("Only admins annul an open ballot.")
    _at_stage(motion, Stage.OPEN, "is not open")
    _has_words(reason, "reason", LONGEST_TEXT)
    return (deeds.Closed(End.ANNULLED, f"{who.name}: {reason}"),)


def appeal(motion: Motion, who: Person, reason: str, scene: Scene) -> Deeds:
    """Appeal as an elector against how it went; the effect waits until others have decided."""
    closing = motion.closing
    if motion.stage is not Stage.CLOSED or closing is None or motion.opening is None:
        raise Conflict(f"Motion {motion.number} has no result to appeal against.")
    if who.name not in {elector.name for elector in motion.opening.electors} | {motion.subject}:
        raise NotAllowed(f"Only the electors of motion {motion.number} appeal, and whom it concerns.")
    if motion.appeal:
        raise Conflict(f"Motion {motion.number} was appealed against already.")
    days = motion.opening.rules.appeal_days
    if scene.now >= closing.at + timedelta(days=days):
        raise Conflict(f"The {counted(days, 'day')} for an appeal are over.")
    _has_words(reason, "reason", LONGEST_TEXT)
    return (deeds.Appealed(reason),)


def judge(motion: Motion, *, annulled: bool, reason: str) -> Deeds:
    """Decide an appeal, by the motion about it; `reason` says which one that was."""
    _at_stage(motion, Stage.APPEALED, "is under no appeal")
    return (deeds.Judged(annulled, reason),)


def confirm(motion: Motion, who: Person) -> Deeds:
    """Say as an admin that what the bot does not do by itself has been done."""
    if who.role is not Role.ADMIN:
        raise NotAllowed("Only admins confirm an effect.")
    if not motion.in_effect or motion.confirmed_by:
        raise Conflict(f"Motion {motion.number} has no effect that waits for an admin.")
    return (deeds.Confirmed(),)


def _submit(rules: VoteRules, scene: Scene, least: int = 0) -> Deeds:
    seconds = max(rules.seconds, least)
    submitted = deeds.Submitted(seconds, scene.now + timedelta(days=rules.second_within_days))
    return (submitted,) if seconds else (submitted, _discuss(rules, scene))


def _discuss(rules: VoteRules, scene: Scene) -> deeds.Discussing:
    return deeds.Discussing(scene.now + _discussion(rules))


def _discussion(rules: VoteRules) -> timedelta:
    """Return how long a discussion is: whom it concerns has time for an answer."""
    return timedelta(hours=max(rules.discussion_hours, rules.answer_hours))


def _longer(motion: Motion, rules: VoteRules, scene: Scene) -> Deeds:
    """Move the discussion's end for a change of text: its whole time from now, within the longest."""
    since, until = motion.discussed_since, motion.discussed_until
    if motion.stage is not Stage.DISCUSSION or since is None or until is None:
        return ()
    last = min(LAST_CHANGES, _discussion(rules) / 3)
    if scene.now > until - last:
        raise Conflict(
            f"In the last {span(last.total_seconds())} of a discussion nothing is amended any more."
        )
    latest = max(until, since + timedelta(days=rules.discussion_max_days))
    wanted = scene.now + _discussion(rules)
    return (deeds.Discussing(max(until, min(wanted, latest))),)


def _is_whole(draft: deeds.Proposed, rules: VoteRules, scene: Scene) -> None:
    _has_words(draft.title, "title", LONGEST_TITLE)
    if len(draft.text) > LONGEST_TEXT:
        raise Usage(f"The text is too long: at most {LONGEST_TEXT} characters.")
    if rules.answer_hours and draft.subject not in scene.people:
        raise Usage("Say which member it is about.")
    if rules.ballot in {"yesno", "lazy"}:
        return
    counting.offered((*draft.options, *([rules.default_option] if rules.default_option else [])))
    if len(draft.options) < max(1, rules.seats):
        raise Usage("Say what there is to choose from.")


def _is_same(motion: Motion, draft: deeds.Proposed) -> bool:
    if motion.kind != draft.kind or motion.subject != draft.subject:
        return False
    return bool(draft.subject) or motion.title.casefold() == draft.title.casefold()


def _was_rejected(motion: Motion, now: datetime) -> bool:
    closing = motion.closing
    if closing is None or closing.end in {End.PASSED, End.WITHDRAWN}:
        return False
    return now < closing.at + AGAIN_AFTER


def _may_move(who: Person, scene: Scene) -> None:
    if why := why_not(who, scene.standing, scene.now):
        since = may_from(who, scene.standing)
        later = f"; you may from {since:%Y-%m-%d %H:%M} UTC on, see !policy voting" if since else ""
        raise NotAllowed(f"You cannot do that: {why}{later}.")


def _is_not_subject(motion: Motion, who: Person) -> None:
    if who.name == motion.subject:
        raise NotAllowed(f"Motion {motion.number} is about you.")


def _at_stage(motion: Motion, stages: Stage | Sequence[Stage], what: str) -> None:
    if motion.stage not in ((stages,) if isinstance(stages, Stage) else stages):
        raise Conflict(f"Motion {motion.number} {what}: it is {motion.stage}.")


def _is_pending(motion: Motion, number: int) -> None:
    if not any(amendment.number == number for amendment in motion.pending):
        raise Conflict(f"Motion {motion.number} has no amendment {number} that is still open.")


def _has_words(text: str, what: str, longest: int) -> None:
    if not text.strip():
        raise Usage(f"The {what} is missing.")
    if len(text) > longest:
        raise Usage(f"The {what} is too long: at most {longest} characters.")
