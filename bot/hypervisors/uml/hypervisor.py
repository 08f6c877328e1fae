"""The port of one UML host: it finds the machine and passes on."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path

from bot.config import SandboxKind
from bot.coop.machines import Machine, MachineEvent, MachineInfo, RunResult, StopResult, Usage
from bot.errors import Conflict, NotFound
from bot.hypervisors.events import EventQueue
from bot.hypervisors.uml.machine import UmlMachine
from bot.hypervisors.uml.site import Site
from bot.hypervisors.uml.uids import GuestUids
from bot.ports import Clock, Report

TRIM_SECONDS = 1.0
"""How often the console logs are looked at."""

REBOOT_GRACE = 30.0

log = logging.getLogger(__name__)


class UmlHypervisor:
    """Runs the machines of one host as User-Mode Linux guests; a bot.ports.Hypervisor.

    `folder` holds records, logs and disks, `run` the sockets (see runfolder.run_folder), `cache` fetched
    kernels and made images. `kernel` is what machines boot that name none; left out, linux.uml from PATH or
    from the cache.
    """

    def __init__(
        self,
        host: str,
        *,
        folder: Path,
        run: Path,
        cache: Path,
        sandbox: SandboxKind,
        clock: Clock,
        kernel: Path | None = None,
    ) -> None:
        self._events = EventQueue(self._told)
        self._site = Site(
            host, folder.absolute(), run, cache.absolute(), sandbox, clock, kernel, self._events
        )
        self._machines: dict[str, UmlMachine] = {}
        self._uids = GuestUids(self._site.folder)
        self._trimmer: asyncio.Task[None] | None = None
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def inspect(self, machine: Machine) -> MachineInfo:
        """Return what the machine is like now, read from the host."""
        return await self._of(machine).inspect()

    async def start(self, machine: Machine, report: Report | None = None) -> MachineInfo:
        """Boot it and return when it is ready."""
        self._look_after_logs()
        return await self._of(machine).start(machine, report)

    async def stop(self, machine: Machine, grace: float = 30.0) -> StopResult:
        """Take it down as gently as it lets itself be, and say which rung of the ladder worked."""
        return await self._of(machine).stop(grace)

    async def reboot(self, machine: Machine, report: Report | None = None) -> MachineInfo:
        """Stop it and start it again."""
        return await self._of(machine).reboot(machine, REBOOT_GRACE, report)

    async def pause(self, machine: Machine) -> None:
        """Freeze it; it uses no CPU until resumed."""
        await self._of(machine).pause()

    async def resume(self, machine: Machine) -> None:
        """Let a paused machine go on."""
        await self._of(machine).resume()

    async def kill(self, machine: Machine) -> None:
        """End it at once, whatever is lost, and leave no process of it."""
        await self._of(machine).kill()

    async def run(self, machine: Machine, command: str, timeout: float = 30.0) -> RunResult:  # noqa: ASYNC109 - it is the guest that is limited
        """Run a shell command in the guest; one that takes longer is killed there and has the status 137."""
        return await self._of(machine).run(command, timeout)

    async def console(self, machine: Machine, lines: int) -> tuple[str, ...]:
        """Return the last lines of the console log of this run, or of the last one, clean."""
        return await asyncio.to_thread(self._of(machine).guest.console.tail, lines)

    async def usage(self, machine: Machine) -> Usage:
        """Return what a running machine uses; no network device is counted."""
        return await self._of(machine).usage(machine)

    async def adopt(self, machines: Sequence[Machine]) -> tuple[MachineInfo, ...]:
        """Take over machines that already run, and tell of those that ended while no bot was there."""
        self._look_after_logs()
        found = []
        for machine in machines:
            ours = self._of(machine)
            try:
                ours.guest.lock()
            except Conflict as refusal:
                log.warning("not adopted: %s", refusal)
                continue
            up = ours.guest.adopt()
            ours.guest.unlock()
            if up:
                found.append(await ours.inspect())
        return tuple(found)

    async def events(self) -> AsyncIterator[MachineEvent]:
        """Yield what happens to machines; an end counts as told once the next event is asked for."""
        async for event in self._events.listen():
            yield event

    async def close(self) -> None:
        """Let go of everything but the guests, which run on."""
        if self._trimmer:
            self._trimmer.cancel()
            await asyncio.gather(self._trimmer, return_exceptions=True)
        for machine in self._machines.values():
            await machine.guest.close()
        with suppress(OSError):
            self._site.run.rmdir()  # where no guest is up, nothing of the bot stays behind

    def _of(self, machine: Machine) -> UmlMachine:
        if machine.host != self._site.host:
            raise NotFound(f"{machine.name} is not on {self._site.host}.")
        if machine.name not in self._machines:
            self._machines[machine.name] = UmlMachine(machine.name, self._site, self._uids.pick)
        return self._machines[machine.name]

    def _told(self, event: MachineEvent) -> None:
        if event.machine in self._machines:
            self._machines[event.machine].guest.told(event)

    def _look_after_logs(self) -> None:
        if self._trimmer is None:
            self._trimmer = asyncio.create_task(self._trim())

    async def _trim(self) -> None:
        while True:
            for machine in tuple(self._machines.values()):
                try:
                    machine.guest.console.trim()
                except OSError:
                    log.exception("a console log cannot be cut")
            await self._site.clock.sleep(TRIM_SECONDS)
