"""Calls handlers: coroutines on the loop, plain functions in a bounded pool, each within its time."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any, TypeVar

from bot.errors import Fault
from bot.ports import Clock

T = TypeVar("T")
THREADS = 8


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="handler")


async def invoke(handler: Callable[..., Any], given: Mapping[str, object]) -> object:
    """Call a handler with its parameters; one that is no coroutine function runs off the loop."""
    if inspect.iscoroutinefunction(handler):
        return await handler(**given)
    return await asyncio.get_running_loop().run_in_executor(_pool(), partial(handler, **given))


async def within(clock: Clock, seconds: float, work: Awaitable[T], what: str) -> T:
    """Wait for work at most that long by this clock; when it takes longer it is cancelled, with a Fault."""
    task, timer = asyncio.ensure_future(work), asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({task, timer}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise Fault(f"{what} did not end within {seconds:g} s")
    finally:
        timer.cancel()
        task.cancel()


async def call(
    handler: Callable[..., Any], given: Mapping[str, object], clock: Clock, seconds: float
) -> object:
    """Invoke a handler within its time."""
    return await within(
        clock, seconds, invoke(handler, given), getattr(handler, "__qualname__", str(handler))
    )
