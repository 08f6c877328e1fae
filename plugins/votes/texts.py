"""The chat lines of this plugin; what the team hears fits one line of IRC and ends with the chain's head."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from bot import counted, span
from bot import quoted as in_quotes
from bot.words import counting
from plugins.votes import ballots, deeds
from plugins.votes.certificate import SHOWN, closing_line
from plugins.votes.motion import Motion, Record, Stage
from plugins.votes.tally import recount, turnout

LONGEST = 380
"""Bytes of a line for the team."""

TITLE, WORDS, REASON = 110, 160, 80
"""Bytes of a title, of other words of people's, and of a veto's reason beside its numbers, in a line."""

PATIENT = timedelta(hours=24)
"""While a ballot stays open at least so long, nobody is woken for it."""

_MINUTE = 60

HOW = {
    "yesno": "yes|no|abstain",
    "schulze": "B>A=C (a ranking)",
    "irv": "B>A>C (a ranking)",
    "approval": "A,C (all that you approve)",
    "plurality": "A (one of them)",
}
"""What is typed behind the number, by the method."""


def line(text: str, head: str = "") -> str:
    """Return a line cut so that it fits, with the chain's head at its end."""
    tail = f" [chain {head[:SHOWN]}]" if head else ""
    return f"{short(text, LONGEST - len(tail))}{tail}"


def short(text: str, most: int) -> str:
    """Cut a text to so many bytes."""
    raw = text.encode(errors="replace")
    if len(raw) <= most:
        return text
    return raw[: most - 3].decode(errors="ignore").rstrip() + "…"


def title(motion: Motion) -> str:
    """Return a motion's title in quotes."""
    return quoted(motion.title, TITLE)


def quoted(text: str, most: int = WORDS) -> str:
    """Return words of people's in quotes that they cannot close."""
    return in_quotes(short(" ".join(text.split()), most), most)


def at(instant: datetime) -> str:
    """Return an instant as people read it, in UTC."""
    utc = instant.astimezone(UTC)
    return f"{utc:%a} {utc.day} {utc:%b} {utc:%H:%M} UTC"


def left(instant: datetime, now: datetime) -> str:
    """Return an instant and how far it is."""
    return f"{at(instant)} ({f'in {rest(instant, now)}' if instant > now else 'now'})"


def rest(instant: datetime, now: datetime) -> str:
    """Return how long it is until an instant; beyond two minutes in whole ones."""
    seconds = max(0.0, (instant - now).total_seconds())
    return span(seconds if seconds <= _MINUTE * 2 else round(seconds / _MINUTE) * _MINUTE)


def stage(motion: Motion, record: Record, now: datetime) -> str:
    """Return the line about the stage that an event brought a motion to; empty if it brought it to none."""
    match record.deed:
        case deeds.Opened():
            return _opened(motion, record.hash, now)
        case deeds.Closed():
            return _closed(motion, record.hash)
    text = _stage(motion, record, now)
    return line(f"VOTE {motion.number} {text}", record.hash) if text else ""


def _stage(motion: Motion, record: Record, now: datetime) -> str:
    number, text = motion.number, ""
    match record.deed:
        case deeds.Submitted(seconds=seconds, lapses=lapses):
            text = f"proposed: {title(motion)} by {motion.proposer} ({motion.kind})."
            if motion.objection:
                text = f"objected to by {quoted(motion.objection)}: an ordinary motion now, {title(motion)}."
            if seconds:
                text += f" It needs {counted(seconds, 'second')} by {at(lapses)}: !second {number}"
        case deeds.Discussing(until=until):
            what = f"{title(motion)} by {motion.proposer} ({motion.kind})"
            text = f"is discussed until {left(until, now)}: {what}. Another text: !amend {number} TEXT"
        case deeds.Appealed(reason=reason):
            text = f"is appealed against by {record.by}, {quoted(reason)}; others decide, its effect waits."
        case deeds.Judged(annulled=annulled, reason=reason):
            done = "ANNULLED" if annulled else "UPHELD"
            text = f"{done} on appeal, by {reason}: {title(motion)}"
        case deeds.Extended(closes=closes, seconds=seconds):
            text = f"stays open {span(seconds)} longer, as I was away: until {left(closes, now)}."
    return text


