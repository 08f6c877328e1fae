"""All alerts together: evaluation of a tick, silences, what holds what back, storms. Pure."""

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from plugins.alerts.rules import Rule
from plugins.alerts.watch import RAISES_WITHIN, Alert, Ears, Kind, Line, Mute, State, observe, tell

STORM_LINES, STORM_WITHIN = 10, timedelta(seconds=60)
"""More new alerts than that within that time are a storm."""

STORM_OVER, STORM_CALM, STORM_DIGEST = 3, timedelta(minutes=5), timedelta(minutes=1)
"""A storm is over when for that long fewer a minute were new; until then there is one digest a minute."""

SILENCE_MOST = timedelta(days=7)
SILENCE_WARNS = timedelta(minutes=15)
"""How long before its end a silence that still hides something is told of."""

NAMED = 3


Key = tuple[str, str]
"""A rule's name, and its subject."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Quiet about what matches, until then, by somebody and for a reason. `matcher` is a name or a glob."""

    number: int
    matcher: str
    until: datetime
    by: str
    reason: str
    warned: bool = False

    def matches(self, alert: Alert) -> bool:
        """Tell whether it hides an alert: by its subject, its rule, or both as "rule subject"."""
        names = (alert.subject, alert.rule, f"{alert.rule} {alert.subject}")
        return any(fnmatch.fnmatchcase(name.casefold(), self.matcher.casefold()) for name in names)


@dataclass(frozen=True, slots=True)
class Storm:
    """Too much at once: since when, the last digest, what was new or over since, and who hears of it."""

    since: datetime
    digest: datetime
    last_busy: datetime
    new: tuple[Alert, ...] = ()
    over: int = 0
    to: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Gale:
    """What is said instead of many lines, to all whom those were for.

    `kind` is `begins`, `digest`, `ends`, `over` where very many alerts end at once, or `wait` where nobody
    took very many; `count` are new or waiting ones, `over` ended ones, `open` those still firing.
    """

    kind: str
    count: int
    over: int
    top: tuple[Alert, ...]
    open: int
    to: frozenset[str]


@dataclass(frozen=True, slots=True)
class Board:
    """Everything that a restart must not forget."""

    alerts: Mapping[Key, Alert] = field(default_factory=dict)
    silences: tuple[Silence, ...] = ()
    fired: tuple[datetime, ...] = ()
    storm: Storm | None = None
    numbers: int = 0
    silenced: int = 0

    @property
    def active(self) -> tuple[Alert, ...]:
        """All alerts that fired and are not over, by number."""
        return tuple(sorted((a for a in self.alerts.values() if a.active), key=lambda alert: alert.number))


Muting = Callable[[Alert, Rule, Mapping[Key, Alert]], str]
"""Says why an alert is held back (maintenance, its host is away), "" where it is not."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a tick brings: lines of alerts, of a storm, and silences that end soon or have ended."""

    lines: tuple[Line, ...] = ()
    gales: tuple[Gale, ...] = ()
    ending: tuple[Silence, ...] = ()
    ended: tuple[Silence, ...] = ()


def evaluate(
    board: Board,
    rules: Mapping[Key, Rule],
    values: Mapping[Key, float | None],
    ears: Callable[[Alert, Rule], Ears],
    now: datetime,
    muting: Muting = lambda *_: "",
) -> tuple[Board, Told]:
    """Return the board after one tick, and what is to be said.

    `rules` and `values` are by rule and subject, a value None where nothing was measured. An alert whose rule
    or subject is gone keeps its state until `forget`. What concerns one owner alone is no part of a storm.
    """
    board, ending, ended = _silences(board, now)
    seen = dict(board.alerts)
    numbers = board.numbers
    for key, value in values.items():
        before = seen.get(key)
        if value is None or (before is None and not rules[key].bad(value, was_bad=False)):
            continue
        after = observe(before or Alert(rule=key[0], subject=key[1], since=now), rules[key], value, now)
        if after.active and not after.number:
            numbers += 1
            after = replace(after, number=numbers)
        if _is_of_use(after, now):
            seen[key] = after
        else:
            seen.pop(key, None)
    lines = []
    for key, alert in seen.items():
        if key in rules and alert.active:
            rule = rules[key]
            seen[key], line = tell(
                alert, rule, ears(alert, rule), now, _mute(board, alert, rule, seen, muting)
            )
            lines += [line] if line else []
    alone = [line for line in lines if rules[line.alert.key].private]
    public = [line for line in lines if not rules[line.alert.key].private] if alone else lines
    board, kept, gales = _shortened(replace(board, alerts=seen, numbers=numbers), public, now)
    return board, Told((*kept, *alone), gales, ending, ended)


