import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from bot.coop.events import DayBegan, Event, IdentityBound, MachineChanged
from bot.coop.machines import MachineEventKind
from bot.core.registry import by_name
from bot.errors import PluginError
from bot.ports import Tx
from bot.store.database import SqliteStore
from bot.store.events import POLL_SECONDS, RETRIES, Dispatcher
from tests.store.conftest import DEADLINE, Complaints, HandClock

CRASH = MachineChanged(
    machine="ford-3",
    host="ford",
    kind=MachineEventKind.CRASHED,
    at=datetime(2026, 11, 22, 15, 2, 3, 4, tzinfo=UTC),
    text="panic \udc80 😀",
    tail=("one", "two"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginsOwn(Event):
    number: int
    maybe: str | None = None


@dataclass
class Handlers:
    """What events come to; `problem` is raised while it has turns left."""

    came: "asyncio.Queue[Event]" = field(default_factory=asyncio.Queue)
    problem: Callable[[], BaseException] = RuntimeError
    turns: int = 0

    async def dispatch(self, event: Event) -> None:
        self.came.put_nowait(event)
        if self.turns:
            self.turns -= 1
            raise self.problem()

    async def next(self) -> Event:
        return await asyncio.wait_for(self.came.get(), DEADLINE)


@pytest.fixture
def handlers() -> Handlers:
    return Handlers()


@pytest.fixture
def dispatcher(
    store: SqliteStore, handlers: Handlers, clock: HandClock, complaints: Complaints
) -> Dispatcher:
    classes = by_name([MachineChanged, IdentityBound, DayBegan, PluginsOwn])
    made = Dispatcher(
        store=store, dispatch=handlers.dispatch, classes=classes, clock=clock, incidents=complaints
    )
    store.after_commit(made.poke)
    return made


@pytest.fixture
async def running(dispatcher: Dispatcher) -> AsyncIterator[Dispatcher]:
    task = asyncio.create_task(dispatcher.run())
    yield dispatcher
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def send(store: SqliteStore, *events: Event) -> None:
    def put(tx: Tx) -> None:
        for event in events:
            tx.event(event)

    await store.write(put)


async def left(store: SqliteStore) -> int:
    return await store.read(lambda db: db.table("events").count)


async def test_events_come_back_as_they_were_and_in_order(
    store: SqliteStore, running: Dispatcher, handlers: Handlers
) -> None:
    bound = IdentityBound(member="alice", network="oftc", subject="alice", bound=True, by="bob")
    await send(store, CRASH, bound, PluginsOwn(number=3))
    came = [await handlers.next() for _ in range(3)]
    assert isinstance(came[0], MachineChanged)
    assert came[0].text == "panic ? 😀"
    assert (came[0].at, came[0].kind, came[0].tail) == (CRASH.at, CRASH.kind, CRASH.tail)
    assert came[1:] == [bound, PluginsOwn(number=3)]
    await running.drain()
    assert await left(store) == 0


async def test_events_of_a_rolled_back_deed_never_happened(
    store: SqliteStore, dispatcher: Dispatcher, handlers: Handlers
) -> None:
    def deed(tx: Tx) -> None:
        tx.event(DayBegan(date="2026-11-22"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.write(deed)
    await dispatcher.drain()
    assert handlers.came.empty()


@pytest.mark.parametrize("problem", [RuntimeError, asyncio.CancelledError])
async def test_a_handler_that_raises_gets_it_again_before_the_next(
    store: SqliteStore,
    running: Dispatcher,
    handlers: Handlers,
    complaints: Complaints,
    clock: HandClock,
    problem: type[BaseException],
) -> None:
    handlers.turns, handlers.problem = 1, lambda: problem("no")
    await send(store, PluginsOwn(number=1), PluginsOwn(number=2))
    assert await handlers.next() == PluginsOwn(number=1)
    await clock.asked_for(1.0)
    assert complaints.all == ["dispatch of event 1, PluginsOwn: no"]
    clock.advance(1)
    assert [await handlers.next(), await handlers.next()] == [PluginsOwn(number=1), PluginsOwn(number=2)]
    await running.drain()
    assert await left(store) == 0


async def test_an_event_is_dropped_after_its_retries(
    store: SqliteStore, running: Dispatcher, handlers: Handlers, complaints: Complaints, clock: HandClock
) -> None:
    handlers.turns = 99
    await send(store, PluginsOwn(number=1))
    for failures in range(RETRIES):
        await handlers.next()
        await clock.asked_for(2.0**failures)
        clock.advance(2.0**failures)
    await handlers.next()
    await clock.asked_for(POLL_SECONDS)
    assert await left(store) == 0
    assert complaints.all[-1].startswith("the last dispatch of event 1, PluginsOwn")
    assert len(complaints.all) == 1 + RETRIES
    handlers.turns = 0
    await send(store, PluginsOwn(number=2))
    assert await handlers.next() == PluginsOwn(number=2)
    assert running.classes


async def test_failures_are_counted_across_restarts(
    store: SqliteStore, dispatcher: Dispatcher, handlers: Handlers, clock: HandClock
) -> None:
    handlers.turns = 99
    await send(store, PluginsOwn(number=1))
    for failures in range(RETRIES):
        draining = asyncio.create_task(dispatcher.drain())
        await clock.asked_for(2.0**failures)
        draining.cancel()
        with pytest.raises(asyncio.CancelledError):
            await draining
    await dispatcher.drain()
    assert await left(store) == 0
    assert handlers.came.qsize() == 1 + RETRIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown(Event):
    number: int


async def test_an_event_that_nobody_knows_or_that_changed_is_dropped_and_told(
    store: SqliteStore, dispatcher: Dispatcher, handlers: Handlers, complaints: Complaints
) -> None:
    await send(store, Unknown(number=1), PluginsOwn(number=2), PluginsOwn(number=3))
    spoil = """UPDATE events SET body = '{"number": "many"}' WHERE id = 2"""
    await store.write(lambda tx: tx.db.execute(spoil))
    await dispatcher.drain()
    assert await handlers.next() == PluginsOwn(number=3)
    assert handlers.came.empty()
    assert [text.split(",")[0] for text in complaints.all] == [
        "the dispatch of events: event 1 dropped",
        "the dispatch of events: event 2 dropped",
    ]
    assert await left(store) == 0


async def test_a_store_that_fails_ends_nothing(
    store: SqliteStore, running: Dispatcher, handlers: Handlers, complaints: Complaints, clock: HandClock
) -> None:
    await clock.asked_for(POLL_SECONDS)
    await store.write(lambda tx: tx.db.execute("ALTER TABLE events RENAME TO hidden"))
    running.poke()
    await asyncio.wait_for(complaints.came.wait(), DEADLINE)
    await store.write(lambda tx: tx.db.execute("ALTER TABLE hidden RENAME TO events"))
    await send(store, PluginsOwn(number=1))
    assert await handlers.next() == PluginsOwn(number=1)


async def test_what_another_process_did_is_seen_within_seconds(
    store: SqliteStore, running: Dispatcher, handlers: Handlers, clock: HandClock
) -> None:
    await clock.asked_for(POLL_SECONDS)
    other = await SqliteStore.open(store.path, clock)
    await send(other, PluginsOwn(number=1))
    await other.close()
    clock.advance(POLL_SECONDS)
    assert await handlers.next() == PluginsOwn(number=1)
    assert running.classes


def test_two_events_of_one_name_are_refused() -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class PluginsOwn(Event):
        other: str

    with pytest.raises(PluginError, match=r"event PluginsOwn: both .* and .* define it"):
        by_name([DayBegan, PluginsOwn, globals()["PluginsOwn"]])
    assert by_name([DayBegan, DayBegan]) == {"DayBegan": DayBegan}
