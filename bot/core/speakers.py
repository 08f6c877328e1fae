"""One queue for each identity: commands run in their order, those of different speakers side by side.

The pace and the limits are a person's: a member with many identities has many queues, but one pace.
"""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from bot.core.limits import Bucket, Limit, Uses
from bot.errors import Refusal
from bot.ports import Clock

MOST_WAITING = 50
MOST_KEPT = 500
"""How many paces are kept before those that nobody would miss are forgotten."""


class Crowded(Refusal):
    """One speaker has too much waiting."""


@dataclass(slots=True, eq=False)
class Queue:
    """The commands of one identity that wait or run; `told` that there are too many."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0
    told: bool = False


@dataclass(slots=True, eq=False)
class Pace:
    """How often one person has asked of late."""

    bucket: Bucket
    uses: dict[str, Uses] = field(default_factory=dict)

    def use(self, command: str, limit: Limit, now: float) -> int:
        """Count a use of a limited command; return 0, or in how many seconds it is allowed again."""
        known = self.uses.setdefault(command, Uses(limit))
        return known.take(now)

    def is_idle(self, now: float) -> bool:
        """Whether forgetting this would change nothing."""
        return self.bucket.is_full(now) and all(uses.is_idle(now) for uses in self.uses.values())


@dataclass(slots=True)
class Turn:
    """A place in the queue of one identity; entered when it is its turn, left once."""

    speakers: "Speakers"
    key: Hashable
    queue: Queue
    held: bool = False

    async def __aenter__(self) -> Self:
        queue = self.queue
        if queue.waiting >= MOST_WAITING:
            first, queue.told = not queue.told, True
            raise Crowded(
                f"Slowly: {MOST_WAITING} of your commands wait; I leave this one out." if first else ""
            )
        queue.waiting += 1
        self.held = True
        try:
            await queue.lock.acquire()
        except BaseException:
            self._leave()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def release(self) -> None:
        """Let the next command begin; called early by what becomes a job."""
        if self.held:
            self.queue.lock.release()
            self._leave()

    def _leave(self) -> None:
        self.held = False
        self.queue.waiting -= 1
        if not self.queue.waiting:
            del self.speakers.queues[self.key]


@dataclass(slots=True)
class Speakers:
    """All who speak now or were active of late. `burst` and `per_second` are each one's pace."""

    clock: Clock
    burst: int = 10
    per_second: float = 2.0
    unpaced: frozenset[str] = frozenset()
    queues: dict[Hashable, Queue] = field(default_factory=dict)
    paces: dict[Hashable, Pace] = field(default_factory=dict)
    look_at: int = MOST_KEPT

    def turn(self, key: Hashable) -> Turn:
        """Return the next turn of the identity with this key, to be entered at once."""
        return Turn(self, key, self.queues.setdefault(key, Queue()))

    async def pace(self, person: Hashable, network: str) -> Pace:
        """Wait until this person may ask again, and return their pace."""
        pace = self.paces.get(person)
        if pace is None:
            self._forget_idle()
            pace = self.paces[person] = Pace(Bucket(self.burst, self.per_second))
        if network not in self.unpaced and (pause := pace.bucket.take(self.clock.monotonic())) > 0:
            await self.clock.sleep(pause)
        return pace

    def _forget_idle(self) -> None:
        if len(self.paces) >= self.look_at:
            now = self.clock.monotonic()
            self.paces = {person: pace for person, pace in self.paces.items() if not pace.is_idle(now)}
            self.look_at = max(MOST_KEPT, 2 * len(self.paces))
