"""Casting: a ballot is read, and counts until a later one replaces it; a wrong one changes nothing."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.words import Conflict, Expired, NotAllowed, Usage, counting
from plugins.votes import deeds
from plugins.votes.electorate import Person, why_not
from plugins.votes.motion import VETO, Motion, Stage
from plugins.votes.rules import Deeds, Scene

ABSTAIN = "abstain"
RECEIPT = 16
"""How many hex digits of a receipt people are shown."""

FEWEST_FOR_SECRECY = 5
"""With fewer electors than this a result tells too much about each ballot."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """How a ballot came: in private or not, and when its identity was bound, by an admin or not."""

    private: bool = False
    bound: datetime | None = None
    bound_by_admin: bool = False


def vote(
    motion: Motion, who: Person, words: str, how: Spoken, scene: Scene, *, reason: str = "", token: str = ""
) -> Deeds:
    """Cast a ballot; for a secret one `token` is the voter's, new for each ballot, and only its seal is told.

    Usage names the wrong word, or that a veto lacks its reason; Expired and NotAllowed say why it is not
    counted: an earlier ballot stands.
    """
    _may_vote(motion, who, how, scene)
    read = parsed(motion, words)
    if read == VETO and not reason.strip():
        raise Usage(f"A veto needs a reason: !vote {motion.number} veto because REASON.")
    if motion.is_secret:
        return (deeds.Voted(seal=seal(token, motion.number, who.name, read)),)
    return (deeds.Voted(read, reason=reason),)


def retract(motion: Motion, who: Person, scene: Scene) -> Deeds:
    """Take one's ballot back."""
    _is_open(motion, scene)
    if who.name not in motion.ballots:
        raise Conflict(f"You have no ballot in motion {motion.number}.")
    return (deeds.Retracted(),)


def recuse(motion: Motion, who: Person, scene: Scene, reason: str = "") -> Deeds:
    """Stay out of it, before its opening or while it is open; that cannot be taken back."""
    if motion.stage is Stage.OPEN:
        _is_open(motion, scene)
        _is_elector(motion, who, scene)
    elif motion.stage not in {Stage.SECONDING, Stage.DISCUSSION}:
        raise Conflict(f"Motion {motion.number} is {motion.stage}.")
    if who.name in motion.recused:
        raise Conflict(f"You are out of motion {motion.number} already.")
    return (deeds.Recused(reason),)


def object_(motion: Motion, who: Person, reason: str, scene: Scene) -> Deeds:
    """Object to what silence would pass, with a reason: it becomes an ordinary motion that needs seconds."""
    _is_open(motion, scene)
    if motion.voting.method != "lazy":
        raise Conflict(f"Motion {motion.number} is voted on: !vote {motion.number} no.")
    _is_elector(motion, who, scene)
    if not reason.strip():
        raise Usage("An objection needs a reason.")
    target = motion.voting.rules.on_objection
    rules = scene.rules_of(target)
    lapses = scene.now + timedelta(days=rules.second_within_days)
    submitted = deeds.Submitted(max(rules.seconds, 1), lapses)
    return (deeds.Objected(target, reason), submitted)


def parsed(motion: Motion, words: str) -> str:
    """Return a ballot in its one written form; Usage names the first wrong word."""
    method, of = motion.voting.method, motion.options
    if words.strip().casefold() == ABSTAIN:
        return ABSTAIN
    if method == "yesno":
        return counting.choice(words, (*counting.CHOICES, *([VETO] if motion.takes_vetoes else ())))
    if method == "approval":
        return ",".join(of.names[option] for option in counting.approvals(words, of))
    ranked = counting.ranking(words, of)
    if method == "irv":
        order = counting.strict(ranked, of)
        if not order:
            raise Usage("A ballot that ranks all options equally chooses nothing: say abstain.")
        return ">".join(of.names[option] for option in order)
    if method == "plurality":
        return of.names[counting.first(ranked, of)]
    return ">".join("=".join(of.names[option] for option in group) for group in ranked)


def receipt(token: str, vote_id: int, member: str, words: str) -> str:
    """Return HMAC-SHA256(token, [vote, member, ballot]), its first RECEIPT hex digits."""
    return _mac(token, [vote_id, member, words])[:RECEIPT]


def seal(token: str, vote_id: int, member: str, words: str) -> str:
    """Return what binds a secret ballot in the chain; without the token it tells nothing of it."""
    return _mac(token, ["seal", vote_id, member, words])


def found(motion: Motion, member: str, token: str) -> str | None:
    """Return the words of a closed secret ballot whose receipt this token makes; None if there is none."""
    if motion.closing is None:
        return None
    for theirs, words in motion.closing.receipts:
        if hmac.compare_digest(theirs, receipt(token, motion.number, member, words)):
            return words
    return None


def cannot_be_secret(motion: Motion) -> bool:
    """Tell whether a secret ballot has too few electors for secrecy to hold."""
    return motion.is_secret and motion.count < FEWEST_FOR_SECRECY


def _mac(token: str, message: list[str | int]) -> str:
    text = json.dumps(message, separators=(",", ":"))
    return hmac.new(token.encode(), text.encode(), hashlib.sha256).hexdigest()


def _may_vote(motion: Motion, who: Person, how: Spoken, scene: Scene) -> None:
    _is_open(motion, scene)
    opening = motion.voting
    if opening.method == "lazy":
        raise Conflict(
            f"Motion {motion.number} passes unless somebody objects: !object {motion.number} REASON."
        )
    _is_elector(motion, who, scene)
    if how.bound_by_admin and how.bound is not None and how.bound >= opening.at:
        raise NotAllowed("An admin bound this account after the ballot opened: vote from another of yours.")
    if motion.is_secret and not how.private:
        raise NotAllowed(f"Motion {motion.number} is secret: tell me directly. What stood here is void.")


def _is_open(motion: Motion, scene: Scene) -> None:
    if motion.stage in {Stage.CLOSED, Stage.APPEALED}:
        raise Expired(f"Motion {motion.number} is closed.")
    if motion.stage is not Stage.OPEN:
        raise Conflict(f"Motion {motion.number} is not open yet.")
    if motion.instant(scene.now) >= motion.open_until:
        raise Expired(f"Motion {motion.number} closed at {motion.open_until:%Y-%m-%d %H:%M:%S} UTC.")


def _is_elector(motion: Motion, who: Person, scene: Scene) -> None:
    if who.name in motion.recused:
        raise NotAllowed(f"You are out of motion {motion.number}, as you asked.")
    if who.name == motion.subject and motion.voting.rules.recuse == "subject":
        raise NotAllowed(f"Motion {motion.number} is about you.")
    if motion.elector(who.name) is None:
        why = why_not(who, scene.standing, motion.voting.at) or "you were not when it opened"
        raise NotAllowed(f"You are not on motion {motion.number}'s list ({why}).")
