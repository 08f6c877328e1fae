"""What the admins hear of the networks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from bot.model import Place
from bot.ports import LinkStatus
from bot.runtime.clock import SystemEntropy
from bot.runtime.incidents import IncidentLog
from bot.runtime.lookout import LONG_SECONDS, Lookout
from bot.store import notices
from bot.store.database import SqliteStore
from bot.testing import FakeClock
from tests.conftest import until

ADMINS = Place("net", "#admins")


class Sea:
    """One network as the test wants it."""

    def __init__(self, store: SqliteStore, clock: FakeClock) -> None:
        self.store, self.clock = store, clock
        self.alarms = IncidentLog(clock, SystemEntropy(), store)
        self.status = LinkStatus("net", up=False, detail="not connected yet")
        self.looks = 0

    def links(self) -> tuple[LinkStatus, ...]:
        self.looks += 1
        return (self.status,)

    async def becomes(self, *, up: bool, detail: str = "", seconds: float = 5.0) -> None:
        self.status = LinkStatus("net", up=up, detail=detail)
        before = self.looks
        await self.clock.advance(seconds)
        await until(lambda: self.looks > before)
        await until(lambda: self.clock.sleepers)

    async def told(self) -> list[str]:
        await asyncio.gather(*self.alarms.bulletin.tasks)
        rows = await self.store.read(lambda db: list(notices.waiting(db)))
        return [str(row["lines"]) for row in sorted(rows, key=lambda row: str(row["id"]))]


@asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[Sea]:
    clock = FakeClock()
    store = await SqliteStore.open(folder / "shipboard.db", clock, rooms_of=lambda _: (ADMINS,))
    sea = Sea(store, clock)
    task = asyncio.create_task(Lookout(sea.links, sea.alarms, clock).run())
    try:
        yield sea
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await store.close()


async def test_coming_up_for_the_first_time_is_no_news(tmp_path: Path) -> None:
    async with watched(tmp_path) as sea:
        await sea.becomes(up=False, detail="not connected yet")
        await sea.becomes(up=True)
        assert await sea.told() == []


async def test_a_network_that_was_lost_is_told_when_it_is_back(tmp_path: Path) -> None:
    async with watched(tmp_path) as sea:
        await sea.becomes(up=True)
        await sea.becomes(up=False, detail="Killed by op")
        assert await sea.told() == []
        await sea.becomes(up=True)
        assert await sea.told() == ['["net is back after 5 s; it was lost: Killed by op"]']


async def test_one_that_stays_away_is_told_once_and_so_is_its_return(tmp_path: Path) -> None:
    async with watched(tmp_path) as sea:
        await sea.becomes(up=False, detail="refused", seconds=LONG_SECONDS + 2)
        for _ in range(3):
            await sea.becomes(up=False, detail="refused")
        assert await sea.told() == ['["net is down for 1 min: refused"]']
        await sea.becomes(up=True)
        assert (await sea.told())[1:] == ['["net is back after 1 min 20 s; it was lost: refused"]']


async def test_being_kicked_is_told_once_for_each_time(tmp_path: Path) -> None:
    async with watched(tmp_path) as sea:
        await sea.becomes(up=True)
        for _ in range(2):
            await sea.becomes(up=True, detail="#ford: kicked by zed: out")
        await sea.becomes(up=True)
        assert await sea.told() == ['["net: #ford: kicked by zed: out"]']
