"""The chat lines of this plugin."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot import Tick, counted, span
from plugins.alerts.board import NAMED, Gale, Key, Silence
from plugins.alerts.rules import Rule, Severity
from plugins.alerts.watch import Alert, Kind, Line

TOPS = frozenset({"load", "cpu", "pressure-cpu"})
"""Metrics of a host whose line names the machine that uses most."""

DAY = timedelta(days=1)


_LINES = {
    Kind.FIRED: "{severity} {what}{held}{top}.{todo}",
    Kind.STILL: "still: {severity} {what}{held}.{todo}",
    Kind.LAPSED: "is nobody's again: {severity} {what}{held}.{todo}",
    Kind.ESCALATED: "{severity}, nobody has it yet: {what}{held}.{todo}",
    Kind.FLAPPING: "flaps: {subject} {text} comes and goes; quiet until it settles.{todo}",
    Kind.SETTLED: "has settled, still bad: {severity} {what}.{todo}",
}


def line(
    told: Line, rule: Rule | None, tick: Tick, now: datetime, *, held: int = 0, may_take: bool = True
) -> str:
    """Return what is said of an alert that holds back `held` others, to somebody who may take it or not."""
    alert = told.alert
    if rule is None or told.kind is Kind.GONE:
        return f"A{alert.number} over: {alert.subject} {alert.rule} is not watched any more."
    if told.kind is Kind.OVER:
        return over(alert, rule)
    said = _LINES[told.kind].format(
        severity=rule.severity.value,
        what=what_is(alert, rule, now),
        subject=alert.subject,
        text=rule.text,
        held=f", +{held} held" if held else "",
        top=_top(alert, rule, tick),
        todo=_todo(alert, rule, first=told.kind is Kind.FIRED, may_take=may_take),
    )
    return f"A{alert.number} {said}"


def over(alert: Alert, rule: Rule) -> str:
    """Return the line of an alert's end; it lasted until it began to be good."""
    lasted = span((alert.since - (alert.fired or alert.since)).total_seconds())
    had = f"; {alert.ack.by} had it" if alert.ack else ""
    if rule.flag:
        return f"A{alert.number} over: {alert.subject} {rule.text} for {lasted}{had}."
    value, peak = figure(alert.value, rule), figure(alert.peak, rule)
    return f"A{alert.number} over: {alert.subject} {rule.text} {value} after {lasted}, peak {peak}{had}."


def what_is(alert: Alert, rule: Rule, now: datetime) -> str:
    """Return what is wrong, and since how long: `ford load 14.2 (limit 8) for 3 min`."""
    lasts = span((now - (alert.fired or now)).total_seconds())
    ago = "" if lasts == "0 s" else f" for {lasts}"
    if rule.flag:
        return f"{alert.subject} {rule.text}{ago}"
    value = figure(alert.value, rule)
    waits = "" if rule.worse(alert.value, alert.limit) == alert.value else _waits(alert, rule)
    return f"{alert.subject} {rule.text} {value} (limit {alert.limit:g}{_unit(rule)}{waits}){ago}"


def _waits(alert: Alert, rule: Rule) -> str:
    """Say of an alert that is no longer beyond its limit what it is still open for."""
    cpus = alert.limit / rule.raise_at if rule.per_cpu and rule.raise_at else 1  # of a silent host too
    return f"; peak {figure(alert.peak, rule)}, over at {round(rule.clear_at * cpus, 1):g}{_unit(rule)}"


def figure(value: float, rule: Rule) -> str:
    """Return a value with its unit."""
    return f"{value:.0f} %" if rule.unit == "%" else f"{value:.1f}{_unit(rule)}"


def _unit(rule: Rule) -> str:
    return f" {rule.unit}" if rule.unit else ""


def _top(alert: Alert, rule: Rule, tick: Tick) -> str:
    if rule.scope != "host" or rule.metric not in TOPS:
        return ""
    busiest = tick.busiest(alert.subject, 1)
    return "".join(f"; top: {one.name} {one.cpu or 0:.0f} %" for one in busiest)


def _todo(alert: Alert, rule: Rule, *, first: bool, may_take: bool) -> str:
    """Return the commands that help: to take it, and where it is told first to look at it."""
    looks = {"host": f"!top {alert.subject}", "member": "!bandwidth"}
    look = f"!alert show {alert.number}" if rule.flag else looks.get(rule.scope)
    words = [f"!ack {alert.number}"] if may_take and not rule.private else []
    words += [look or f"!alert show {alert.number}"] if first else []
    return f" {' · '.join(words)}" if words else ""


