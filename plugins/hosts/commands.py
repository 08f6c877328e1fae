"""`!host`: what each host is like now."""

import asyncio

from bot import Clock, Hypervisor, HypervisorFault, Machine, Meter, Roster, counted, members
from plugins.hosts import texts
from plugins.hosts.declared import plugin
from plugins.hosts.rows import known


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
    host = known(name, meter.hosts())
    reading = await meter.read(host)
    return texts.shown(reading, await _counted(host, roster, hypervisor), clock.now())


async def _line(host: str, meter: Meter, roster: Roster, hypervisor: Hypervisor) -> str:
    machines = await _counted(host, roster, hypervisor)
    try:
        return f"{texts.measured(await meter.read(host))}; {machines}."
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
