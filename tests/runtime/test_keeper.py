"""A part that fails is told and begins anew; only cancellation ends it."""

import asyncio

import pytest

from bot.runtime.keeper import PAUSE, keep
from bot.testing import FakeClock, FakeIncidents, settle


async def test_a_part_that_fails_is_told_and_begins_anew() -> None:
    clock, incidents, begun = FakeClock(), FakeIncidents(), list[float]()

    async def part() -> None:
        begun.append(clock.monotonic())
        if len(begun) < 3:
            raise RuntimeError("leak")
        await asyncio.Event().wait()

    task = asyncio.create_task(keep("the pump", part, clock, incidents))
    for _ in range(4):
        await clock.advance(PAUSE)
    assert begun == [0.0, PAUSE, 2 * PAUSE]
    assert [(str(cause), during) for cause, during, _ in incidents.reported] == [("leak", "the pump")] * 2
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_part_that_ends_without_a_word_begins_anew_too() -> None:
    clock, incidents, begun = FakeClock(), FakeIncidents(), list[float]()

    async def part() -> None:
        begun.append(clock.monotonic())

    task = asyncio.create_task(keep("the pump", part, clock, incidents))
    await clock.advance(PAUSE)
    await settle()
    assert begun == [0.0, PAUSE]
    assert incidents.reported == []
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
