"""The schedule by a clock that is put where the test wants it: what comes, when, and how often."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot import (
    CatchUp,
    Conflict,
    Due,
    NotFound,
    Notice,
    Outcome,
    Place,
    Plan,
    Reply,
    Scheduled,
    ScheduleState,
)
from bot.runtime.scheduler import BEAT_SECONDS, CHUNK, FAILURES, FIRST_RETRY, Scheduler
from bot.store.agenda import SqlAgenda
from bot.store.database import SqliteStore
from bot.testing import FakeClock, FakeIncidents, settle

ROOM = Place("oftc", "#ford")
HOUR = 3600.0


def utc(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


async def speak(entry: Scheduled, due: Due) -> Outcome:
    late = f" late {due.late_seconds:.0f}" if due.late_seconds else ""
    return Outcome(Reply((f"{entry.number}: {due.due_utc:%d %H:%M}{late}",)))


@dataclass
class Hand:
    """The handlers: of one kind, which does what the test wants."""

    does: Callable[[Scheduled, Due], Awaitable[Outcome]] = speak
    calls: int = 0

    @property
    def kinds(self) -> Collection[str]:
        return ("posts post",)

    async def __call__(self, entry: Scheduled, due: Due) -> Outcome:
        self.calls += 1
        return await self.does(entry, due)


@dataclass
class Bell:
    """An alarm that only remembers; `broken` is what it raises when it is woken."""

    at: list[datetime | None] = field(default_factory=list)
    broken: Exception | None = None

    def set(self, instant: datetime | None) -> None:
        self.at.append(instant)

    def wake(self) -> None:
        if self.broken:
            raise self.broken


@dataclass
class Rig:
    """A schedule on a folder; `restart` makes another one on the same."""

    path: Path
    clock: FakeClock
    hand: Hand = field(default_factory=Hand)
    incidents: FakeIncidents = field(default_factory=FakeIncidents)

    async def open(self) -> None:
        self.store = await SqliteStore.open(
            self.path, self.clock, rooms_of=lambda _: (Place("oftc", "#admins"),)
        )
        self.agenda = SqlAgenda(self.store, self.clock)
        self.scheduler = Scheduler(
            agenda=self.agenda,
            store=self.store,
            handlers=self.hand,
            clock=self.clock,
            incidents=self.incidents,
        )
        self.clock.alarm = self.scheduler

    async def close(self) -> None:
        self.clock.alarm = None
        await self.store.close()

    async def down(self, seconds: float) -> None:
        """Be away for so long."""
        await self.close()
        await self.clock.advance(seconds)
        await self.open()
        await self.scheduler.turn()

    async def add(
        self,
        when: str,
        *,
        zone: str = "UTC",
        catch_up: CatchUp = CatchUp.ONCE,
        most: int = 5,
        grace: float = 60.0,
        owner: str | None = None,
    ) -> int:
        plan = Plan(
            plugin="posts",
            kind="post",
            when=when,
            zone=zone,
            owner=owner,
            where=(ROOM,),
            catch_up=catch_up,
            most=most,
            grace=grace,
        )
        return await self.store.write(lambda tx: self.agenda.add(tx, plan))

    async def heard(self, to: str = "room oftc/#ford") -> list[str]:
        rows = await self.store.read(
            lambda db: list(db.query("SELECT lines FROM outbox WHERE destination = ? ORDER BY id", [to]))
        )
        await self.store.write(lambda tx: tx.db.execute("DELETE FROM outbox WHERE destination = ?", [to]))
        return [line for row in rows for line in json.loads(row["lines"])]

    async def admins(self) -> list[str]:
        return await self.heard("room oftc/#admins")


Make = Callable[[str], Awaitable[Rig]]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    made: list[Rig] = []

    async def at(start: str) -> Rig:
        rig = Rig(tmp_path / "x.db", FakeClock(utc(start)))
        await rig.open()
        made.append(rig)
        return rig

    yield at
    for rig in made:
        await rig.close()


@pytest.mark.parametrize(
    ("zone", "start", "when", "expected"),
    [
        (
            "Europe/Berlin",
            "2027-03-26T12:00",
            "every day 00:00",
            ["26 23:00", "27 23:00", "28 22:00", "29 22:00"],
        ),
        (
            "Europe/Berlin",
            "2027-03-26T12:00",
            "every day 02:30",
            ["27 01:30", "28 01:00", "29 00:30", "30 00:30"],
        ),
        (
            "Europe/Berlin",
            "2027-10-29T12:00",
            "every day 00:00",
            ["29 22:00", "30 22:00", "31 23:00", "01 23:00"],
        ),
        (
            "Europe/Berlin",
            "2027-10-29T12:00",
            "every day 02:30",
            ["30 00:30", "31 00:30", "01 01:30", "02 01:30"],
        ),
        (
            "America/New_York",
            "2027-03-12T12:00",
            "every day 00:00",
            ["13 05:00", "14 05:00", "15 04:00", "16 04:00"],
        ),
        (
            "America/New_York",
            "2027-03-12T12:00",
            "every day 02:30",
            ["13 07:30", "14 07:00", "15 06:30", "16 06:30"],
        ),
        (
            "America/New_York",
            "2027-11-05T12:00",
            "every day 00:00",
            ["06 04:00", "07 04:00", "08 05:00", "09 05:00"],
        ),
        (
            "America/New_York",
            "2027-11-05T12:00",
            "every day 01:30",
            ["06 05:30", "07 05:30", "08 06:30", "09 06:30"],
        ),
    ],
)
async def test_each_day_comes_once_over_both_changes_of_the_clock(
    make: Make, zone: str, start: str, when: str, expected: list[str]
) -> None:
    rig = await make(start)
    await rig.add(when, zone=zone)
    await rig.clock.advance(4 * 24 * HOUR)
    assert await rig.heard() == [f"1: {due}" for due in expected]


@pytest.mark.parametrize(
    ("catch_up", "most", "grace", "expected"),
    [
        (CatchUp.SKIP, 5, 60, []),
        (CatchUp.SKIP, 5, 600, ["1: 22 15:00"]),
        (CatchUp.ONCE, 5, 60, ["1: 22 15:00 late 300"]),
        (CatchUp.EACH, 3, 60, ["1: 22 14:40 late 1500", "1: 22 14:50 late 900", "1: 22 15:00 late 300"]),
        (
            CatchUp.EACH,
            100,
            600,
            [f"1: 22 {12 + n // 6:02}:{n % 6}0 late {11100 - n * 600}" for n in range(1, 17)]
            + ["1: 22 14:50 late 900", "1: 22 15:00"],
        ),
    ],
)
async def test_three_hours_away(
    make: Make, catch_up: CatchUp, most: int, grace: float, expected: list[str]
) -> None:
    rig = await make("2026-11-22T12:00")
    await rig.add("every 10 min", catch_up=catch_up, most=most, grace=grace)
    await rig.down(3 * HOUR + 300)
    assert await rig.heard() == expected
    await rig.clock.advance(300)
    assert await rig.heard() == ["1: 22 15:10"]


async def test_a_year_away_is_as_quickly_caught_up(make: Make) -> None:
    rig = await make("2026-11-22T12:00")
    await rig.add("every 1 min", catch_up=CatchUp.EACH, most=2)
    await rig.down(365 * 24 * HOUR + 30)
    assert await rig.heard() == ["1: 22 11:59 late 90", "1: 22 12:00"]


async def test_one_that_comes_once_comes_late_and_is_gone(make: Make) -> None:
    rig = await make("2026-11-22T12:00")
    number = await rig.add("in 1h")
    await rig.down(3 * HOUR)
    assert await rig.heard() == ["1: 22 13:00 late 7200"]
    with pytest.raises(NotFound, match="There is no 1 in the schedule"):
        await rig.agenda.show(number)
    await rig.down(3 * HOUR)
    assert await rig.heard() == []


async def beating(rig: Rig, bell: Bell) -> list[asyncio.Task[None]]:
    """Start what goes on in a ship."""
    rig.clock.alarm = None
    tasks = [asyncio.create_task(rig.scheduler.run(bell)), asyncio.create_task(rig.scheduler.beat(bell))]
    rig.agenda.on_change(rig.scheduler.poke)
    return tasks


async def until(wanted: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something that threads do."""
    async with asyncio.timeout(20):
        while not await wanted():  # noqa: ASYNC110 - a thread's commit sets no event here
            await asyncio.sleep(0)