def _shortened(
    board: Board, lines: Sequence[Line], now: datetime
) -> tuple[Board, Sequence[Line], tuple[Gale, ...]]:
    """Put one line in the place of many, new ones or old ones."""
    board, kept, gales = _storm(board, lines, now)
    if len(kept) > STORM_LINES:
        to = frozenset[str]().union(*(line.to for line in kept))
        top = tuple(line.alert for line in kept)
        kept, gales = (), (*gales, Gale("wait", len(top), 0, top[:NAMED], len(board.active), to))
    return board, kept, tuple(gales)


def _is_of_use(alert: Alert, now: datetime) -> bool:
    """Tell whether an alert is to be remembered: it is on, or was lately."""
    return (
        alert.state is not State.OK
        or any(alert.states)
        or any(now - at < RAISES_WITHIN for at in alert.raises)
    )


def forget(board: Board, keys: Sequence[Key], now: datetime) -> tuple[Board, Told]:
    """Return the board without alerts whose subject is gone; who heard of them hears that they are over."""
    alerts, lines = dict(board.alerts), []
    for key in keys:
        gone = alerts.pop(key, None)
        if gone is not None and gone.heard:
            lines.append(Line(Kind.GONE, replace(gone, since=now), gone.heard))
    return replace(board, alerts=alerts), Told(tuple(lines))


def _mute(board: Board, alert: Alert, rule: Rule, seen: Mapping[Key, Alert], muting: Muting) -> Mute | None:
    for silence in board.silences:
        if silence.matches(alert):
            return Mute(f"silenced by {silence.by}", silence.by)
    why = muting(alert, rule, seen)
    return Mute(why) if why else None


def _silences(board: Board, now: datetime) -> tuple[Board, tuple[Silence, ...], tuple[Silence, ...]]:
    ended = tuple(silence for silence in board.silences if silence.until <= now)
    kept, ending = [], []
    for silence in board.silences:
        if silence in ended:
            continue
        hides = any(silence.matches(alert) for alert in board.active)
        if not silence.warned and hides and silence.until - now <= SILENCE_WARNS:
            silence = replace(silence, warned=True)  # noqa: PLW2901 - it is the same one, told of
            ending.append(silence)
        kept.append(silence)
    return replace(board, silences=tuple(kept)), tuple(ending), ended


def _storm(
    board: Board, lines: Sequence[Line], now: datetime
) -> tuple[Board, Sequence[Line], Sequence[Gale]]:
    """Put one line in the place of many: what is new or over in a storm is only counted."""
    new = [line for line in lines if line.kind is Kind.FIRED]
    over = [line for line in lines if line.kind is Kind.OVER]
    fired = (*(at for at in board.fired if now - at < STORM_WITHIN), *(now for _ in new))
    board = replace(board, fired=fired)
    if board.storm is None and len(fired) <= STORM_LINES:
        if len(over) <= STORM_LINES:
            return board, lines, ()
        rest = [line for line in lines if line.kind is not Kind.OVER]
        return board, rest, (_gale("over", Storm(now, now, now), over, board),)
    counted = [*new, *over]
    rest = [line for line in lines if line.kind not in {Kind.FIRED, Kind.OVER}]
    if board.storm is None:
        gale = _gale("begins", Storm(now, now, now), counted, board)
        return (
            replace(board, storm=Storm(now, now, now, to=gale.to)),
            rest,
            (replace(gale, count=len(fired)),),
        )
    storm = board.storm if len(fired) < STORM_OVER else replace(board.storm, last_busy=now)
    told = _gale("ends" if now - storm.last_busy >= STORM_CALM else "digest", storm, counted, board)
    if told.kind == "ends":
        return replace(board, storm=None), rest, (told,)
    if now - storm.digest >= STORM_DIGEST and (told.count or told.over):
        return replace(board, storm=Storm(storm.since, now, storm.last_busy, to=told.to)), rest, (told,)
    kept = replace(storm, new=storm.new + tuple(line.alert for line in new), over=told.over, to=told.to)
    return replace(board, storm=kept), rest, ()


def _gale(kind: str, storm: Storm, lines: Sequence[Line], board: Board) -> Gale:
    """Return one line for what a storm has held back, and these lines."""
    new = (*storm.new, *(line.alert for line in lines if line.kind is Kind.FIRED))
    over = storm.over + sum(line.kind is Kind.OVER for line in lines)
    to = storm.to.union(*(line.to for line in lines))
    return Gale(kind, len(new), over, new[:NAMED], len(board.active), to)
