"""Tells how the co-op's physical hosts are."""

import asyncio
from collections.abc import Sequence
from typing import Literal

from bot import (
    Clock,
    Conflict,
    HostReading,
    HostSample,
    Hypervisor,
    HypervisorFault,
    Machine,
    Meter,
    NotFound,
    Plugin,
    Roster,
    Samples,
    Slot,
    StatusPart,
    Tick,
    counted,
    members,
    quoted,
    size,
    span,
)

plugin = Plugin("hosts")

BARS, ASCII_BARS = "▁▂▃▄▅▆▇█", "_.-:=+*#"
GAP = {BARS: "·", ASCII_BARS: "?"}
"""What stands in a sparkline where nothing was measured."""

STEP, BUCKET, BUCKETS = 300, 1800, 48
"""Seconds of a row and of a bar, and how many bars there are: a day."""

BUSIEST = 5


@plugin.command("host list", allow=members, reads=True)
async def host_list(meter: Meter, roster: Roster, hypervisor: Hypervisor) -> str:
    """List the hosts with their load, memory and machines."""
    names = meter.hosts()
    if not names:
        return "There is no host; the config names them as [hosts.NAME]."
    return "\n".join(await asyncio.gather(*(_line(name, meter, roster, hypervisor) for name in names)))


@plugin.command("host show", allow=members, reads=True)
async def host_show(
    meter: Meter, roster: Roster, hypervisor: Hypervisor, clock: Clock, name: str | None = None
) -> str:
    """Show one host: load, pressure, memory, disk, uptime, machines."""
    host = _known(name, meter.hosts())
    reading = await meter.read(host)
    pressure = ", ".join(f"{what} {part:.0f} %" for what, part in sorted(reading.pressure.items()))
    up = span((clock.now() - reading.boot).total_seconds())
    return (
        f"{_measured(reading)}; {await _counted(host, roster, hypervisor)}.\n"
        f"{host} pressure over 10 s: {pressure or 'not measured by this kernel'}; "
        f"disk {size(reading.disk_free)} free of {size(reading.disk_total)}; up {up}."
    )


@plugin.command("load", allow=members, reads=True)
async def load(
    samples: Samples, clock: Clock, host: str | None = None, style: Literal["ascii"] | None = None
) -> str:
    """Show a host's load now and over the last 24 hours, as bars."""
    if host is not None and host.casefold() == "ascii":
        host, style = None, "ascii"
    tick = _measured_now(samples)
    name, bars = _known(host, tuple(tick.hosts)), ASCII_BARS if style else BARS
    until = int(clock.now().timestamp()) // BUCKET * BUCKET + BUCKET
    rows = await samples.series("host", name, STEP, until - BUCKETS * BUCKET, until)
    past = f" 24 h: {sparkline(rows, until, bars)}" if rows else " No history yet."
    peak = f" peak {max(row.load_peak for row in rows):.1f}" if rows else ""
    return f"{_now(name, tick.hosts[name])}.{past}{peak}"


@plugin.command("top", allow=members, reads=True)
async def top(samples: Samples, host: str | None = None) -> str:
    """Name the machines that use most of a host, in percent of one processor."""
    tick = _measured_now(samples)
    name = _known(host, tuple(tick.hosts))
    busiest = tick.busiest(name, BUSIEST)
    users = ", ".join(f"{one.name} {one.cpu or 0:.0f} % ({size(one.memory or 0)})" for one in busiest)
    return f"{_now(name, tick.hosts[name])}; {users or 'no machine uses it'}."


def sparkline(rows: Sequence[Slot], until: int, bars: str = BARS) -> str:
    """Return the mean load of each half hour before `until`, a Unix time, as bars up to the most."""
    means = []
    for bucket in range(BUCKETS):
        start = until - (BUCKETS - bucket) * BUCKET
        loads = [row.load for row in rows if start <= row.at < start + BUCKET]
        means.append(sum(loads) / len(loads) if loads else None)
    most = max((mean for mean in means if mean), default=0.0) or 1.0
    shown = (GAP[bars] if mean is None else bars[round(mean / most * (len(bars) - 1))] for mean in means)
    return "".join(shown).lstrip(GAP[bars]).removesuffix(GAP[bars])  # the last half hour goes on


def _measured_now(samples: Samples) -> Tick:
    tick = samples.latest()
    if tick is None:
        raise Conflict("Nothing was measured yet; ask again in ten seconds.")
    return tick


def _now(name: str, host: HostSample | None) -> str:
    if host is None:
        return f"{name} is silent"
    busy = "" if host.cpu is None else f", {host.cpu / host.cpus:.0f} % busy"
    memory = f"{size(host.memory_used)} of {size(host.memory_total)} memory"
    return f"{name} load {host.load:.1f} on {counted(host.cpus, 'CPU')}{busy}, {memory}"


@plugin.answers(StatusPart)
async def status_part(_: StatusPart, meter: Meter) -> str:
    """Count the hosts."""
    return f"hosts: {len(meter.hosts())}"


def _known(name: str | None, hosts: tuple[str, ...]) -> str:
    if name is None and len(hosts) == 1:
        return hosts[0]
    if name is None or name.casefold() not in hosts:
        which = f"There is no host {quoted(name)}" if name else "Which host"
        raise NotFound(f"{which}: there is {', '.join(hosts) or 'none'}.")
    return name.casefold()


async def _line(host: str, meter: Meter, roster: Roster, hypervisor: Hypervisor) -> str:
    machines = await _counted(host, roster, hypervisor)
    try:
        return f"{_measured(await meter.read(host))}; {machines}."
    except HypervisorFault:
        return f"{host} cannot be measured now: !host show {host} tells the admins why; {machines}."


async def _counted(host: str, roster: Roster, hypervisor: Hypervisor) -> str:
    machines = [machine for machine in await roster.machines() if machine.host == host]
    up = await asyncio.gather(*(_is_up(machine, hypervisor) for machine in machines))
    silent = f", {up.count(None)} silent" if None in up else ""
    return f"{counted(len(machines), 'machine')}, {up.count(True)} up{silent}"


async def _is_up(machine: Machine, hypervisor: Hypervisor) -> bool | None:
    try:
        return (await hypervisor.inspect(machine)).state.is_up
    except HypervisorFault:
        return None


def _measured(reading: HostReading) -> str:
    load = " ".join(f"{value:.2f}" for value in reading.load)
    memory = f"{size(reading.memory_available)} of {size(reading.memory_total)} memory free"
    return f"{reading.name}: load {load} on {counted(reading.cpus, 'CPU')}, {memory}"
