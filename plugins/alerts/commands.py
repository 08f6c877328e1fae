"""What people do with alerts."""

from dataclasses import dataclass, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from bot import (
    About,
    Actor,
    Ask,
    Clock,
    Conflict,
    Links,
    Member,
    Message,
    NotAllowed,
    NotFound,
    Notice,
    Outcome,
    Policies,
    Reply,
    Roster,
    Samples,
    Store,
    Tick,
    Tx,
    Urgency,
    Usage,
    admins,
    counted,
    members,
    zone_named,
)
from plugins.alerts import force, grammar, kept, texts
from plugins.alerts.board import SILENCE_MOST, Board, Silence
from plugins.alerts.declared import Settings, plugin
from plugins.alerts.deeds import ALERTS, Scene, scene
from plugins.alerts.kept import Deed
from plugins.alerts.rules import Severity
from plugins.alerts.watch import Alert, take

ACK_MOST = timedelta(days=7)
LONGEST, STARS = 60, 4
SHOWN = 12
"""How many of the things that happened to an alert are shown."""

TOLD_FOR = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class AlertId:
    """An alert as people name it."""

    number: int

    def __str__(self) -> str:
        return f"A{self.number}"


async def open_alerts(store: Store) -> list[AlertId]:
    """Return what a left-out id can mean: none that a member alone heard of."""
    active = (await store.read(kept.load)).active
    return [AlertId(one.number) for one in active if not one.heard or ALERTS in one.heard]


@plugin.converter(AlertId, candidates=open_alerts, example="A17")
def to_alert(word: str) -> AlertId:
    """Read an alert's id; whether there is one shows where it is used."""
    number = word.casefold().removeprefix("a")
    if not (number.isascii() and number.isdigit() and len(number) < 10):  # noqa: PLR2004 - no bot tells of more
        raise Usage("An alert has an id like A17; !alert list tells it.")
    return AlertId(int(number))


@plugin.command("alert list", allow=members, reads=True)
async def alert_list(  # noqa: PLR0913 - services, by name
    actor: Actor,
    *,
    about: About,
    ask: Ask,
    clock: Clock,
    policies: Policies,
    roster: Roster,
    samples: Samples,
    settings: Settings,
    store: Store,
) -> str:
    """List the open alerts, and the silences."""
    tick, now = samples.latest(), clock.now()
    if tick is None:
        return "Nothing was measured yet; ask again in ten seconds."
    seen, board = await scene(tick, settings, policies, roster, ask, about), await store.read(kept.load)
    held, zone = seen.held(board), _zone(actor, about)
    found = ((alert, seen.rules[alert.key]) for alert in board.active if alert.key in seen.rules)
    open_ones = sorted(found, key=lambda each: each[1].severity is not Severity.CRIT)  # a room sees few lines
    lines = [
        texts.listed(alert, rule, held.get(alert.key, ""), zone, now)
        for alert, rule in open_ones
        if not rule.private or _member(actor).name in seen.ears(alert, rule).first
    ]
    lines += [f"Silence {texts.silence(one, zone, now)}" for one in board.silences]
    watched = f"{counted(len(tick.hosts), 'host')} and {counted(len(tick.machines), 'machine')}"
    return "\n".join(lines) or f"No alert: {counted(len(seen.in_force), 'rule')} watch {watched}."


@plugin.command("alert show", allow=members, reads=True)
async def alert_show(actor: Actor, about: About, clock: Clock, store: Store, alert: AlertId) -> str:
    """Show what happened to one alert, open or over."""
    happened = await store.read(lambda db: kept.deeds(db, alert.number))
    if not happened or not kept.is_for(happened, _member(actor).name):
        raise NotFound(f"There was no alert {alert}; !alert list names the open ones.")
    zone, now = _zone(actor, about), clock.now()
    shown = happened if len(happened) <= SHOWN else [*happened[:1], *happened[1 - SHOWN :]]
    return "\n".join(f"{texts.clock(one.at or now, zone, now)} {one.kind}: {one.line}" for one in shown)


@plugin.command("alert rules", allow=members, reads=True)
async def alert_rules(policies: Policies, settings: Settings) -> str:
    """List what is watched, and from which value on it is an alert."""
    rules, wrong = force.in_force(settings, policies)
    return (
        "\n".join([*map(texts.ruled, rules), *(f"Not in force: {one}" for one in wrong)])
        or "There is no rule."
    )


@plugin.command("ack", allow=admins)
async def ack(  # noqa: PLR0913 - services, by name
    actor: Actor,
    message: Message,
    alert: AlertId,
    *,
    about: About,
    ask: Ask,
    links: Links,
    policies: Policies,
    roster: Roster,
    samples: Samples,
    settings: Settings,
    store: Store,
    note: str = "",
) -> Outcome:
    """Take an alert: no more is said of it for a while (2h, put first), or until its end; then a note."""
    member = _member(actor)
    lasts, why = grammar.ack(note, ACK_MOST)
    seen = await scene(_tick(samples), settings, policies, roster, ask, about)
    taken, line = await store.write(lambda tx: _take(tx, seen, alert, member, (lasts, why), about))
    rooms, heard = links.rooms("alerts"), taken.heard - {member.name}
    here = message.place in rooms  # where they see the answer
    places = [room for room in rooms if here and room != message.place and ALERTS in heard]
    key, expires = f"alert {alert.number} acked", seen.tick.at + TOLD_FOR
    notices = [Notice(place, (line,), Urgency.ALERT, key, expires) for place in places]
    for who in sorted(heard - ({ALERTS} if here else set())):
        notices += seen.notice(who, line, key, TOLD_FOR)
    until = texts.clock(taken.ack.until, _zone(actor, about), seen.tick.at) if taken.ack else ""
    return Outcome(Reply.of(f"{alert} is yours until {until}."), tuple(notices))


