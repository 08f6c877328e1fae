"""The chat lines of this plugin."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot import Tick, counted, span
from plugins.alerts.board import Gale, Key, Silence
from plugins.alerts.rules import Rule, Severity
from plugins.alerts.watch import Alert, Kind, Line

TOPS = frozenset({"load", "cpu", "pressure-cpu"})
"""Metrics of a host whose line names the machine that uses most."""

DAY = timedelta(days=1)


_LINES = {
    Kind.FIRED: "{severity} {what}{top}. {ack}{look}",
    Kind.STILL: "still: {severity} {what}. {ack}",
    Kind.LAPSED: "is nobody's again: {severity} {what}. {ack}",
    Kind.ESCALATED: "{severity}, nobody has it yet: {what}. {ack}",
    Kind.FLAPPING: "flaps: {subject} {text} comes and goes; quiet until it settles. {ack}",
    Kind.SETTLED: "has settled, still bad: {severity} {what}. {ack}",
}


def line(told: Line, rule: Rule | None, tick: Tick, now: datetime) -> str:
    """Return what is said of an alert."""
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
        top=_top(alert, rule, tick),
        ack=f"!ack {alert.number}",
        look=_look(alert, rule),
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
    return f"{alert.subject} {rule.text} {value} (limit {alert.limit:g}{_unit(rule)}){ago}"


def figure(value: float, rule: Rule) -> str:
    """Return a value with its unit."""
    return f"{value:.0f} %" if rule.unit == "%" else f"{value:.1f}"


def _unit(rule: Rule) -> str:
    return f" {rule.unit}" if rule.unit else ""


def _top(alert: Alert, rule: Rule, tick: Tick) -> str:
    if rule.scope != "host" or rule.metric not in TOPS:
        return ""
    busiest = tick.busiest(alert.subject, 1)
    return "".join(f"; top: {one.name} {one.cpu or 0:.0f} %" for one in busiest)


def _look(alert: Alert, rule: Rule) -> str:
    return (
        f" · !top {alert.subject}"
        if rule.scope == "host" and not rule.flag
        else f" · !alert show {alert.number}"
    )


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
    if rule.flag:
        return f"{rule.name}: {rule.severity} {rule.scope} {rule.text}{hold}{free}"
    each = " a CPU" if rule.per_cpu else ""
    unit = _unit(rule)
    word = "from" if rule.rises else "down to"
    limits = f"{word} {rule.raise_at:g}{unit}{each}{hold}, over at {rule.clear_at:g}{unit}"
    return f"{rule.name}: {rule.severity} {rule.scope} {rule.text} {limits}{free}"


def clock(at: datetime, zone: ZoneInfo, now: datetime) -> str:
    """Return a time of the day in a zone, with its date where that is another one, and in UTC."""
    local = at.astimezone(zone)
    day = "" if local.date() == now.astimezone(zone).date() else f"{local:%a} {local.day} {local:%b} "
    utc = "" if local.utcoffset() == timedelta(0) else f" ({at.astimezone(UTC):%H:%M} UTC)"
    return f"{day}{local:%H:%M} {local.tzname()}{utc}"


def summary(alerts: tuple[Alert, ...], held: Mapping[Key, str], rules: Mapping[Key, Rule]) -> str:
    """Return the open alerts in a few words: `2 open (1 CRIT, 1 acked)`; empty where there is none."""
    if not alerts:
        return ""
    crit = sum(one.key in rules and rules[one.key].severity is Severity.CRIT for one in alerts)
    parts = [(crit, "CRIT"), (sum(one.ack is not None for one in alerts), "acked")]
    parts += [(sum(one.flapping for one in alerts), "flapping"), (len(held), "held")]
    told = ", ".join(f"{count} {word}" for count, word in parts if count)
    return f"{counted(len(alerts), 'alert')} open{f' ({told})' if told else ''}"
