"""Pictures on their way to a place: drawn if need be, stored, and shown in their order, after their text."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from bot.coop.charts import Chart
from bot.ports import Draw
from bot.transports.xmpp.delivery import Delivery, Target
from bot.transports.xmpp.upload import NoUpload

_LOG = logging.getLogger("shipboard.xmpp")

MOST = 16
"""How many pictures may be on their way at a time; for the next the text has to do."""

Find = Callable[[], tuple[Delivery, Target] | None]
"""Finds where a picture goes now; None where that is lost."""


async def no_pictures(chart: Chart) -> None:
    """Draw nothing: the text has to do."""


@dataclass(slots=True)
class Pictures:
    """Shows pictures beside the texts that stand for themselves; nobody waits for it."""

    draw: Draw = no_pictures
    _count: int = 0
    _locks: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    async def show(self, picture: bytes | Chart, where: str, find: Find, lane: str) -> None:
        """Show a picture, after those that were meant for that place before it."""
        if self._count >= MOST:
            _LOG.info("A picture was not shown: %d are on their way.", self._count)
            return
        lock = self._locks.get(where)
        if lock is None:
            lock = self._locks[where] = asyncio.Lock()
        self._count += 1
        try:
            async with lock:
                await self._show(picture, find, lane)
        except NoUpload as why:
            _LOG.info("A picture was not shown: %s.", why)
        finally:
            self._count -= 1

    async def _show(self, picture: bytes | Chart, find: Find, lane: str) -> None:
        found = find()
        if found is None:
            return
        await found[0].upload.ready()  # before a second of a processor is spent on what nobody can see
        drawn = await self.draw(picture) if isinstance(picture, Chart) else picture
        found = find()
        if drawn is not None and found is not None:
            await found[0].show(found[1], drawn, lane)
