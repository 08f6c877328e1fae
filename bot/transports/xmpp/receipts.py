"""Whether what was said has arrived: our own reflection from a room, else the server's acknowledgement.

A room shows everybody, us too, what it has taken (XEP-0045, section 7.4); of a direct message the server says
that it has it (XEP-0198), and sends an error back first where it cannot deliver it.
"""

import asyncio
from dataclasses import dataclass, field

from bot.ports import Clock
from bot.transports.race import within
from bot.transports.xmpp.stanzas import parted

CONFIRMED = 30.0
"""Seconds that it may take until something has surely arrived."""


@dataclass(frozen=True, slots=True, eq=False)
class _Sent:
    to: str
    room: bool
    arrived: asyncio.Future[bool]


@dataclass(slots=True)
class Receipts:
    """All messages that somebody waits for, by their ids; `to` is the bare JID that they went to."""

    clock: Clock
    _sent: dict[str, _Sent] = field(default_factory=dict)

    def open(self, ident: str, to: str, *, room: bool) -> "asyncio.Future[bool]":
        """Begin to wait for what becomes of a message."""
        arrived: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._sent[ident] = _Sent(parted(to)[0], room, arrived)
        return arrived

    async def wait(self, ident: str, arrived: "asyncio.Future[bool]") -> bool:
        """Return whether it has arrived, False if nothing tells for too long."""
        try:
            return await within(self.clock, CONFIRMED, arrived)
        except TimeoutError:
            return False
        finally:
            self._sent.pop(ident, None)

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

    def failed(self, ident: str, sender: str) -> None:
        """Take an error; only whom the message went to can refuse it."""
        sent = self._sent.get(ident)
        if sent and sent.to == parted(sender)[0]:
            self._settle(sent, outcome=False)

    def close(self) -> None:
        """Give up all: the session is over, and nobody will tell."""
        for sent in self._sent.values():
            self._settle(sent, outcome=False)
        self._sent.clear()

    def _settle(self, sent: _Sent, *, outcome: bool) -> None:
        if not sent.arrived.done():
            sent.arrived.set_result(outcome)