async def end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_the_clock_is_put_forward_by_an_hour(make: Make) -> None:
    rig, bell = await make("2026-11-22T12:00"), Bell(broken=RuntimeError("dead"))
    await rig.add("every day 12:30")
    tasks = await beating(rig, bell)
    await until(lambda: _set_to(bell, "2026-11-22T12:30"))
    await until(lambda: _sleeps(rig))
    rig.clock.put(HOUR)
    await rig.clock.advance(BEAT_SECONDS)
    await until(lambda: _set_to(bell, "2026-11-23T12:30"))
    assert await rig.heard() == ["1: 22 12:30 late 1815"]
    await until(lambda: _told(rig, "The clock was put forward by 1 h, or this machine slept"))
    assert [str(cause) for cause, _, _ in rig.incidents.reported] == ["dead"]
    await end(tasks)


async def test_the_clock_is_put_back_by_an_hour(make: Make) -> None:
    rig, bell = await make("2026-11-22T12:00"), Bell()
    await rig.add("every 15 min")
    await rig.clock.advance(1.5 * HOUR)
    assert len(await rig.heard()) == 6
    tasks = await beating(rig, bell)
    await until(lambda: _sleeps(rig))
    rig.clock.put(-HOUR)
    await rig.clock.advance(BEAT_SECONDS)
    await until(lambda: _set_to(bell, "2026-11-22T12:45"))
    await until(lambda: _told(rig, "The clock was put back by 1 h"))
    await end(tasks)
    calls = rig.hand.calls
    rig.clock.alarm = rig.scheduler
    await rig.clock.advance(HOUR)
    assert (await rig.heard(), rig.hand.calls) == ([], calls)
    await rig.clock.advance(900)
    assert await rig.heard() == ["1: 22 13:45"]


