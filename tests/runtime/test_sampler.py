import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot import (
    HostReading,
    HostSample,
    Machine,
    MachineSample,
    MachineState,
    Tick,
)
from bot.coop.samples import share_of_processor
from bot.hypervisors.fake import FakeHypervisor
from bot.meters.fake import FakeMeter
from bot.meters.host import HostMeter
from bot.runtime.clock import SystemClock
from bot.runtime.sampler import LIMIT_SECONDS, TICK_SECONDS, Sampler
from bot.testing import START, Chat, FakeClock, FakeIncidents, settle
from tests.watched import Pages, Roll

FORD = tuple(Machine(f"ford-{number}", "ford", "alice") for number in range(1, 4))


class Ward:
    """A sampler whose world is fake, with all that it tells."""

    def __init__(self) -> None:
        self.clock, self.incidents, self.pages = FakeClock(), FakeIncidents(), Pages()
        self.meter, self.hypervisor = (
            FakeMeter(("ford", "zaphod"), self.clock),
            FakeHypervisor("ford", self.clock),
        )
        self.roll, self.ticks = Roll(FORD), list[Tick]()
        self.sampler = Sampler(
            meter=self.meter,
            hypervisor=self.hypervisor,
            roster=self.roll,  # type: ignore[arg-type]  # only its machines are asked for
            clock=self.clock,
            incidents=self.incidents,
            history=self.pages,
            pulse=self.hear,
        )

    async def hear(self, tick: Tick) -> None:
        self.ticks.append(tick)

    async def tick(self, seconds: float = TICK_SECONDS) -> Tick:
        await self.clock.advance(seconds)
        return await self.sampler.tick()


async def test_a_tick_measures_every_host_and_what_is_up() -> None:
    ward = Ward()
    await ward.hypervisor.start(FORD[0])
    first = await ward.tick()
    assert (first.at, first.seconds, set(first.hosts)) == (
        START + timedelta(seconds=10),
        0.0,
        {"ford", "zaphod"},
    )
    ford = first.hosts["ford"]
    assert ford
    assert (ford.cpu, ford.load, ford.memory_used, ford.disk_used) == (None, 0.1, 2 * 1024**3, 20 * 1024**3)
    ward.meter.set("ford", cpu_seconds=15.0, swap_total=100, swap_used=40)
    second = await ward.tick()
    assert second.seconds == 10
    assert second.hosts["ford"]
    assert (second.hosts["ford"].cpu, second.hosts["ford"].swap_used) == (150.0, 40)
    assert second.machines["ford-1"] == MachineSample(
        name="ford-1", host="ford", state=MachineState.RUNNING, cpu=1.0, memory=16 * 1024**2, disk=0
    )
    assert second.machines["ford-2"] == MachineSample(name="ford-2", host="ford", state=MachineState.STOPPED)
    assert ward.ticks == [first, second]
    assert ward.sampler.history.latest() == second


async def test_what_cannot_be_measured_is_told_apart_from_what_is_down() -> None:
    ward = Ward()
    await ward.hypervisor.start(FORD[0])
    ward.meter.fail("ford")
    ward.hypervisor.fail_next("inspect")
    tick = await ward.tick()
    assert tick.hosts["ford"] is None
    assert tick.hosts["zaphod"]
    assert [one.state for one in tick.machines.values()] == [None, MachineState.STOPPED, MachineState.STOPPED]
    ward.hypervisor.fail_next("usage")
    tick = await ward.tick()
    assert (tick.machines["ford-1"].state, tick.machines["ford-1"].memory) == (MachineState.RUNNING, None)
    assert ward.incidents.reported == []


async def test_what_should_never_happen_is_reported_and_the_others_are_measured() -> None:
    ward = Ward()
    ward.hypervisor.fail_next("inspect", ValueError("nonsense"))
    tick = await ward.tick()
    assert [one.state for one in tick.machines.values()] == [None, MachineState.STOPPED, MachineState.STOPPED]
    assert [(str(error), during) for error, during, _ in ward.incidents.reported] == [
        ("nonsense", "measuring machine ford-1")
    ]


