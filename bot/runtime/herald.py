"""Shows on every network that can, in the bot's own status line, how the ship is."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.coop.questions import StatusPart
from bot.ports import Clock, LinkStatus, Transport

LOOK_SECONDS = 30.0
"""How often the ship is looked at."""

LONGEST = 200


@dataclass(slots=True)
class Herald:
    """Asks every plugin for its part of the status, and shows what has changed."""

    ask: Callable[[StatusPart], Awaitable[tuple[str, ...]]]
    links: Callable[[], Sequence[LinkStatus]]
    transports: Sequence[Transport]
    clock: Clock

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            text = await self.line()
            for transport in self.transports:
                transport.show(text)
            await self.clock.sleep(LOOK_SECONDS)

    async def line(self) -> str:
        """Return the line: what the plugins say, and the networks that are down."""
        parts = [part for part in await self.ask(StatusPart()) if part]
        down = [f"{link.network} down" for link in self.links() if not link.up]
        return ("; ".join([*parts, *down]) or "all is well")[:LONGEST]
