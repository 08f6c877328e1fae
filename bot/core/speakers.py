"""One queue for each speaker: their commands run in their order, those of different speakers side by side."""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from bot.core.limits import Bucket, Limit, Uses
from bot.errors import Refusal
from bot.ports import Clock

MOST_WAITING = 50
_MOST_KEPT = 500


class Crowded(Refusal):
    """One speaker has too much waiting."""


@dataclass(slots=True, eq=False)
class Speaker:
    """What is remembered of one speaker while they are active."""

    bucket: Bucket | None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0
    told: bool = False
    uses: dict[str, Uses] = field(default_factory=dict)

    def use(self, command: str, limit: Limit, now: float) -> int:
        """Count a use of a limited command; return 0, or in how many seconds it is allowed again."""
        known = self.uses.get(command)
        if known is None or known.limit != limit:
            known = self.uses[command] = Uses(limit)
        return known.take(now)


@dataclass(slots=True)
class Turn:
    """A speaker's place in their own queue; entered when it is their turn, left once."""

    speaker: Speaker
    clock: Clock
    held: bool = False

    async def __aenter__(self) -> Self:
        speaker = self.speaker
        if speaker.waiting >= MOST_WAITING:
            first, speaker.told = not speaker.told, True
            raise Crowded(
                f"Slowly: {MOST_WAITING} of your commands wait; I leave this one out." if first else ""
            )
        speaker.waiting += 1
        try:
            await speaker.lock.acquire()
        except BaseException:
            speaker.waiting -= 1
            raise
        self.held = True
        if speaker.bucket is not None and (pause := speaker.bucket.take(self.clock.monotonic())) > 0:
            await self._pause(pause)
        return self

    async def _pause(self, seconds: float) -> None:
        try:
            await self.clock.sleep(seconds)
        except BaseException:
            self.release()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def release(self) -> None:
        """Let the speaker's next command begin; called early by what becomes a job."""
        if self.held:
            self.held = False
            self.speaker.waiting -= 1
            self.speaker.told = self.speaker.told and self.speaker.waiting > 0
            self.speaker.lock.release()


@dataclass(slots=True)
class Speakers:
    """All speakers who were active of late. `burst` and `per_second` are each one's pace."""

    clock: Clock
    burst: int = 10
    per_second: float = 2.0
    unpaced: frozenset[str] = frozenset()
    known: dict[Hashable, Speaker] = field(default_factory=dict)

    def turn(self, key: Hashable, network: str) -> Turn:
        """Return the next turn of the speaker with this key on this network."""
        speaker = self.known.get(key)
        if speaker is None:
            self._forget_idle()
            bucket = None if network in self.unpaced else Bucket(self.burst, self.per_second)
            speaker = self.known[key] = Speaker(bucket)
        return Turn(speaker, self.clock)

    def _forget_idle(self) -> None:
        if len(self.known) < _MOST_KEPT:
            return
        now = self.clock.monotonic()
        for key, speaker in list(self.known.items()):
            limited = any(
                now - uses.times[-1] < uses.limit.seconds for uses in speaker.uses.values() if uses.times
            )
            if speaker.waiting == 0 and not limited:
                del self.known[key]
