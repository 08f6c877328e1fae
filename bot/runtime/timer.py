"""APScheduler as an alarm clock: one job, at the next due time of the whole schedule.

One job for all entries, not one for each: the table's index knows which is next, so that ten thousand
entries cost the timer nothing to load, and nothing of them is kept in two places.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

_IDLE = timedelta(days=1)


class Soonest(BaseTrigger):  # type: ignore[misc]  # APScheduler ships no types
    """APScheduler's trigger for that one job. It never raises, which would end the scheduler silently."""

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:  # noqa: ARG002 - APScheduler's
        """Return an instant that is always there: `Timer.set` puts the right one in its place."""
        return now + _IDLE


class Timer:
    """Rings at the instant that was set last."""

    def __init__(self, ring: Callable[[], None]) -> None:
        async def call() -> None:  # APScheduler runs what is no coroutine in a thread
            ring()

        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._job = self._scheduler.add_job(
            call, Soonest(), coalesce=True, misfire_grace_time=None, max_instances=1
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run in the event loop that runs now."""
        self._scheduler.start()
        try:
            yield
        finally:
            self._scheduler.shutdown(wait=False)

    def set(self, instant: datetime | None) -> None:
        """Ring at this instant, at once if it is over; None lets it rest."""
        self._job.modify(next_run_time=instant or datetime.now(UTC) + _IDLE)

    def wake(self) -> None:
        """Let it look at the clock again, should that have been changed; whatever that raises comes out."""
        self._scheduler.wakeup()
