"""What was measured for each rule: one value a subject, None where it was not."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from bot.words import MEASURES, Figure, HostSample, MachineSample, MachineState, Tick
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
KNOWN = {
    "host": frozenset({*HOST, "silent", *MEASURES["host"]}),
    "machine": frozenset({*MACHINE, *MEASURES["machine"]}),
    "member": frozenset(MEASURES["member"]),
}
"""All metrics, by scope: what a tick holds, and what other plugins work out, which comes once a minute."""

FALLING = frozenset({"disk-days", "bandwidth-hours"})
"""Metrics whose small values are the bad ones."""


def values(tick: Tick, rules: Sequence[Rule], figures: Iterable[Figure] = ()) -> dict[Key, float | None]:
    """Return the value of each rule for each of its subjects; a figure that nobody told is not there."""
    known = {(one.scope, one.measure, one.subject): one.value for one in figures}
    found: dict[Key, float | None] = {}
    for rule in rules:
        if is_figure(rule):
            told = [key for key in known if key[:2] == (rule.scope, rule.metric)]
            found |= {(rule.name, key[2]): known[key] for key in told}
        elif rule.scope == "machine":
            found |= {(rule.name, one.name): MACHINE[rule.metric](one) for one in tick.machines.values()}
        elif rule.metric == "silent":
            found |= {(rule.name, name): float(host is None) for name, host in tick.hosts.items()}
        else:
            measure = HOST[rule.metric]
            found |= {(rule.name, name): measure(host) if host else None for name, host in tick.hosts.items()}
    return found


def is_figure(rule: Rule) -> bool:
    """Tell whether a rule goes by what other plugins work out."""
    return rule.metric in MEASURES[rule.scope]


def keyed(tick: Tick, rules: Sequence[Rule], members: Collection[str] = ()) -> dict[Key, Rule]:
    """Return each rule for each of its subjects, its limits as they are there."""
    subjects = {"host": tuple(tick.hosts), "machine": tuple(tick.machines), "member": tuple(members)}
    found: dict[Key, Rule] = {}
    for rule in rules:
        for name in subjects[rule.scope]:
            host = tick.hosts.get(name) if rule.per_cpu else None
            found[rule.name, name] = rule.for_cpus(host.cpus) if host else rule
    return found


def _percent(used: int, total: int) -> float | None:
    return used * 100 / total if total else None


def _down(machine: MachineSample) -> float | None:
    """Return what a machine uses that is down, which is nothing; None of one that is silent."""
    return None if machine.state is None else 0.0
