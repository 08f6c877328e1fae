"""A clock that goes only when told to."""

import asyncio
import heapq
from datetime import UTC, datetime, timedelta
from itertools import count

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class FakeClock:
    """A Clock that goes only when told to."""

    def __init__(self, start: datetime = START) -> None:
        self._start, self._passed, self._count = start, 0.0, count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """Return the fake instant."""
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        """Return the seconds that have passed."""
        return self._passed

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was advanced so far."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._passed + seconds, next(self._count), woken))
        await woken

    @property
    def sleepers(self) -> int:
        """How many wait for this clock now."""
        return sum(not woken.done() for _, _, woken in self._sleepers)

    async def advance(self, seconds: float) -> None:
        """Let time pass, waking every sleeper at its own instant, and let them do their work."""
        end = self._passed + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, woken = heapq.heappop(self._sleepers)
            self._passed = max(self._passed, due)
            if not woken.done():
                woken.set_result(None)
            await settle()
        self._passed = end


async def settle(turns: int = 20) -> None:
    """Let tasks that can go on do so."""
    for _ in range(turns):
        await asyncio.sleep(0)


class HastyClock(FakeClock):
    """A clock for what waits only before it tries again."""

    async def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        await self.advance(seconds)
