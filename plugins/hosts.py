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
        f"{await _line(host, meter, roster, hypervisor)}\n"
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
    machines = [m for m in await roster.machines() if m.host == host]
    up = sum(await asyncio.gather(*(_is_up(m, hypervisor) for m in machines)))
    counted = f"{len(machines)} machines, {up} up"
    try:
        return f"{_measured(await meter.read(host))}; {counted}."
    except HypervisorFault as fault:
        return f"{host}: not measured ({fault}); {counted}."


async def _is_up(machine: Machine, hypervisor: Hypervisor) -> bool:
    return (await hypervisor.inspect(machine)).state.is_up


def _measured(reading: HostReading) -> str:
    load = " ".join(f"{value:.2f}" for value in reading.load)
    memory = f"{size(reading.memory_available)} of {size(reading.memory_total)} memory free"
    return f"{reading.name}: load {load} on {reading.cpus} CPUs, {memory}"
