"""What a sampler writes to and asks in tests: a history in memory, and a roster of machines only."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from bot import Machine, Slot, Tick
from bot.coop.traffic import Counter, Traffic
from bot.errors import StoreFault
from bot.ports import Minute


@dataclass
class Pages:
    """A history that keeps what is written, or cannot be written; a later run finds it again."""

    minutes: list[Minute] = field(default_factory=list)
    broken: bool = False
    newest: Tick | None = None

    def latest(self) -> Tick | None:
        return self.newest

    def put(self, tick: Tick) -> None:
        self.newest = tick

    async def record(self, minute: Minute, now: int) -> None:
        if self.broken:
            raise StoreFault(f"the disk is full at {now}")
        self.minutes.append(minute)

    async def counters(self) -> dict[tuple[str, str], Counter]:
        if self.broken:
            raise StoreFault("the disk is gone")
        return dict(self.minutes[-1].counters) if self.minutes else {}

    async def parts(self, times: Sequence[tuple[int, int]]) -> list[list[Traffic]]:
        raise NotImplementedError

    async def traffic(self, start: int, until: int) -> list[Traffic]:
        raise NotImplementedError

    async def flow(
        self, kind: str, names: Collection[str], step: int, start: int, until: int
    ) -> list[tuple[int, int, int]]:
        raise NotImplementedError

    async def series(self, kind: str, name: str, step: int, start: int, until: int) -> list[Slot]:
        raise NotImplementedError

    def slots(self, key: tuple[str, str]) -> list[Slot]:
        """What was written of a subject, (kind, name), the oldest first."""
        return [minute.slots[key] for minute in self.minutes if key in minute.slots]

    def bytes(self, key: tuple[str, str]) -> tuple[int, int]:
        """All that a subject received and sent."""
        slots = self.slots(key)
        return sum(slot.received for slot in slots), sum(slot.sent for slot in slots)


@dataclass
class Roll:
    """A roster that knows machines only."""

    all: Sequence[Machine]

    async def machines(self) -> Sequence[Machine]:
        return self.all
