"""Turns to speak."""

import asyncio

from bot.config import Pace
from bot.transports.pace import ALL, LANE, Turns
from tests.transports.conftest import HandClock, settle


async def test_turns_go_round_the_lanes(clock: HandClock) -> None:
    turns, order = Turns(clock, Pace(burst=1, per_second=1.0)), list[str]()

    async def speak(lane: str, word: str) -> None:
        assert await turns.turn(lane)
        order.append(word)

    runner = asyncio.create_task(turns.run())
    tasks = [asyncio.create_task(speak("flood", f"f{number}")) for number in range(5)]
    tasks += [asyncio.create_task(speak("bob", f"b{number}")) for number in range(2)]
    await settle()
    for _ in range(6):
        await clock.advance(1)
    assert order == ["f0", "f1", "b0", "f2", "b1", "f3", "f4"]
    assert turns.waiting == 0
    runner.cancel()
    await asyncio.gather(runner, *tasks, return_exceptions=True)


async def test_too_many_waiters_are_turned_away_and_all_are_let_go_at_the_end(clock: HandClock) -> None:
    turns = Turns(clock, Pace(burst=1, per_second=1.0))
    runner = asyncio.create_task(turns.run())
    assert await turns.turn("x")
    waiting = [asyncio.create_task(turns.turn("x")) for _ in range(LANE)]
    await settle()
    assert await turns.turn("x", 3) is False
    others = [asyncio.create_task(turns.turn(f"lane {number}")) for number in range(ALL - LANE)]
    await settle()
    assert await turns.turn("late") is False
    assert turns.dropped == 4
    waiting[0].cancel()
    await clock.advance(1)
    assert [task.done() for task in (*waiting, *others)].count(True) == 2
    turns.close()
    ends = await asyncio.gather(*waiting, *others, return_exceptions=True)
    assert ends.count(False) == ALL - 2
    assert await turns.turn("x") is False
    runner.cancel()
    await asyncio.gather(runner, return_exceptions=True)


async def test_without_pace_everybody_may_speak(clock: HandClock) -> None:
    turns = Turns(clock, None)
    assert turns.largest == LANE
    assert [await turns.turn("x", 99) for _ in range(300)] == [True] * 300
    assert turns.lock("x") is turns.lock("x")
    turns.close()
    assert await turns.turn("x") is False
