"""The chat lines of this plugin. Pure."""

from collections.abc import Iterable
from datetime import datetime

from bot.words import (
    Machine,
    MachineChanged,
    MachineEventKind,
    MachineInfo,
    MachineUsage,
    RunResult,
    counted,
    size,
    span,
)


def owner(machine: Machine) -> str:
    """Whose machine it is."""
    return machine.owner or "the co-op"


def listed(found: Iterable[tuple[Machine, MachineInfo]], now: datetime) -> str:
    """Return one line a host, one clause a machine."""
    hosts: dict[str, list[str]] = {}
    for machine, info in found:
        hosts.setdefault(machine.host, []).append(f"{machine.name} {state(info, now)} ({owner(machine)})")
    return "\n".join(f"{host}: {' · '.join(clauses)}" for host, clauses in hosts.items())


def state(info: MachineInfo, now: datetime) -> str:
    """Return the state's own word, and since when."""
    up = f" {span((now - info.since).total_seconds())}" if info.since and info.state.is_up else ""
    return f"{info.state.value}{up}"


def shown(machine: Machine, info: MachineInfo, usage: MachineUsage | None, now: datetime) -> str:
    """Return what is known of one machine, in two lines: what it is, and what is truly in force."""
    detail = f" ({info.detail})" if info.detail else ""
    first = (
        f"{machine.name} {state(info, now)}{detail}: {owner(machine)}'s, "
        f"{machine.share.value} share on {machine.host}, {machine.memory_mib} MiB"
    )
    if info.limits is None:
        return f"{first}."
    limits = info.limits
    parts = [f"memory {limits.memory_mib} MiB", f"sandbox {limits.sandbox}", f"nice {limits.nice}"]
    parts += [limits.cpu_weight] if limits.cpu_weight else []
    parts += list(limits.notes)
    return f"{first}{_used(usage)}.\n{machine.name} in force: {', '.join(parts)}."


def _used(usage: MachineUsage | None) -> str:
    if usage is None:
        return ""
    net = "" if usage.received is None else f", received {size(usage.received)}, sent {size(usage.sent or 0)}"
    cpu, memory, disk = f"{usage.cpu_seconds:.1f} s", size(usage.memory_bytes), size(usage.disk_bytes)
    return f"; used: CPU {cpu}, memory {memory}, disk {disk}{net}"


def ran(machine: Machine, result: RunResult) -> tuple[str, ...]:
    """Return a command's output as lines, each marked, since every word of it is the guest's."""
    text = result.output.decode("utf-8", "replace")
    lines = [f"[{machine.name}] {line}" for line in text.splitlines()]
    cut = ", cut" if result.truncated else ""
    return (f"{machine.name}: exit {result.status}, {counted(len(lines), 'line')}{cut}", *lines)


def news(event: MachineChanged) -> str:
    """Say what happened to a machine of its own accord."""
    match event.kind:
        case MachineEventKind.CRASHED:
            reason = event.text or "no reason known"
            return f"{event.machine} CRASHED on {event.host}: {reason}. !vm start {event.machine}"
        case MachineEventKind.EXITED:
            reason = event.text or "its guest powered off"
            return f"{event.machine} went down by itself on {event.host}: {reason}. !vm start {event.machine}"
        case _:
            return f"{event.machine} is up on {event.host}."
