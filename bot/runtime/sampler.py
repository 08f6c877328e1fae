"""Measures all hosts and machines every 10 s, tells who watches, and writes down each minute.

A tick that comes late is left out, never queued. Whoever does not answer in time delays nobody: it counts as
silent, and is not asked again before it has answered.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Self

from bot.coop.machines import Machine, MachineState, Usage
from bot.coop.samples import HostSample, MachineSample, Tick, share_of_processor
from bot.coop.traffic import ABSENT, HYPERVISOR, Counter
from bot.core.crew import World
from bot.core.invoke import within
from bot.errors import Fault, ShipboardError, StoreFault
from bot.ports import (
    Clock,
    History,
    HostReading,
    Hypervisor,
    Incidents,
    Meter,
    Minute,
    Roster,
    TrafficReading,
)
from bot.runtime.minutes import Minutes
from bot.runtime.tally import Growth, Key, Tally

TICK_SECONDS = 10.0
LIMIT_SECONDS = 5.0
"""How long a host or a machine may take to be measured."""

MOST_UNWRITTEN = 60
"""How many minutes are kept for a database that cannot be written."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What a machine was like when it was looked at, at `at` by the monotonic clock."""

    at: float
    state: MachineState
    life: tuple[int | None, datetime | None] = (None, None)
    usage: Usage | None = None

    def counter(self) -> Counter | None:
        """Return what the hypervisor counts of it; None where it did not say."""
        if self.usage is None:
            return None if self.state.is_up else ABSENT
        if self.usage.received is None or self.usage.sent is None:
            return ABSENT
        return Counter(f"{HYPERVISOR}{self.life[0]}", self.usage.received, self.usage.sent)


