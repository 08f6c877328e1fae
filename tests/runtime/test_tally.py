"""Bytes from counters to rows: each once, whatever becomes of interfaces, hosts and the bot itself."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import Machine, MachineSample, MachineState, Slot, Tick
from bot.coop.machines import Usage
from bot.coop.traffic import ABSENT, WRAP, Counter, Traffic, grown
from bot.errors import HypervisorFault
from bot.hypervisors.fake import FakeHypervisor
from bot.meters.fake import FakeMeter
from bot.ports import TrafficReading
from bot.runtime.minutes import Minutes
from bot.runtime.sampler import MOST_UNWRITTEN, TICK_SECONDS, Sampler
from bot.runtime.tally import LINK, MOST_WRAPPED, Growth, Tally
from bot.store.database import SqliteStore
from bot.store.history import SqlHistory
from bot.testing import START, FakeClock, FakeIncidents, settle
from tests.watched import Pages, Roll

FORD = ("host", "ford")
ONE = ("machine", "ford-1")
MACHINE = Machine("ford-1", "ford", "alice")


@pytest.mark.parametrize(
    ("before", "now", "most", "found"),
    [
        (None, Counter("a", 5, 6), 0, (0, 0)),
        (Counter("a", 5, 6), None, 0, (0, 0)),
        (Counter("a", 5, 6), Counter("a", 7, 6), 0, (2, 0)),
        (Counter("a", 5, 6), Counter("b", 7, 1), 0, (7, 1)),
        (Counter("a", 5, 6), Counter("a", 3, 9), 0, (3, 3)),
        (Counter("a", WRAP - 10, WRAP - 10), Counter("a", 5, WRAP - 4), 100, (15, 6)),
        (Counter("a", WRAP - 10, 0), Counter("a", 95, 0), 100, (95, 0)),
        (Counter("a", WRAP, 0), Counter("a", 5, 0), 2.0**40, (5, 0)),
        (ABSENT, Counter("if:x 3", 7, 1), 0, (7, 1)),
        (Counter("if:x 3", 5, 6), ABSENT, 0, (0, 0)),
        (Counter("if:x 3", 5, 6), Counter("if:x 4", 7, 8), 0, (7, 8)),
        (Counter("if:x 3", 5, 6), Counter("nft:x 1.2.3", 10**9, 8), 0, (0, 0)),
        (Counter("nft:x 1.2.3", 5, 6), Counter("if:x 3", 10**9, 8), 0, (0, 0)),
    ],
)
def test_a_counter_grows_by_what_is_new(
    before: Counter | None, now: Counter | None, most: float, found: tuple[int, int]
) -> None:
    assert grown(before, now, most) == found
    assert Traffic("host", "ford", None, *found).total == sum(found)


class Counting(FakeHypervisor):
    """A hypervisor that counts its machines' bytes itself."""

    counted: tuple[int, int] | None = None

    async def usage(self, machine: Machine) -> Usage:
        usage = await super().usage(machine)
        return replace(usage, received=self.counted[0], sent=self.counted[1]) if self.counted else usage


class Ward:
    """A host and a machine that are played, and a bot that measures them."""

    def __init__(self, start: datetime = START) -> None:
        self.clock, self.incidents, self.pages = FakeClock(start), FakeIncidents(), Pages()
        self.meter, self.hypervisor = FakeMeter(("ford",), self.clock), Counting("ford", self.clock)
        self.roll = Roll((MACHINE,))
        self.restart()

    def restart(self) -> None:
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
        self.tick_heard = tick

    async def tick(self, counter: Counter | None = None, times: int = 1) -> MachineSample:
        self.meter.set_traffic("ford-1", counter)
        for _ in range(times):
            await self.clock.advance(TICK_SECONDS)
            await self.sampler.tick()
        return self.tick_heard.machines["ford-1"]

    async def minute(self, counter: Counter | None) -> None:
        await self.tick(counter, times=6)


async def test_a_tap_that_is_there_from_the_first_begins_with_what_it_shows() -> None:
    ward = Ward()
    assert (await ward.tick(Counter("if:b 3", 10**9, 5))).received == 0
    assert (await ward.tick(Counter("if:b 3", 10**9 + 50, 5))).received == 50


