"""The first of several things, and limits of time."""

import asyncio

import pytest

from bot.transports.race import first, within
from tests.transports.conftest import HandClock, settle


async def test_the_first_to_end_ends_all() -> None:
    ended = []

    async def wait(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    async def fail() -> None:
        await asyncio.sleep(0)
        raise RuntimeError("first")

    async def done() -> None:
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="first"):
        await first(wait("a"), fail(), wait("b"))
    await first(done(), wait("c"))
    assert ended == ["a", "b", "c"]
    task = asyncio.create_task(first(wait("d"), wait("e")))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended[3:] == ["d", "e"]


async def test_waiting_has_a_limit(clock: HandClock) -> None:
    async def answer() -> int:
        return 42

    assert await within(clock, 1, answer()) == 42
    late = asyncio.create_task(within(clock, 1, asyncio.Event().wait()))
    await settle()
    await clock.advance(1)
    with pytest.raises(TimeoutError):
        await late
