"""Lets the networks be joined while the rest is still being made: what is said meanwhile waits."""

import asyncio
from dataclasses import dataclass, field

from bot.model import Identity, Message, Offer, Place, Remark, Reply
from bot.ports import Report, Road


@dataclass(slots=True)
class Gangway:
    """A road before there is one: who comes early waits, and goes on in order once it is there.

    How many wait is bounded by the transports, which bound what is under way.
    """

    _road: Road | None = None
    _there: asyncio.Event = field(default_factory=asyncio.Event)

    def lead_to(self, road: Road) -> None:
        """Let go on who waits, the first first."""
        self._road = road
        self._there.set()

    async def handle(self, message: Message, report: Report) -> Reply:
        """Take a message to its reply."""
        return await (self._road or await self._wait()).handle(message, report)

    def listens(self, place: Place) -> bool:
        """Tell whether anybody wants what is said in that room to others."""
        return self._road is not None and self._road.listens(place)

    def overhear(self, remark: Remark) -> None:
        """Hand a remark on."""
        if self._road is not None:
            self._road.overhear(remark)

    async def offers(self, identity: Identity | None) -> tuple[Offer, ...]:
        """Return what the holder of an identity may use."""
        return await (self._road or await self._wait()).offers(identity)

    async def _wait(self) -> Road:
        while self._road is None:
            await self._there.wait()
        return self._road
