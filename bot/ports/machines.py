"""What runs machines, and what measures hosts."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bot.coop.machines import Machine, MachineEvent, MachineInfo, RunResult, StopResult, Usage
from bot.coop.traffic import Counter
from bot.ports.chat import Report


class Hypervisor(Protocol):
    """What runs machines on one host; the injected one is the fleet, which routes by `machine.host`.

    Refusals: Conflict where the state does not fit (already running, not running, no agent, busy). Faults:
    HypervisorFault with the cause. State is read from the host each time.
    """

    async def inspect(self, machine: Machine) -> MachineInfo:
        """Return what the machine is like now; a machine that is down or was never started is no error."""

    async def start(self, machine: Machine, report: Report | None = None) -> MachineInfo:
        """Boot it and return when it is ready; HypervisorFault with its last console lines if it does not."""

    async def stop(self, machine: Machine, grace: float = 30.0) -> StopResult:
        """Take it down as gently as it lets itself be, and say which rung of the ladder worked."""

    async def reboot(self, machine: Machine, report: Report | None = None) -> MachineInfo:
        """Stop it and start it again."""

    async def pause(self, machine: Machine) -> None:
        """Freeze it; it uses no CPU until resumed."""

    async def resume(self, machine: Machine) -> None:
        """Let a paused machine go on."""

    async def kill(self, machine: Machine) -> None:
        """End it at once, whatever is lost, and leave no process of it."""

    async def run(self, machine: Machine, command: str, timeout: float = 30.0) -> RunResult:  # noqa: ASYNC109 - it is the guest that is limited
        """Run a shell command in the guest through its agent."""

    async def console(self, machine: Machine, lines: int) -> tuple[str, ...]:
        """Return the last lines of the console log, without control characters."""

    async def usage(self, machine: Machine) -> Usage:
        """Return what a running machine uses."""

    async def adopt(self, machines: Sequence[Machine]) -> tuple[MachineInfo, ...]:
        """Take over machines that already run, at the bot's start; return those found up."""

    def events(self) -> AsyncIterator[MachineEvent]:
        """Yield what happens to machines, until closed."""

    async def close(self) -> None:
        """Let go of everything but the machines: they outlive the bot."""


@dataclass(frozen=True, slots=True)
class HostReading:
    """A host now: sizes in bytes; pressure by resource, in percent of the last 10 s that tasks waited.

    `cpu_seconds` is what all its processors have worked since its boot.
    """

    name: str
    cpus: int
    load: tuple[float, float, float]
    memory_total: int
    memory_available: int
    disk_total: int
    disk_free: int
    boot: datetime
    pressure: dict[str, float] = field(default_factory=dict)
    cpu_seconds: float = 0.0
    swap_total: int = 0
    swap_used: int = 0


@dataclass(frozen=True, slots=True)
class TrafficReading:
    """The counters of a host's uplink, None where it has none, and of its machines by their names."""

    uplink: Counter | None = None
    machines: Mapping[str, Counter] = field(default_factory=dict)


class Meter(Protocol):
    """What measures physical hosts."""

    def hosts(self) -> tuple[str, ...]:
        """Return the names of the hosts that it can measure, as the config calls them."""

    async def read(self, host: str) -> HostReading:
        """Measure the host now; NotFound if it is none of ours, HypervisorFault if it cannot be measured."""

    async def traffic(self, host: str, machines: Sequence[str]) -> TrafficReading:
        """Read the counters of the uplink and of the named machines; who has no counter is left out.

        NotFound and HypervisorFault as for `read`.
        """


@dataclass(frozen=True, slots=True)
class Slot:
    """What a host or a machine used in the interval that begins at the Unix time `at`.

    `samples` is how often it was measured, 0 if only its traffic was; `cpu` percent of one processor, `load`
    the host's load average, `memory` and `disk` bytes, `received` and `sent` all bytes of the interval,
    `rate_peak` the most bytes a second in one direction.
    """

    at: int
    samples: int
    cpu: float = 0.0
    cpu_peak: float = 0.0
    load: float = 0.0
    load_peak: float = 0.0
    memory: int = 0
    memory_peak: int = 0
    disk: int = 0
    received: int = 0
    sent: int = 0
    rate_peak: int = 0
