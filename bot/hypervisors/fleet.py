"""All hosts as one hypervisor: routes by `machine.host`; a silent host delays no other."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence

from bot.coop.machines import Machine, MachineEvent, MachineInfo, RunResult, StopResult, Usage
from bot.errors import NotFound, ShipboardError
from bot.ports import Hypervisor, Report

ADOPT_SECONDS = 30.0
"""How long one host may take to say what runs on it, at the bot's start."""

log = logging.getLogger(__name__)


class Fleet:
    """The hypervisors of all hosts behind the port of one; NotFound for a host that is none of ours."""

    def __init__(self, hosts: Mapping[str, Hypervisor]) -> None:
        self._hosts = dict(hosts)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names of the hosts."""
        return tuple(self._hosts)

    async def inspect(self, machine: Machine) -> MachineInfo:
        """Return what the machine is like now."""
        return await self._of(machine).inspect(machine)

    async def start(self, machine: Machine, report: Report | None = None) -> MachineInfo:
        """Boot it and return when it is ready."""
        return await self._of(machine).start(machine, report)

    async def stop(self, machine: Machine, grace: float = 30.0) -> StopResult:
        """Take it down as gently as it lets itself be."""
        return await self._of(machine).stop(machine, grace)

    async def reboot(self, machine: Machine, report: Report | None = None) -> MachineInfo:
        """Stop it and start it again."""
        return await self._of(machine).reboot(machine, report)

    async def pause(self, machine: Machine) -> None:
        """Freeze it."""
        await self._of(machine).pause(machine)

    async def resume(self, machine: Machine) -> None:
        """Let it go on."""
        await self._of(machine).resume(machine)

    async def kill(self, machine: Machine) -> None:
        """End it at once."""
        await self._of(machine).kill(machine)

    async def run(self, machine: Machine, command: str, timeout: float = 30.0) -> RunResult:  # noqa: ASYNC109 - it is the guest that is limited
        """Run a shell command in the guest."""
        return await self._of(machine).run(machine, command, timeout)

    async def console(self, machine: Machine, lines: int) -> tuple[str, ...]:
        """Return the last lines of its console."""
        return await self._of(machine).console(machine, lines)

    async def usage(self, machine: Machine) -> Usage:
        """Return what it uses."""
        return await self._of(machine).usage(machine)

    async def adopt(self, machines: Sequence[Machine]) -> tuple[MachineInfo, ...]:
        """Ask every host at the same time what runs there; one that fails or is silent is logged and skipped.

        Machines of a host that is none of ours are skipped too.
        """
        names = [name for name in self._hosts if any(machine.host == name for machine in machines)]
        found = await asyncio.gather(
            *(self._adopt_on(name, [m for m in machines if m.host == name]) for name in names)
        )
        return tuple(info for infos in found for info in infos)

    async def _adopt_on(self, host: str, machines: Sequence[Machine]) -> tuple[MachineInfo, ...]:
        try:
            async with asyncio.timeout(ADOPT_SECONDS):
                return await self._hosts[host].adopt(machines)
        except TimeoutError:
            log.exception("host %s: silent for %g s, its machines were not adopted", host, ADOPT_SECONDS)
        except ShipboardError:
            log.exception("host %s: its machines were not adopted", host)
        return ()

    async def events(self) -> AsyncIterator[MachineEvent]:
        """Yield the events of all hosts as they come; a host's next is asked for once its last was taken."""
        sources = [aiter(hypervisor.events()) for hypervisor in self._hosts.values()]
        waiting = {asyncio.ensure_future(anext(source)): source for source in sources}
        try:
            while waiting:
                done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    source = waiting.pop(task)
                    try:
                        event = task.result()
                    except StopAsyncIteration:
                        continue
                    yield event
                    waiting[asyncio.ensure_future(anext(source))] = source
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def close(self) -> None:
        """Let go of every host; all are closed even if one of them fails, whose fault is then raised."""
        results = await asyncio.gather(
            *(host.close() for host in self._hosts.values()), return_exceptions=True
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result

    def _of(self, machine: Machine) -> Hypervisor:
        try:
            return self._hosts[machine.host]
        except KeyError:
            known = ", ".join(self._hosts) or "none"
            raise NotFound(
                f"{machine.name} is on {machine.host}, which is no host of ours ({known})."
            ) from None
