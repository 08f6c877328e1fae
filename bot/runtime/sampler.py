"""Measures all hosts and machines every 10 s, tells who watches, and writes down each minute.

A tick that comes late is left out, never queued. Whoever does not answer in time delays nobody: it counts as
silent, and is not asked again before it has answered.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Self

from bot.coop.machines import Machine, MachineState, Usage
from bot.coop.samples import HostSample, MachineSample, Tick, grown, share_of_processor
from bot.core.crew import World
from bot.core.invoke import within
from bot.errors import Fault, ShipboardError, StoreFault
from bot.ports import Clock, History, HostReading, Hypervisor, Incidents, Meter, Minute, Roster, Slot
from bot.runtime.minutes import Minutes

TICK_SECONDS = 10.0
LIMIT_SECONDS = 5.0
"""How long a host or a machine may take to be measured."""

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Look:
    """What a machine was like when it was looked at, at `at` by the monotonic clock."""

    at: float
    state: MachineState
    life: tuple[int | None, datetime | None] = (None, None)
    usage: Usage | None = None


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
        found = await self._measure(works)
        tick = Tick(
            self.clock.now(),
            0.0 if self._last is None else began - self._last,
            {name: self._host(name, found.get(("host", name))) for name in hosts},
            {one.name: self._machine(one, found.get(("machine", one.name))) for one in machines},
        )
        self._last = began
        self.history.put(tick)
        self._machines = {name: look for name, look in self._machines.items() if name in tick.machines}
        rows = self._minutes.add(tick)
        await self.pulse(tick)
        await self._record(rows, tick, {machine.name: machine.owner for machine in machines})
        self.seconds = self.clock.monotonic() - began
        return tick

    async def _record(self, rows: Mapping[Key, Slot], tick: Tick, owners: Mapping[str, str | None]) -> None:
        if rows:
            try:
                await self.history.record(Minute(rows, owners), int(tick.at.timestamp()))
            except StoreFault as error:  # whoever watches goes on without the history
                self.incidents.report(error, during="writing down what was measured")

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
        return {key: result for key, result in found.items() if not isinstance(result, Exception)}

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

    def _host(self, name: str, found: object) -> HostSample | None:
        if not isinstance(found, tuple):
            return None
        at, now = found
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
        )

    def _machine(self, machine: Machine, look: object) -> MachineSample:
        if not isinstance(look, _Look):
            return MachineSample(name=machine.name, host=machine.host, state=None)
        if look.usage is None:
            return MachineSample(name=machine.name, host=machine.host, state=look.state)
        before, self._machines[machine.name] = self._machines.get(machine.name), look
        used, then = look.usage, before.usage if before else None
        same = before is not None and then is not None and before.life[0] == look.life[0]
        return MachineSample(
            name=machine.name,
            host=machine.host,
            state=look.state,
            cpu=share_of_processor(then.cpu_seconds, used.cpu_seconds, look.at - before.at)
            if before and then and same
            else None,
            memory=used.memory_bytes,
            disk=used.disk_bytes,
            received=grown(then.received, used.received) if then else 0,
            sent=grown(then.sent, used.sent) if then else 0,
        )


async def _outcome(work: Awaitable[object]) -> object:
    """Return what a work returned, or raised."""
    try:
        return await work
    except Exception as error:  # noqa: BLE001 - told by the caller, who still measures the others
        return error
