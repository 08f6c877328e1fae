"""How far each counter of bytes had come, so that what it grows by is counted once, over restarts too."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from bot.coop.traffic import Counter, grown

_LOG = logging.getLogger("shipboard.traffic")

Key = tuple[str, str]
"""The kind of what has the counter, `host` or `machine`, and its name."""

LINK = 125_000_000
"""Bytes a second that a counter of 32 bits may pass, 1 Gbit/s: at ten times that it wraps within a tick."""

MOST_WRAPPED = 2**31
"""Above so many bytes it is likelier that a counter was set to 0 than that it wrapped."""


@dataclass(frozen=True, slots=True)
class Growth:
    """The bytes received and sent in so many seconds; 0 seconds where it is not known how long that took."""

    received: int = 0
    sent: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Tally:
    """All counters as they were seen last, and when, by the monotonic clock; of an earlier run never."""

    _seen: dict[Key, tuple[Counter, float | None]] = field(default_factory=dict)

    @classmethod
    def of(cls, counters: Mapping[Key, Counter]) -> "Tally":
        """Go on where an earlier run ended."""
        return cls({key: (counter, None) for key, counter in counters.items()})

    def take(self, key: Key, now: Counter, at: float) -> Growth:
        """Return by how much a counter has grown; one that was never seen begins with what it shows."""
        before, when = self._seen.get(key, (None, None))
        self._seen[key] = now, at
        seconds = 0.0 if when is None else at - when
        growth = Growth(*grown(before, now, min(seconds * LINK, MOST_WRAPPED)), seconds)
        if (
            before
            and before.epoch == now.epoch
            and (now.received < before.received or now.sent < before.sent)
        ):
            _LOG.info("%s: %s after %s, a wrap or a reset, counts as %s", " ".join(key), now, before, growth)
        return growth

    def keep(self, keys: Collection[Key]) -> None:
        """Forget all others."""
        self._seen = {key: seen for key, seen in self._seen.items() if key in keys}

    def counters(self) -> dict[Key, Counter]:
        """Return all counters, for the next run."""
        return {key: counter for key, (counter, _) in self._seen.items()}
