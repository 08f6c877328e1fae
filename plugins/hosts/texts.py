"""The chat lines of this plugin."""

from collections.abc import Sequence
from datetime import datetime

from bot import HostReading, HostSample, MachineSample, counted, size, span
from plugins.hosts.rows import Used


def measured(reading: HostReading) -> str:
    """Return what was read of a host, in half a line."""
    load = " ".join(f"{value:.2f}" for value in reading.load)
    memory = f"{size(reading.memory_available)} of {size(reading.memory_total)} memory free"
    return f"{reading.name}: load {load} on {counted(reading.cpus, 'CPU')}, {memory}"


def shown(reading: HostReading, machines: str, now: datetime) -> str:
    """Return all that was read of a host."""
    pressure = ", ".join(f"{what} {part:.0f} %" for what, part in sorted(reading.pressure.items()))
    up = span((now - reading.boot).total_seconds())
    return (
        f"{measured(reading)}; {machines}.\n"
        f"{reading.name} pressure over 10 s: {pressure or 'not measured by this kernel'}; "
        f"disk {size(reading.disk_free)} free of {size(reading.disk_total)}; up {up}."
    )


def now(name: str, host: HostSample | None) -> str:
    """Return what a host was like at the newest tick."""
    if host is None:
        return f"{name} is silent"
    busy = "" if host.cpu is None else f", {host.cpu / host.cpus:.0f} % busy"
    memory = f"{size(host.memory_used)} of {size(host.memory_total)} memory"
    return f"{name} load {host.load:.1f} on {counted(host.cpus, 'CPU')}{busy}, {memory}"


def past(used: Used, cpus: int | None) -> str:
    """Return what a host used over a time."""
    busy = f"; busy mean {used.cpu / cpus:.0f} % peak {used.cpu_peak / cpus:.0f} %" if cpus else ""
    return f" mean {used.load:.1f} peak {used.load_peak:.1f}{busy}"


def users(busiest: Sequence[MachineSample]) -> str:
    """Name who uses most now."""
    return ", ".join(f"{one.name} {one.cpu or 0:.0f} % ({size(one.memory or 0)})" for one in busiest)


def users_over(busiest: Sequence[tuple[str, Used]]) -> str:
    """Name who used most over a time, with the peak of a row and the mean of the memory."""
    return ", ".join(
        f"{name} {used.cpu:.0f} % (peak {used.cpu_peak:.0f} %, {size(round(used.memory))})"
        for name, used in busiest
    )


def digest(hosts: Sequence[tuple[str, Used]]) -> str:
    """Return the week's load of each host, in a line."""
    each = ", ".join(f"{name} mean {used.load:.1f} peak {used.load_peak:.1f}" for name, used in hosts)
    return f"load in 7 d: {each}"
