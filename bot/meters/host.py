"""Measures the machine that the bot runs on, by psutil, the kernel's pressure stall information and counters.

PSI: https://docs.kernel.org/accounting/psi.html; a kernel without it gives no pressure.
"""

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.errors import HypervisorFault, NotFound
from bot.meters import interfaces, nftables
from bot.meters.interfaces import Kernel, Wires, turned
from bot.ports import Clock, HostReading, TrafficReading

PRESSURE = Path("/proc/pressure")
_SOME = re.compile(r"^some avg10=(\d+\.\d+)", re.MULTILINE)


class HostMeter:
    """A bot.ports.Meter for hosts that are all this machine; each is given with the folder of its disks."""

    def __init__(
        self,
        hosts: Mapping[str, Path],
        clock: Clock,
        pressure: Path = PRESSURE,
        *,
        wires: Mapping[str, Wires] | None = None,
        kernel: Kernel | None = None,
    ) -> None:
        self._hosts = dict(hosts)
        self._clock = clock
        self._pressure = pressure
        self._wires = dict(wires or {})
        self._kernel = kernel or Kernel()

    def hosts(self) -> tuple[str, ...]:
        """Return the names of the hosts."""
        return tuple(self._hosts)

    async def read(self, host: str) -> HostReading:
        """Measure the host now; NotFound if it is none of ours, HypervisorFault if it cannot be measured."""
        if host not in self._hosts:
            raise NotFound(f"There is no host {host}.")
        return await asyncio.to_thread(self._measure, host)

    async def traffic(self, host: str, machines: Sequence[str]) -> TrafficReading:
        """Read the counters of the uplink and of the named machines, by nftables before those of the taps."""
        if host not in self._hosts:
            raise NotFound(f"There is no host {host}.")
        wires = self._wires.get(host, Wires())
        if not machines and wires.uplink is None:
            return TrafficReading()
        return await asyncio.to_thread(self._count, host, wires, machines)

    def _count(self, host: str, wires: Wires, machines: Sequence[str]) -> TrafficReading:
        taps = {wires.tap(machine): machine for machine in machines}
        try:
            found = interfaces.read(self._kernel, {*taps, *([wires.uplink] if wires.uplink else ())})
            boot = self._kernel.boot_id()
        except (OSError, ValueError, IndexError) as error:
            raise HypervisorFault(f"the traffic of host {host} cannot be counted: {error}") from error
        counters = {taps[name]: turned(one) for name, one in found.items() if name in taps}
        if wires.counters and machines:
            counters |= nftables.read(boot, wires.counters, machines)
        return TrafficReading(found.get(wires.uplink or ""), counters)

    def _measure(self, host: str) -> HostReading:
        import psutil  # noqa: PLC0415 - half a MiB, only for a ship that has hosts

        try:
            return self._reading(host, psutil)
        except (OSError, psutil.Error) as error:
            raise HypervisorFault(f"host {host} cannot be measured: {error}") from error

    def _reading(self, host: str, psutil: Any) -> HostReading:  # noqa: ANN401 - a module
        memory, swap, worked = psutil.virtual_memory(), psutil.swap_memory(), psutil.cpu_times()
        up = timedelta(seconds=time.clock_gettime(time.CLOCK_BOOTTIME))
        disk = psutil.disk_usage(str(self._hosts[host]))
        return HostReading(
            name=host,
            cpus=psutil.cpu_count() or 1,
            load=psutil.getloadavg(),
            memory_total=memory.total,
            memory_available=memory.available,
            disk_total=disk.total,
            disk_free=disk.free,
            boot=(self._clock.now() - up).replace(microsecond=0),
            pressure=read_pressure(self._pressure),
            cpu_seconds=_busy(worked),
            swap_total=swap.total,
            swap_used=swap.used,
        )


def _busy(times: Any) -> float:  # noqa: ANN401 - psutil has no types
    """Return the seconds that processors were busy; a guest's are in `user` and `nice` too, see proc(5)."""
    return float(sum(times) - times.idle - times.iowait - times.guest - times.guest_nice)


def read_pressure(folder: Path) -> dict[str, float]:
    """Return by resource in how many percent of the last 10 s some task waited for it; empty without PSI."""
    found = {}
    for resource in ("cpu", "memory", "io"):
        try:
            match = _SOME.search((folder / resource).read_text())
        except OSError:  # a kernel that was booted with psi=0 has the files, but they cannot be read
            continue
        if match:
            found[resource] = float(match[1])
    return found
