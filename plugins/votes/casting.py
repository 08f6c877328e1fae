"""Ballots: cast, taken back, looked at and verified. Acknowledged only once they are on disk."""

import re

from bot import Call, Member, NotAllowed, Refusal, Reply, Roster, Usage, members
from plugins.votes import ballots, ledger, texts
from plugins.votes.ballots import Spoken
from plugins.votes.declared import plugin
from plugins.votes.desk import Sitting
from plugins.votes.motion import Motion, Stage
from plugins.votes.moving import member_of, moved
from plugins.votes.words import Ended, Open

TOKEN_BITS = 128
Recorded = tuple[Motion, str, str]
"""A motion with a ballot in it, the token of a secret one, and its words as they are counted."""

_BECAUSE = re.compile(r"\s+because\s+", re.IGNORECASE)


@plugin.command("vote", allow=members, private=("motion", "choice"), limit="60/1m")
async def vote(call: Call, roster: Roster, motion: Open, *, choice: str = "") -> Reply:
    """Vote, until the close as often as you like: the number, your choice, and because REASON."""
    words = motion.rest(choice)
    if words.casefold() in {"retract", "recuse"}:
        done = retracted if words.casefold() == "retract" else recused
        return Reply.of(await done(call, motion))
    member, private = member_of(call.actor), call.message.place.direct
    by = await _bound(call, roster, motion)

    def cast(sitting: Sitting, found: Motion) -> Recorded:
        bound = sitting.tx.at if by is not None else None
        how = Spoken(private=private, bound=bound, bound_by_admin=by is not None and by != member.name)
        return _cast(sitting, found, member, words, how)

    def one_of_many(sitting: Sitting) -> Recorded | None:
        found = ledger.for_voter(sitting.tx.db, motion.number, member.name)
        return None if ledger.is_last(sitting.tx.db, found, member.name) else cast(sitting, found)

    def the_last(sitting: Sitting) -> Recorded:
        done = cast(sitting, sitting.motion(motion.number))
        sitting.go_on(sitting.motion(motion.number))
        return done

    # A ballot concerns nobody else, but for the one that all wait for: it closes the motion.
    recorded = await motion.desk.sit(one_of_many, member)
    if recorded is None:
        recorded = await motion.desk.sit(the_last)
    return _recorded(recorded, member, private=private)


async def _bound(call: Call, roster: Roster, motion: Open) -> str | None:
    """Return who bound the speaker's identity, if that was since the ballot opened."""
    found = await motion.desk.store.glance(lambda db: ledger.opened(db, motion.number))
    identity = call.message.identity
    return await roster.bound_since(identity, found) if found and identity else None


def _cast(sitting: Sitting, motion: Motion, member: Member, words: str, how: Spoken) -> Recorded:
    before = motion.ballots.get(member.name)
    cut = _BECAUSE.split(f" {words} ", maxsplit=1)
    choice, reason = cut[0].strip(), cut[1].strip() if len(cut) > 1 else ""
    token = sitting.desk.entropy.token(TOKEN_BITS)
    try:
        if not choice:
            raise Usage(
                f"say what you vote: {texts.how(motion) if motion.opening else 'yes, no or abstain'}."
            )
        who = sitting.person(member)
        made = ballots.vote(motion, who, choice, how, sitting.voting(), reason=reason, token=token)
    except Refusal as refusal:
        raise type(refusal)(_not_counted(str(refusal), motion, before.words if before else None)) from None
    if motion.is_secret:
        ledger.keep_seal(sitting.tx, motion.number, member.name, (token, ballots.parsed(motion, choice)))
    motion = sitting.write(motion, member.name, made)
    return motion, token, ballots.parsed(motion, choice)


def _not_counted(why: str, motion: Motion, before: str | None) -> str:
    why = why.rstrip(".")
    stands = "" if before is None else f" Your earlier {texts.quoted(before) if before else 'ballot'} stands."
    return f"Not counted, vote {motion.number}: {why}.{stands}"


def _recorded(done: Recorded, member: Member, *, private: bool) -> Reply:
    motion, token, words = done
    number, elector = motion.number, motion.elector(member.name)
    until = f"Until {texts.at(motion.open_until)} your last one counts."
    if motion.is_secret:
        proof = f"Receipt {ballots.receipt(token, number, member.name, words)}, token {token}."
        after = f"Keep it: after the close, !vote verify {number} TOKEN finds your ballot in the list."
        return Reply((f"Recorded: vote {number}, {words}. {proof}", f"{after} {until}"), private=True)
    by_share = motion.voting.rules.weight == "share"
    weight = f", {elector.units} half-units" if elector and by_share else ""
    if private:
        return Reply((f"Recorded: vote {number}, {words}{weight}. {until}",), private=True)
    return Reply((f"Recorded: vote {number}, {words} by {member.name}{weight}.",))


async def retracted(call: Call, motion: Open) -> str:
    """Take a ballot back."""
    found = await moved(motion.desk, call, motion.number, ballots.retract)
    return f"Vote {found.number}: your ballot is taken back."


async def recused(call: Call, motion: Open) -> str:
    """Stay out of a vote."""
    found = await moved(motion.desk, call, motion.number, ballots.recuse)
    return f"Vote {found.number}: you are out of it, and out of its quorum."


@plugin.command("vote retract", allow=members)
async def vote_retract(call: Call, motion: Open) -> str:
    """Take your ballot back."""
    motion.alone()
    return await retracted(call, motion)


@plugin.command("vote recuse", allow=members)
async def vote_recuse(call: Call, motion: Open) -> str:
    """Stay out of a vote, and out of its quorum; that cannot be taken back."""
    motion.alone()
    return await recused(call, motion)


@plugin.command("vote mine", allow=members, reads=True)
async def vote_mine(call: Call, motion: Open) -> Reply:
    """Tell you directly how you voted."""
    member, number = member_of(call.actor), motion.alone()
    found = await motion.desk.read(number)
    cast = found.ballots.get(member.name)
    if cast is None:
        return Reply((f"Vote {number}: you have no ballot in it.",), private=True)
    token, words = "", cast.words
    if found.is_secret:
        kept = await motion.desk.store.read(lambda db: ledger.sealed(db, number))
        token, words = kept.get(member.name, ("", "which is erased"))
    proof = f" Receipt {ballots.receipt(token, number, member.name, words)}, token {token}." if token else ""
    return Reply((f"Vote {number}: you voted {words} at {texts.at(cast.at)}.{proof}",), private=True)


@plugin.command("vote verify", allow=members, reads=True, private=("token",))
async def vote_verify(call: Call, motion: Ended, token: str) -> Reply:
    """Find your ballot in a closed secret vote's list, by your token."""
    member, number = member_of(call.actor), motion.alone()
    found = await motion.desk.read(number)
    if found.opening is None or not found.is_secret:
        raise NotAllowed(f"Vote {number} is not secret: !vote cert {number} lists every ballot.")
    if found.stage is Stage.OPEN:
        raise NotAllowed(f"Vote {number} is still open: its list comes with its close.")
    words = ballots.found(found, member.name, token)
    if words is None:
        return Reply(
            (f"Vote {number}: no ballot in the list has a receipt of this token and you.",), private=True
        )
    mark = ballots.receipt(token, number, member.name, words)
    return Reply((f"Vote {number}: your ballot is in the list and counted: {mark} {words}.",), private=True)
