"""When time does something to a motion next. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from plugins.votes.due import REMINDERS
from plugins.votes.motion import End, Motion, Stage


def wake(motion: Motion) -> datetime | None:
    """Return when a motion has to be looked at next, after all that was due by its last event or now."""
    match motion.stage:
        case Stage.SECONDING:
            return motion.lapses
        case Stage.DISCUSSION:
            return motion.discussed_until
        case Stage.OPEN:
            return min(_while_open(motion), default=motion.open_until)
        case Stage.CLOSED if motion.opening is not None:
            return min(_afterwards(motion), default=None)
        case _:
            return None


def _while_open(motion: Motion) -> Iterator[datetime]:
    opening, closes = motion.voting, motion.open_until
    window = closes - opening.at
    if opening.method != "lazy" and motion.waiting:
        times = sorted(
            {window - window / 2, *(before for before in REMINDERS if before < window)}, reverse=True
        )
        yield from (closes - before for before in times[motion.reminded :])
    yield closes


def _afterwards(motion: Motion) -> Iterator[datetime]:
    closing, rules = motion.ended, motion.voting.rules
    if motion.is_secret and not motion.erased:
        yield closing.at + timedelta(days=rules.appeal_days)
    if closing.end is End.PASSED:
        if not motion.in_effect:
            yield closing.at + timedelta(days=rules.effect_after_days)
        if rules.expires_days and not (motion.ran_out or motion.lasts_by):
            yield closing.at + timedelta(days=rules.expires_days)