def _opened(motion: Motion, head: str, now: datetime) -> str:
    opening, number = motion.voting, motion.number
    by = f"by {motion.proposer}" + (f", seconded {', '.join(motion.seconders)}" if motion.seconders else "")
    closes = f"Closes {left(motion.open_until, now)}."
    start = f"VOTE {number} open: {title(motion)} {by}."
    if opening.method == "lazy":
        return line(f"{start} It passes unless somebody objects: !object {number} REASON. {closes}", head)
    rules = opening.rules
    veto = f"; {rules.veto_rule}" if motion.takes_vetoes else ""
    needs = f"{motion.kind}: {rules.threshold}{veto}, quorum {rules.quorum_num}/{rules.quorum_den}."
    return line(f"{start} {needs} {closes} {how(motion)}", head)


def how(motion: Motion) -> str:
    """Return how one votes."""
    how_to = f"!vote {motion.number} {HOW.get(motion.voting.method, 'CHOICE')}"
    if motion.takes_vetoes:
        how_to += "|veto because REASON"
    if not motion.is_secret:
        return how_to
    few = " With so few electors secrecy cannot hold." if ballots.cannot_be_secret(motion) else ""
    return f"Secret, only to me directly: {how_to}{few}"


def _closed(motion: Motion, head: str) -> str:
    number, closing = motion.number, motion.ended
    if motion.opening is None or closing.why:
        why = f" ({short(closing.why, WORDS)})" if closing.why else ""
        return line(f"VOTE {number} {closing.end.upper()}: {title(motion)}{why}", head)
    until = closing.at + timedelta(days=motion.voting.rules.appeal_days)
    text = short(result(motion), LONGEST - 75)
    return line(f"{text}. Appeal until {until.day} {until:%b}. !vote cert {number}", head)


def result(motion: Motion) -> str:
    """Return a closed motion's result with its numbers."""
    return closing_line(motion, recount(motion), _vetoes(motion))


def _vetoes(motion: Motion) -> str:
    """Return who vetoed and why, of several the first by name; room stays for the tests behind it."""
    for name, reason in motion.vetoes.items():
        more = f" and {len(motion.vetoes) - 1} more" if len(motion.vetoes) > 1 else ""
        return f"veto by {name}{more} because {quoted(reason, REASON)}"
    return ""


def news(motion: Motion, record: Record, now: datetime) -> Iterator[str]:
    """Yield what else the team hears of an event."""
    number, head = motion.number, record.hash
    match record.deed:
        case deeds.AmendmentOffered(number=which, text=text):
            yield line(
                f"VOTE {number}: {record.by} offers another text, amendment-{which}: {quoted(text)}", head
            )
        case deeds.AmendmentSettled(number=which, accepted=accepted):
            done = "is the motion's text now" if accepted else "is taken back"
            yield line(f"VOTE {number}: amendment-{which} {done}.", head)
        case deeds.Edited(text=text):
            yield line(f"VOTE {number}: {record.by} changed the text: {quoted(text)}", head)
        case deeds.Answered(text=text):
            yield line(f"VOTE {number}: {record.by} answers: {quoted(text)}", head)
        case deeds.Reminded():
            yield line(
                f"VOTE {number}: {rest(motion.open_until, now)} left, {voted(motion)}. {how(motion)}", head
            )
        case deeds.Erased():
            yield line(f"VOTE {number}: which ballot was whose is erased.", head)
        case _:
            yield from _effects(motion, record)


def _effects(motion: Motion, record: Record) -> Iterator[str]:
    """Yield what the team hears of what a motion brings about."""
    number, head = motion.number, record.hash
    match record.deed:
        case deeds.TookEffect() if motion.kind in BY_HAND:
            yield line(
                f"VOTE {number} is in force: {title(motion)}. An admin does it: !vote confirm {number}", head
            )
        case deeds.Confirmed():
            yield line(f"VOTE {number}: {record.by} put it into effect: {title(motion)}.", head)
        case deeds.TookEffect() if motion.voting.rules.expires_days:
            until = motion.ended.at + timedelta(days=motion.voting.rules.expires_days)
            same = "unless an ordinary motion of the same title is passed"
            yield line(f"VOTE {number} is in force until {at(until)}, {same}: {title(motion)}", head)
        case deeds.RanOut():
            yield line(f"VOTE {number}: what it ordered has lapsed: {title(motion)}.", head)
        case deeds.Lasts(motion=other):
            yield line(f"VOTE {number}: what it ordered lasts, by motion {other}: {title(motion)}.", head)


