"""What is measured of hosts and machines at one instant. Sizes are in bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.coop.machines import MachineState


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSample:
    """A host at a tick.

    `cpu` is in percent of one processor since the tick before, None at the first; `load` the load average of
    the last minute; `pressure` in percent of the last 10 s that tasks waited for that resource; `received`
    and `sent` the bytes that passed its uplink since the tick before.
    """

    name: str
    cpus: int
    cpu: float | None
    load: float
    memory_total: int
    memory_used: int
    swap_total: int
    swap_used: int
    disk_total: int
    disk_used: int
    pressure: Mapping[str, float] = field(default_factory=dict)
    received: int = 0
    sent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSample:
    """A machine at a tick; `state` is None where its host did not say in time.

    `cpu` is as of a host. It and the sizes are None where they were not measured: of a machine that is down,
    or silent. `received` and `sent` are the bytes since the tick before, as the guest sees them.
    """

    name: str
    host: str
    state: MachineState | None
    cpu: float | None = None
    memory: int | None = None
    disk: int | None = None
    received: int = 0
    sent: int = 0


@dataclass(frozen=True, slots=True)
class Tick:
    """All that was measured at one instant, `seconds` after the tick before it, 0 at the first.

    A host is None that could not be measured, or not in time.
    """

    at: datetime
    seconds: float
    hosts: Mapping[str, HostSample | None]
    machines: Mapping[str, MachineSample]

    def busiest(self, host: str, count: int) -> tuple[MachineSample, ...]:
        """Return the machines of a host that use most of its processors, the busiest first."""
        there = [one for one in self.machines.values() if one.host == host and one.cpu]
        return tuple(sorted(there, key=lambda one: (-(one.cpu or 0.0), one.name))[:count])


def share_of_processor(before: float, now: float, seconds: float) -> float | None:
    """Return the percent of one processor that CPU seconds have grown by; None where that cannot be told."""
    if seconds <= 0 or now < before:
        return None
    return (now - before) * 100 / seconds
