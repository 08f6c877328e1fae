"""What was measured: just now, and over years."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.coop.samples import Tick
from bot.coop.traffic import Counter, Traffic
from bot.ports.machines import Slot


class Samples(Protocol):
    """What was measured, for those who show it."""

    def latest(self) -> Tick | None:
        """Return the newest tick; None until there was one."""

    async def series(self, kind: str, name: str, step: int, start: int, until: int) -> Sequence[Slot]:
        """Return the rows of a `host` or `machine`, each of `step` seconds, the oldest first.

        `step` is 60, 300, 3600 or 86400; times are Unix times. What was not measured is not there.
        """

    async def flow(
        self, kind: str, names: Collection[str], step: int, start: int, until: int
    ) -> Sequence[tuple[int, int, int]]:
        """Return what some of a kind passed together: (time, bytes received, bytes sent), the oldest first.

        It is as `series`, and much quicker for the many rows of a month.
        """

    async def traffic(self, start: int, until: int) -> Sequence[Traffic]:
        """Return all bytes of a time, one a subject and owner, those of machines that are gone too.

        Times are Unix times, multiples of 60; what is newer than the last whole minute is not counted yet.
        """

    async def parts(self, times: Sequence[tuple[int, int]]) -> Sequence[Sequence[Traffic]]:
        """Return the same for each of several times, and much quicker than one after the other."""


@dataclass(frozen=True, slots=True)
class Minute:
    """What is written once a minute: rows by (kind, name), who owns each machine now, raw counters.

    The counters are as of the rows' end, and written in place of those before, unless there are none.
    """

    slots: Mapping[tuple[str, str], Slot]
    owners: Mapping[str, str | None] = field(default_factory=dict)
    counters: Mapping[tuple[str, str], Counter] = field(default_factory=dict)


class History(Samples, Protocol):
    """The same for what measures."""

    def put(self, tick: Tick) -> None:
        """Take the newest tick."""

    async def record(self, minute: Minute, now: int) -> None:
        """Write a minute's rows, owners and counters at the Unix time `now`."""

    async def counters(self) -> Mapping[tuple[str, str], Counter]:
        """Return the raw counters as they were last written, by (kind, name)."""
