"""Calls what plugins wrote: coroutines on the loop, plain functions in threads, each within its time."""

import asyncio
import inspect
import threading  # noqa: TID251 - blocking handlers need threads that do not hold up the bot's end
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from bot.errors import Fault
from bot.ports import Clock

T = TypeVar("T")
THREADS = 4
"""How many blocking handlers of one plugin run at a time; more wait, and their time runs."""


@dataclass(slots=True)
class Hands:
    """The threads for handlers that are no coroutine functions.

    A few for each plugin, so that one whose handlers block for ever holds up only itself; daemons, so that it
    does not hold up the bot's end.
    """

    threads: int = THREADS
    free: dict[str, asyncio.Semaphore] = field(default_factory=dict)

    async def invoke(self, plugin: str, handler: Callable[..., Any], given: Mapping[str, object]) -> object:
        """Call a plugin's handler with its parameters; nothing but an Exception comes out of it."""
        if inspect.iscoroutinefunction(handler):
            return await contained(handler(**given), name_of(handler))
        work = self._in_thread(plugin, partial(handler, **given))
        return await contained(work, name_of(handler))

    async def _in_thread(self, plugin: str, work: Callable[[], object]) -> object:
        free = self.free.setdefault(plugin, asyncio.Semaphore(self.threads))
        await free.acquire()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[tuple[object, BaseException | None]] = loop.create_future()

        def settle(result: object, error: BaseException | None) -> None:
            free.release()
            if not done.done():
                done.set_result((result, error))

        def run() -> None:
            result, error = None, None
            try:
                result = work()
            except BaseException as raised:  # noqa: BLE001 - whatever it is, it is the caller's
                error = raised
            with suppress(RuntimeError):  # the loop has ended meanwhile: nobody waits any more
                loop.call_soon_threadsafe(settle, result, error)

        threading.Thread(target=run, name=f"handler of {plugin}", daemon=True).start()
        result, error = await done
        if error is not None:
            raise error
        return result


async def contained(work: Awaitable[T], what: str) -> T:
    """Await what a plugin wrote; what would end the task or the bot becomes a Fault."""
    try:
        return await work
    except Exception:
        raise
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise Fault(f"{what} was cancelled from within") from error
    except BaseException as error:
        raise Fault(f"{what} tried to end the bot: {type(error).__name__}") from error


async def outlived(
    work: Coroutine[Any, Any, T],
    spawn: Callable[[Coroutine[Any, Any, object]], None],
    late: Callable[[T], Coroutine[Any, Any, object]],
) -> T:
    """Await work that is spawned and goes on when we are cancelled; what comes of it then is given to `late`.

    It stands for asyncio.shield, which takes one more turn of the loop to bring the result.
    """
    waiting: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    async def carry() -> None:
        try:
            result = await work
        except Exception as error:
            if waiting.cancelled():
                raise
            waiting.set_exception(error)
        except BaseException:
            waiting.cancel()
            raise
        else:
            if waiting.cancelled():
                await late(result)
            else:
                waiting.set_result(result)

    spawn(carry())
    try:
        return await waiting
    except asyncio.CancelledError:
        if waiting.done() and not waiting.cancelled() and waiting.exception() is None:
            spawn(late(waiting.result()))  # cancelled in the very turn in which it was there
        raise


async def within(clock: Clock, seconds: float, work: Awaitable[T], what: str) -> T:
    """Wait for work at most that long by this clock; when it takes longer it is cancelled, with a Fault."""
    task = asyncio.ensure_future(contained(work, what))
    timer = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({task, timer}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise Fault(f"{what} did not end within {seconds:g} s")
    finally:
        timer.cancel()
        abandon(task)


def abandon(work: "asyncio.Future[Any]") -> None:
    """Cancel what nobody waits for any more; what it still raises is nobody's, and goes to no log."""
    work.cancel()
    work.add_done_callback(lambda done: done.cancelled() or done.exception())


def name_of(handler: Callable[..., Any]) -> str:
    """Return what a handler is called in a fault."""
    return getattr(handler, "__qualname__", None) or type(handler).__qualname__
