"""From a reply to lines: what the room hears, and what only the asker may."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from bot.model import Message, Reply
from bot.ports import Clock
from bot.transports.irc.delivery import Delivery, Guard
from bot.transports.lines import cap, share_out
from bot.transports.manner import Manner

SPARSE = 10.0
"""Seconds between two lines that tell how far a long command has come."""


@dataclass(slots=True)
class Answers:
    """Everything that one message is answered with; `guard` knows whether its nick is still its speaker."""

    message: Message
    manner: Manner
    clock: Clock
    delivery: Delivery
    guard: Guard | None
    spawn: Callable[[Coroutine[Any, Any, None]], None]
    pass_on: Callable[[], None]
    _reported: float | None = None

    async def give(self, reply: Reply) -> bool:
        """Send the reply where it belongs; False if not all of it went out."""
        if reply.private and self.guard:
            self.guard.doubt()
        pieces = self.delivery.pieces(reply.lines, self.message.place.name, self.message.nick)
        if not pieces:
            return True
        if self.message.place.direct:
            return await self._direct(cap(pieces, self.manner.direct_lines))
        if reply.private:
            return await self._aside(pieces)
        return await self._aloud(pieces)

    async def report(self, part: float, text: str) -> None:
        """Tell how far a long command is, sparsely; nobody waits for this."""
        self.pass_on()
        now = self.clock.monotonic()
        if self._reported is not None and now - self._reported < SPARSE:
            return
        self._reported = now
        self.spawn(self._progress(f"{part:.0%} {text}"))

    async def _progress(self, text: str) -> None:
        name = self.message.place.name
        if self.message.place.direct:
            await self._direct(self.delivery.pieces((text,), name)[:1])
        else:
            await self._room(self.delivery.pieces((f"{self.message.nick}: {text}",), name)[:1])

    async def _aloud(self, pieces: tuple[str, ...]) -> bool:
        here, rest = share_out(pieces, self.manner.room_lines)
        if not rest:
            return await self._room(here)
        sure = self.guard is None or await self.guard.prove()
        where = "sent to you directly" if sure else "to have, ask me directly"
        said = await self._room((*here, f"({len(rest)} more lines {where})"))
        return sure and await self._direct(cap(rest, self.manner.direct_lines)) and said

    async def _aside(self, pieces: tuple[str, ...]) -> bool:
        nick = self.message.nick
        if await self._direct(cap(pieces, self.manner.direct_lines)):
            return await self._room((f"{nick}: answered in a direct message.",))
        await self._room((f"{nick}: I could not prove that it is still you; ask me directly.",))
        return False

    async def _room(self, pieces: tuple[str, ...]) -> bool:
        return await self.delivery.deliver(self.message.place.name, pieces, self._lane)

    async def _direct(self, pieces: tuple[str, ...]) -> bool:
        return await self.delivery.deliver(self.message.nick, pieces, self._lane, guard=self.guard)

    @property
    def _lane(self) -> str:
        return f"to {self.delivery.world.fold(self.message.nick)}"
