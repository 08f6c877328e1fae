"""What comes of itself: motions go on as their time comes, and others are told how many are open."""

import json
from dataclasses import dataclass

from bot import (
    About,
    Clock,
    DigestPart,
    Entropy,
    IdentityBound,
    Policies,
    PostField,
    Roster,
    Schedule,
    Scheduled,
    StatusPart,
    Store,
    counted,
)
from plugins.votes import deeds, ledger, texts
from plugins.votes.declared import plugin
from plugins.votes.desk import Desk, Sitting
from plugins.votes.motion import Motion, Stage


@plugin.due("move")
async def move(
    entry: Scheduled,
    *,
    store: Store,
    roster: Roster,
    policies: Policies,
    schedule: Schedule,
    entropy: Entropy,
    about: About,
) -> None:
    """Let a motion go on as its time has come."""
    number = int(json.loads(entry.plan.payload)["motion"])
    desk = Desk(store, roster, policies, schedule, entropy, about)
    await desk.sit(lambda sitting: sitting.go_on(sitting.motion(number)))


@plugin.job(when="every 10 minutes UTC", catch_up="skip")
async def beat(
    *, store: Store, roster: Roster, policies: Policies, schedule: Schedule, entropy: Entropy, about: About
) -> None:
    """Remember that the bot is there, so that after a fall it is known for how long it was not.

    How electors have changed meanwhile is noted, even if they change back before the close.
    """
    await Desk(store, roster, policies, schedule, entropy, about).sit(Sitting.note_changes)


@plugin.on(IdentityBound)
async def note_identity(
    event: IdentityBound,
    *,
    store: Store,
    roster: Roster,
    policies: Policies,
    schedule: Schedule,
    entropy: Entropy,
    about: About,
) -> None:
    """Write into the open motions' certificates that an elector got or lost an identity."""
    desk = Desk(store, roster, policies, schedule, entropy, about)
    done = "bound" if event.bound else "unbound"
    what = f"{event.network}:{event.subject} "
    text = f"{what}{done} by {event.by}"

    def note(sitting: Sitting) -> None:
        for motion in ledger.motions(sitting.tx.db):
            concerned = motion.stage is Stage.OPEN and motion.elector(event.member) is not None
            known = [one for one in motion.notes if f" {event.member}: {what}" in one][
                -1:
            ]  # it may come twice
            if concerned and not any(one.endswith(f" {event.member}: {text}") for one in known):
                sitting.move(motion, "", (deeds.Noted(event.member, text),))

    if any(motion.stage is Stage.OPEN for motion in await desk.motions()):
        await desk.sit(note)


@dataclass(frozen=True, slots=True)
class _Under:
    """The motions that are under way."""

    open: tuple[Motion, ...]
    early: int


async def _under_way(store: Store) -> _Under:
    found = await store.read(ledger.motions)
    early = sum(motion.stage in {Stage.SECONDING, Stage.DISCUSSION} for motion in found)
    return _Under(tuple(motion for motion in found if motion.stage is Stage.OPEN), early)


@plugin.answers(StatusPart)
async def status(store: Store) -> str:
    """Tell how many votes are open."""
    open_ = len((await _under_way(store)).open)
    return f"{counted(open_, 'open vote')}" if open_ else ""


@plugin.answers(DigestPart)
async def digest(store: Store, clock: Clock) -> str | None:
    """Tell which votes are open."""
    under, now = await _under_way(store), clock.now()
    if not under.open and not under.early:
        return None
    listed = "; ".join(
        f"{motion.number} {texts.title(motion)} until {texts.left(motion.open_until, now)}"
        for motion in under.open
    )
    early = f"{counted(under.early, 'motion')} on the way" if under.early else ""
    return f"votes: {'; '.join(filter(None, (listed, early)))}"


@plugin.answers(PostField)
async def open_votes(question: PostField, store: Store) -> str | None:
    """Tell posts how many votes are open, for `{open_votes}`."""
    return str(len((await _under_way(store)).open)) if question.name == "open_votes" else None
