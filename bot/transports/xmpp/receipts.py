"""Whether what was said has arrived: our own reflection from a room, else the server's acknowledgement.

A room shows everybody, us too, what it has taken (XEP-0045, section 7.4); of a direct message the server says
that it has it (XEP-0198), and sends an error back first where it cannot deliver it. What goes to another
server it takes before it has reached that one: the error may come later there, and we wait for it a while.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from bot.ports import Clock
from bot.transports.race import within
from bot.transports.xmpp.stanzas import parted

T = TypeVar("T")

CONFIRMED = 30.0
"""Seconds that it may take until something has surely arrived."""

SETTLED = 5.0
"""Seconds after our server's word in which an error still comes from the way to another server."""

REACHED = 600.0
"""Seconds for which another server counts as reached, once no error came back from it: nobody waits again."""

MOST = 1000
"""Messages that an error may still belong to, and servers that are remembered."""


@dataclass(frozen=True, slots=True, eq=False)
class _Sent:
    to: str
    room: bool
    near: bool
    arrived: asyncio.Future[bool]
    refused: asyncio.Future[None]


@dataclass(slots=True)
class Receipts:
    """All messages that somebody waits for, by their ids; `to` is the bare JID that they went to.

    `domain` is our own server's. `returned` hears to whom a message came back after it had counted as
    arrived, and why.
    """

    clock: Clock
    domain: str = ""
    returned: Callable[[str, str], None] = lambda _to, _why: None
    _sent: dict[str, _Sent] = field(default_factory=dict)
    _arrived: OrderedDict[str, str] = field(default_factory=OrderedDict)
    _reached: OrderedDict[str, float] = field(default_factory=OrderedDict)

    def open(self, ident: str, to: str, *, room: bool, occupant: bool = False) -> "asyncio.Future[bool]":
        """Begin to wait for what becomes of a message; an `occupant` is a nick in a room that we are in."""
        loop, bare = asyncio.get_running_loop(), parted(to)[0]
        near = room or occupant or bare.rpartition("@")[2] == self.domain
        sent = self._sent[ident] = _Sent(bare, room, near, loop.create_future(), loop.create_future())
        return sent.arrived

    async def wait(self, ident: str, arrived: "asyncio.Future[bool]") -> bool:
        """Return whether it has arrived, False if nothing tells for too long."""
        sent = self._sent[ident]
        try:
            if not await within(self.clock, CONFIRMED, arrived) or await self._came_back(sent):
                return False
        except TimeoutError:
            return False
        finally:
            self._sent.pop(ident, None)
        if not sent.room:
            _keep(self._arrived, ident, sent.to)
        return True

    async def _came_back(self, sent: _Sent) -> bool:
        """Wait for the error of a server that we do not know yet to be reached."""
        server, now = sent.to.rpartition("@")[2], self.clock.monotonic()
        if sent.near or self._reached.get(server, now) > now:
            return sent.refused.done()
        try:
            await within(self.clock, SETTLED, asyncio.shield(sent.refused))
        except TimeoutError:
            _keep(self._reached, server, self.clock.monotonic() + REACHED)
            return False
        return True

    def close_one(self, ident: str) -> None:
        """Wait no longer for a message that was never sent."""
        self._sent.pop(ident, None)

    def reflected(self, ident: str, room: str) -> None:
        """Take our own message as the room shows it."""
        sent = self._sent.get(ident)
        if sent and sent.room and sent.to == room:
            self._settle(sent, outcome=True)

    def acknowledged(self, ident: str) -> None:
        """Take the server's word that it has a message; a room may still refuse it."""
        sent = self._sent.get(ident)
        if sent and not sent.room:
            self._settle(sent, outcome=True)

    def failed(self, ident: str, sender: str, why: str) -> None:
        """Take an error; only whom the message went to can refuse it."""
        bare = parted(sender)[0]
        sent = self._sent.get(ident)
        if sent and sent.to == bare:
            self._settle(sent, outcome=False)
            if not sent.refused.done():
                sent.refused.set_result(None)
        elif self._arrived.get(ident) == bare:
            del self._arrived[ident]
            self._reached.pop(bare.rpartition("@")[2], None)
            self.returned(bare, why)

    def close(self) -> None:
        """Give up all: the session is over, and nobody will tell."""
        for sent in self._sent.values():
            self._settle(sent, outcome=False)
        self._sent.clear()

    def _settle(self, sent: _Sent, *, outcome: bool) -> None:
        if not sent.arrived.done():
            sent.arrived.set_result(outcome)


def _keep(table: OrderedDict[str, T], key: str, value: T) -> None:
    table[key] = value
    table.move_to_end(key)
    if len(table) > MOST:
        table.popitem(last=False)
