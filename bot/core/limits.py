"""How often: a pace for each speaker, and the limits that commands declare. Pure: now is an argument."""

import re
from collections import deque
from dataclasses import dataclass, field
from math import ceil

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Limit:
    """So many uses in so many seconds, written like 3/10m."""

    uses: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> "Limit":
        """Read `3/10m`; ValueError if it is not written so."""
        match = re.fullmatch(r"([1-9]\d{0,5})/([1-9]\d{0,5})([smhd])", text)
        if match is None:
            raise ValueError(f"{text!r} is no limit: write uses/time, like 3/10m")
        uses, amount, unit = match.groups()
        return cls(int(uses), int(amount) * _SECONDS[unit])

    def __str__(self) -> str:
        unit = next(unit for unit in ("d", "h", "m", "s") if self.seconds % _SECONDS[unit] == 0)
        return f"{self.uses}/{self.seconds // _SECONDS[unit]}{unit}"


@dataclass(slots=True)
class Uses:
    """The recent uses of one command by one speaker, as monotonic seconds."""

    limit: Limit
    times: deque[float] = field(default_factory=deque)

    def is_idle(self, now: float) -> bool:
        """Whether no use counts any more."""
        return not self.times or now - self.times[-1] >= self.limit.seconds

    def take(self, now: float) -> int:
        """Count a use and return 0, or return in how many seconds the next one is allowed."""
        while self.times and now - self.times[0] >= self.limit.seconds:
            self.times.popleft()
        if len(self.times) >= self.limit.uses:
            return max(1, ceil(self.limit.seconds - (now - self.times[0])))
        self.times.append(now)
        return 0


@dataclass(slots=True)
class Bucket:
    """A token bucket: `burst` at once, then `per_second`."""

    burst: int
    per_second: float
    level: float = field(init=False)
    updated: float | None = None

    def __post_init__(self) -> None:
        self.level = float(self.burst)

    def is_full(self, now: float) -> bool:
        """Whether it is as if it had never been used."""
        return self._level(now) >= self.burst

    def take(self, now: float) -> float:
        """Take one token, and return how many seconds to wait for it; 0 when there was one."""
        self.level = self._level(now) - 1.0
        self.updated = now
        return 0.0 if self.level >= 0 else -self.level / self.per_second

    def _level(self, now: float) -> float:
        gained = 0.0 if self.updated is None else max(0.0, now - self.updated) * self.per_second
        return min(float(self.burst), self.level + gained)
