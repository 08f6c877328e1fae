"""One lane of the outbox: which of its destinations rest, and which were out of reach."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from bot.model import Urgency
from bot.ports import Tx
from bot.store.notices import Waiting

FIRST_PAUSE, LONGEST_PAUSE = 2.0, 300.0
"""Seconds until a destination that was not reached is tried again: doubled each time, up to the second."""

OUTAGE = 60.0
"""Seconds out of reach after which a destination is told of much in a digest: as long as nothing is late."""


@dataclass(slots=True)
class Pause:
    """A destination that could not be reached."""

    until: float
    seconds: float


@dataclass(slots=True)
class Lane:
    """What is delivered one after the other; `wake` is set when there is something new to try.

    `said` crosses off what was delivered, and is still to be done. Times are monotonic seconds.
    """

    name: str
    said: Callable[[Tx], None] | None = None
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    pauses: dict[str, Pause] = field(default_factory=dict)
    missing: dict[str, float] = field(default_factory=dict)
    """Since when destinations are out of reach."""
    back: set[str] = field(default_factory=set)
    """Destinations that are in reach again after an outage, and still have to hear what waited."""

    def resting(self, now: float) -> list[str]:
        """Return the destinations that are not to be tried yet."""
        return [name for name, pause in self.pauses.items() if pause.until > now]

    def was_out(self, destination: str, now: float) -> bool:
        """Tell whether a destination is, or was until now, out of reach for long."""
        since = self.missing.get(destination)
        return destination in self.back or (since is not None and now - since >= OUTAGE)

    def missed(self, row: Waiting, now: float, *, pause: bool) -> None:
        """Take note that a destination was not reached, and let it rest."""
        name = row.destination
        self.missing.setdefault(name, now)
        if pause:
            before = self.pauses.get(name)
            seconds = min(before.seconds * 2, LONGEST_PAUSE) if before else FIRST_PAUSE
            self.pauses[name] = Pause(now + seconds, seconds)

    def reached(self, row: Waiting, now: float) -> None:
        """Take note that a destination was reached; after alerts, the rest is still to come."""
        name = row.destination
        was_out = self.was_out(name, now)
        self.pauses.pop(name, None)
        self.missing.pop(name, None)
        if was_out and row.urgency is Urgency.ALERT:
            self.back.add(name)
        else:
            self.back.discard(name)

    def forget_but(self, waiting: Collection[str]) -> None:
        """Forget the destinations for which nothing waits any more."""
        self.pauses = {name: pause for name, pause in self.pauses.items() if name in waiting}
        self.missing = {name: since for name, since in self.missing.items() if name in waiting}
        self.back &= set(waiting)
