"""Waiting for the first of several things, with time limits by the port's clock."""

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

from bot.ports import Clock

T = TypeVar("T")


async def first(*runners: Coroutine[Any, Any, Any]) -> None:
    """Run all until one ends; the others are cancelled. What that one raised is raised."""
    tasks = [asyncio.ensure_future(runner) for runner in runners]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    for task, end in zip(tasks, ends, strict=True):
        if task in done and isinstance(end, BaseException):
            raise end


async def within(clock: Clock, seconds: float, awaitable: Awaitable[T]) -> T:
    """Wait at most so long; TimeoutError when the time is over, and what was awaited is cancelled."""
    task = asyncio.ensure_future(awaitable)
    timer = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({task, timer}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise TimeoutError
        return task.result()
    finally:
        timer.cancel()
        task.cancel()
        await asyncio.gather(task, timer, return_exceptions=True)
