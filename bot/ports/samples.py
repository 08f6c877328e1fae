"""What was measured: just now, and over years."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from bot.coop.samples import Tick
from bot.ports.machines import Slot


class Samples(Protocol):
    """What was measured, for those who show it."""

    def latest(self) -> Tick | None:
        """Return the newest tick; None until there was one."""

    async def series(self, kind: str, name: str, step: int, start: int, until: int) -> Sequence[Slot]:
        """Return the rows of a `host` or `machine`, each of `step` seconds, the oldest first.

        `step` is 60, 300, 3600 or 86400; times are Unix times. What was not measured is not there.
        """


class History(Samples, Protocol):
    """The same for what measures."""

    def put(self, tick: Tick) -> None:
        """Take the newest tick."""

    async def record(self, slots: Mapping[tuple[str, str], Slot], now: int) -> None:
        """Write a minute's row of each subject, (kind, name), at the Unix time `now`."""
