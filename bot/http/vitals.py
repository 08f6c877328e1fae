"""Whom the metrics ask when they are scraped."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.ports import Clock, LinkStatus, Outgoing


class Ticks(Protocol):
    """What measures hosts and machines, as far as its own pace goes."""

    @property
    def seconds(self) -> float:
        """What the last tick took."""

    @property
    def skipped(self) -> int:
        """How many were left out since the start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """Whom to ask: `lag` is the loop's worst in the last minute, `noted` what the audit book is behind by.

    `due` is when the schedule's next date is, in the past where it is late. All are in seconds.
    """

    version: str
    clock: Clock
    links: Callable[[], Sequence[LinkStatus]]
    outgoing: Outgoing
    ticks: Ticks
    lag: Callable[[], float]
    noted: Callable[[], float]
    due: Callable[[], Awaitable[datetime | None]]
    well: Callable[[], bool]
