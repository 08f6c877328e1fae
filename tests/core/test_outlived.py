"""Work that goes on when who waits for it is cancelled."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from bot.core.invoke import outlived


class Port:
    """Spawns what it is given, and keeps what came too late."""

    def __init__(self) -> None:
        self.tasks: list[asyncio.Task[object]] = []
        self.late: list[str] = []

    def spawn(self, work: Coroutine[Any, Any, object]) -> None:
        self.tasks.append(asyncio.ensure_future(work))

    async def keep(self, result: str) -> None:
        self.late.append(result)

    async def waiter(self, work: Coroutine[Any, Any, str]) -> "asyncio.Task[str]":
        """Return a task that waits for that work, which has begun."""
        task = asyncio.ensure_future(outlived(work, self.spawn, self.keep))
        await asyncio.sleep(0)
        assert self.tasks
        return task


async def test_what_comes_after_its_waiter_went_is_kept() -> None:
    port, go = Port(), asyncio.Event()

    async def work() -> str:
        await go.wait()
        return "done"

    waiter = await port.waiter(work())
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    go.set()
    await port.tasks[0]
    assert port.late == ["done"]


async def test_what_fails_after_its_waiter_went_is_its_own_tasks_failure() -> None:
    port, go = Port(), asyncio.Event()

    async def work() -> str:
        await go.wait()
        raise LookupError("lost")

    waiter = await port.waiter(work())
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    go.set()
    with pytest.raises(LookupError, match="lost"):
        await port.tasks[0]
    assert port.late == []


async def test_whose_work_is_cancelled_is_cancelled_too() -> None:
    port = Port()

    async def work() -> str:
        await asyncio.Event().wait()
        return "never"

    waiter = await port.waiter(work())
    await asyncio.sleep(0)
    port.tasks[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    assert port.late == []
