"""Turns to speak: a token bucket shared fairly, so that nobody's long answers starve another's."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from bot.config import Pace
from bot.ports import Clock
from bot.transports.lines import TokenBucket

LANE, ALL = 64, 256
"""How many may wait for a turn in one lane and in all; who comes then is turned away."""

CHATTER = "chatter"
"""The lane that goes only when nobody else waits, and never spends the last SPARE lines of a burst."""

SPARE = 2
_LAST = frozenset({CHATTER})


@dataclass(slots=True, eq=False)
class _Turn:
    count: int
    granted: asyncio.Future[bool]


@dataclass(slots=True)
class Turns:
    """Grants turns lane by lane in a ring; a lane is a person or a place. Run `run` beside it."""

    clock: Clock
    pace: Pace | None
    dropped: int = 0
    _closed: bool = field(init=False, default=False)
    _bucket: TokenBucket = field(init=False)
    _lanes: dict[str, deque[_Turn]] = field(init=False, default_factory=dict)
    _locks: WeakValueDictionary[str, asyncio.Lock] = field(init=False, default_factory=WeakValueDictionary)
    _wanted: asyncio.Event = field(init=False, default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        pace = self.pace or Pace()
        self._bucket = TokenBucket(pace.burst, pace.per_second)

    @property
    def largest(self) -> int:
        """How many lines may go out in one turn."""
        return self.pace.burst if self.pace else LANE

    @property
    def waiting(self) -> int:
        """How many wait for a turn."""
        return sum(map(len, self._lanes.values()))

    def lock(self, lane: str) -> asyncio.Lock:
        """Return the lock to hold while saying what must not be mixed with other words in that lane."""
        lock = self._locks.get(lane)
        if lock is None:
            lock = self._locks[lane] = asyncio.Lock()
        return lock

    async def turn(self, lane: str, count: int = 1) -> bool:
        """Wait for the turn to send `count` lines; False if too many wait, or it never comes."""
        if self._closed or self.pace is None:
            return not self._closed
        if self._lanes.keys() <= _LAST and self._take(lane, count) == 0:
            return True
        queue = self._lanes.get(lane, ())
        if len(queue) >= LANE or self.waiting >= ALL:
            self.dropped += count
            return False
        turn = _Turn(count, asyncio.get_running_loop().create_future())
        self._lanes.setdefault(lane, deque()).append(turn)
        self._wanted.set()
        return await turn.granted

    async def run(self) -> None:
        """Grant turns, for ever."""
        while True:
            await self._wanted.wait()
            lane = next((lane for lane in self._lanes if lane != CHATTER), CHATTER)
            turn = self._lanes[lane][0]
            if not turn.granted.done():
                wait = self._take(lane, turn.count)
                if wait:
                    await self.clock.sleep(min(wait, 1 / self._bucket.per_second))  # others may be first then
                    continue
                turn.granted.set_result(True)
            self._advance(lane)

    def close(self) -> None:
        """Turn away everybody who waits, and whoever comes from now on: the connection is lost."""
        self._closed = True
        for turn in [turn for queue in self._lanes.values() for turn in queue]:
            if not turn.granted.done():
                turn.granted.set_result(False)
        self._lanes.clear()
        self._wanted.clear()

    def _take(self, lane: str, count: int) -> float:
        return self._bucket.take(self.clock.monotonic(), count, spare=SPARE if lane == CHATTER else 0)

    def _advance(self, lane: str) -> None:
        queue = self._lanes.pop(lane)
        queue.popleft()
        if queue:
            self._lanes[lane] = queue  # behind all others
        if not self._lanes:
            self._wanted.clear()
