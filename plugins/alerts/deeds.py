"""One tick of the watch: the board goes on, and is written with all that is said of it, or not at all."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from functools import partial

from bot import (
    About,
    Ask,
    Fault,
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
    zone_named,
)
from plugins.alerts import force, kept, metrics, texts
from plugins.alerts.board import Board, Gale, Key, Told, evaluate, forget
from plugins.alerts.declared import Settings, plugin
from plugins.alerts.kept import Deed
from plugins.alerts.rules import Rule
from plugins.alerts.watch import Alert, Ears, Kind, Line, State

ALERTS, ADMINS = "#alerts", "#admins"
"""The listeners that are places of the config; no member's name begins so."""

LASTING = frozenset({Kind.FIRED, Kind.OVER, Kind.GONE})
EXPIRES, EXPIRES_LASTING = timedelta(hours=6), timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Scene:
    """What an evaluation goes by; `maintained` are the hosts with maintenance now, `hour` is the co-op's."""

    tick: Tick
    rules: Mapping[Key, Rule]
    in_force: tuple[Rule, ...]
    wrong: tuple[str, ...]
    members: Mapping[str, Member]
    on_call: tuple[str, ...]
    maintained: frozenset[str]
    hour: time

    def why_held(self, alert: Alert, rule: Rule, alerts: Mapping[Key, Alert]) -> str:
        """Say why an alert is held back, "" where it is not."""
        machine = self.tick.machines.get(alert.subject) if rule.scope == "machine" else None
        host = machine.host if machine else alert.subject
        if host in self.maintained:
            return f"maintenance of {host}"
        if machine and any(
            (one.name, host) in alerts and alerts[one.name, host].state is not State.OK
            for one in self.in_force
            if one.scope == "host" and one.metric == "silent"
        ):
            return f"{host} is silent"
        return "it is allowed at this hour" if force.is_free(rule, self.hour) else ""

    def held(self, board: Board) -> dict[Key, str]:
        """Return why each open alert that is held back is so."""
        found = dict[Key, str]()
        for alert in board.active:
            rule = self.rules.get(alert.key)
            silenced = next((f"S{one.number}" for one in board.silences if one.matches(alert)), "")
            why = silenced or (self.why_held(alert, rule, board.alerts) if rule else "")
            found |= {alert.key: why} if why else {}
        return found

    def ears(self) -> Ears:
        """Return who hears what: the alerts' place at once, in the end all admins."""
        return Ears(frozenset({ALERTS}), self.on_call, frozenset({ALERTS, ADMINS}))

    def notice(self, listener: str, line: str, key: str, lasts: timedelta) -> tuple[Notice, ...]:
        """Return a line as a notice for a listener; nothing for a member who is gone."""
        to = {ALERTS: "alerts", ADMINS: "admins"}.get(listener) or self.members.get(listener)
        if to is None:
            return ()
        return (Notice(to, (line,), Urgency.ALERT, key, self.tick.at + lasts),)  # type: ignore[arg-type]  # its own words


async def scene(
    tick: Tick, settings: Settings, policies: Policies, roster: Roster, ask: Ask, about: About
) -> Scene:
    """Gather what an evaluation goes by."""
    rules, wrong = force.in_force(settings, policies)
    members = {one.name: one for one in await roster.members()}
    maintained = [host for host in tick.hosts if await ask(MaintenanceNow(host))]
    good = [name for name in settings.on_call if name in members and members[name].standing is Standing.GOOD]
    hour = tick.at.astimezone(zone_named(about.zone)).time()
    keyed = metrics.keyed(tick, rules)
    return Scene(tick, keyed, rules, wrong, members, tuple(good), frozenset(maintained), hour)


@plugin.ticks
async def watch(
    tick: Tick, about: About, ask: Ask, policies: Policies, roster: Roster, settings: Settings, store: Store
) -> None:
    """Let the alerts go on by one tick."""
    seen = await scene(tick, settings, policies, roster, ask, about)
    await store.write(partial(_turn, seen))
    if seen.wrong:
        raise Fault("; ".join(seen.wrong))


def _turn(seen: Scene, tx: Tx) -> None:
    before, now = kept.load(tx.db), seen.tick.at
    gone = [key for key in before.alerts if key not in seen.rules]
    board, ended = forget(before, gone, now)
    values = metrics.values(seen.tick, seen.in_force)
    board, told = evaluate(board, seen.rules, values, lambda *_: seen.ears(), now, seen.why_held)
    lines = [
        (one, texts.line(one, seen.rules.get(one.alert.key), seen.tick, now))
        for one in (*ended.lines, *told.lines)
    ]
    deeds = [Deed(one.alert.number, one.kind.value, text, tuple(sorted(one.to))) for one, text in lines]
    deeds += _untold(seen, before, board, {one.alert.number for one, _ in lines})
    kept.save(tx, board, before, deeds)
    for notice in (*_of_lines(seen, lines), *_of_others(seen, told)):
        tx.notice(notice)


def _of_lines(seen: Scene, lines: Iterable[tuple[Line, str]]) -> Iterable[Notice]:
    for line, text in lines:
        key = f"alert {line.alert.number} {line.kind.value}"
        lasts = EXPIRES_LASTING if line.kind in LASTING else EXPIRES
        for listener in sorted(line.to):
            yield from seen.notice(listener, text, key, lasts)


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
    """Return what began or ended without a line of its own: held back, or in a storm."""
    now, was = seen.tick.at, {alert.number: alert for alert in before.active}
    now_on = {alert.number: alert for alert in after.active}
    found = []
    for number in sorted((was.keys() ^ now_on.keys()) - told):
        alert = now_on.get(number) or was[number]
        rule, kind = seen.rules.get(alert.key), Kind.FIRED if number in now_on else Kind.OVER
        found.append(
            Deed(number, kind.value, texts.line(Line(kind, alert, frozenset()), rule, seen.tick, now))
        )
    return found