@dataclass(slots=True, kw_only=True)
class Sampler:
    """Takes ticks `every` seconds; `skipped` counts those left out, `seconds` is what the last one took."""

    meter: Meter
    hypervisor: Hypervisor
    roster: Roster
    clock: Clock
    incidents: Incidents
    history: History
    pulse: Callable[[Tick], Awaitable[None]]
    every: float = TICK_SECONDS
    skipped: int = 0
    seconds: float = 0.0
    _minutes: Minutes = field(default_factory=Minutes)
    _unwritten: deque[tuple[Minute, int]] = field(default_factory=partial(deque, maxlen=MOST_UNWRITTEN))
    _tally: Tally | None = None
    _unread: bool = False
    _uncounted: set[str] = field(default_factory=set)
    _under_way: "dict[Key, asyncio.Task[Any]]" = field(default_factory=dict)
    _hosts: dict[str, tuple[float, HostReading]] = field(default_factory=dict)
    _machines: dict[str, _Look] = field(default_factory=dict)
    _last: float | None = None

    @classmethod
    def of(cls, world: World, pulse: Callable[[Tick], Awaitable[None]], every: float = TICK_SECONDS) -> Self:
        """Make the sampler of a ship."""
        return cls(
            meter=world.meter,
            hypervisor=world.hypervisor,
            roster=world.roster,
            clock=world.clock,
            incidents=world.incidents,
            history=world.samples,
            pulse=pulse,
            every=every,
        )

    async def run(self) -> None:
        """Take ticks until cancelled."""
        due = self.clock.monotonic()
        try:
            while True:
                await self.tick()
                missed = int((self.clock.monotonic() - due) // self.every)
                self.skipped += missed
                due += (missed + 1) * self.every
                await self.clock.sleep(due - self.clock.monotonic())
        finally:
            for task in self._under_way.values():
                task.cancel()

    async def tick(self) -> Tick:
        """Measure everything once, and let those who watch have it."""
        began = self.clock.monotonic()
        machines = await self.roster.machines()
        hosts = self.meter.hosts()
        works: dict[Key, Callable[[], Awaitable[object]]] = {
            ("host", name): partial(self._read, name) for name in hosts
        }
        works |= {("machine", machine.name): partial(self._look, machine) for machine in machines}
        works |= {("traffic", name): partial(self._count, name, machines) for name in hosts}
        found = await self._measure(works)
        counters, traffic = await self._counted(found, hosts, machines, began)
        tick = Tick(
            self.clock.now(),
            0.0 if self._last is None else began - self._last,
            {name: self._host(name, found, traffic) for name in hosts},
            {one.name: self._machine(one, found, traffic) for one in machines},
        )
        self._last = began
        self.history.put(tick)
        self._machines = {name: look for name, look in self._machines.items() if name in tick.machines}
        if rows := self._minutes.add(tick, traffic):
            owners = {machine.name: machine.owner for machine in machines}
            self._unwritten.append((Minute(rows, owners, counters), int(tick.at.timestamp())))
        await self.pulse(tick)
        if rows:
            await self._write_down()
        self.seconds = self.clock.monotonic() - began
        return tick

    async def _write_down(self) -> None:
        try:
            while self._unwritten:
                await self.history.record(*self._unwritten[0])
                self._unwritten.popleft()
        except StoreFault as error:  # whoever watches goes on without the history
            self.incidents.report(error, during="writing down what was measured")

    async def _counted(
        self, found: Mapping[Key, object], hosts: Collection[str], machines: Collection[Machine], at: float
    ) -> tuple[Mapping[Key, Counter], Mapping[Key, Growth]]:
        """Return the counters as they were at the tick before, and by how much they have grown since.

        With a minute is written how far they had come in it: what comes after is counted again if we end.
        """
        if self._tally is None:
            try:
                self._tally = Tally.of(await self.history.counters())
            except StoreFault as error:  # told once, tried again at each tick
                if not self._unread:
                    self.incidents.report(error, during="reading what was counted before")
                self._unread = True
                return {}, {}
        now = {("host", name): _uplink(name, found) for name in hosts}
        now |= {("machine", one.name): _counter(one, found, metered=one.host in hosts) for one in machines}
        self._tally.keep(now)
        before = self._tally.counters()
        return before, {key: self._tally.take(key, one, at) for key, one in now.items() if one is not None}

    async def _measure(self, works: Mapping[Key, Callable[[], Awaitable[object]]]) -> dict[Key, object]:
        """Do all works side by side; what failed, or is still under way at the limit, is left out."""
        self._under_way = {key: task for key, task in self._under_way.items() if not task.done()}
        asked = {key: work for key, work in works.items() if key not in self._under_way}
        tasks = {key: asyncio.ensure_future(_outcome(work())) for key, work in asked.items()}
        self._under_way.update(tasks)
        if tasks:
            with suppress(Fault):
                await within(self.clock, LIMIT_SECONDS, asyncio.wait(tasks.values()), "measuring")
        found = {key: task.result() for key, task in tasks.items() if task.done()}
        for key, result in found.items():
            if isinstance(result, Exception) and not isinstance(result, ShipboardError):
                self.incidents.report(result, during=f"measuring {' '.join(key)}")
        self._tell_uncounted(found)
        return {key: result for key, result in found.items() if not isinstance(result, Exception)}

    def _tell_uncounted(self, found: Mapping[Key, object]) -> None:
        """Tell once of each host that can be measured, but whose traffic cannot be counted."""
        away = {host for host in self.meter.hosts() if not isinstance(found.get(("host", host)), tuple)}
        for (kind, host), result in found.items():
            if kind == "traffic" and not isinstance(result, Exception):
                self._uncounted.discard(host)
            elif kind == "traffic" and isinstance(result, Fault) and host not in self._uncounted | away:
                self._uncounted.add(host)
                self.incidents.report(result, during=f"counting the traffic of {host}")

    async def _count(self, host: str, machines: Collection[Machine]) -> TrafficReading:
        return await self.meter.traffic(host, [machine.name for machine in machines if machine.host == host])

    async def _read(self, host: str) -> tuple[float, HostReading]:
        reading = await self.meter.read(host)
        return self.clock.monotonic(), reading

    async def _look(self, machine: Machine) -> _Look:
        info = await self.hypervisor.inspect(machine)
        usage = None
        if info.state.is_up:
            with suppress(ShipboardError):  # it ended meanwhile, or cannot be measured: its state is known
                usage = await self.hypervisor.usage(machine)
        return _Look(self.clock.monotonic(), info.state, (info.pid, info.since), usage)

    def _host(
        self, name: str, found: Mapping[Key, object], traffic: Mapping[Key, Growth]
    ) -> HostSample | None:
        read, grown = found.get(("host", name)), traffic.get(("host", name), Growth())
        if not isinstance(read, tuple):
            return None
        at, now = read
        before, self._hosts[name] = self._hosts.get(name), (at, now)
        cpu = share_of_processor(before[1].cpu_seconds, now.cpu_seconds, at - before[0]) if before else None
        return HostSample(
            name=name,
            cpus=now.cpus,
            cpu=cpu,
            load=now.load[0],
            memory_total=now.memory_total,
            memory_used=now.memory_total - now.memory_available,
            swap_total=now.swap_total,
            swap_used=now.swap_used,
            disk_total=now.disk_total,
            disk_used=now.disk_total - now.disk_free,
            pressure=now.pressure,
            received=grown.received,
            sent=grown.sent,
        )

    def _machine(
        self, machine: Machine, found: Mapping[Key, object], traffic: Mapping[Key, Growth]
    ) -> MachineSample:
        key = ("machine", machine.name)
        look, grown = found.get(key), traffic.get(key, Growth())
        sample = MachineSample(
            name=machine.name, host=machine.host, state=None, received=grown.received, sent=grown.sent
        )
        if not isinstance(look, _Look):
            return sample
        if look.usage is None:
            return replace(sample, state=look.state)
        before, self._machines[machine.name] = self._machines.get(machine.name), look
        used, then = look.usage, before.usage if before else None
        same = before is not None and then is not None and before.life[0] == look.life[0]
        return replace(
            sample,
            state=look.state,
            cpu=share_of_processor(then.cpu_seconds, used.cpu_seconds, look.at - before.at)
            if before and then and same
            else None,
            memory=used.memory_bytes,
            disk=used.disk_bytes,
        )


def _uplink(host: str, found: Mapping[Key, object]) -> Counter | None:
    """Return the counter of a host's uplink; None where it is not known, or the host is not."""
    reading = found.get(("traffic", host))
    if not isinstance(reading, TrafficReading) or ("host", host) not in found:
        return None
    return reading.uplink or ABSENT


def _counter(machine: Machine, found: Mapping[Key, object], *, metered: bool) -> Counter | None:
    """Return a machine's counter, the meter's before the hypervisor's; None where it is not known."""
    reading = found.get(("traffic", machine.host)) if metered else TrafficReading()
    if not isinstance(reading, TrafficReading):
        return None
    look = found.get(("machine", machine.name))
    return reading.machines.get(machine.name) or (look.counter() if isinstance(look, _Look) else None)


async def _outcome(work: Awaitable[object]) -> object:
    """Return what a work returned, or raised."""
    try:
        return await work
    except Exception as error:  # noqa: BLE001 - told by the caller, who still measures the others
        return error
