"""Commands that wait: each nick's in their order, those of different nicks side by side; bounded in all."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bot.ports import Incidents

T = TypeVar("T")

EACH, ALL = 256, 2048
"""Commands of one nick, and of all, that may be under way where a pace holds the answers back."""

_AT_ONCE = 16


@dataclass(slots=True, eq=False)
class Turn(Generic[T]):
    """One command that runs; `pass_on` lets the next of its nick begin before this one ends."""

    item: T
    pass_on: Callable[[], None]


@dataclass(slots=True, eq=False)
class _Queue(Generic[T]):
    held: int = 0
    told: bool = False
    waiting: deque[Iterator[T]] = field(default_factory=deque)
    server: object = None


@dataclass(slots=True)
class Queues(Generic[T]):
    """Runs what is put in, one at a time for each key; one task serves a queue until it is empty."""

    run: Callable[[Turn[T]], Awaitable[None]]
    incidents: Incidents
    total: int = 0
    _queues: dict[str, _Queue[T]] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def reserve(self, key: str, *, bounded: bool) -> bool:
        """Take a place for a command; False if too many are under way.

        Who has none under way is let in up to twice ALL: the many of a few shut nobody out.
        """
        queue = self._queues.setdefault(key, _Queue())
        most = ALL if queue.held else 2 * ALL
        if bounded and (queue.held >= EACH or self.total >= most):
            return False
        queue.held += 1
        self.total += 1
        return True

    def is_first_refused(self, key: str) -> bool:
        """Tell whether that nick has not been told yet that it has too many under way."""
        queue = self._queues[key]
        first, queue.told = not queue.told, True
        if not queue.held:
            del self._queues[key]
        return first

    def put(self, key: str, item: T) -> None:
        """Queue a command for which there is a place."""
        self.put_all(key, (item,))

    def put_all(self, key: str, items: Iterable[T]) -> None:
        """Queue commands for which there are places; each is taken out only when its turn has come."""
        queue = self._queues[key]
        queue.waiting.append(iter(items))
        if queue.server is None:
            self._serve(key, queue)

    def release(self, key: str, count: int = 1) -> None:
        """Give places back."""
        queue = self._queues[key]
        queue.held -= count
        self.total -= count
        if not queue.held:
            del self._queues[key]

    def spawn(self, work: Awaitable[None]) -> None:
        """Run something beside the queues; what it raises is reported."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def close(self) -> None:
        """End everything that is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _serve(self, key: str, queue: _Queue[T]) -> None:
        queue.server = mark = object()

        def pass_on() -> None:
            if queue.server is mark:
                queue.server = None
                if queue.waiting:
                    self._serve(key, queue)

        self.spawn(self._run(key, queue, mark, pass_on))

    async def _run(self, key: str, queue: _Queue[T], mark: object, pass_on: Callable[[], None]) -> None:
        count = 0
        while queue.server is mark and queue.waiting:
            item = next(queue.waiting[0], None)
            if item is None:
                queue.waiting.popleft()
                continue
            try:
                await self.run(Turn(item, pass_on))
            except Exception as error:  # noqa: BLE001 - one command must not cost the others their answers
                self.incidents.report(error, during="answering")
            finally:
                self.release(key)
            count += 1
            if not count % _AT_ONCE:
                await asyncio.sleep(0)  # where nothing makes us wait, others would
        pass_on()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.incidents.report(error, during="answering")
