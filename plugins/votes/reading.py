"""Looking at motions: the list, one of them, its rules, its certificate, a recount."""

from bot import Clock, Conflict, Reply, Store, members
from plugins.votes import deeds, ledger, texts
from plugins.votes.certificate import SHOWN, certify, lines
from plugins.votes.declared import plugin
from plugins.votes.motion import Motion, Stage, fold
from plugins.votes.tally import recount
from plugins.votes.words import Ended, Known

RECENT = 5
"""How many that are over the list still shows."""


@plugin.command("vote list", allow=members, reads=True)
async def vote_list(store: Store, clock: Clock) -> str:
    """List the motions that are under way, and the last ones that are over."""
    found, now = await store.read(ledger.motions), clock.now()
    over = [motion for motion in found if motion.stage is Stage.CLOSED]
    shown = [motion for motion in found if motion.stage is not Stage.CLOSED] + over[-RECENT:]
    return (
        "\n".join(texts.listed(motion, now) for motion in shown)
        or "No motion yet: !propose policy TITLE | TEXT"
    )


@plugin.command("vote show", allow=members, reads=True)
async def vote_show(clock: Clock, motion: Known) -> str:
    """Show a motion: its text, how far it is, and how many have voted."""
    found = await motion.desk.read(motion.alone())
    return "\n".join(texts.shown(found, clock.now()))


@plugin.command("vote rules", allow=members, reads=True)
async def vote_rules(motion: Known) -> str:
    """Show the rules that a motion goes by: those of its opening, once it has opened."""
    desk, number = motion.desk, motion.alone()
    found = await desk.read(number)
    frozen = found.opening is not None
    rules = found.voting.rules if frozen else desk.policies.book().rules[found.kind]
    now = (
        f"as they were when it opened, sha256 {found.voting.rules_digest[:SHOWN]}"
        if frozen
        else "as they are now"
    )
    words = ", ".join(f"{name} {value}" for name, value in deeds.Opened.table(rules).items() if value != "")
    said = (rules.threshold, rules.veto_rule, f"quorum {rules.quorum}", f"open for {rules.open_hours} h")
    shown = "; ".join(filter(None, (*said, rules.secrecy)))
    return f"Motion {number} ({found.kind}), rules {now}: {shown}.\n{words}."


@plugin.command("vote cert", allow=members, reads=True)
async def vote_cert(motion: Ended) -> Reply:
    """Show the certificate of a closed motion, with every number that led to its result."""
    number = motion.alone()
    records = await motion.desk.store.read(lambda db: ledger.records(db, number))
    found = ended(fold(records))
    first = texts.line(texts.result(found), found.head)
    return Reply((first, *lines(certify(records))))


@plugin.command("vote recount", allow=members, reads=True)
async def vote_recount(motion: Ended) -> str:
    """Count a closed motion anew from its events, and verify their chain."""
    number = motion.alone()
    verdict = await motion.desk.store.read(ledger.verdict)
    if not verdict.whole:
        raise Conflict(f"The chain of events is broken: {verdict.fault}. Tell the admins: shipboard verify.")
    found = ended(await motion.desk.read(number))
    same = "as announced" if recount(found).end == found.ended.end or found.ended.why else "NOT as announced"
    result = texts.short(texts.result(found), texts.LONGEST - 90)
    text = f"{result}. Recounted {same}; {verdict.length} events whole."
    return texts.line(text, verdict.head)


def ended(motion: Motion) -> Motion:
    """Return a motion whose ballot has closed; Conflict for any other."""
    if motion.opening is None or motion.closing is None:
        if motion.stage is Stage.OPEN:
            raise Conflict(
                f"Motion {motion.number} is still open; only the turnout is told: {texts.voted(motion)}."
            )
        if closing := motion.closing:
            withdrawn = f"it was {closing.end} before its ballot opened, {closing.why}"
            raise Conflict(f"Motion {motion.number} has no count: {withdrawn}.")
        raise Conflict(f"Motion {motion.number} has no count: it is {motion.stage}, its ballot never closed.")
    return motion
