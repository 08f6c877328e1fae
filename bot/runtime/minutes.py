"""Ticks made into rows of a minute."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.coop.samples import HostSample, MachineSample, Tick
from bot.ports import Slot
from bot.runtime.tally import Growth, Key

MINUTE = 60


@dataclass(slots=True)
class _Gathered:
    """What one subject used in the minute that goes on."""

    samples: int = 0
    cpu: list[float] = field(default_factory=list)
    load: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    disk: int = 0
    received: int = 0
    sent: int = 0
    rate_peak: int = 0

    def slot(self, at: int) -> Slot:
        """Return it as a row."""
        return Slot(
            at,
            self.samples,
            cpu=_mean(self.cpu),
            cpu_peak=max(self.cpu, default=0.0),
            load=_mean(self.load),
            load_peak=max(self.load, default=0.0),
            memory=round(_mean(self.memory)),
            memory_peak=max(self.memory, default=0),
            disk=self.disk,
            received=self.received,
            sent=self.sent,
            rate_peak=self.rate_peak,
        )


@dataclass(slots=True)
class Minutes:
    """Gathers ticks; `add` returns the rows of a minute once that is over."""

    at: int = 0
    gathered: dict[Key, _Gathered] = field(default_factory=dict)

    def add(self, tick: Tick, traffic: Mapping[Key, Growth]) -> dict[Key, Slot]:
        """Take a tick with its traffic; return what the minute before held, where that is over now."""
        at, rows = int(tick.at.timestamp()) // MINUTE * MINUTE, dict[Key, Slot]()
        if at != self.at:
            rows = {key: one.slot(self.at) for key, one in self.gathered.items()}
            self.at, self.gathered = at, {}
        for host in tick.hosts.values():
            if host is not None:
                _add_host(self.gathered.setdefault(("host", host.name), _Gathered()), host)
        for machine in tick.machines.values():
            if machine.memory is not None:
                _add_machine(self.gathered.setdefault(("machine", machine.name), _Gathered()), machine)
        for key, growth in traffic.items():
            if growth.received or growth.sent:
                _add_traffic(self.gathered.setdefault(key, _Gathered()), growth)
        return rows


def _add_host(one: _Gathered, host: HostSample) -> None:
    one.samples += 1
    one.cpu += [] if host.cpu is None else [host.cpu]
    one.load.append(host.load)
    one.memory.append(host.memory_used)
    one.disk = host.disk_used


def _add_machine(one: _Gathered, machine: MachineSample) -> None:
    one.samples += 1
    one.cpu += [] if machine.cpu is None else [machine.cpu]
    one.memory += [] if machine.memory is None else [machine.memory]
    one.disk = machine.disk or 0


def _add_traffic(one: _Gathered, growth: Growth) -> None:
    """Add bytes; those of which it is not known how long they took make no peak."""
    one.received += growth.received
    one.sent += growth.sent
    if growth.seconds > 0:
        one.rate_peak = max(one.rate_peak, round(max(growth.received, growth.sent) / growth.seconds))


def _mean(values: list[float] | list[int]) -> float:
    return sum(values) / len(values) if values else 0.0
