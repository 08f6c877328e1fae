"""One tick of the watch: the board goes on, and is written with all that is said of it, or not at all."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from bot import (
    About,
    Ask,
    Fault,
    Figure,
    Figures,
    MaintenanceNow,
    Member,
    Notice,
    Policies,
    Roster,
    Standing,
    Store,
    Tick,
    Tx,
    Urgency,
)
from plugins.alerts import force, kept, metrics, texts
from plugins.alerts.board import Board, Gale, Key, Told, evaluate, forget
from plugins.alerts.declared import Settings, plugin
from plugins.alerts.kept import Deed
from plugins.alerts.rules import Rule, Severity
from plugins.alerts.watch import Alert, Ears, Kind, Line, State

if TYPE_CHECKING:
    from bot.model import Group, Manner

ALERTS, ADMINS = "#alerts", "#admins"
"""The listeners that are places of the config; no member's name begins so."""

LASTING = frozenset({Kind.FIRED, Kind.OVER, Kind.GONE})
EXPIRES, EXPIRES_LASTING = timedelta(hours=6), timedelta(days=7)
MINUTE = 60


@dataclass(frozen=True, slots=True)
class Scene:
    """What an evaluation goes by; `maintained` are the hosts with maintenance now, `zone` is the co-op's.

    `owners` are those of the machines; `figures` is what other plugins have worked out, asked once a minute.
    """

    tick: Tick
    rules: Mapping[Key, Rule]
    in_force: tuple[Rule, ...]
    wrong: tuple[str, ...]
    members: Mapping[str, Member]
    on_call: tuple[str, ...]
    maintained: frozenset[str]
    zone: str
    owners: Mapping[str, str | None] = field(default_factory=dict)
    figures: Sequence[Figure] = ()

    def host_of(self, alert: Alert, rule: Rule) -> str:
        """Return the host whose maintenance or silence holds an alert back; of a member's none does."""
        if rule.scope == "host":
            return alert.subject
        machine = self.tick.machines.get(alert.subject) if rule.scope == "machine" else None
        return machine.host if machine else ""

    def why_held(self, alert: Alert, rule: Rule, alerts: Mapping[Key, Alert]) -> str:
        """Say why an alert is held back, "" where it is not."""
        host = self.host_of(alert, rule)
        if host in self.maintained:
            return f"maintenance of {host}"
        if rule.scope == "machine" and any(
            (one.name, host) in alerts and alerts[one.name, host].state is not State.OK
            for one in self.in_force
            if one.scope == "host" and one.metric == "silent"
        ):
            return f"{host} is silent"
        return "it is allowed at this hour" if force.is_free(rule, self.tick.at, self.zone) else ""

    def held(self, board: Board) -> dict[Key, str]:
        """Return why each open alert that is held back is so."""
        found = dict[Key, str]()
        for alert in board.active:
            rule = self.rules.get(alert.key)
            silenced = next((f"S{one.number}" for one in board.silences if one.matches(alert)), "")
            why = silenced or (self.why_held(alert, rule, board.alerts) if rule else "")
            found |= {alert.key: why} if why else {}
        return found

    def held_by(self, alert: Alert, board: Board) -> int:
        """Count what is wrong with the machines of a silent host, and so held back; 0 for other alerts."""
        rule = self.rules.get(alert.key)
        if rule is None or (rule.scope, rule.metric) != ("host", "silent"):
            return 0
        bad = [one for one in board.alerts.values() if one.state is not State.OK and one.key in self.rules]
        ruled = ((one, self.rules[one.key]) for one in bad)
        return sum(one.scope == "machine" and self.host_of(it, one) == alert.subject for it, one in ruled)

    def ears(self, alert: Alert, rule: Rule) -> Ears:
        """Return who hears what: at once the alerts' place, or whom it concerns; in the end all admins.

        What passes a member's limits is told to them once, not again and again.
        """
        owner = alert.subject if rule.scope == "member" else self.owners.get(alert.subject)
        if rule.to == "alerts" or owner is None:
            return Ears(frozenset({ALERTS}), self.on_call, frozenset({ALERTS, ADMINS}))
        if rule.private:
            return Ears(frozenset({owner}), nags=False)
        return Ears(frozenset({ALERTS, owner}), self.on_call, frozenset({ALERTS, ADMINS, owner}))

    def notice(
        self, listener: str, line: str, key: str, lasts: timedelta, manner: "Manner" = "plain"
    ) -> tuple[Notice, ...]:
        """Return a line as a notice for a listener; nothing for a member who is gone."""
        groups: dict[str, Group] = {ALERTS: "alerts", ADMINS: "admins"}
        to = groups.get(listener) or self.members.get(listener)
        if to is None:
            return ()
        return (Notice(to, (line,), Urgency.ALERT, key, self.tick.at + lasts, manner),)

    def told(self, line: Line, listener: str, board: Board) -> tuple[str, "Manner"]:
        """Return what a listener is told, and how: a warning lets them sleep; who can take it hears how."""
        rule, member = self.rules.get(line.alert.key), self.members.get(listener)
        held, may_take = self.held_by(line.alert, board), member is None or member.is_admin
        text = texts.line(line, rule, self.tick, self.tick.at, held=held, may_take=may_take)
        if rule is not None and rule.severity is Severity.WARN and member is not None:
            return text, "patient"
        return text, "elsewhere" if line.elsewhere else "plain"


