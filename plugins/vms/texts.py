"""The chat lines of this plugin. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from bot.words import (
    Machine,
    MachineChanged,
    MachineEventKind,
    MachineInfo,
    MachineUsage,
    RunResult,
    StopResult,
    counted,
    size,
    span,
)

LONGEST = 300
"""Bytes of a guest's words in one chat line: what a network splits further stands there without its mark."""

QUOTED = 240
"""The same, where they stand within a line of ours."""

MOST_LINES = 1000
"""How many lines of a command's output are handed on; no network shows more."""

RUNGS = {
    "cad": "it shut itself down",
    "poweroff": "its agent powered it off",
    "halt": "halted without a shutdown",
    "kill": "killed, as nothing gentler worked",
}
"""What the rungs of the ladder that stops a machine mean to people."""


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
    detail = f" ({said(info.detail)})" if info.detail else ""
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


def stopped(machine: Machine, result: StopResult) -> str:
    """Say how a machine went down."""
    how = RUNGS.get(result.rung, result.rung)
    return f"{machine.name} is down: {how} ({result.rung}, {result.seconds:.1f} s)."


def ran(machine: Machine, result: RunResult) -> tuple[str, ...]:
    """Return a command's output as lines, each marked, since every word of it is the guest's."""
    lines = result.output.decode("utf-8", "replace").splitlines()
    cut = ", cut" if result.truncated or len(lines) > MOST_LINES else ""
    head = f"{machine.name}: exit {result.status}, {counted(len(lines), 'line')}{cut}"
    return (head, *marked(machine.name, lines[:MOST_LINES])[:MOST_LINES])


def marked(name: str, lines: Iterable[str]) -> tuple[str, ...]:
    """Mark a guest's own words, in pieces that are short enough to be split no more."""
    return tuple(f"[{name}] {piece}" for line in lines for piece in _pieces(line))


def _pieces(line: str) -> Iterator[str]:
    while len(line.encode(errors="replace")) > LONGEST:
        piece = _fitting(line, LONGEST)
        yield piece
        line = line[len(piece) :]
    yield line


def _fitting(line: str, limit: int) -> str:
    return line[:limit].encode(errors="replace")[:limit].decode(errors="ignore")


def said(words: str) -> str:
    """Quote a guest's words within a line of ours, cut so that they stay in it."""
    short = _fitting(words, QUOTED)
    return f"“{words if short == words else short.rstrip() + '…'}”"


def news(event: MachineChanged) -> str:
    """Say what happened to a machine of its own accord."""
    what = "CRASHED" if event.kind is MachineEventKind.CRASHED else "went down by itself"
    reason = f": {said(event.text)}" if event.text else ""
    return f"{event.machine} {what} on {event.host}{reason}. !vm start {event.machine}"
