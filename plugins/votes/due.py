"""What time itself does to a motion: it lapses, opens, reminds, closes, takes effect, forgets."""

from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

from bot.words import VoteRules, counting
from plugins.votes import deeds
from plugins.votes.ballots import receipt, seal
from plugins.votes.electorate import digest, snapshot
from plugins.votes.motion import MOTION, NO_CHANGE, Closing, End, Motion, Stage
from plugins.votes.rules import Deeds, Scene
from plugins.votes.tally import recount

LONGEST_EXTENSION = timedelta(hours=72)
SHORTEST_OUTAGE = timedelta(hours=1)
REMINDERS = (timedelta(hours=24), timedelta(hours=2))
"""Before a ballot closes those who have not voted are reminded, and at half its time."""


class BrokenSealError(Exception):
    """A secret ballot is not what its voter sealed: somebody changed it."""


def due(motion: Motion, scene: Scene) -> Deeds:
    """Return what has come due; to be called again after it is folded, until nothing is.

    BrokenSealError if a sealed ballot was changed.
    """
    now = motion.instant(scene.now)
    if motion.stage is Stage.SECONDING:
        lapsed = motion.lapses is not None and now >= motion.lapses
        return (deeds.Closed(End.WITHDRAWN, "nobody seconded it in time"),) if lapsed else ()
    if motion.stage is Stage.DISCUSSION:
        ripe = motion.discussed_until is not None and now >= motion.discussed_until
        return (_opened(motion, scene, now),) if ripe else ()
    if motion.stage is Stage.OPEN:
        return _while_open(motion, scene, now)
    if motion.stage is Stage.CLOSED and motion.opening is not None:
        return _afterwards(motion, motion.opening.rules, now, scene.confirming)
    return ()


def outage(motion: Motion, gone: datetime, back: datetime) -> Deeds:
    """Return the extension of an open ballot by the time that it lost while the bot was away: once, bounded.

    Where its end was missed, that time begins when the bot is back.
    """
    if motion.stage is not Stage.OPEN or motion.extended:
        return ()
    away = min(back, motion.open_until) - max(gone, motion.voting.at)
    if away <= SHORTEST_OUTAGE or not motion.voting.rules.extend_on_outage:
        return ()
    closes = max(back, motion.open_until) + min(away, LONGEST_EXTENSION)
    # Whole seconds are written, so that the end is what the event says.
    seconds = int((closes - motion.open_until).total_seconds())
    return (deeds.Extended(motion.open_until + timedelta(seconds=seconds), seconds),)


def text_hash(motion: Motion, options: tuple[str, ...]) -> str:
    """Return SHA-256 of all that stands on the ballot, 64 hex digits: it cannot change once it is open."""
    amendments = [amendment.text for amendment in motion.pending]
    parts = [motion.kind, motion.title, motion.text, motion.answer, *amendments, *options]
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _opened(motion: Motion, scene: Scene, now: datetime) -> deeds.Opened:
    rules = scene.rules_of(motion.kind)
    method, options = _method(motion, rules)
    out = motion.recused | ({motion.subject} if rules.recuse == "subject" else set())
    electors = snapshot(scene.people.values(), rules, scene.standing, now, tuple(out))
    hours = max(rules.open_hours, rules.min_open_hours)
    return deeds.Opened(
        closes=now + timedelta(hours=hours),
        rules=deeds.Opened.table(rules),
        rules_digest=scene.rules_digest,
        method=method,
        options=options,
        electors=tuple((one.name, one.units, one.active) for one in electors),
        electorate_digest=digest(electors),
        text_hash=text_hash(motion, options),
        commitment=scene.commitment,
    )


def _method(motion: Motion, rules: VoteRules) -> tuple[str, tuple[str, ...]]:
    """Return how it is voted on, and the options: with amendments, all texts and the default option."""
    if motion.pending:
        return "schulze", (MOTION, *(amendment.option for amendment in motion.pending), NO_CHANGE)
    if rules.ballot in {"yesno", "lazy"}:
        return rules.ballot, counting.CHOICES
    default = (rules.default_option,) if rules.default_option else ()
    return rules.ballot, (*motion.offered, *default)


def _while_open(motion: Motion, scene: Scene, now: datetime) -> Deeds:
    opening, closes = motion.voting, motion.open_until
    early = opening.rules.early_close == "all-voted" and bool(motion.electors) and not motion.waiting
    if now >= closes or early:
        return (_closed(motion, scene, now),)
    if opening.method == "lazy":
        return ()
    half = closes - opening.at - (closes - opening.at) / 2
    times = sorted({half, *(before for before in REMINDERS if before < closes - opening.at)}, reverse=True)
    stage = sum(now >= closes - before for before in times)
    return (deeds.Reminded(stage),) if stage > motion.reminded and motion.waiting else ()


def _closed(motion: Motion, scene: Scene, now: datetime) -> deeds.Closed:
    voters = tuple(sorted(motion.ballots))
    receipts: tuple[tuple[str, str], ...] = ()
    if motion.is_secret:
        receipts = tuple(sorted(_unsealed(motion, scene)))
    closing = Closing(now, End.FAILED, head=scene.head, seed=scene.seed, receipts=receipts)
    end = recount(replace(motion, closing=closing)).end
    return deeds.Closed(end, "", scene.head, scene.seed, receipts, voters)


def _unsealed(motion: Motion, scene: Scene) -> list[tuple[str, str]]:
    found = []
    for name, cast in motion.ballots.items():
        token, words = scene.sealed.get(name, ("", ""))
        if seal(token, motion.number, name, words) != cast.seal:
            raise BrokenSealError(f"the sealed ballot of {name} in motion {motion.number} was changed")
        found.append((receipt(token, motion.number, name, words), words))
    return found


def _afterwards(motion: Motion, rules: VoteRules, now: datetime, confirming: int) -> Deeds:
    closing = motion.ended
    gone = now - closing.at
    if motion.is_secret and not motion.erased and gone >= timedelta(days=rules.appeal_days):
        return (deeds.Erased(),)
    if closing.end is not End.PASSED:
        return ()
    if not motion.in_effect and gone >= timedelta(days=rules.effect_after_days):
        return (deeds.TookEffect(),)
    ends = rules.expires_days and not motion.ran_out and not motion.lasts_by
    if ends and gone >= timedelta(days=rules.expires_days):
        return (deeds.Lasts(confirming) if confirming else deeds.RanOut(),)
    return ()