async def _set_to(bell: Bell, instant: str) -> bool:
    return bool(bell.at) and bell.at[-1] == utc(instant)


async def _sleeps(rig: Rig) -> bool:
    return rig.clock.sleepers > 0


async def _told(rig: Rig, text: str) -> bool:
    return any(line.startswith(text) for line in await rig.admins())


async def test_what_is_added_is_known_at_once(make: Make) -> None:
    rig, bell = await make("2026-11-22T12:00"), Bell()
    tasks = await beating(rig, bell)
    await until(lambda: _rests(bell))
    await rig.add("in 1h")
    await until(lambda: _set_to(bell, "2026-11-22T13:00"))
    await end(tasks)
    assert bell.at[-1] == utc("2026-11-22T13:00")


async def _rests(bell: Bell) -> bool:
    return bool(bell.at) and bell.at[-1] is None


async def test_two_thousand_at_once_come_each_once_and_the_loop_turns(make: Make) -> None:
    rig, count = await make("2026-11-22T12:00"), 10 * CHUNK
    plan = Plan(plugin="posts", kind="post", when="every day 13:00", where=(ROOM,))
    await rig.store.write(lambda tx: [rig.agenda.add(tx, plan) for _ in range(count)])
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(turn())
    await rig.clock.advance(HOUR)
    await end([task])
    heard = await rig.heard()
    assert (len(heard), len(set(heard))) == (count, count)
    assert turns > count // CHUNK


