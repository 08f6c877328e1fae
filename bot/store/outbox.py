"""Delivery of what the outbox holds: in order, across reconnects, crossed off only when it was taken."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

from bot.errors import StoreFault
from bot.model import Place, Urgency
from bot.ports import Backlog, Clock, Incidents, Roster, Store, Transport, Tx
from bot.store import notices
from bot.store.digest import SHOWN, digest, spoken
from bot.store.lane import Lane
from bot.store.notices import Waiting
from bot.store.reach import sleeps, ways
from bot.store.waiting import called

POLL_SECONDS = 5.0
"""How soon what another process committed is seen, and what has expired is dropped."""

FAULT_PAUSE = 60.0
"""Seconds that a lane rests when the store failed it."""

DIGEST = 20
"""How many messages may wait for one place after an outage before they are told in a digest."""


class Outbox:
    """Delivers waiting notices, each lane in a task of its own, so that none waits for another.

    Killed between a delivery and its crossing off, it delivers that one again: at least once. Of a place that
    was out of reach for a while, alerts are delivered first and one by one; of the rest no more than `most`.
    `transports` may be filled later.
    """

    def __init__(
        self,
        store: Store,
        transports: Sequence[Transport],
        clock: Clock,
        roster: Roster,
        *,
        incidents: Incidents,
        most: int = DIGEST,
        zone: str = "UTC",
    ) -> None:
        self._store, self._clock, self._roster, self._incidents = store, clock, roster, incidents
        self._transports, self._most, self._zone = transports, most, zone
        self._lanes: dict[str, Lane] = {}
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
                        self._lanes[name] = Lane(name)
                        tasks.create_task(self._serve(self._lanes[name]), name=f"outbox {name}")
                    self._lanes[name].wake.set()
                await called(self._wake, self._clock, POLL_SECONDS)

    async def backlogs(self) -> tuple[Backlog, ...]:
        """Return what waits and what was never said, by place; see bot.ports.Outgoing."""
        tick, now = self._clock.monotonic(), self._clock.now()
        tries = {
            name: now + timedelta(seconds=max(0.0, pause.until - tick))
            for lane in self._lanes.values()
            for name, pause in lane.pauses.items()
        }
        return await self._store.read(lambda db: notices.backlogs(db, tries))

    async def drop(self, place: str) -> int:
        """Give up all that waits for a place; see bot.ports.Outgoing."""
        count = await self._store.write(lambda tx: notices.drop(tx.db, place))
        self.dropped += count
        return count

    async def _look(self) -> Sequence[str]:
        """Drop what has expired and return the lanes in which something waits."""
        now = self._clock.now()
        try:
            if await self._store.glance(lambda db: notices.expired(db, now)):
                expired = await self._store.write(lambda tx: notices.drop_expired(tx.db, now))
                self.dropped += expired
            return await self._store.glance(notices.lanes)
        except Exception as error:  # noqa: BLE001 - a full disk or the like must not end the delivery
            self._incidents.report(error, during="a look at the outbox")
            return ()

    async def _serve(self, lane: Lane) -> None:
        while True:
            lane.wake.clear()
            try:
                await self._drain(lane)
                if lane.pauses:
                    lane.forget_but(await self._store.read(lambda db: notices.destinations(db, lane.name)))
                pause = min((pause.until for pause in lane.pauses.values()), default=None)
            except Exception as error:  # noqa: BLE001 - a fault of the store or a transport must not end the delivery
                self._incidents.report(error, during=f"delivery, {lane.name}")
                pause = self._clock.monotonic() + FAULT_PAUSE
            if pause is None:
                await lane.wake.wait()
            else:
                await called(lane.wake, self._clock, max(0.0, pause - self._clock.monotonic()))

    async def _drain(self, lane: Lane) -> None:
        """Deliver until nothing is left that could be."""
        while True:
            if lane.said is not None:
                await self._store.write(lane.said)
                lane.said = None
            row = await self._next(lane)
            if row is None:
                return
            lines, cross_off = await self._words(lane, row)
            pokes = self._pokes
            if await self._delivered(row, lines):
                lane.reached(row, self._clock.monotonic())
                lane.said = cross_off
            else:  # where a link came back meanwhile, it is tried again at once
                lane.missed(row, self._clock.monotonic(), pause=pokes == self._pokes)

    async def _next(self, lane: Lane) -> Waiting | None:
        now, resting = self._clock.now(), lane.resting(self._clock.monotonic())
        look = self._store.read if resting else self._store.glance  # much may wait for who rests
        row = await look(lambda db: notices.first(db, lane.name, now, resting))
        if row is None or row.manner != "patient" or not await self._sleeps(row.to):
            return row
        return await self._store.read(lambda db: notices.first(db, lane.name, now, resting, patient=False))

    async def _sleeps(self, to: Place | str) -> bool:
        """Tell whether that is a member who has quiet hours now; their end is seen at a later look."""
        member = None if isinstance(to, Place) else await self._roster.member(to)
        return member is not None and sleeps(member, self._clock.now(), self._zone)

    async def _words(self, lane: Lane, row: Waiting) -> tuple[tuple[str, ...], Callable[[Tx], None]]:
        """Return what is to be said now, and how it is crossed off: a row, or a digest of many."""
        now = self._clock.now()
        if row.urgency is not Urgency.ALERT and lane.was_out(row.destination, self._clock.monotonic()):
            count, oldest, newest = await self._store.read(
                lambda db: notices.backlog(db, row.destination, now, SHOWN)
            )
            if oldest and count > self._most:
                done = partial(_cross_off_digest, row.destination, newest[-1].id)
                return digest(count, oldest, newest, now), done
        return spoken(row, now), partial(_cross_off, row)

    async def _delivered(self, row: Waiting, lines: Sequence[str]) -> bool:
        """Say it; whether the row is done with."""
        try:
            if isinstance(row.to, Place):
                return await self._say(row.to, lines)
            return await self._tell(row.to, lines, elsewhere=row.manner == "elsewhere")
        except StoreFault:
            raise
        except Exception as error:  # noqa: BLE001 - a transport's own mistake counts as not delivered
            self._incidents.report(error, during=f"delivery to {row.destination}")
            return False

    async def _say(self, place: Place, lines: Sequence[str]) -> bool:
        found = (transport for transport in self._transports if transport.network == place.network)
        transport = next(found, None)
        return transport is not None and await transport.say(place, lines)

    async def _tell(self, name: str, lines: Sequence[str], *, elsewhere: bool) -> bool:
        """Tell a member where they can be reached: see bot.store.reach.ways.

        Who is nowhere finds it on a server that keeps it for them, if there is one.
        """
        member = await self._roster.member(name)
        if member is None:
            self.dropped += 1
            await self._store.write(lambda tx: notices.count_lost(tx.db, f"member {name}", dropped=1))
            return True
        networks = {transport.network: transport for transport in self._transports}
        there = ways(member, await self._roster.identities(member), networks, elsewhere=elsewhere)
        for identity in there:
            if await networks[identity.network].tell(identity, lines):
                return True
        for identity in there:
            if await networks[identity.network].leave_word(identity, lines):
                return True
        return False


def _cross_off(row: Waiting, tx: Tx) -> None:
    notices.remove(tx.db, row)


def _cross_off_digest(destination: str, newest: int, tx: Tx) -> None:
    notices.remove_up_to(tx.db, destination, newest)
