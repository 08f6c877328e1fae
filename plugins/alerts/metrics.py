"""What a tick has to say to each rule: one value a subject, None where it was not measured."""

from collections.abc import Callable, Mapping, Sequence

from bot import HostSample, MachineSample, MachineState, Tick
from plugins.alerts.board import Key
from plugins.alerts.rules import Rule

FLAGS = {"crashed": "crashed", "silent": "silent"}
"""Metrics that are 1 or 0, and have no figures in a line."""

HOST: Mapping[str, Callable[[HostSample], float | None]] = {
    "load": lambda host: host.load,
    "cpu": lambda host: None if host.cpu is None else host.cpu / host.cpus,
    "memory": lambda host: _percent(host.memory_used, host.memory_total),
    "swap": lambda host: _percent(host.swap_used, host.swap_total),
    "disk": lambda host: _percent(host.disk_used, host.disk_total),
    "pressure-cpu": lambda host: host.pressure.get("cpu"),
    "pressure-memory": lambda host: host.pressure.get("memory"),
    "pressure-io": lambda host: host.pressure.get("io"),
}
MACHINE: Mapping[str, Callable[[MachineSample], float | None]] = {
    "cpu": lambda machine: machine.cpu if machine.state and machine.state.is_up else _down(machine),
    "crashed": lambda machine: None if machine.state is None else machine.state is MachineState.CRASHED,
    "silent": lambda machine: machine.state in {None, MachineState.UNRESPONSIVE},
}
KNOWN = {"host": frozenset({*HOST, "silent"}), "machine": frozenset(MACHINE)}


def values(tick: Tick, rules: Sequence[Rule]) -> dict[Key, float | None]:
    """Return the value of each rule for each of its subjects."""
    found: dict[Key, float | None] = {}
    for rule in rules:
        if rule.scope == "machine":
            found |= {(rule.name, one.name): MACHINE[rule.metric](one) for one in tick.machines.values()}
        elif rule.metric == "silent":
            found |= {(rule.name, name): float(host is None) for name, host in tick.hosts.items()}
        else:
            measure = HOST[rule.metric]
            found |= {(rule.name, name): measure(host) if host else None for name, host in tick.hosts.items()}
    return found


def subjects(tick: Tick, rule: Rule) -> Sequence[str]:
    """Return the names of all that a rule watches."""
    return tuple(tick.hosts if rule.scope == "host" else tick.machines)


def keyed(tick: Tick, rules: Sequence[Rule]) -> dict[Key, Rule]:
    """Return each rule for each of its subjects, its limits as they are there."""
    found: dict[Key, Rule] = {}
    for rule in rules:
        for name in subjects(tick, rule):
            host = tick.hosts.get(name) if rule.per_cpu else None
            found[rule.name, name] = rule.for_cpus(host.cpus) if host else rule
    return found


def _percent(used: int, total: int) -> float | None:
    return used * 100 / total if total else None


def _down(machine: MachineSample) -> float | None:
    """Return what a machine uses that is down, which is nothing; None of one that is silent."""
    return None if machine.state is None else 0.0