class Deaf(FakeMeter):
    """A meter one of whose hosts does not answer before it is let."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(("ford", "zaphod"), clock)
        self.answers, self.asked = asyncio.Event(), 0

    async def read(self, host: str) -> HostReading:
        if host == "zaphod":
            self.asked += 1
            await self.answers.wait()
        return await super().read(host)


async def test_a_silent_host_delays_nobody_for_long_and_is_not_asked_twice_at_a_time() -> None:
    ward = Ward()
    deaf = ward.sampler.meter = Deaf(ward.clock)
    going = asyncio.create_task(ward.sampler.tick())
    await settle()
    assert not going.done()
    await ward.clock.advance(LIMIT_SECONDS)
    tick = await going
    assert (tick.hosts["zaphod"], bool(tick.hosts["ford"])) == (None, True)
    again = await ward.tick()
    assert (again.hosts["zaphod"], bool(again.hosts["ford"]), deaf.asked) == (None, True, 1)
    deaf.answers.set()
    await settle()
    assert (await ward.tick()).hosts["zaphod"]
    assert deaf.asked == 2


async def test_late_ticks_are_left_out_and_not_made_up_for() -> None:
    ward = Ward()
    going = asyncio.create_task(ward.sampler.run())
    await ward.clock.advance(20)
    assert [tick.at for tick in ward.ticks] == [START + timedelta(seconds=10 * number) for number in range(3)]
    deaf = ward.sampler.meter = Deaf(ward.clock)
    slow = asyncio.Event()

    async def dawdle(tick: Tick) -> None:
        ward.ticks.append(tick)
        await slow.wait()

    deaf.answers.set()
    ward.sampler.pulse = dawdle
    await ward.clock.advance(35)
    assert len(ward.ticks) == 4
    slow.set()
    await ward.clock.advance(6)
    assert ward.sampler.skipped == 2
    assert [tick.at - START for tick in ward.ticks[3:]] == [timedelta(seconds=30), timedelta(seconds=60)]
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going


async def test_a_machine_that_began_anew_has_no_share_yet_and_one_that_is_gone_is_forgotten() -> None:
    ward = Ward()
    await ward.hypervisor.start(FORD[0])
    await ward.tick()
    assert (await ward.tick()).machines["ford-1"].cpu == 1.0
    await ward.hypervisor.reboot(FORD[0])
    assert (await ward.tick()).machines["ford-1"].cpu is None
    assert (await ward.tick()).machines["ford-1"].cpu == 1.0
    ward.roll.all = FORD[1:]
    assert "ford-1" not in (await ward.tick()).machines
    ward.roll.all = FORD
    assert (await ward.tick()).machines["ford-1"].cpu is None


async def test_each_minute_becomes_one_row_a_subject() -> None:
    ward = Ward()
    await ward.hypervisor.start(FORD[0])
    for number in range(8):
        ward.meter.set("ford", cpu_seconds=number * 5.0, load=(float(number), 0.0, 0.0))
        await ward.tick()
    (page,) = (minute.slots for minute in ward.pages.minutes)
    assert set(page) == {("host", "ford"), ("host", "zaphod"), ("machine", "ford-1")}
    slot = page["host", "ford"]
    assert (slot.at, slot.samples, slot.cpu, slot.load_peak) == (int(START.timestamp()), 5, 50.0, 4.0)
    assert page["machine", "ford-1"].memory == 16 * 1024**2


async def test_a_history_that_cannot_be_written_stops_no_watch() -> None:
    ward = Ward()
    ward.pages.broken = True
    for _ in range(8):
        await ward.tick()
    assert len(ward.ticks) == 8
    assert [during for _, during, _ in ward.incidents.reported] == [
        "reading what was counted before",
        "writing down what was measured",
    ]


def test_no_share_is_told_of_a_processor_that_began_anew() -> None:
    assert share_of_processor(1.0, 3.0, 4.0) == 50.0
    assert share_of_processor(3.0, 1.0, 4.0) is None
    assert share_of_processor(1.0, 3.0, 0.0) is None


def test_the_busiest_are_named_first() -> None:
    one = MachineSample(name="a", host="ford", state=MachineState.RUNNING, cpu=10.0)
    machines = [
        one,
        replace(one, name="b", cpu=90.0),
        replace(one, name="c", cpu=None),
        replace(one, host="x"),
    ]
    tick = Tick(START, 10.0, {}, {f"{sample.host} {sample.name}": sample for sample in machines})
    assert [sample.name for sample in tick.busiest("ford", 5)] == ["b", "a"]
    assert [sample.name for sample in tick.busiest("ford", 1)] == ["b"]


async def test_ticks_come_in_conversations_and_are_kept(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, []) as chat:
        tick = await chat.ticks(8)
        assert isinstance(tick.hosts["ford"], HostSample)
        rows = await chat.sampler.history.series("host", "ford", 60, 0, 2**40)
        assert [(row.at, row.samples) for row in rows] == [(int(START.timestamp()), 5)]


async def test_a_tick_of_forty_machines_and_a_host_costs_little(tmp_path: Path) -> None:
    clock = SystemClock()
    hypervisor, machines = FakeHypervisor("ford", clock), [Machine(f"m{n}", "ford") for n in range(40)]
    for one in machines:
        await hypervisor.start(one)
    ward = Ward()
    ward.sampler.meter, ward.sampler.hypervisor = HostMeter({"ford": tmp_path}, clock), hypervisor
    ward.sampler.clock, ward.roll.all = clock, tuple(machines)
    await ward.sampler.tick()
    costs, tick = [], await ward.sampler.tick()
    for _ in range(10):
        before = time.process_time()
        tick = await ward.sampler.tick()
        costs.append(time.process_time() - before)
    assert sum(one.cpu is not None for one in tick.machines.values()) == 40
    assert min(costs) < 0.010
