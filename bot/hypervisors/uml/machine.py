"""One machine of a host: what it is like, and the deeds that change it, one at a time."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psutil

from bot.coop.machines import (
    Limits,
    Machine,
    MachineEventKind,
    MachineInfo,
    MachineState,
    RunResult,
    StopResult,
    Usage,
)
from bot.coop.shares import Share
from bot.errors import Conflict, HypervisorFault
from bot.hypervisors.uml import ladder, process
from bot.hypervisors.uml.guest import Guest
from bot.hypervisors.uml.image import image_of
from bot.hypervisors.uml.mconsole import GuestGone, ask
from bot.hypervisors.uml.process import Launch
from bot.hypervisors.uml.record import Record
from bot.hypervisors.uml.sandbox import choose
from bot.hypervisors.uml.site import Site
from bot.ports import Report

BOOT_SECONDS = 60.0
"""How long a kernel may take until its management console is there."""

AGENT_SECONDS = 30.0
"""How long the guest's agent may then take; a guest without one is up all the same."""

PING_SECONDS = 0.2
"""How long one try waits for the agent: what is sent before it listens is lost."""

REPORT_AFTER = 3.0
"""A boot that takes no longer than this many seconds reports no progress."""

LEAST_MIB = 40
"""The least memory that always boots: with 32 MiB one boot in twenty runs out of it at its start."""

STILLBORN, BOOTS = "can't fork", 4
"""What init says where the kernel lets it start nothing, as Linux 6.1 does in about one boot of forty, with
however much memory: nothing works there then. How many boots a start may take because of that."""

FLOATING_MIB = 128
"""The least memory that boots where addresses cannot be fixed: the kernel loses much of it to the gaps."""


