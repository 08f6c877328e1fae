"""Time, chance, and where faults go."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time, so that tests never sleep."""

    def now(self) -> datetime:
        """Return the wall clock's instant, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never go backwards."""

    async def sleep(self, seconds: float) -> None:
        """Wait that long by this clock."""


class Entropy(Protocol):
    """Randomness, so that tests repeat."""

    def token(self, bits: int) -> str:
        """Return an unguessable text of that many bits, in lower-case letters and digits."""

    def uniform(self, low: float, high: float) -> float:
        """Return a number between the two, for jitter."""


class Incidents(Protocol):
    """Where faults go: the person gets the number, the admins the cause."""

    def report(self, cause: BaseException, *, during: str, private: bool = False) -> str:
        """Record a fault and return its number, 4 hex digits; never raises.

        The message of a private one, which may hold private words, is left out.
        """


class Alarms(Protocol):
    """What the admins should know though nothing broke."""

    def warn(self, cause: str, text: str, *, burst: int = 1) -> None:
        """Tell the admins, in their place and each directly, in one line; never raises.

        What has the same cause is told so often at once; after that it is counted, and told with its count.
        """
