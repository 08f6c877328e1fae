"""Relayed lines on their way out: behind all that the bot says itself, a few at most, or dropped."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from bot.transports.irc.delivery import Delivery
from bot.transports.lines import clean
from bot.transports.pace import CHATTER

MOST = 50
"""Relayed lines that may wait for their turn; what comes then is dropped."""

_MORE = "…"


@dataclass(slots=True)
class Chatter:
    """The lines of others that wait; `dropped` counts, over all connections, those that were never said."""

    dropped: int = 0
    _waiting: deque[tuple[str, str]] = field(default_factory=deque)
    _wanted: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, target: str, line: str) -> bool:
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

    async def run(self, delivery: Delivery) -> None:
        """Say what waits over that connection, until it is lost; what still waits then is dropped."""
        try:
            while True:
                await self._wanted.wait()
                target, line = self._waiting[0]
                if not await delivery.deliver(target, _one(line, delivery.world.room_for(target)), CHATTER):
                    self.drop()
                self._waiting.popleft()
                if not self._waiting:
                    self._wanted.clear()
        finally:
            self.dropped += len(self._waiting)
            self._waiting.clear()
            self._wanted.clear()


def _one(line: str, limit: int) -> tuple[str, ...]:
    """Return a line as one piece: the next would have lost the mark that tells whose words they are."""
    text = clean(line)
    said = text.encode(errors="replace")
    if len(said) > limit:
        text = said[: limit - len(_MORE.encode())].decode(errors="ignore") + _MORE
    return (text,) if text.strip() else ()
