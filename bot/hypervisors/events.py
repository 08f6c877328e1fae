"""A bounded queue of machine events: nothing is lost between a machine's start and the first listener."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

from bot.coop.machines import MachineEvent, MachineEventKind

LIMIT = 1000
"""How many events wait at most; beyond it notices go first, then the oldest."""


class EventQueue:
    """What hypervisors put events into and one listener takes them out of.

    `told` is called with each event when the listener comes for the next one: only then is it handled.
    """

    def __init__(self, told: Callable[[MachineEvent], None] | None = None, limit: int = LIMIT) -> None:
        self._waiting: deque[MachineEvent] = deque()
        self._filled = asyncio.Event()
        self._told = told
        self._limit = limit

    def put(self, event: MachineEvent) -> None:
        """Add an event; where the queue is full, the oldest notice makes room, else the oldest event."""
        if len(self._waiting) >= self._limit:
            oldest = (waiting for waiting in self._waiting if waiting.kind is MachineEventKind.NOTICE)
            self._waiting.remove(next(oldest, self._waiting[0]))
        self._waiting.append(event)
        self._filled.set()

    async def listen(self) -> AsyncIterator[MachineEvent]:
        """Yield events as they come, until closed."""
        while True:
            while not self._waiting:
                self._filled.clear()
                await self._filled.wait()
            event = self._waiting.popleft()
            yield event
            if self._told:
                self._told(event)
