"""The real clock and the real dice."""

import asyncio
import random
import secrets
import time
from base64 import b32encode
from datetime import UTC, datetime


class SystemClock:
    """The machine's own time; a Clock."""

    def now(self) -> datetime:
        """Return the wall clock's instant in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never go backwards."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait that long."""
        await asyncio.sleep(seconds)


class SystemEntropy:
    """The machine's own randomness; an Entropy."""

    def token(self, bits: int) -> str:
        """Return an unguessable text of at least that many bits, in lower-case letters and digits."""
        return b32encode(secrets.token_bytes((bits + 7) // 8)).decode("ascii").rstrip("=").lower()

    def uniform(self, low: float, high: float) -> float:
        """Return a number between the two; jitter needs no secret."""
        return random.uniform(low, high)  # noqa: S311 - jitter, not a key