async def test_a_tap_that_was_seen_gone_and_comes_back_is_new_whatever_it_shows() -> None:
    ward = Ward()
    await ward.tick(None)
    assert (await ward.tick(Counter("if:b 3", 700, 5))).received == 700
    await ward.tick(None)
    assert (await ward.tick(Counter("if:b 4", 900, 5))).received == 900
    assert (await ward.tick(Counter("if:b 5", 1000, 2))).sent == 2


async def test_the_uplink_is_counted_and_not_turned_round() -> None:
    ward = Ward()
    for received in (100, 350):
        ward.meter.set_uplink("ford", Counter("if:b 2", received, 7))
        await ward.tick()
    host = ward.tick_heard.hosts["ford"]
    assert host
    assert (host.received, host.sent) == (250, 0)
    await ward.tick(times=6)
    assert ward.pages.bytes(FORD) == (250, 0)
    assert ward.pages.slots(FORD)[0].rate_peak == 25


async def test_what_passed_while_the_host_was_silent_comes_with_its_next_answer_and_makes_no_peak() -> None:
    ward = Ward()
    ward.meter.set_uplink("ford", Counter("if:b 2", 0, 0))
    await ward.minute(Counter("if:b 3", 0, 0))
    ward.meter.fail("ford")
    assert (await ward.tick(Counter("if:b 3", 1000, 0), times=9)).received == 0
    ward.meter.set("ford")
    ward.meter.set_uplink("ford", Counter("if:b 2", 2000, 0))
    assert (await ward.tick(Counter("if:b 3", 1000, 0))).received == 1000
    await ward.minute(Counter("if:b 3", 1000, 0))
    assert (ward.pages.bytes(ONE), ward.pages.bytes(FORD)) == ((1000, 0), (2000, 0))
    assert max(slot.rate_peak for slot in ward.pages.slots(ONE)) == 10
    assert max(slot.rate_peak for slot in ward.pages.slots(FORD)) == 20
    assert ward.incidents.reported == []


async def test_a_restart_loses_no_byte_doubles_none_and_makes_no_peak() -> None:
    ward = Ward()
    received = 0
    for run in range(4):
        for _ in range(11 + run):  # it dies at any second of a minute
            received += 1000
            await ward.tick(Counter("if:b 3", received, 0))
        received += 10**9  # while no bot is there
        ward.restart()
    await ward.minute(Counter("if:b 3", received, 0))
    await ward.minute(Counter("if:b 3", received, 0))
    assert ward.pages.bytes(ONE)[0] == received - 1000
    assert {slot.rate_peak for slot in ward.pages.slots(ONE)} == {0, 100}


async def test_a_tap_made_while_no_bot_was_there_is_new_where_the_last_one_saw_it_gone() -> None:
    ward = Ward()
    await ward.minute(None)
    await ward.minute(None)
    ward.restart()
    assert (await ward.tick(Counter("if:b 3", 700, 5))).received == 700


async def test_a_host_that_booted_anew_counts_from_nothing() -> None:
    ward = Ward()
    await ward.tick(Counter("if:b1 3", 500, 0))
    assert (await ward.tick(Counter("if:b2 3", 800, 0))).received == 800


async def test_a_counter_of_32_bits_may_wrap_within_a_tick_but_not_after_an_unknown_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "shipboard.traffic")
    ward = Ward()
    await ward.minute(Counter("if:b 3", WRAP - 100, 0))
    assert (await ward.tick(Counter("if:b 3", 50, 0))).received == 150
    assert (await ward.tick(Counter("if:b 3", 20, 0))).received == 20
    await ward.minute(Counter("if:b 3", WRAP - 100, 0))
    await ward.tick(Counter("if:b 3", WRAP - 100, 0))
    ward.restart()
    assert (await ward.tick(Counter("if:b 3", 50, 0))).received == 50
    assert TICK_SECONDS * LINK < MOST_WRAPPED < WRAP
    assert [line.getMessage()[:14] for line in caplog.records] == ["machine ford-1"] * 3


