"""How a guest is taken down: each rung is rougher than the one before, and the last needs no answer.

cad: the guest's init shuts down, as by Ctrl-Alt-Del. poweroff: its agent is told to. halt: its kernel stops,
after writing its disks. kill: its processes are ended.
"""

import asyncio
import logging

from bot.coop.machines import StopResult
from bot.errors import ShipboardError
from bot.hypervisors.uml.guest import Guest
from bot.hypervisors.uml.mconsole import GuestRefused, ask

HALT_SECONDS = 2.0
"""How long a kernel may take to halt: it needs no part of the grace, which is the guest's."""

log = logging.getLogger(__name__)


async def descend(guest: Guest, grace: float) -> StopResult:
    """Take a guest down and say which rung worked; without grace it begins with the kernel's own halt.

    Two thirds of the grace are for the first rung, one third for the second.
    """
    rungs = (
        ("cad", _cad, grace * 2 / 3),
        ("poweroff", _poweroff, grace / 3),
        ("halt", _halt, HALT_SECONDS),
    )
    clock = guest.site.clock
    begun, tried = clock.monotonic(), []
    for rung, step, seconds in rungs:
        if seconds <= 0:
            continue
        tried.append(rung)
        try:
            await step(guest)
        except ShipboardError as fault:
            log.info("%s: %s did not work: %s", guest.name, rung, fault)
            continue
        if await _gone_in(guest, seconds):
            return StopResult(rung, clock.monotonic() - begun, tuple(tried))
    tried.append("kill")
    await guest.end()
    return StopResult("kill", clock.monotonic() - begun, tuple(tried))


async def _cad(guest: Guest) -> None:
    await ask(guest.mconsole, "cad")


async def _poweroff(guest: Guest) -> None:
    guest.agent.say("poweroff || systemctl poweroff")


async def _halt(guest: Guest) -> None:
    try:
        await ask(guest.mconsole, "sysrq s")
    except GuestRefused as fault:
        log.info("%s: its disks were not written before the halt: %s", guest.name, fault)
    await ask(guest.mconsole, "halt")


async def _gone_in(guest: Guest, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await guest.gone.wait()
    except TimeoutError:
        return False
    return True
