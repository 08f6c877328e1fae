"""Relayed lines on their way out: behind all that the bot says itself, or dropped."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from bot.transports.pace import CHATTER
from bot.transports.xmpp.delivery import Target, pieces
from bot.transports.xmpp.session import Session

MOST = 100
"""Relayed lines that may wait for their turn; what comes then is dropped."""


@dataclass(slots=True)
class Chatter:
    """The lines of others that wait; `dropped` counts, over all sessions, those that were never said."""

    dropped: int = 0
    _waiting: deque[tuple[Target, str]] = field(default_factory=deque)
    _wanted: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, target: Target, line: str) -> bool:
        """Take a line for a room; False if too many wait."""
        if len(self._waiting) >= MOST:
            return self.drop()
        self._waiting.append((target, line))
        self._wanted.set()
        return True

    def drop(self) -> bool:
        """Count a line that is not said, and return that it was not."""
        self.dropped += 1
        return False

    async def run(self, session: Session) -> None:
        """Say what waits over that session's stream, until it is lost; what still waits then is dropped."""
        try:
            while True:
                await self._wanted.wait()
                target, line = self._waiting[0]
                # one piece only: the next would have lost the mark that tells whose words they are
                if not await session.delivery.deliver(target, pieces((line,))[:1], CHATTER):
                    self.drop()
                self._waiting.popleft()
                if not self._waiting:
                    self._wanted.clear()
        finally:
            self.dropped += len(self._waiting)
            self._waiting.clear()
            self._wanted.clear()
