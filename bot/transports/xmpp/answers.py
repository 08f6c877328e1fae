"""From a reply to messages: what the room hears, what only the asker may, and progress as one message."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from bot.coop.charts import Chart
from bot.model import Message, Reply
from bot.ports import Clock
from bot.transports.lines import cap, share_out
from bot.transports.manner import Manner
from bot.transports.xmpp.delivery import Delivery, Target, pieces
from bot.transports.xmpp.pictures import Pictures

SPARSE = 5.0
"""Seconds between two corrections of the message that tells how far a long command has come."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where answers go: the place where it was asked, and the asker alone; None where that is lost."""

    here: Target | None
    alone: Target | None


@dataclass(slots=True)
class Answers:
    """Everything that one message is answered with; `addresses` finds out where it goes now."""

    message: Message
    manner: Manner
    clock: Clock
    addresses: Callable[[], tuple[Delivery, Addresses] | None]
    spawn: Callable[[Coroutine[Any, Any, None]], None]
    pass_on: Callable[[], None]
    pictures: Pictures
    _told: str = ""
    _done: bool = False
    _reported: float | None = None

    async def give(self, reply: Reply) -> bool:
        """Send the reply where it belongs; False if not all of it went out. A picture follows by itself."""
        self._done = True
        sent = await self._say(reply)
        if reply.picture is not None:
            self.spawn(self._show(reply.picture, alone=reply.private))
        return sent

    async def _say(self, reply: Reply) -> bool:
        lines = pieces(reply.lines)
        if not lines:
            return True
        if self.message.place.direct:
            return await self._here(cap(lines, self.manner.direct_lines))
        if reply.private:
            return await self._aside(lines)
        here, rest = share_out(lines, self.manner.room_lines)
        if not rest:
            return await self._here(here)
        sent = await self._alone(cap(rest, self.manner.direct_lines))
        where = "sent to you directly" if sent else "to have, ask me directly"
        return await self._here((*here, f"({len(rest)} more lines {where})")) and sent

    async def _show(self, picture: bytes | Chart, *, alone: bool) -> None:
        """Show a picture beside the text, which stands for itself where that cannot be done."""

        def find() -> tuple[Delivery, Target] | None:
            found = self.addresses()
            target = None if found is None else found[1].alone if alone else found[1].here
            return None if found is None or target is None else (found[0], target)

        where = self._lane if alone else str(self.message.place)
        await self.pictures.show(picture, where, find, self._lane)

    async def report(self, part: float, text: str) -> None:
        """Tell how far a long command is, sparsely; nobody waits for this."""
        self.pass_on()
        now = self.clock.monotonic()
        if self._reported is None or now - self._reported >= SPARSE:
            self._reported = now
            self.spawn(self._progress(f"{part:.0%} {text}"))

    async def _progress(self, text: str) -> None:
        if self._done:
            return
        line = text if self.message.place.direct else f"{self.message.nick}: {text}"
        await self._here(pieces((line,))[:1], progress=True)

    async def _aside(self, lines: tuple[str, ...]) -> bool:
        nick = self.message.nick
        if await self._alone(cap(lines, self.manner.direct_lines)):
            return await self._here((f"{nick}: answered in a direct message.",))
        await self._here((f"{nick}: I cannot reach you alone; ask me directly.",))
        return False

    async def _here(self, lines: tuple[str, ...], *, progress: bool = False) -> bool:
        """Say something where it was asked; it replaces what was told of the progress (XEP-0308)."""
        found = self.addresses()
        if found is None or found[1].here is None:
            return False
        delivery, target = found[0], found[1].here
        corrects, ident = self._told, ""
        if progress and not corrects:
            self._told = ident = delivery.new_id()
        return await delivery.deliver(target, lines, self._lane, ident=ident, corrects=corrects)

    async def _alone(self, lines: tuple[str, ...]) -> bool:
        found = self.addresses()
        if found is None or found[1].alone is None:
            return False
        return await found[0].deliver(found[1].alone, lines, self._lane)

    @property
    def _lane(self) -> str:
        who = self.message.identity or f"{self.message.place}/{self.message.nick}"
        return f"to {who}"