async def test_what_fails_is_tried_again_ever_later_and_broken_at_last(make: Make) -> None:
    rig = await make("2026-11-22T12:00")
    number = await rig.add("every day 13:00", owner=None)

    async def fail(entry: Scheduled, due: Due) -> Outcome:
        raise ValueError(f"{entry.failures} {due.late_seconds:.0f}")

    rig.hand.does = fail
    await rig.clock.advance(HOUR)
    waited = 0.0
    for failures in range(1, FAILURES):
        entry = await rig.agenda.show(number)
        assert (entry.failures, entry.state) == (failures, ScheduleState.ACTIVE)
        waited += FIRST_RETRY * 2 ** (failures - 1)
        await rig.clock.advance(FIRST_RETRY * 2 ** (failures - 1))
    entry = await rig.agenda.show(number)
    assert (entry.state, entry.next_due) == (ScheduleState.BROKEN, None)
    assert [str(cause) for cause, _, _ in rig.incidents.reported] == ["0 0", "1 0", "2 180", "3 420", "4 900"]
    reason = "it failed 5 times in a row, the last time by ValueError: 4 900"
    assert await rig.admins() == [f"Schedule: post 1 is broken: {reason}"]
    rig.hand.does = speak
    await rig.store.write(lambda tx: rig.agenda.resume(tx, number))
    await rig.clock.advance(24 * HOUR)
    assert await rig.heard() == ["1: 23 13:00"]


async def test_one_failure_is_made_up_for(make: Make) -> None:
    rig = await make("2026-11-22T12:00")
    number = await rig.add("every 10 min", catch_up=CatchUp.EACH)

    async def once(entry: Scheduled, due: Due) -> Outcome:
        if due.due_utc == utc("2026-11-22T12:20") and not entry.failures:
            raise ValueError("not yet")
        return await speak(entry, due)

    rig.hand.does = once
    await rig.down(1800)
    assert await rig.heard() == ["1: 22 12:10 late 1200"]
    await rig.clock.advance(FIRST_RETRY)
    assert await rig.heard() == ["1: 22 12:20 late 660", "1: 22 12:30"]
    assert (await rig.agenda.show(number)).failures == 0


async def test_a_refusal_pauses_and_is_told(make: Make) -> None:
    rig = await make("2026-11-22T12:00")
    number = await rig.add("every day 13:00")

    async def refuse(_entry: Scheduled, due: Due) -> Outcome:
        raise Conflict(f"the room is gone at {due.due_utc:%H:%M}")

    rig.hand.does = refuse
    await rig.clock.advance(HOUR)
    assert await rig.admins() == ["Schedule: post 1 is paused: the room is gone at 13:00"]
    assert (await rig.agenda.show(number)).state is ScheduleState.PAUSED
    assert rig.incidents.reported == []


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("rule = 'every blue moon UTC'", "“blue”"),
        ("places = '[7]'", "its row cannot be read: 7 is no place"),
        ("since = 'then'", "its row cannot be read: 'then' is no instant"),
        ("owner = 'zed'", "zed is no member any more"),
    ],
)
async def test_a_broken_row_is_marked_and_told_and_the_others_come(
    make: Make, damage: str, reason: str
) -> None:
    rig = await make("2026-11-22T12:00")
    bad, good = await rig.add("every day 13:00"), await rig.add("every day 13:00")
    sql = f"UPDATE schedule SET {damage} WHERE number = ?"  # noqa: S608 - the damage is the test's
    await rig.store.write(lambda tx: tx.db.execute(sql, [bad]))
    await rig.clock.advance(HOUR)
    assert await rig.heard() == [f"{good}: 22 13:00"]
    (told,) = await rig.admins()
    assert told.startswith("Schedule: post 1")
    assert reason in told
    states = {entry.number: entry.state for entry in await rig.agenda.entries()}
    assert states == {bad: ScheduleState.BROKEN, good: ScheduleState.ACTIVE}


