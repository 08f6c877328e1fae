"""What is still to be said, and what was never said."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for one place: a room or a nick as NETWORK/NAME, or a member's name.

    `oldest` is the instant of the oldest message, `next_try` that of the next attempt where the last one
    failed; `expired` and `dropped` count what was never said there.
    """

    place: str
    waiting: int
    oldest: datetime | None = None
    next_try: datetime | None = None
    expired: int = 0
    dropped: int = 0


class Outgoing(Protocol):
    """The outbox, for those who look after it."""

    async def backlogs(self) -> tuple[Backlog, ...]:
        """Return the places for which something waits or was never said, those where most waits first."""

    async def drop(self, place: str) -> int:
        """Give up all that waits for a place; return how many messages that were."""
