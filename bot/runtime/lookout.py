"""Tells the admins what becomes of the networks: lost, back, kicked out of a room, not logged in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.coop.spans import span
from bot.ports import Alarms, Clock, LinkStatus

LOOK_SECONDS = 5.0
"""How often the connections are looked at."""

LONG_SECONDS = 60.0
"""How long a network may be away before that is told on the others."""

BURST = 4
"""How often a network's news are told at once; of one that comes and goes, the rest is counted."""


@dataclass(slots=True)
class _Seen:
    """What one network was like at the last look; `lost`: when, by the monotonic clock, it was found down."""

    been_up: bool = False
    lost: float | None = None
    told: bool = False
    reason: str = ""
    detail: str = ""


@dataclass(slots=True)
class Lookout:
    """Looks at the connections, and tells what has changed, once."""

    links: Callable[[], Sequence[LinkStatus]]
    alarms: Alarms
    clock: Clock
    seen: dict[str, _Seen] = field(default_factory=dict)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            for status in self.links():
                for text in self._news(status, self.seen.setdefault(status.network, _Seen())):
                    self.alarms.warn(f"network {status.network}", text, burst=BURST)
            await self.clock.sleep(LOOK_SECONDS)

    def _news(self, status: LinkStatus, seen: _Seen) -> tuple[str, ...]:
        return self._up(status, seen) if status.up else self._down(status, seen)

    def _up(self, status: LinkStatus, seen: _Seen) -> tuple[str, ...]:
        news = []
        if seen.lost is not None and (seen.been_up or seen.told):
            away = span(self.clock.monotonic() - seen.lost)
            news.append(f"{status.network} is back after {away}; it was lost: {seen.reason}")
        if status.detail and status.detail != seen.detail:
            news.append(f"{status.network}: {status.detail}")
        seen.been_up, seen.lost, seen.told, seen.detail = True, None, False, status.detail
        return tuple(news)

    def _down(self, status: LinkStatus, seen: _Seen) -> tuple[str, ...]:
        now = self.clock.monotonic()
        if seen.lost is None:
            seen.lost = now
        seen.reason = status.detail or seen.reason
        if seen.told or now - seen.lost < LONG_SECONDS:
            return ()
        seen.told = True
        return (f"{status.network} is down for {span(now - seen.lost)}: {seen.reason}",)