async def test_a_broken_row_is_found_when_all_is_worked_out_anew(make: Make) -> None:
    rig = await make("2026-11-22T12:00")
    for _ in range(3):
        await rig.add("every day 13:00")
    await rig.store.write(lambda tx: tx.db.execute("UPDATE schedule SET rule = 'x' WHERE number = 1"))
    await rig.store.write(lambda tx: tx.db.execute("UPDATE schedule SET places = '[7]' WHERE number = 2"))
    await rig.scheduler.recompute()
    assert len(await rig.admins()) == 2
    assert [entry.state.value for entry in await rig.agenda.entries()] == ["active", "broken", "broken"]


async def test_what_cannot_be_written_is_its_own_entrys_failure(make: Make) -> None:
    rig = await make("2026-11-22T12:00")
    await rig.add("every day 13:00")
    await rig.add("every day 13:00")

    async def impossible(entry: Scheduled, due: Due) -> Outcome:
        if entry.number == 1:
            return Outcome(notices=(Notice("admins", (7,)),))  # type: ignore[arg-type]  # a plugin's mistake
        return await speak(entry, due)

    rig.hand.does = impossible
    await rig.clock.advance(HOUR)
    assert await rig.heard() == ["2: 22 13:00"]
    assert [during for _, during, _ in rig.incidents.reported] == ["plugin posts: post 1"]
    assert (await rig.agenda.show(1)).failures == 1


async def test_a_slow_handler_holds_up_nobody_and_comes_when_it_is_ready(make: Make) -> None:
    rig, gate = await make("2026-11-22T12:00"), asyncio.Event()
    await rig.add("every day 13:00")
    await rig.add("every day 13:00")

    async def slow(entry: Scheduled, due: Due) -> Outcome:
        if entry.number == 1:
            await gate.wait()
        return await speak(entry, due)

    rig.hand.does = slow
    await rig.clock.advance(HOUR)
    assert await rig.heard() == ["2: 22 13:00"]
    await rig.clock.advance(300)
    (task,) = rig.scheduler.under_way.values()
    gate.set()
    await task
    assert await rig.heard() == ["1: 22 13:00"]
    assert rig.scheduler.under_way == {}


async def test_what_is_changed_while_its_handler_runs_says_nothing_old(make: Make) -> None:
    rig = await make("2026-11-22T12:00")
    number = await rig.add("every day 13:00")

    async def meanwhile(entry: Scheduled, due: Due) -> Outcome:
        await rig.store.write(lambda tx: rig.agenda.pause(tx, number))
        return await speak(entry, due)

    rig.hand.does = meanwhile
    await rig.clock.advance(HOUR)
    assert await rig.heard() == []
    assert (await rig.agenda.show(number)).state is ScheduleState.PAUSED


async def test_entries_of_a_plugin_that_is_not_there_wait_for_it(make: Make) -> None:
    rig = await make("2026-11-22T12:00")
    plan = Plan(plugin="gone", kind="post", when="every day 13:00", where=(ROOM,))
    await rig.store.write(lambda tx: rig.agenda.add(tx, plan))
    assert await rig.scheduler.soonest() is None
    await rig.clock.advance(2 * HOUR)
    (entry,) = await rig.agenda.entries()
    assert entry.next_due == utc("2026-11-22T13:00")


async def test_a_bot_that_ends_takes_its_slow_handlers_with_it(make: Make) -> None:
    rig, bell = await make("2026-11-22T12:00"), Bell()
    await rig.add("in 1h")

    async def forever(_entry: Scheduled, _due: Due) -> Outcome:
        await asyncio.Event().wait()
        raise AssertionError

    rig.hand.does = forever
    await rig.clock.advance(HOUR + timedelta(minutes=1).total_seconds())
    (task,) = rig.scheduler.under_way.values()
    tasks = await beating(rig, bell)
    await until(lambda: _rests(bell))
    await end(tasks)
    await settle()
    assert task.cancelled() or task.cancelling()
    await asyncio.gather(task, return_exceptions=True)
    assert len(await rig.agenda.entries()) == 1