class UmlMachine:
    """A machine by its name on this host; `uid` picks a uid for its guest when one is needed."""

    def __init__(self, name: str, site: Site, uid: Callable[[str], int]) -> None:
        self.guest = Guest(name, site)
        self._name = name
        self._site = site
        self._uid = uid
        self._deed: MachineState | None = None

    async def inspect(self) -> MachineInfo:
        """Return what it is like now, read from the host."""
        record = self.guest.record
        if not self.guest.alive(record):
            return self._down(record)
        state, detail = await self._up(record)
        if state is MachineState.UNRESPONSIVE and not self.guest.alive(record):
            return self._down(self.guest.record)  # it ended while it was asked
        since = self._site.clock.now() - timedelta(seconds=process.age(record.born))
        return MachineInfo(
            self._name, state, record.pid, since.replace(microsecond=0), _limits(record), detail
        )

    def _down(self, record: Record) -> MachineInfo:
        if self._deed is MachineState.STARTING:
            return MachineInfo(self._name, MachineState.STARTING)
        if record.wanted:
            return MachineInfo(self._name, MachineState.CRASHED, detail="its process ended")
        end = record.end
        if end is None or end.asked:
            return MachineInfo(self._name, MachineState.STOPPED)
        crashed = end.kind is MachineEventKind.CRASHED
        return MachineInfo(
            self._name, MachineState.CRASHED if crashed else MachineState.STOPPED, detail=end.reason
        )

    async def _up(self, record: Record) -> tuple[MachineState, str]:
        if self._deed in {MachineState.STARTING, MachineState.STOPPING}:
            return self._deed, ""
        if record.paused:
            return MachineState.PAUSED, ""
        try:
            await ask(self.guest.mconsole, "version")
        except GuestGone as fault:
            booting = process.age(record.born) < BOOT_SECONDS and not self.guest.booted.is_set()
            return (MachineState.STARTING if booting else MachineState.UNRESPONSIVE), str(fault)
        except HypervisorFault as fault:
            return MachineState.UNRESPONSIVE, str(fault)
        return MachineState.RUNNING, ""

    async def start(self, machine: Machine, report: Report | None) -> MachineInfo:
        """Boot it and return when its kernel is up and its agent answers."""
        async with self._doing(MachineState.STARTING):
            if self.guest.alive(self.guest.record):
                raise Conflict(f"{self._name} is up already.")
            await self._boot(machine, report)
        return await self.inspect()

    async def stop(self, grace: float) -> StopResult:
        """Take it down by the ladder's gentlest rung that works."""
        async with self._doing(MachineState.STOPPING):
            self._hold()
            return await self._take_down(grace)

    async def reboot(self, machine: Machine, grace: float, report: Report | None) -> MachineInfo:
        """Take it down and boot it again, as one deed."""
        async with self._doing(MachineState.STOPPING):
            self._hold()
            await self._take_down(grace)
            self._deed = MachineState.STARTING
            await self._boot(machine, report)
        return await self.inspect()

    async def pause(self) -> None:
        """Freeze it."""
        async with self._doing(MachineState.PAUSED):
            record = self._hold()
            if record.paused:
                raise Conflict(f"{self._name} is paused already.")
            self.guest.record = replace(record, paused=True)  # first: a bot killed here can still resume it
            try:
                await ask(self.guest.mconsole, "stop")
            except HypervisorFault:
                self.guest.record = record
                raise

    async def resume(self) -> None:
        """Let it go on."""
        async with self._doing(MachineState.RUNNING):
            record = self._hold()
            if not record.paused:
                raise Conflict(f"{self._name} is not paused.")
            await ask(self.guest.mconsole, "go")
            self.guest.record = replace(record, paused=False)

    async def kill(self) -> None:
        """End it at once, even in the middle of another deed."""
        record = self._hold()
        self.guest.record = replace(record, wanted=False)
        await self.guest.end()
        if self._deed is None:
            self.guest.unlock()

    async def run(self, command: str, limit: float) -> RunResult:
        """Run a command in the guest."""
        record = self._hold()
        if record.paused:
            raise Conflict(f"{self._name} is paused.")
        return await self.guest.agent.run(command, limit)

    async def usage(self, machine: Machine) -> Usage:
        """Measure it."""
        record = self._must_be_up()
        return await asyncio.to_thread(self._measure, machine, record.pid or 0)

    def _measure(self, machine: Machine, pid: int) -> Usage:
        try:
            disk = Path(machine.disk).stat().st_blocks * 512 if machine.disk else 0
            return Usage(process.cpu_seconds(pid), process.memory_bytes(pid), disk)
        except (psutil.Error, OSError) as error:
            raise HypervisorFault(f"{self._name} cannot be measured: {error}") from error

    @asynccontextmanager
    async def _doing(self, deed: MachineState) -> AsyncIterator[None]:
        if self._deed is not None:
            raise Conflict(f"{self._name} is busy: {self._deed}.")
        self.guest.lock()
        self._deed = deed
        try:
            yield
        finally:
            self._deed = None
            self.guest.unlock()

    def _must_be_up(self) -> Record:
        record = self.guest.record
        if not self.guest.alive(record):
            raise Conflict(f"{self._name} is not running.")
        return record

    def _hold(self) -> Record:
        """Return the record of a machine that is up, and have hold of it, whichever bot started it."""
        self._must_be_up()
        self.guest.lock()
        self.guest.adopt()
        return self._must_be_up()

    async def _boot(self, machine: Machine, report: Report | None) -> None:
        launch = await asyncio.to_thread(self._prepare, machine)
        self.guest.quiet = True  # who asked hears of a failure by the fault
        try:
            said = await self._bring_up(launch, report)
            for _ in range(BOOTS - 1):
                if said != STILLBORN:
                    break
                await self.guest.end()
                said = await self._bring_up(launch, report)
            notes = self._soften(launch)
        finally:
            self.guest.quiet = False
        if said:
            notes = (*notes, said)
        self.guest.record = replace(self.guest.record, notes=notes)
        self.guest.emit(MachineEventKind.READY, said, asked=True)

    async def _bring_up(self, launch: Launch, report: Report | None) -> str:
        await self.guest.launch(launch)
        try:
            return await self._come_up(report)
        except BaseException:
            if not self.guest.left:
                await self.guest.end()
            raise

    def _prepare(self, machine: Machine) -> Launch:
        means = self._site.means
        sandbox = choose(self._site.sandbox, means)
        least = LEAST_MIB if means.fixed_addresses else FLOATING_MIB
        return Launch(
            name=self._name,
            tag=self._site.tag,
            image=image_of(machine, self._site.cache, self._site.kernel),
            memory_mib=max(machine.memory_mib, least),
            half=machine.share is Share.HALF,
            sandbox=sandbox,
            uid=self._uid(self._name) if sandbox.switch else None,
            run=self.guest.run,
            fixed_addresses=means.fixed_addresses,
        )

    def _soften(self, launch: Launch) -> tuple[str, ...]:
        """Give a half-share its weight; return what is to be known about the limits."""
        notes = () if launch.fixed_addresses else ("addresses are not fixed: personality() is refused here",)
        if launch.sandbox.switch and launch.sandbox.walls:
            notes = (*notes, "behind bubblewrap too")
        pid = self.guest.record.pid
        lacks = process.soften(pid) if launch.half and pid else ""
        return (*notes, lacks) if lacks else notes

    async def _come_up(self, report: Report | None) -> str:
        """Wait for the kernel and the agent; return what is to be known, such as that there is no agent."""
        begun = self._site.clock.monotonic()
        for seconds in (REPORT_AFTER, BOOT_SECONDS - REPORT_AFTER):
            try:
                async with asyncio.timeout(seconds):
                    await self.guest.booted.wait()
                break
            except TimeoutError:
                if report:
                    await report(0.3, "waiting for the kernel")
        else:
            raise self._failure(f"no sign of its kernel in {BOOT_SECONDS:g} s")
        told = False
        while not self.guest.gone.is_set():
            if self.guest.left:
                raise Conflict(f"{self._name} boots on while the bot goes down.")
            waited = self._site.clock.monotonic() - begun
            if await self.guest.agent.answers(PING_SECONDS):
                return ""
            if any(STILLBORN in line for line in self.guest.console.tail(20)):
                return STILLBORN
            if waited > AGENT_SECONDS:
                return "no agent answers"
            if report and waited > REPORT_AFTER and not told:
                told = True
                await report(0.6, "the kernel is up, waiting for the agent")
            await asyncio.sleep(0)
        end = self.guest.record.end
        raise self._failure(end.reason if end else "it ended")

    def _failure(self, reason: str) -> HypervisorFault:
        return HypervisorFault(
            "\n".join([f"{self._name} did not come up: {reason}", *self.guest.console.tail(20)])
        )

    async def _take_down(self, grace: float) -> StopResult:
        record = self.guest.record
        self.guest.record = replace(record, wanted=False)
        if record.paused:
            with suppress(HypervisorFault):  # the ladder ends with what needs no answer
                await ask(self.guest.mconsole, "go")
        return await ladder.descend(self.guest, grace)


def _limits(record: Record) -> Limits:
    """Return the limits of a running guest: what can be read from the host is."""
    pid = record.pid or 0
    try:
        nice = os.getpriority(os.PRIO_PROCESS, pid)
    except OSError:
        nice = 0
    return Limits(record.memory_mib, record.sandbox, nice, process.weight(pid), record.notes)
