import asyncio
from datetime import UTC, datetime

from bot.coop.machines import MachineEvent, MachineEventKind
from bot.hypervisors.events import EventQueue


def event(text: str, kind: MachineEventKind = MachineEventKind.NOTICE) -> MachineEvent:
    return MachineEvent("ford-1", "ford", kind, datetime(2026, 11, 22, tzinfo=UTC), text=text)


async def test_nothing_is_lost_before_the_first_listener() -> None:
    queue = EventQueue()
    for number in range(1000):
        queue.put(event(str(number)))
    events = queue.listen()
    assert [(await anext(events)).text for _ in range(1000)] == [str(number) for number in range(1000)]


async def test_notices_make_room_for_ends() -> None:
    queue = EventQueue(limit=2)
    for text, kind in (("crash", MachineEventKind.CRASHED), ("a", MachineEventKind.NOTICE)):
        queue.put(event(text, kind))
    queue.put(event("crash 2", MachineEventKind.CRASHED))
    queue.put(event("crash 3", MachineEventKind.CRASHED))
    events = queue.listen()
    assert [(await anext(events)).text for _ in range(2)] == ["crash 2", "crash 3"]


async def test_an_event_is_told_once_the_listener_comes_back() -> None:
    told: list[MachineEvent] = []
    queue = EventQueue(told.append)
    queue.put(event("one"))
    events = queue.listen()
    first = await anext(events)
    assert told == []
    waiting = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0)
    assert told == [first]
    queue.put(event("two"))
    assert (await waiting).text == "two"
