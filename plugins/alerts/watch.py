"""The life of one alert: when it is told, to whom, and when it is over. Pure.

OK → PENDING (bad, not long enough) → FIRING → RECOVERING (good, not long enough) → OK. What people do with
it (ack, silence) and what hides it (inhibition, maintenance, a storm) lies beside that state and never
changes it. A value that is missing changes nothing: a gap is no end.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from plugins.alerts.rules import FLAP_STATES, Rule, Severity, flap_percent

FLAP_HIGH, FLAP_LOW = 30.0, 20.0
"""Percent of change at which an alert begins to flap, and at which it has settled."""

CLEAR_GROWTH, CLEAR_MOST = 1.5, timedelta(minutes=30)
"""By how much longer it must be good to be over each time that it came back within RAISES_WITHIN."""

RAISES_WITHIN = timedelta(hours=1)
ACK_LASTS = {Severity.WARN: timedelta(hours=24), Severity.CRIT: timedelta(hours=4)}
REPEAT = {Severity.WARN: timedelta(hours=12), Severity.CRIT: timedelta(hours=1)}
ESCALATE = timedelta(minutes=10)
"""After which time without an ack somebody else hears of a critical alert."""

LOOPS = 2
"""How often the escalation goes through all who are on call."""


class State(StrEnum):
    """The condition itself, whoever knows of it."""

    OK = "ok"
    PENDING = "pending"
    FIRING = "firing"
    RECOVERING = "recovering"


class Kind(StrEnum):
    """What a line about an alert says."""

    FIRED = "fired"
    OVER = "over"
    STILL = "still"
    LAPSED = "lapsed"
    ESCALATED = "escalated"
    FLAPPING = "flapping"
    SETTLED = "settled"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Ack:
    """Somebody has it, until then."""

    by: str
    until: datetime
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One rule on one subject. `number` is its id while it is told of (A17), 0 before.

    `since` is when `state` began, `fired` when the problem began to be one, `limit` what it was over then,
    `said` when a line about it last went out. `heard` are all who heard the problem and have not heard its
    end. `raises` are the instants at which it fired lately, `states` the newest evaluations (bad or not) for
    the flap formula; `flap_told` says that those who heard it know that it flaps.
    """

    rule: str
    subject: str
    state: State = State.OK
    since: datetime
    number: int = 0
    fired: datetime | None = None
    value: float = 0.0
    peak: float = 0.0
    limit: float = 0.0
    said: datetime | None = None
    heard: frozenset[str] = frozenset()
    ack: Ack | None = None
    level: int = 0
    escalated: datetime | None = None
    raises: tuple[datetime, ...] = ()
    states: tuple[bool, ...] = ()
    flapping: bool = False
    flap_told: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from all others."""
        return self.rule, self.subject

    @property
    def active(self) -> bool:
        """Whether it fired and is not over."""
        return self.state in {State.FIRING, State.RECOVERING}

    def clear_for(self, rule: Rule, now: datetime) -> timedelta:
        """Return how long it must be good until it is over."""
        again, first = max(0, sum(now - at <= RAISES_WITHIN for at in self.raises) - 1), rule.clear_for
        return min(timedelta(seconds=first) * CLEAR_GROWTH**again, max(timedelta(seconds=first), CLEAR_MOST))


@dataclass(frozen=True, slots=True)
class Mute:
    """What keeps an alert quiet: a word for it, and who wants to hear of its end all the same."""

    why: str
    teller: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """Something to say about an alert as it was then, to these listeners.

    What they did not answer before is said `elsewhere`: on another network, where they are on one.
    """

    kind: Kind
    alert: Alert
    to: frozenset[str]
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Ears:
    """Who hears what: `first` everything at once, `on_call` in turn what nobody took, `all` in the end.

    `nags` tells that they are reminded of what lasts.
    """

    first: frozenset[str]
    on_call: tuple[str, ...] = ()
    all: frozenset[str] = frozenset()
    nags: bool = True

    def at(self, level: int) -> frozenset[str]:
        """Return who hears of a critical alert at that level of escalation, 0 being the first."""
        last = len(self.on_call) * LOOPS or 1
        if level == last:
            return self.all
        return frozenset({self.on_call[level % len(self.on_call)]} if self.on_call and level < last else ())

    def elsewhere(self, level: int) -> bool:
        """Tell whether those of that level have been told once already, in vain: the second loop."""
        return bool(self.on_call) and len(self.on_call) <= level < len(self.on_call) * LOOPS


def observe(alert: Alert, rule: Rule, value: float | None, now: datetime) -> Alert:
    """Return the alert after one evaluation; `value` None where nothing was measured."""
    if value is None:
        return alert
    bad = rule.bad(value, was_bad=alert.state in {State.PENDING, State.FIRING})
    states = (*alert.states, bad)[-FLAP_STATES:]
    if alert.active:
        peak, flapping = rule.worse(alert.peak, value), _flaps(states, was=alert.flapping)
        seen = replace(alert, value=value, states=states, peak=peak, flapping=flapping)
    else:
        seen = replace(alert, value=value, states=states)
    match (seen.state, bad):
        case (State.OK, True):
            return _fire_if_due(replace(seen, state=State.PENDING, since=now, peak=value), rule, now)
        case (State.PENDING, True):
            return _fire_if_due(replace(seen, peak=rule.worse(seen.peak, value)), rule, now)
        case (State.PENDING, False):
            after = State.OK
        case (State.FIRING, False):
            after = State.RECOVERING
        case (State.RECOVERING, True):
            after = State.FIRING
        case _:
            return seen
    return replace(seen, state=after, since=now)


def tell(
    alert: Alert, rule: Rule, ears: Ears, now: datetime, mute: Mute | None = None
) -> tuple[Alert, Line | None]:
    """Return the alert after what is to be said of it now, and that line, if any.

    What mutes it holds back whatever is new; its end is told to all who heard its beginning, muted or not.
    """
    if not alert.active:
        return alert, None
    if _is_over(alert, rule, now):
        return _over(alert, now, mute)
    if mute is not None:
        return alert, None
    if alert.said is None:
        heard = ears.first | (ears.at(0) if rule.severity is Severity.CRIT else frozenset())
        return _say(alert, Kind.FIRED, heard, now, escalated=now)
    return _go_on(alert, rule, ears, now)


def take(
    alert: Alert, severity: Severity, by: str, now: datetime, *, lasts: timedelta | None, note: str
) -> Alert:
    """Return the alert with somebody who has it, until the ack lapses."""
    return replace(alert, ack=Ack(by, now + (lasts or ACK_LASTS[severity]), note))


def _fire_if_due(alert: Alert, rule: Rule, now: datetime) -> Alert:
    if (now - alert.since).total_seconds() < rule.hold:
        return alert
    raises = (*(at for at in alert.raises if now - at <= RAISES_WITHIN), now)
    return replace(
        alert, state=State.FIRING, fired=alert.since, since=now, limit=rule.raise_at, raises=raises
    )


def _flaps(states: tuple[bool, ...], *, was: bool) -> bool:
    percent = flap_percent(states)
    return percent > FLAP_LOW if was else percent >= FLAP_HIGH


def _is_over(alert: Alert, rule: Rule, now: datetime) -> bool:
    if alert.state is not State.RECOVERING or alert.flapping:
        return False
    return now - alert.since >= alert.clear_for(rule, now)


def _over(alert: Alert, now: datetime, mute: Mute | None) -> tuple[Alert, Line | None]:
    to = alert.heard or frozenset({mute.teller} if mute and mute.teller else ())
    line = Line(Kind.OVER, alert, to) if to else None
    after = Alert(
        rule=alert.rule,
        subject=alert.subject,
        since=now,
        value=alert.value,
        raises=alert.raises,
        states=alert.states,
    )
    return after, line


def _go_on(alert: Alert, rule: Rule, ears: Ears, now: datetime) -> tuple[Alert, Line | None]:
    """Return what is to be said of an alert that its listeners know already."""
    if alert.flapping and not alert.flap_told:
        return _say(alert, Kind.FLAPPING, alert.heard, now, flap_told=True)
    if alert.flapping or alert.state is State.RECOVERING:
        return alert, None
    if alert.flap_told:
        return _say(alert, Kind.SETTLED, alert.heard, now, flap_told=False)
    return _nag(alert, rule, ears, now)


def _nag(alert: Alert, rule: Rule, ears: Ears, now: datetime) -> tuple[Alert, Line | None]:
    """Return what time alone brings: an ack that lapses, somebody else who must hear, a reminder."""
    if alert.ack is not None:
        if now < alert.ack.until:
            return alert, None
        heard = ears.first | (ears.at(0) if rule.severity is Severity.CRIT else frozenset())
        return _say(alert, Kind.LAPSED, heard, now, ack=None, level=0, escalated=now)
    if rule.severity is Severity.CRIT and alert.escalated and now - alert.escalated >= ESCALATE:
        level = alert.level + 1
        if heard := ears.at(level):
            after, line = _say(alert, Kind.ESCALATED, heard, now, level=level, escalated=now)
            return after, replace(line, elsewhere=ears.elsewhere(level))
        alert = replace(alert, escalated=None)
    if ears.nags and alert.said and now - alert.said >= REPEAT[rule.severity]:
        return _say(alert, Kind.STILL, ears.first, now)
    return alert, None


def _say(
    alert: Alert, kind: Kind, to: frozenset[str], now: datetime, **changes: object
) -> tuple[Alert, Line]:
    after = replace(alert, said=now, heard=alert.heard | to, **changes)  # type: ignore[arg-type]  # fields by name
    return after, Line(kind, after, to)
