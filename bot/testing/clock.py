"""A clock that goes only when told to."""

import asyncio
import heapq
from datetime import UTC, datetime, timedelta
from itertools import count
from math import inf
from typing import Protocol

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Alarm(Protocol):
    """What has to be done at instants of its own, such as the schedule."""

    async def soonest(self) -> datetime | None:
        """Return when there is something to do next."""

    async def turn(self) -> None:
        """Do all that is to be done now."""


class FakeClock:
    """A Clock that goes only when told to; `alarm`, if there is one, does its work before time goes on."""

    def __init__(self, start: datetime = START) -> None:
        self._start, self._passed, self._count = start, 0.0, count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self.alarm: Alarm | None = None

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
        await self._work()
        while (instant := await self._next()) <= end:
            self._passed = max(self._passed, instant)
            while self._sleepers and self._sleepers[0][0] <= self._passed:
                _, _, woken = heapq.heappop(self._sleepers)
                if not woken.done():
                    woken.set_result(None)
                await settle()
            await self._work()
        self._passed = end

    def put(self, seconds: float) -> None:
        """Put the wall clock forward, or back; to monotonic time and to those who sleep it is nothing."""
        self._start += timedelta(seconds=seconds)

    async def _work(self) -> None:
        await settle()
        if self.alarm is not None:
            await self.alarm.turn()
            await settle()

    async def _next(self) -> float:
        """Return when something is to happen next, in seconds of this clock."""
        first = self._sleepers[0][0] if self._sleepers else inf
        soonest = await self.alarm.soonest() if self.alarm is not None else None
        due = (soonest - self._start).total_seconds() if soonest is not None else inf
        return min(first, due) if due > self._passed else first


async def settle(turns: int = 20) -> None:
    """Let tasks that can go on do so."""
    for _ in range(turns):
        await asyncio.sleep(0)


class HastyClock(FakeClock):
    """A clock for what waits only before it tries again."""

    async def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        await self.advance(seconds)