async def scene(
    tick: Tick, settings: Settings, policies: Policies, roster: Roster, ask: Ask, about: About
) -> Scene:
    """Gather what an evaluation goes by."""
    rules, wrong = force.in_force(settings, policies)
    members = {one.name: one for one in await roster.members()}
    maintained = [host for host in tick.hosts if await ask(MaintenanceNow(host))]
    good = [name for name in settings.on_call if name in members and members[name].standing is Standing.GOOD]
    return Scene(
        tick,
        metrics.keyed(tick, rules, members),
        rules,
        wrong,
        members,
        tuple(good),
        frozenset(maintained),
        about.zone,
        {machine.name: machine.owner for machine in await roster.machines()},
    )


@plugin.ticks
async def watch(
    tick: Tick, about: About, ask: Ask, policies: Policies, roster: Roster, settings: Settings, store: Store
) -> None:
    """Let the alerts go on by one tick."""
    seen = await scene(tick, settings, policies, roster, ask, about)
    if any(map(metrics.is_figure, seen.in_force)) and _begins_minute(tick):
        answers = await ask(Figures(tick.at))
        seen = replace(seen, figures=[figure for answer in answers for figure in answer])
    await store.write(partial(turn, seen))
    if seen.wrong:
        raise Fault("; ".join(seen.wrong))


def _begins_minute(tick: Tick) -> bool:
    """Tell whether a tick is the first of a minute, or the first that comes in it."""
    before = tick.at.timestamp() - tick.seconds
    return tick.at.timestamp() // MINUTE != before // MINUTE


def turn(seen: Scene, tx: Tx) -> None:
    """Let the board go on, in one transaction with all that is said of it."""
    before, now = kept.load(tx.db), seen.tick.at
    gone = [key for key in before.alerts if key not in seen.rules]
    board, ended = forget(before, gone, now)
    values = metrics.values(seen.tick, seen.in_force, seen.figures)
    values = {key: value for key, value in values.items() if key in seen.rules}
    board, told = evaluate(board, seen.rules, values, seen.ears, now, seen.why_held)
    lines = (*ended.lines, *told.lines)
    deeds = [_deed(seen, line, board) for line in lines]
    deeds += _untold(seen, before, board, {line.alert.number for line in lines})
    kept.save(tx, board, before, deeds)
    for notice in (*_of_lines(seen, lines, board), *_of_others(seen, told)):
        tx.notice(notice)


def _deed(seen: Scene, line: Line, board: Board) -> Deed:
    text, _ = seen.told(line, ALERTS, board)
    return Deed(line.alert.number, line.kind.value, text, tuple(sorted(line.to)))


def _of_lines(seen: Scene, lines: Iterable[Line], board: Board) -> Iterable[Notice]:
    for line in lines:
        key = f"alert {line.alert.number} {line.kind.value}"
        for listener in sorted(line.to):
            text, manner = seen.told(line, listener, board)
            lasts = EXPIRES_LASTING if line.kind in LASTING or manner == "patient" else EXPIRES
            yield from seen.notice(listener, text, key, lasts, manner)


def _of_others(seen: Scene, told: Told) -> Iterable[Notice]:
    """Yield what is said of storms and of silences."""
    for gale in told.gales:
        for listener in sorted(gale.to):
            yield from seen.notice(listener, texts.gale(gale), _key(gale, seen), EXPIRES_LASTING)
    for silence in told.ending:
        text = texts.ending(silence, seen.tick.at)
        yield from seen.notice(ALERTS, text, f"alerts S{silence.number}", EXPIRES)
    for silence in told.ended:
        text = f"Silence S{silence.number} of {silence.matcher} by {silence.by} is over."
        yield from seen.notice(ALERTS, text, f"alerts S{silence.number}", EXPIRES)


def _key(gale: Gale, seen: Scene) -> str:
    """Return a key of its own for each, but for what a later one says too."""
    return f"alerts {gale.kind}" if gale.kind == "wait" else f"alerts {gale.kind} {seen.tick.at.isoformat()}"


def _untold(seen: Scene, before: Board, after: Board, told: set[int]) -> list[Deed]:
    """Return what began or ended without a line of its own: held back, or in a storm.

    Of what concerns somebody alone, they are named with it, though they did not hear it.
    """
    was = {alert.number: alert for alert in before.active}
    now_on = {alert.number: alert for alert in after.active}
    found = []
    for number in sorted((was.keys() ^ now_on.keys()) - told):
        alert = now_on.get(number) or was[number]
        rule, kind = seen.rules.get(alert.key), Kind.FIRED if number in now_on else Kind.OVER
        whose = seen.ears(alert, rule).first if rule and rule.private else frozenset[str]()
        found.append(_deed(seen, Line(kind, alert, whose), after))
    return found
