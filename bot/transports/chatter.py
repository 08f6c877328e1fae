"""Relayed lines on their way out: behind all that the bot says itself, a few at most, or dropped."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Where = TypeVar("Where")

MOST = 50
"""Relayed lines that may wait for their turn; what comes then is dropped."""


@dataclass(slots=True)
class Chatter(Generic[Where]):
    """The lines of others that wait; `dropped` counts, over all connections, those that were never said."""

    dropped: int = 0
    _waiting: deque[tuple[Where, str]] = field(default_factory=deque)
    _wanted: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, where: Where, line: str) -> bool:
        """Take a line for a room; False if too many wait."""
        if len(self._waiting) >= MOST:
            return self.drop()
        self._waiting.append((where, line))
        self._wanted.set()
        return True

    def drop(self) -> bool:
        """Count a line that is not said, and return that it was not."""
        self.dropped += 1
        return False

    async def run(self, say: Callable[[Where, str], Awaitable[bool]]) -> None:
        """Say what waits over one connection, until that is lost; what still waits then is dropped.

        `say` says a line as one piece: the next would have lost the mark that tells whose words they are.
        """
        try:
            while True:
                await self._wanted.wait()
                if not await say(*self._waiting[0]):
                    self.drop()
                self._waiting.popleft()
                if not self._waiting:
                    self._wanted.clear()
        finally:
            self.dropped += len(self._waiting)
            self._waiting.clear()
            self._wanted.clear()
