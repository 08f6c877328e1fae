"""Delivery of what the outbox holds: in order, across reconnects, crossed off only when it was taken."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.errors import StoreFault
from bot.model import Place
from bot.ports import Clock, Incidents, Roster, Store, Transport
from bot.store import notices
from bot.store.notices import Waiting
from bot.store.waiting import called

POLL_SECONDS = 5.0
"""How soon what another process committed is seen, and what has expired is dropped."""

FIRST_PAUSE, LONGEST_PAUSE = 2.0, 300.0
"""Seconds until a destination that was not reached is tried again: doubled each time, up to the second."""

FAULT_PAUSE = 60.0
"""Seconds that a lane rests when the store failed it."""


@dataclass(slots=True)
class _Pause:
    """A destination that could not be reached."""

    until: float
    seconds: float


@dataclass(slots=True)
class _Lane:
    """What is delivered one after the other; `wake` is set when there is something new to try.

    `said` is the row that was delivered and is still to be crossed off.
    """

    name: str
    said: int | None = None
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    pauses: dict[str, _Pause] = field(default_factory=dict)


class Outbox:
    """Delivers waiting notices, each lane in a task of its own, so that none waits for another.

    Killed between a delivery and its crossing off, it delivers that one again: at least once.
    """

    def __init__(
        self,
        store: Store,
        transports: Sequence[Transport],
        clock: Clock,
        roster: Roster,
        *,
        incidents: Incidents,
    ) -> None:
        self._store, self._clock, self._roster, self._incidents = store, clock, roster, incidents
        self._transports = {transport.network: transport for transport in transports}
        self._lanes: dict[str, _Lane] = {}
        self._wake = asyncio.Event()
        self._pokes = 0
        self.dropped = 0
        """How many notices expired, or had nobody left to hear them, since the start."""

    def wake(self) -> None:
        """Look for new notices at once: for the store's commits."""
        self._wake.set()

    def poke(self) -> None:
        """Try every destination again at once: for a link that came back, or a member who appeared."""
        self._pokes += 1
        for lane in self._lanes.values():
            lane.pauses.clear()
            lane.wake.set()
        self._wake.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._wake.clear()
                for name in await self._look():
                    if name not in self._lanes:
                        self._lanes[name] = _Lane(name)
                        tasks.create_task(self._serve(self._lanes[name]), name=f"outbox {name}")
                    self._lanes[name].wake.set()
                await called(self._wake, self._clock, POLL_SECONDS)

    async def _look(self) -> Sequence[str]:
        """Drop what has expired and return the lanes in which something waits."""
        now = self._clock.now()
        try:
            if await self._store.read(lambda db: notices.expired(db, now)):
                self.dropped += await self._store.write(lambda tx: notices.drop_expired(tx.db, now))
            return await self._store.read(notices.lanes)
        except Exception as error:  # noqa: BLE001 - a full disk or the like must not end the delivery
            self._incidents.report(error, during="a look at the outbox")
            return ()

    async def _serve(self, lane: _Lane) -> None:
        while True:
            lane.wake.clear()
            try:
                await self._drain(lane)
                pause = min((pause.until for pause in lane.pauses.values()), default=None)
            except Exception as error:  # noqa: BLE001 - a fault of the store or a transport must not end the delivery
                self._incidents.report(error, during=f"delivery, {lane.name}")
                pause = self._clock.monotonic() + FAULT_PAUSE
            if pause is None:
                await lane.wake.wait()
            else:
                await called(lane.wake, self._clock, max(0.0, pause - self._clock.monotonic()))

    async def _drain(self, lane: _Lane) -> None:
        """Deliver until nothing is left that could be."""
        while True:
            if lane.said is not None:
                await self._store.write(lambda tx: notices.remove(tx.db, lane.said))
                lane.said = None
            row = await self._next(lane)
            if row is None:
                return
            pokes = self._pokes
            if await self._delivered(row):
                lane.pauses.pop(row.destination, None)
                lane.said = row.id
            elif pokes == self._pokes:  # else a link came back meanwhile, and it is tried again at once
                before = lane.pauses.get(row.destination)
                seconds = min(before.seconds * 2, LONGEST_PAUSE) if before else FIRST_PAUSE
                lane.pauses[row.destination] = _Pause(self._clock.monotonic() + seconds, seconds)

    async def _next(self, lane: _Lane) -> Waiting | None:
        now, tick = self._clock.now(), self._clock.monotonic()
        resting = [name for name, pause in lane.pauses.items() if pause.until > tick]
        return await self._store.read(lambda db: notices.first(db, lane.name, now, resting))

    async def _delivered(self, row: Waiting) -> bool:
        """Say it; whether the row is done with."""
        try:
            if isinstance(row.to, Place):
                return await self._say(row.to, row.lines)
            return await self._tell(row.to, row.lines)
        except StoreFault:
            raise
        except Exception as error:  # noqa: BLE001 - a transport's own mistake counts as not delivered
            self._incidents.report(error, during=f"delivery to {row.destination}")
            return False

    async def _say(self, place: Place, lines: Sequence[str]) -> bool:
        transport = self._transports.get(place.network)
        return transport is not None and await transport.say(place, lines)

    async def _tell(self, name: str, lines: Sequence[str]) -> bool:
        """Tell a member where they can be reached: on the preferred network first, then as last seen."""
        member = await self._roster.member(name)
        if member is None:
            self.dropped += 1
            return True
        identities = await self._roster.identities(member)
        for identity in sorted(identities, key=lambda one: one.network != member.reach):
            transport = self._transports.get(identity.network)
            if transport is not None and await transport.tell(identity, lines):
                return True
        return False
