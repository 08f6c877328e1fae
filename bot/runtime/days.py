"""Tells once a day that a new UTC day began. APScheduler is the timer; the table is the truth."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from sqlite_utils import Database, Migrations

from bot.coop.events import DayBegan
from bot.ports import Clock, Store, Tx

migrations = Migrations("days")


@migrations()
def create_days(db: Database) -> None:
    """Create the table that holds the day last told."""
    db.execute("CREATE TABLE days (date TEXT PRIMARY KEY) STRICT")


@dataclass(slots=True)
class Days:
    """Claims each day once, at midnight UTC and at the bot's start."""

    store: Store
    clock: Clock
    scheduler: Any = field(default_factory=lambda: AsyncIOScheduler(timezone=UTC))

    async def run(self, forever: Callable[[], Awaitable[object]]) -> None:
        """Tell of today, then of each new day, until `forever` ends or is cancelled."""
        self.scheduler.add_job(
            self.begin, CronTrigger(hour=0, minute=0, timezone=UTC), misfire_grace_time=None
        )
        self.scheduler.start()
        try:
            await self.begin()
            await forever()
        finally:
            self.scheduler.shutdown(wait=False)

    async def begin(self) -> bool:
        """Claim today and put its event into the same transaction; False if it was claimed before."""
        today = self.clock.now().date().isoformat()

        def claim(tx: Tx) -> bool:
            fresh = tx.db.execute("INSERT OR IGNORE INTO days (date) VALUES (?)", [today]).rowcount == 1
            if fresh:
                tx.db.execute("DELETE FROM days WHERE date < ?", [today])
                tx.event(DayBegan(date=today))
            return fresh

        return await self.store.write(claim)
