"""A meter without a world: readings that a test sets, with faults on demand."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.coop.traffic import Counter
from bot.errors import HypervisorFault, NotFound
from bot.ports import Clock, HostReading, TrafficReading

_GIB = 1024**3


class FakeMeter:
    """A bot.ports.Meter for hosts that are played: idle, with 2 CPUs and 8 GiB, up for a day."""

    def __init__(self, hosts: Iterable[str], clock: Clock) -> None:
        boot = clock.now() - timedelta(days=1)
        self._readings = {
            host: HostReading(
                host, 2, (0.1, 0.1, 0.1), 8 * _GIB, 6 * _GIB, 100 * _GIB, 80 * _GIB, boot, {"cpu": 0.0}
            )
            for host in hosts
        }
        self._broken: dict[str, str] = {}
        self._uplinks: dict[str, Counter] = {}
        self._machines: dict[str, Counter] = {}

    def set(self, host: str, **figures: Any) -> None:  # noqa: ANN401 - the fields of HostReading
        """Change some figures of a host's reading, by the names of its fields; it can be measured again."""
        self._readings[host] = replace(self._readings[host], **figures)
        self._broken.pop(host, None)

    def fail(self, host: str, reason: str = "on demand") -> None:
        """Let a host not be measured, until its figures are set again."""
        self._broken[host] = reason

    def set_uplink(self, host: str, counter: Counter | None) -> None:
        """Set the counter of a host's uplink; None takes it away."""
        _put(self._uplinks, host, counter)

    def set_traffic(self, machine: str, counter: Counter | None) -> None:
        """Set the counter of a machine; None takes it away."""
        _put(self._machines, machine, counter)

    def hosts(self) -> tuple[str, ...]:
        """Return the names of the hosts."""
        return tuple(self._readings)

    async def read(self, host: str) -> HostReading:
        """Return the reading that was set."""
        return self._reading(host)

    async def traffic(self, host: str, machines: Sequence[str]) -> TrafficReading:
        """Return the counters that were set."""
        self._reading(host)
        found = {name: self._machines[name] for name in machines if name in self._machines}
        return TrafficReading(self._uplinks.get(host), found)

    def _reading(self, host: str) -> HostReading:
        if host not in self._readings:
            raise NotFound(f"There is no host {host}.")
        if host in self._broken:
            raise HypervisorFault(f"host {host} cannot be measured: {self._broken[host]}")
        return self._readings[host]


def _put(counters: dict[str, Counter], name: str, counter: Counter | None) -> None:
    if counter is None:
        counters.pop(name, None)
    else:
        counters[name] = counter