async def test_a_hypervisor_that_counts_is_believed_where_the_meter_has_nothing() -> None:
    ward = Ward()
    await ward.tick()
    await ward.hypervisor.start(MACHINE)
    ward.hypervisor.counted = (100, 10)
    assert (await ward.tick()).received == 100
    ward.hypervisor.counted = (150, 11)
    assert (await ward.tick()).received == 50
    await ward.hypervisor.reboot(MACHINE)
    ward.hypervisor.counted = (200, 12)
    assert (await ward.tick()).received == 200
    ward.hypervisor.fail_next("usage")
    assert (await ward.tick()).received == 0
    ward.hypervisor.counted = (260, 12)
    assert (await ward.tick()).received == 60
    assert (await ward.tick(Counter("if:b 3", 10**9, 0))).received == 0
    assert (await ward.tick(Counter("if:b 3", 10**9 + 7, 0))).received == 7


async def test_the_last_bytes_of_a_machine_that_is_down_are_in_a_row_without_samples() -> None:
    ward = Ward()
    await ward.minute(Counter("if:b 3", 0, 0))
    await ward.tick(Counter("if:b 3", 70, 7))
    await ward.minute(Counter("if:b 3", 70, 7))
    (slot,) = ward.pages.slots(ONE)
    assert (slot.samples, slot.received, slot.sent, slot.memory) == (0, 70, 7, 0)


async def test_a_machine_that_was_deleted_keeps_its_rows_and_its_name_begins_anew() -> None:
    ward = Ward()
    await ward.minute(Counter("if:b 3", 10, 0))
    await ward.tick(Counter("if:b 3", 90, 0))
    ward.roll.all = ()
    ward.meter.set_traffic("ford-1", None)
    for _ in range(6):
        await ward.clock.advance(TICK_SECONDS)
        await ward.sampler.tick()
    assert ward.pages.bytes(ONE) == (80, 0)
    assert ward.pages.minutes[-1].owners == {}
    ward.roll.all = (MACHINE,)
    assert (await ward.tick(Counter("if:b 3", 95, 0))).received == 0


class Torn(FakeMeter):
    """A meter whose counters cannot be read, while its hosts can."""

    torn = True

    async def traffic(self, host: str, machines: Sequence[str]) -> TrafficReading:
        if self.torn:
            raise HypervisorFault("nft talks nonsense")
        return await super().traffic(host, machines)


async def test_counters_that_cannot_be_read_are_told_once_and_counted_later() -> None:
    ward = Ward()
    await ward.tick(Counter("nft:b 3", 10, 0))
    whole, torn = ward.meter, Torn(("ford",), ward.clock)
    for torn.torn in (True, False, True):
        ward.meter = ward.sampler.meter = torn
        sample = await ward.tick(Counter("nft:b 3", 90, 0), times=3)
        assert sample.state is MachineState.STOPPED
    assert [during for _, during, _ in ward.incidents.reported] == ["counting the traffic of ford"] * 2
    ward.meter = ward.sampler.meter = whole
    assert (await ward.tick(Counter("nft:b 3", 100, 0))).received == 10
    await ward.minute(Counter("nft:b 3", 100, 0))
    assert ward.pages.bytes(ONE) == (90, 0)


class Slow(FakeMeter):
    """A meter that never tells its counters."""

    asked = 0

    async def traffic(self, host: str, machines: Sequence[str]) -> TrafficReading:
        self.asked += 1
        await asyncio.Event().wait()
        return await super().traffic(host, machines)


async def test_counters_that_are_never_told_delay_one_tick_and_break_nothing() -> None:
    ward = Ward()
    slow = ward.sampler.meter = Slow(("ford",), ward.clock)
    await ward.hypervisor.start(MACHINE)
    for _ in range(3):
        going = asyncio.create_task(ward.sampler.tick())
        await settle()
        await ward.clock.advance(TICK_SECONDS)
        assert (await going).hosts["ford"]
    assert slow.asked == 1


async def test_minutes_that_could_not_be_written_are_written_later() -> None:
    ward = Ward()
    await ward.tick(Counter("if:b 3", 0, 0))
    ward.pages.broken = True
    for number in range(1, 13):
        await ward.tick(Counter("if:b 3", number * 10, 0))
    assert ward.pages.minutes == []
    ward.pages.broken = False
    await ward.minute(Counter("if:b 3", 120, 0))
    await ward.minute(Counter("if:b 3", 120, 0))
    assert ward.pages.bytes(ONE) == (120, 0)
    ward.pages.broken = True
    await ward.tick(Counter("if:b 3", 120, 0), times=6 * (MOST_UNWRITTEN + 5))
    ward.pages.broken = False
    before = len(ward.pages.minutes)
    await ward.minute(Counter("if:b 3", 120, 0))
    assert len(ward.pages.minutes) - before == MOST_UNWRITTEN


