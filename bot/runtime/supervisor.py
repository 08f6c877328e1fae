"""Keeps one transport connected: it alone calls `serve`, one attempt at a time, with growing pauses."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.errors import TransportFault
from bot.ports import Clock, Entropy, Incidents, Transport

SHORTEST, LONGEST = 0.2, 15.0
"""Seconds between two attempts, at least and at most: a server that is back hears of us within 30 s."""

STEADY = 30.0
"""Seconds that a connection must have lasted for the pauses to begin anew: a server that lets us in and
throws us out at once is not to be hammered."""

STUCK = 300.0
"""Seconds after which an attempt that has not come up, or a next one that has not begun, counts as stuck."""

_STEEPEST = 16


@dataclass(frozen=True, slots=True)
class Attempts:
    """How it goes: attempts so far, why the last connection ended, and when the next attempt is due."""

    count: int = 0
    error: str = ""
    next: datetime | None = None


class Supervisor:
    """Runs one transport for ever; exponential back-off with full jitter. `up` hears of each connection."""

    def __init__(
        self,
        transport: Transport,
        clock: Clock,
        entropy: Entropy,
        incidents: Incidents,
        up: Callable[[], None] = lambda: None,
    ) -> None:
        self._told = up
        self._transport = transport
        self._clock = clock
        self._entropy = entropy
        self._incidents = incidents
        self._up_since: float | None = None
        self._alive = clock.monotonic()
        self.status = Attempts()

    async def run(self) -> None:
        """Serve, and serve again when the connection is lost, until cancelled."""
        failures = 0
        while True:
            error = await self._attempt()
            failures = 0 if self._was_steady() else failures + 1
            wait = self.pause(failures)
            self.status = Attempts(self.status.count, error, self._clock.now() + timedelta(seconds=wait))
            await self._clock.sleep(wait)

    def pause(self, failures: int) -> float:
        """Return the seconds to wait after so many failures in a row: anything up to 2**failures."""
        longest = min(LONGEST, 2.0 ** min(failures, _STEEPEST))
        return max(SHORTEST, self._entropy.uniform(0.0, longest))

    def stuck(self) -> float:
        """Return for how many seconds it has neither been up nor begun an attempt; 0 while that is normal."""
        now = self._clock.monotonic()
        if self._transport.status().up:
            self._alive = now
        still = now - self._alive
        return still if still >= STUCK else 0.0

    async def _attempt(self) -> str:
        self._up_since = None
        self._alive = self._clock.monotonic()
        self.status = Attempts(self.status.count + 1, self.status.error)
        try:
            await self._transport.serve(self._up)
        except TransportFault as fault:
            return str(fault)
        except Exception as error:  # noqa: BLE001 - whatever broke in a transport, the network is tried again
            number = self._incidents.report(error, during=f"serving {self._transport.network}")
            return f"an error of ours, {number}"
        return "it ended without saying why"

    def _up(self) -> None:
        self._up_since = self._clock.monotonic()
        self._told()

    def _was_steady(self) -> bool:
        return self._up_since is not None and self._clock.monotonic() - self._up_since >= STEADY
