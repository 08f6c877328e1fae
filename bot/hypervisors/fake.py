"""A hypervisor without a world: machines that are played, with faults on demand.

It passes the same contract tests as the real one, and is what a host with `hypervisor = "fake"` gets.
"""

import itertools
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.coop.machines import (
    Limits,
    Machine,
    MachineEvent,
    MachineEventKind,
    MachineInfo,
    MachineState,
    RunResult,
    StopResult,
    Usage,
)
from bot.coop.shares import Share
from bot.errors import Conflict, HypervisorFault, NotFound
from bot.hypervisors.events import EventQueue
from bot.ports import Clock, Report

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Played:
    state: MachineState = MachineState.STOPPED
    pid: int | None = None
    since: datetime | None = None
    limits: Limits | None = None
    detail: str = ""
    console: tuple[str, ...] = field(default=())
    busy: datetime | None = None
    spent: float = 0.0


class FakeHypervisor:
    """Plays the machines of one host, stopped at first; a bot.ports.Hypervisor.

    `answers` maps a command to what it writes; others than `echo`, `uname -a` and `uptime` end with 127. A
    guest is busy with `yes … &` until `killall yes`.
    """

    def __init__(self, host: str, clock: Clock) -> None:
        self.answers: dict[str, str] = {}
        self._host = host
        self._clock = clock
        self._events = EventQueue()
        self._machines: defaultdict[str, _Played] = defaultdict(_Played)
        self._faults: defaultdict[str, deque[Exception]] = defaultdict(deque)
        self._pids = itertools.count(1000)

    def fail_next(self, deed: str, fault: Exception | str = "on demand") -> None:
        """Make the next call of that method fail: by this exception, or a HypervisorFault of this text."""
        self._faults[deed].append(HypervisorFault(fault) if isinstance(fault, str) else fault)

    def crash(self, name: str, reason: str = "panic") -> None:
        """End a machine that nobody asked to end."""
        self._down(name, MachineState.CRASHED, reason)
        self._tell(name, MachineEventKind.CRASHED, reason)

    def exit(self, name: str) -> None:
        """Let a machine halt itself from inside, without the bot's asking."""
        self._down(name, MachineState.STOPPED, "halted from inside")
        self._tell(name, MachineEventKind.EXITED, "halted from inside")

    def hang(self, name: str) -> None:
        """Make a running machine unresponsive."""
        self._machines[name] = replace(self._machines[name], state=MachineState.UNRESPONSIVE)

    def work(self, name: str, *, busy: bool) -> None:
        """Let a machine use all of a processor from now on, or no longer."""
        played, now = self._machines[name], self._clock.now()
        spent = played.spent + ((now - played.busy).total_seconds() if played.busy else 0.0)
        self._machines[name] = replace(played, busy=now if busy else None, spent=spent)

    def notify(self, name: str, text: str) -> None:
        """Let a guest's root say something."""
        self._tell(name, MachineEventKind.NOTICE, text)

    async def inspect(self, machine: Machine) -> MachineInfo:
        """Return what the machine is like now."""
        played = self._find("inspect", machine)
        return MachineInfo(machine.name, played.state, played.pid, played.since, played.limits, played.detail)

    async def start(self, machine: Machine, report: Report | None = None) -> MachineInfo:  # noqa: ARG002 - it is ready at once
        """Boot it at once."""
        played = self._find("start", machine)
        if played.state.is_up:
            raise Conflict(f"{machine.name} is up already.")
        half = machine.share is Share.HALF
        self._machines[machine.name] = _Played(
            MachineState.RUNNING,
            next(self._pids),
            self._clock.now().replace(microsecond=0),
            Limits(machine.memory_mib, "fake", 10 if half else 0),
            console=("Linux version 6.1.0-fake", "Run /init as init process"),
        )
        self._tell(machine.name, MachineEventKind.READY, asked=True)
        return await self.inspect(machine)

    async def stop(self, machine: Machine, grace: float = 30.0) -> StopResult:
        """Take it down: one that hangs goes by `kill`, as does one without grace."""
        played = self._up("stop", machine)
        hangs = played.state is MachineState.UNRESPONSIVE or grace <= 0
        self._down(machine.name, MachineState.STOPPED)
        self._tell(machine.name, MachineEventKind.EXITED, asked=True)
        return (
            StopResult("kill", grace, ("cad", "poweroff", "halt", "kill"))
            if hangs
            else StopResult("cad", 0.0, ("cad",))
        )

    async def reboot(self, machine: Machine, report: Report | None = None) -> MachineInfo:
        """Stop it and start it again."""
        self._up("reboot", machine)
        await self.stop(machine)
        return await self.start(machine, report)

    async def pause(self, machine: Machine) -> None:
        """Freeze it."""
        played = self._up("pause", machine)
        if played.state is MachineState.PAUSED:
            raise Conflict(f"{machine.name} is paused already.")
        self._machines[machine.name] = replace(played, state=MachineState.PAUSED)

    async def resume(self, machine: Machine) -> None:
        """Let it go on."""
        played = self._up("resume", machine)
        if played.state is not MachineState.PAUSED:
            raise Conflict(f"{machine.name} is not paused.")
        self._machines[machine.name] = replace(played, state=MachineState.RUNNING)

    async def kill(self, machine: Machine) -> None:
        """End it at once."""
        self._up("kill", machine)
        self._down(machine.name, MachineState.STOPPED)
        self._tell(machine.name, MachineEventKind.EXITED, asked=True)

    async def run(self, machine: Machine, command: str, timeout: float = 30.0) -> RunResult:  # noqa: ARG002, ASYNC109 - it answers at once
        """Answer as `answers` says, else as a small guest would."""
        played = self._up("run", machine)
        if played.state is not MachineState.RUNNING:
            raise Conflict(f"{machine.name} is {played.state}: its agent does not answer.")
        said = self.answers.get(command, self._answer(machine.name, command))
        if said is None:
            return RunResult(127, f"sh: {command.strip().partition(' ')[0]}: not found\n".encode())
        return RunResult(0, said.encode())

    def _answer(self, name: str, command: str) -> str | None:
        """Do as a small guest's shell would; None for a command that there is not."""
        word, _, rest = command.strip().partition(" ")
        match word, rest:
            case "echo", text:
                return f"{text}\n"
            case "uname", "-a":
                return f"Linux {name} 6.1.0-fake #1 x86_64 GNU/Linux\n"
            case "uptime", "":
                minutes = (
                    self._clock.now() - (self._machines[name].since or self._clock.now())
                ).seconds // 60
                return f" up {minutes} min,  load average: 0.00, 0.00, 0.00\n"
            case ("yes", text) if text.endswith("&"):
                self.work(name, busy=True)
                return ""
            case "killall", "yes":
                self.work(name, busy=False)
                return ""
        return None

    async def console(self, machine: Machine, lines: int) -> tuple[str, ...]:
        """Return the last lines of what it is played to have written."""
        console = self._find("console", machine).console
        return console[-lines:] if lines > 0 else ()

    async def usage(self, machine: Machine) -> Usage:
        """Return what such a machine would use: a hundredth of a CPU if not busy, a quarter of its memory."""
        played, now = self._up("usage", machine), self._clock.now()
        seconds = (now - (played.since or now)).total_seconds()
        worked = played.spent + ((now - played.busy).total_seconds() if played.busy else 0.0)
        return Usage(max(seconds, 0) / 100 + worked, machine.memory_mib * _MIB // 4, 0)

    async def adopt(self, machines: Sequence[Machine]) -> tuple[MachineInfo, ...]:
        """Return those that are up."""
        infos = [await self.inspect(machine) for machine in machines]
        return tuple(info for info in infos if info.state.is_up)

    async def events(self) -> AsyncIterator[MachineEvent]:
        """Yield what happens to machines."""
        async for event in self._events.listen():
            yield event

    async def close(self) -> None:
        """There is nothing to let go of."""

    def _find(self, deed: str, machine: Machine) -> _Played:
        if machine.host != self._host:
            raise NotFound(f"{machine.name} is not on {self._host}.")
        if self._faults[deed]:
            raise self._faults[deed].popleft()
        return self._machines[machine.name]

    def _up(self, deed: str, machine: Machine) -> _Played:
        played = self._find(deed, machine)
        if not played.state.is_up:
            raise Conflict(f"{machine.name} is not running.")
        return played

    def _down(self, name: str, state: MachineState, detail: str = "") -> None:
        console = (*self._machines[name].console, detail or "reboot: System halted")
        self._machines[name] = _Played(state, detail=detail, console=console)

    def _tell(self, name: str, kind: MachineEventKind, text: str = "", *, asked: bool = False) -> None:
        tail = (
            self._machines[name].console
            if kind in {MachineEventKind.CRASHED, MachineEventKind.EXITED}
            else ()
        )
        self._events.put(MachineEvent(name, self._host, kind, self._clock.now(), asked, text, tail))