async def test_counters_of_before_that_cannot_be_read_are_asked_for_again() -> None:
    ward = Ward()
    await ward.minute(Counter("if:b 3", 10, 0))
    await ward.tick(Counter("if:b 3", 10, 0))
    ward.restart()
    ward.pages.broken = True
    assert (await ward.tick(Counter("if:b 3", 50, 0))).received == 0
    ward.pages.broken = False
    assert (await ward.tick(Counter("if:b 3", 60, 0))).received == 50
    assert [during for _, during, _ in ward.incidents.reported] == ["reading what was counted before"]


def ticked(at: int) -> Tick:
    return Tick(datetime.fromtimestamp(at, UTC), 10.0, {}, {})


@given(st.lists(st.tuples(st.integers(0, 10**12), st.integers(0, 10**12)), min_size=1, max_size=40))
def test_the_rows_of_minutes_hold_every_byte(traffic: list[tuple[int, int]]) -> None:
    minutes, rows = Minutes(), list[Slot]()
    for number, (received, sent) in enumerate(traffic):
        rows += minutes.add(ticked(number * 10), {ONE: Growth(received, sent, 10.0)}).values()
    rows += minutes.add(ticked(10**6), {}).values()
    assert sum(row.received for row in rows) == sum(received for received, _ in traffic)
    assert sum(row.sent for row in rows) == sum(sent for _, sent in traffic)
    peak = max(round(max(pair) / 10) for pair in traffic)
    assert max((row.rate_peak for row in rows), default=0) == peak
    assert all(row.samples == 0 and row.at % 60 == 0 for row in rows)


@given(
    st.lists(st.tuples(st.sampled_from(("grows", "made anew", "gone")), st.integers(0, 10**9)), max_size=30)
)
def test_a_tally_counts_all_lives_of_an_interface(steps: list[tuple[str, int]]) -> None:
    tally, life, shown = Tally.of({ONE: Counter("if:b 0", 0, 0)}), 0, 0
    for at, (deed, amount) in enumerate(steps):
        life, shown = (life, shown + amount) if deed == "grows" else (life + 1, amount)
        now = ABSENT if deed == "gone" else Counter(f"if:b {life}", shown, 0)
        assert tally.take(ONE, now, float(at)).received == (0 if deed == "gone" else amount)
        shown = 0 if deed == "gone" else shown
        tally = Tally.of(tally.counters()) if amount % 2 else tally
    assert tally.take(ONE, Counter(f"if:b {life + 1}", 5, 0), 99.0).received == 5


async def test_a_month_that_ends_with_all_that_can_happen_is_counted_to_the_byte(tmp_path: Path) -> None:
    month = datetime(2026, 12, 1, tzinfo=UTC)
    ward, passed = Ward(month - timedelta(minutes=9)), 0
    start = int(ward.clock.now().timestamp()) // 60 * 60
    store = await SqliteStore.open(tmp_path / "shipboard.db", ward.clock)
    history = ward.sampler.history = SqlHistory(store)
    for number in range(6 * 20):
        passed += number * 1000
        if number == 30:
            ward.roll.all = (replace(MACHINE, owner="bob"),)
        if number == 50:  # it is killed in the middle of a minute, and back two minutes later
            ward.restart()
            ward.sampler.history = history
            await ward.clock.advance(120)
        if number == 90:
            ward.roll.all = ()
        ward.meter.set_traffic("ford-1", Counter("if:b 3", passed, 0))
        await ward.clock.advance(TICK_SECONDS)
        await ward.sampler.tick()
    until = int(ward.clock.now().timestamp()) // 60 * 60
    found = await history.traffic(start, until)
    machine = {one.owner: one.received for one in found if one.kind == "machine"}
    assert set(machine) == {"alice", "bob"}
    assert sum(machine.values()) == sum(n * 1000 for n in range(1, 90))
    bound = int(month.timestamp())
    november, december = await history.traffic(start, bound), await history.traffic(bound, until)
    assert [one.owner for one in november] == [None, "alice", "bob"]
    assert [one.owner for one in december] == [None, "bob"]
    assert sum(one.total for one in (*november, *december)) == sum(one.total for one in found)
    await store.close()
