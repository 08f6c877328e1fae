import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.runtime import days
from bot.runtime.days import Days
from bot.store.database import SqliteStore
from bot.testing import FakeClock, settle


async def told(store: SqliteStore) -> list[str]:
    bodies = await store.read(
        lambda db: [row["body"] for row in db.query("SELECT body FROM events ORDER BY id")]
    )
    return [body.split('"')[3] for body in bodies]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    clock = FakeClock()
    store = await SqliteStore.open(tmp_path / "x.db", clock)
    await store.migrate(days.migrations)
    yield store
    await store.close()


async def test_each_day_is_told_once(store: SqliteStore) -> None:
    clock = FakeClock()
    told_days = Days(store, clock)
    assert [await told_days.begin(), await told_days.begin()] == [True, False]
    assert await Days(store, clock).begin() is False
    await clock.advance(12 * 3600)
    assert [await told_days.begin(), await told_days.begin()] == [True, False]
    assert await told(store) == ["2026-11-22", "2026-11-23"]
    assert await store.read(lambda db: [row["date"] for row in db.query("SELECT date FROM days")]) == [
        "2026-11-23"
    ]


@pytest.fixture
def timers(monkeypatch: pytest.MonkeyPatch) -> list[AsyncIOScheduler]:
    """The timers that are made."""
    made: list[AsyncIOScheduler] = []

    def make(**options: object) -> AsyncIOScheduler:
        made.append(AsyncIOScheduler(**options))
        return made[-1]

    monkeypatch.setattr("apscheduler.schedulers.asyncio.AsyncIOScheduler", make)
    return made


async def test_it_tells_of_today_at_the_start_and_waits_for_midnight(
    store: SqliteStore, timers: list[AsyncIOScheduler]
) -> None:
    told_days = Days(store, FakeClock())
    task = asyncio.create_task(told_days.run())
    while not await told(store):
        pass
    await settle()
    (job,) = timers[0].get_jobs()
    assert job.func == told_days.begin
    assert job.next_run_time.strftime("%H:%M:%S %z") == "00:00:00 +0000"
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert not timers[0].running
