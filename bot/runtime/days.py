"""Tells once a day that a new UTC day began. APScheduler is the timer; the table is the truth."""

import asyncio
from dataclasses import dataclass
from datetime import UTC

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

    async def run(self) -> None:
        """Tell of today, then of each new day, until cancelled."""
        from apscheduler.schedulers.asyncio import AsyncIOScheduler  # noqa: PLC0415 - 25 ms, which the networks need not wait for
        from apscheduler.triggers.cron import CronTrigger  # noqa: PLC0415 - goes with it

        scheduler = AsyncIOScheduler(timezone=UTC)
        midnight = CronTrigger(hour=0, minute=0, timezone=UTC)
        scheduler.add_job(self.begin, midnight, misfire_grace_time=None)
        scheduler.start()
        try:
            await self.begin()
            await asyncio.Event().wait()
        finally:
            scheduler.shutdown(wait=False)

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