BY_HAND = frozenset({"admit", "expel"})
"""The types of motions whose effect an admin brings about."""


def direct(motion: Motion, record: Record, now: datetime) -> Iterator[tuple[str, str]]:
    """Yield what people hear directly of an event: a member's name, empty for the admins, and the line."""
    number = motion.number
    match record.deed:
        case deeds.Submitted() if motion.subject:
            text = f"Motion {number} is about you: {title(motion)}. Your answer: !answer {number} TEXT"
            yield motion.subject, line(text)
        case deeds.AmendmentOffered(number=which, text=text):
            take = f"!vote accept {number} {which} makes it yours."
            yield motion.proposer, line(f"Motion {number}: {record.by} offers {quoted(text)}; {take}")
        case deeds.Opened() | deeds.Reminded() if motion.voting.method != "lazy":
            # Who made the motion knows of it, at first; who is away hears it on coming, until the close.
            knows = {motion.proposer, *motion.seconders} if isinstance(record.deed, deeds.Opened) else set()
            for name in (one for one in motion.waiting if one not in knows):
                text = f"Vote {number} waits for you: {title(motion)}, until {left(motion.open_until, now)}."
                yield name, line(f"{text} {how(motion)}")
        case deeds.TookEffect() if motion.kind in BY_HAND:
            text = f"Motion {number} waits for an admin: {title(motion)}."
            yield "", line(f"{text} !vote confirm {number}")


def key(motion: Motion, record: Record) -> str:
    """Return what a direct line replaces while it still waits: an earlier one that asks for a ballot."""
    asks = isinstance(record.deed, deeds.Opened | deeds.Reminded)
    return f"vote {motion.number}" if asks else f"vote {motion.number} {record.seq}"


def can_wait(motion: Motion, record: Record, now: datetime) -> bool:
    """Tell whether what people hear may wait for the end of their quiet hours."""
    return isinstance(record.deed, deeds.Opened | deeds.Reminded) and motion.open_until - now >= PATIENT


def expiry(motion: Motion) -> datetime | None:
    """Return until when what people hear directly is of use."""
    return motion.closes if motion.stage is Stage.OPEN else None


def voted(motion: Motion) -> str:
    """Return the turnout, which is all that is told while a ballot is open."""
    cast, active = turnout(motion)
    met = counting.quorum_checks(cast, active, counting.quorum(motion.voting.rules))
    reached = "quorum reached" if all(check.holds for check in met) else "quorum not reached yet"
    return f"{cast.members} of {motion.count} voted, {reached}"


def listed(motion: Motion, now: datetime) -> str:
    """Return a motion's line in the list."""
    start = f"{motion.number} {motion.stage}: {title(motion)} by {motion.proposer} ({motion.kind})"
    match motion.stage:
        case Stage.SECONDING:
            return f"{start}, {len(motion.seconders)} of {counted(motion.seconds_needed, 'second')}"
        case Stage.DISCUSSION if motion.discussed_until:
            return f"{start}, until {left(motion.discussed_until, now)}"
        case Stage.OPEN:
            return f"{start}, {voted(motion)}, closes {left(motion.open_until, now)}"
        case Stage.CLOSED:
            return f"{motion.number} {motion.ended.end}: {title(motion)} by {motion.proposer} ({motion.kind})"
    return start


def shown(motion: Motion, now: datetime) -> Iterator[str]:
    """Yield all that is to be known of a motion."""
    yield f"{listed(motion, now)}. [chain {motion.head[:SHOWN]}]"
    if motion.opening is not None and motion.opening.method not in {"yesno", "lazy"}:
        yield f"Options: {', '.join(motion.opening.options)}."
    if motion.stage is Stage.OPEN and motion.voting.method != "lazy":
        yield f"{how(motion)}"
    if motion.text:
        yield f"[{motion.proposer}] {motion.text}"
    for amendment in motion.pending:
        yield f"{amendment.option} [{amendment.by}] {amendment.text}"
    if motion.answer:
        yield f"[{motion.subject}] {motion.answer}"
    if motion.closing and motion.opening:
        yield result(motion)
    if motion.appeal:
        yield f"Appeal of {motion.appeal}"
