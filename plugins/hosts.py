"""Tells how the co-op's physical hosts are."""

import asyncio

from bot import (
    Clock,
    HostReading,
    Hypervisor,
    HypervisorFault,
    Machine,
    Meter,
    NotFound,
    Plugin,
    Roster,
    StatusPart,
    counted,
    members,
    quoted,
    size,
    span,
)

plugin = Plugin("hosts")


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
