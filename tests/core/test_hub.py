import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot import (
    Ask,
    Clock,
    DayBegan,
    Event,
    IdentityBound,
    Inquiry,
    Notice,
    Outcome,
    Plugin,
    StatusPart,
    anyone,
)
from bot.errors import Fault
from bot.testing import Chat

DAY = DayBegan(date="2026-11-22")


@dataclass(frozen=True, slots=True)
class Mood(Inquiry[str]):
    of: str


async def test_events_reach_their_handlers_and_those_of_their_bases(tmp_path: Path) -> None:
    plugin, heard = Plugin("ears"), []

    @plugin.on(DayBegan)
    async def day(event: DayBegan, clock: Clock) -> None:
        heard.append(f"day {event.date} at {clock.now():%H:%M}")

    @plugin.on(Event)
    def anything(event: Event) -> Outcome:
        heard.append(type(event).__name__)
        return Outcome(notices=(Notice("team", ("heard",)),))

    async with Chat.open(tmp_path, [plugin]) as chat:
        await chat.happen(DAY)
        await chat.happen(IdentityBound(member="a", network="net", subject="x", bound=True, by="b"))
        assert sorted(heard) == ["DayBegan", "IdentityBound", "day 2026-11-22 at 12:00"]
        assert await chat.told() == [("room net/#team", "heard")] * 2


async def test_an_event_whose_handler_raises_comes_again_to_all(tmp_path: Path) -> None:
    good, bad, heard = Plugin("good"), Plugin("bad"), []

    @good.on(DayBegan)
    async def fine(event: DayBegan) -> Outcome:
        heard.append(event.date)
        return Outcome(notices=(Notice("team", ("day",), key=f"day {event.date}"),))

    @bad.on(DayBegan)
    async def sometimes() -> None:
        if len(heard) < 3:
            raise ValueError("not yet")

    async with Chat.open(tmp_path, [good, bad]) as chat:
        await chat.happen(DAY)
        assert heard == ["2026-11-22"] * 3
        assert await chat.told() == [("room net/#team", "day")]
        assert [str(cause) for cause, _, _ in chat.incidents.reported] == [
            "plugin bad handling DayBegan: ValueError: not yet"
        ] * 2


async def test_several_handlers_that_fail_are_all_named(tmp_path: Path) -> None:
    one, two = Plugin("one"), Plugin("two")

    @one.on(DayBegan)
    async def first() -> None:
        raise ValueError("a")

    @two.on(DayBegan)
    async def second() -> None:
        raise SystemExit

    async with Chat.open(tmp_path, [one, two]) as chat:
        with pytest.raises(BaseExceptionGroup) as caught:
            await chat.crew.hub.dispatch(DAY)
    assert str(caught.value).startswith(
        "plugin one handling DayBegan: ValueError: a; plugin two handling DayBegan: Fault: "
    )
    assert all(isinstance(fault, Fault) for fault in caught.value.exceptions)


async def test_a_handler_that_waits_for_ever_is_ended(tmp_path: Path) -> None:
    plugin = Plugin("ears")

    @plugin.on(DayBegan)
    async def wait() -> None:
        await asyncio.Event().wait()

    async with Chat.open(tmp_path, [plugin]) as chat:
        task = asyncio.create_task(chat.crew.hub.dispatch(DAY))
        await chat.clock.advance(30)
        with pytest.raises(Fault, match=r"plugin ears handling DayBegan: Fault: .* did not end within 30 s"):
            await task


async def test_questions_are_answered_by_all_who_can(tmp_path: Path) -> None:
    plugins = [Plugin(name) for name in ("one", "two", "three", "four", "five")]
    one, two, three, four, five = plugins
    asked = asyncio.Event()

    @one.answers(Mood)
    async def fine(question: Mood) -> str:
        return f"{question.of} is fine"

    @two.answers(Mood)
    async def broken() -> str:
        raise ValueError("no idea")

    @three.answers(Mood)
    async def silent() -> None:
        return None

    @four.answers(Mood)
    async def slow() -> str:
        asked.set()
        await asyncio.Event().wait()
        return "late"

    @five.command("mood", allow=anyone, reads=True)
    async def mood(ask: Ask, name: str) -> str:
        """Ask for a mood."""
        return ", ".join(await ask(Mood(name)))

    async with Chat.open(tmp_path, plugins) as chat:
        task = asyncio.create_task(chat.say("zed", "!mood alice"))
        await asked.wait()
        await chat.clock.advance(5)
        assert await task == "alice is fine"
        during = [during for _, during, _ in chat.incidents.reported]
        assert during == ["plugin two answering Mood", "plugin four answering Mood"]
        assert await chat.crew.hub(StatusPart()) == ()