@plugin.command("silence", allow=admins)
async def silence(
    actor: Actor, about: About, store: Store, matcher: str, duration: str, *, reason: str
) -> Outcome:
    """Hold back what matches a rule, a host or a machine, by name or glob, for some time, with a reason."""
    member = _member(actor)
    lasts = grammar.wanted(duration, SILENCE_MOST, "A silence")
    if len(matcher) > LONGEST or matcher.count("*") > STARS or not matcher.strip():
        raise Usage(f"A matcher has at most {LONGEST} characters and {STARS} stars.")
    one, hides = await store.write(lambda tx: _silence(tx, matcher, lasts, member.name, reason))
    text = texts.silence(one, zone_named(about.zone), one.until - lasts)
    notice = Notice("alerts", (f"Silence {text}",), Urgency.ALERT, f"alerts S{one.number}", one.until)
    until = texts.clock(one.until, _zone(actor, about), one.until - lasts)
    hidden = f"; it hides {', '.join(hides)}" if hides else ""
    return Outcome(
        Reply.of(f"S{one.number} silences {matcher} until {until}{hidden}. !unsilence S{one.number}"),
        (notice,),
    )


@plugin.command("unsilence", allow=admins)
async def unsilence(actor: Actor, store: Store, silence: str) -> Outcome:
    """End a silence, by its id such as S3."""
    member = _member(actor)
    one = await store.write(lambda tx: _unsilence(tx, silence.casefold().removeprefix("s"), member.name))
    text = f"Silence S{one.number} of {one.matcher} is ended by {member.name}."
    return Outcome(Reply.of(f"S{one.number} is over."), (Notice("alerts", (text,), Urgency.ALERT),))


@plugin.command("oncall", allow=members, reads=True)
async def oncall(roster: Roster, settings: Settings) -> str:
    """Tell who is called when nobody takes a critical alert, and in which order."""
    if not settings.on_call:
        return "Nobody is on call: [plugins.alerts] on_call names them; after 10 min all admins hear."
    known = {one.name for one in await roster.members()}
    names = [name if name in known else f"{name} (no member)" for name in settings.on_call]
    return f"On call, 10 min each, then again on another network: {', '.join(names)}; then all admins."


def _take(
    tx: Tx, seen: Scene, alert: AlertId, member: Member, how: tuple[timedelta | None, str], about: About
) -> tuple[Alert, str]:
    before = kept.load(tx.db)
    found = next((one for one in before.active if one.number == alert.number), None)
    if found is None or found.key not in seen.rules:
        raise Conflict(f"{alert} is not open; !alert list names what is.")
    if seen.rules[found.key].private:
        raise Conflict(f"{alert} is told to whom it concerns; nobody else has to take it.")
    lasts, note = how
    taken = take(found, seen.rules[found.key].severity, member.name, tx.at, lasts=lasts, note=note)
    board = replace(before, alerts={**before.alerts, taken.key: taken})
    until = texts.clock(taken.ack.until, zone_named(about.zone), tx.at) if taken.ack else ""
    line = f"{member.name} has {alert} until {until}{f': [{member.name}] {note}' if note else ''}"
    kept.save(tx, board, before, [Deed(alert.number, "acked", line, (member.name,))])
    return taken, line


def _silence(tx: Tx, matcher: str, lasts: timedelta, by: str, reason: str) -> tuple[Silence, list[str]]:
    before = kept.load(tx.db)
    one = Silence(before.silenced + 1, matcher, tx.at + lasts, by, " ".join(reason.split()))
    hides = [alert for alert in before.active if one.matches(alert)]
    board = replace(before, silences=(*before.silences, one), silenced=one.number)
    line = f"silenced by {by}: [{by}] {one.reason}"
    kept.save(tx, board, before, [Deed(alert.number, "silenced", line, (by,)) for alert in hides])
    return one, [f"A{alert.number}" for alert in hides]


def _unsilence(tx: Tx, number: str, by: str) -> Silence:
    before: Board = kept.load(tx.db)
    found = next((one for one in before.silences if str(one.number) == number), None)
    if found is None:
        known = ", ".join(f"S{one.number}" for one in before.silences) or "none"
        raise NotFound(f"There is no such silence; there is {known}.")
    board = replace(before, silences=tuple(one for one in before.silences if one is not found))
    hidden = [alert for alert in before.active if found.matches(alert)]
    kept.save(tx, board, before, [Deed(one.number, "unsilenced", f"by {by}", (by,)) for one in hidden])
    return found


def _tick(samples: Samples) -> Tick:
    tick = samples.latest()
    if tick is None:
        raise Conflict("Nothing was measured yet; say it again in ten seconds.")
    return tick


def _member(actor: Actor) -> Member:
    if actor.member is None:
        raise NotAllowed("Only a member can do that.")
    return actor.member


def _zone(actor: Actor, about: About) -> ZoneInfo:
    return zone_named((actor.member and actor.member.zone) or about.zone)
