"""What members do with machines."""

import asyncio

from bot import (
    Actor,
    Clock,
    Conflict,
    DigestPart,
    Hypervisor,
    HypervisorFault,
    Machine,
    MachineInfo,
    MachineState,
    MachineUsage,
    NotFound,
    PostField,
    Refusal,
    Reply,
    Report,
    Roster,
    StatusPart,
    admins,
    members,
    owner_of,
    quoted,
)
from plugins.vms import texts
from plugins.vms.declared import plugin

OWNER_OR_ADMINS = owner_of("machine") | admins
CONSOLE_LINES = 10
MOST_CONSOLE_LINES = 50
RUN_SECONDS = 25.0
START_SECONDS = 90.0
STOP_SECONDS = 120.0
TROUBLE = frozenset({MachineState.CRASHED, MachineState.UNRESPONSIVE})


@plugin.command("vm list", allow=members, reads=True)
async def vm_list(
    actor: Actor, roster: Roster, hypervisor: Hypervisor, clock: Clock, which: str | None = None
) -> str:
    """List the machines: all, your own (mine), or a host's."""
    machines = await roster.machines()
    if which is not None and which.casefold() == "mine":
        machines = tuple(m for m in machines if actor.member and m.owner == actor.member.name)
    elif which is not None:
        hosts = {m.host for m in machines}
        if which.casefold() not in hosts:
            raise NotFound(f"No machine is on {quoted(which)}; hosts: {', '.join(sorted(hosts)) or 'none'}.")
        machines = tuple(m for m in machines if m.host == which.casefold())
    if not machines:
        return "You own no machine." if which else "There is no machine yet; the admins enter the first."
    infos = await asyncio.gather(*(_inspect(m, hypervisor) for m in machines))
    return texts.listed(zip(machines, infos, strict=True), clock.now())


@plugin.command("vm show", allow=members, reads=True)
async def vm_show(hypervisor: Hypervisor, clock: Clock, machine: Machine) -> str:
    """Show a machine: state, owner, share, use, and the limits and sandbox truly in force."""
    info = await hypervisor.inspect(machine)
    return texts.shown(machine, info, await _usage(machine, info, hypervisor), clock.now())


@plugin.command("vm start", allow=OWNER_OR_ADMINS, timeout=START_SECONDS)
async def vm_start(hypervisor: Hypervisor, report: Report, machine: Machine) -> str:
    """Boot a machine and wait until it is ready."""
    info = await hypervisor.start(machine, report)
    sandbox = f", sandbox {info.limits.sandbox}" if info.limits else ""
    return f"{machine.name} is up on {machine.host}{sandbox}."


async def must_be_up(hypervisor: Hypervisor, machine: Machine) -> None:
    """Refuse for a machine that is surely down; whose state cannot be told is left to the deed."""
    try:
        info = await hypervisor.inspect(machine)
    except HypervisorFault:
        return
    if not info.state.is_up:
        raise Conflict(f"{machine.name} is not running.")


@plugin.command(
    "vm stop",
    allow=OWNER_OR_ADMINS,
    confirm="Stop {machine.name} on {machine.host}?",
    check=must_be_up,
    timeout=STOP_SECONDS,
)
async def vm_stop(hypervisor: Hypervisor, machine: Machine) -> str:
    """Take a machine down as gently as it lets itself be."""
    return texts.stopped(machine, await hypervisor.stop(machine))


@plugin.command(
    "vm reboot",
    allow=OWNER_OR_ADMINS,
    confirm="Reboot {machine.name} on {machine.host}?",
    check=must_be_up,
    timeout=STOP_SECONDS + START_SECONDS,
)
async def vm_reboot(hypervisor: Hypervisor, report: Report, machine: Machine) -> str:
    """Stop a machine and boot it again."""
    await hypervisor.reboot(machine, report)
    return f"{machine.name} is up again on {machine.host}."


@plugin.command("vm pause", allow=OWNER_OR_ADMINS)
async def vm_pause(hypervisor: Hypervisor, machine: Machine) -> str:
    """Freeze a machine; it uses no CPU until resumed."""
    await hypervisor.pause(machine)
    return f"{machine.name} is paused. !vm resume {machine.name}"


@plugin.command("vm resume", allow=OWNER_OR_ADMINS)
async def vm_resume(hypervisor: Hypervisor, machine: Machine) -> str:
    """Let a paused machine go on."""
    await hypervisor.resume(machine)
    return f"{machine.name} goes on."


@plugin.command(
    "vm kill",
    allow=OWNER_OR_ADMINS,
    confirm="Kill {machine.name} of {machine.owner} on {machine.host}, whatever is lost?",
    check=must_be_up,
    second=~owner_of("machine"),
    exclusive=False,
)
async def vm_kill(hypervisor: Hypervisor, machine: Machine) -> str:
    """End a machine at once; another's needs a second admin."""
    await hypervisor.kill(machine)
    return f"{machine.name} is dead. !vm start {machine.name}"


@plugin.command("vm console", allow=owner_of("machine"), reads=True)
async def vm_console(hypervisor: Hypervisor, machine: Machine, lines: int = CONSOLE_LINES) -> Reply:
    """Send you the tail of a machine's console."""
    tail = await hypervisor.console(machine, max(1, min(lines, MOST_CONSOLE_LINES)))
    said = texts.marked(machine.name, tail) or (f"{machine.name} has said nothing on its console.",)
    return Reply(said, private=True)


@plugin.command("vm run", allow=owner_of("machine"), private=("command",), timeout=RUN_SECONDS + 10)
async def vm_run(hypervisor: Hypervisor, machine: Machine, *, command: str) -> Reply:
    """Run a shell command in a machine; you get its output directly."""
    result = await hypervisor.run(machine, command, RUN_SECONDS)
    return Reply(texts.ran(machine, result), private=True)


@plugin.answers(DigestPart)
@plugin.answers(StatusPart)
async def status_part(roster: Roster, hypervisor: Hypervisor) -> str:
    """Count the machines, and those that are in trouble."""
    machines = await roster.machines()
    infos = await asyncio.gather(*(_inspect(m, hypervisor) for m in machines))
    up = sum(info.state.is_up for info in infos)
    trouble = [f"{info.name} {info.state.value}" for info in infos if info.state in TROUBLE]
    return "; ".join([f"machines: {up} of {len(machines)} up", *trouble])


@plugin.answers(PostField)
async def machines_down(question: PostField, roster: Roster, hypervisor: Hypervisor) -> str | None:
    """Tell posts what stands for {machines_down}: how many are in trouble, and which."""
    if question.name != "machines_down":
        return None
    machines = await roster.machines()
    infos = await asyncio.gather(*(_inspect(m, hypervisor) for m in machines))
    down = [info.name for info in infos if info.state in TROUBLE]
    return f"{len(down)} ({', '.join(down)})" if down else "none"


async def _inspect(machine: Machine, hypervisor: Hypervisor) -> MachineInfo:
    try:
        return await hypervisor.inspect(machine)
    except (HypervisorFault, Refusal):
        return MachineInfo(machine.name, MachineState.UNRESPONSIVE)


async def _usage(machine: Machine, info: MachineInfo, hypervisor: Hypervisor) -> MachineUsage | None:
    if not info.state.is_up:
        return None
    try:
        return await hypervisor.usage(machine)
    except (HypervisorFault, Refusal):
        return None