def gale(told: Gale) -> str:
    """Return the one line for very many alerts."""
    top = ", ".join(f"A{one.number} {one.subject} {one.rule}" for one in told.top)
    named, rest = f"; top: {top}" if top else "", f"{told.open} open. !alert list"
    match told.kind:
        case "begins":
            return f"{told.count} alerts within a minute{named}; {rest}"
        case "digest":
            return f"The storm goes on: {told.count} new, {told.over} over{named}; {rest}"
        case "ends":
            return f"The storm has passed: {told.count} new, {told.over} over at its end; {rest}"
        case "wait":
            return f"{told.count} alerts still wait for somebody{named}; {rest}"
    return f"{told.over} alerts are over{named}; {rest}"


def silence(one: Silence, zone: ZoneInfo, now: datetime) -> str:
    """Return a silence in one line; its reason stands in the words of who set it."""
    return f"S{one.number} {one.matcher} until {clock(one.until, zone, now)} [{one.by}] {one.reason}"


def ending(one: Silence, now: datetime) -> str:
    """Return that a silence ends soon."""
    left = span((one.until - now).total_seconds())
    return f"Silence S{one.number} of {one.matcher} by {one.by} ends in {left} and still hides something."


def listed(alert: Alert, rule: Rule, held: str, zone: ZoneInfo, now: datetime) -> str:
    """Return an open alert in one line of a list."""
    who = f"; {alert.ack.by} has it until {clock(alert.ack.until, zone, now)}" if alert.ack else ""
    hidden = f"; held: {held}" if held else ""
    flaps = "; flaps" if alert.flapping else ""
    return f"A{alert.number} {rule.severity} {what_is(alert, rule, now)}{who}{flaps}{hidden}"


def ruled(rule: Rule) -> str:
    """Return a rule in one line."""
    hold = f" for {span(rule.hold)}" if rule.hold else " at once"
    free = f", not at {rule.free}" if rule.free else ""
    free += {"owner": "; told to the owner", "both": "; told to the owner too"}.get(rule.to, "")
    if rule.flag:
        return f"{rule.name}: {rule.severity} {rule.scope} {rule.text}{hold}{free}"
    each = " a CPU" if rule.per_cpu else ""
    unit = _unit(rule)
    word = "from" if rule.rises else "down to"
    raised, clear = (f"{round(level, 1):g}{unit}" for level in (rule.raise_at, rule.clear_at))
    limits = f"{word} {raised}{each}{hold}, over at {clear}"
    return f"{rule.name}: {rule.severity} {rule.scope} {rule.text} {limits}{free}"


def clock(at: datetime, zone: ZoneInfo, now: datetime) -> str:
    """Return a time of the day in a zone, with its date where that is another one, and in UTC."""
    local = at.astimezone(zone)
    day = "" if local.date() == now.astimezone(zone).date() else f"{local:%a} {local.day} {local:%b} "
    utc = "" if local.utcoffset() == timedelta(0) else f" ({at.astimezone(UTC):%H:%M} UTC)"
    return f"{day}{local:%H:%M} {local.tzname()}{utc}"


def summary(
    alerts: Collection[Alert],
    silences: Collection[Silence],
    rules: Mapping[str, Rule],
    held: Collection[Key] = (),
) -> str:
    """Return open alerts in a few words: `2 alerts open (1 CRIT, 1 acked)`; empty where there is none."""
    if not alerts:
        return ""
    silenced = {one.key for one in alerts if any(silence.matches(one) for silence in silences)}
    crit = sum(one.rule in rules and rules[one.rule].severity is Severity.CRIT for one in alerts)
    parts = [
        (crit, "CRIT"),
        (sum(one.ack is not None for one in alerts), "acked"),
        (len(silenced), "silenced"),
    ]
    parts += [(len(set(held) - silenced), "held"), (sum(one.flapping for one in alerts), "flapping")]
    told = ", ".join(f"{count} {word}" for count, word in parts if count)
    return f"{counted(len(alerts), 'alert')} open{f' ({told})' if told else ''}"


def names(alerts: Sequence[Alert], now: datetime) -> str:
    """Return the first of open alerts by name, and who has them: `A1 ford load for 2 h, ann has it`."""

    def name(one: Alert) -> str:
        lasts, had = span((now - (one.fired or now)).total_seconds()), one.ack and f", {one.ack.by} has it"
        return f"A{one.number} {one.subject} {one.rule} for {lasts}{had or ''}"

    more = f"; {len(alerts) - NAMED} more" if len(alerts) > NAMED else ""
    return f"{'; '.join(map(name, alerts[:NAMED]))}{more}"
