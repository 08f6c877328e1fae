"""What plugins hear of a room's talk: in order, each person a few lines at a time, never more than can wait.

Who pastes is heard in part: the first lines, and once they have paused how many more there were, or, where
they were but a few, those lines.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.core.binding import inject
from bot.core.invoke import Hands, name_of, within
from bot.core.limits import Bucket
from bot.core.registry import Heard, Registry
from bot.errors import Fault
from bot.model import Place, Relayed, Remark
from bot.ports import Clock, Incidents, Loudspeaker

MOST = 50
"""Remarks that may wait in one room."""

SPEAKERS = 500
"""People whose pace is kept."""

BURST, PER_SECOND = 3, 0.25
"""How many lines of one person are heard at once, and how many a second from then on."""

FEW = 2
"""Lines beyond that which are no paste, but heard late."""

PAUSE, LONGEST = 3.0, 30.0
"""Seconds of silence that end a paste, and after which one that does not end is told of anyway."""

HEAR_SECONDS = 5.0
QUIET = 600.0
"""Seconds for which the next faults of a plugin's ears are not reported."""


@dataclass(slots=True, eq=False)
class _Flow:
    """How fast one person talks in one room; `more` counts what was left out since they came too fast."""

    at: float
    bucket: Bucket = field(default_factory=lambda: Bucket(BURST, PER_SECOND))
    more: int = 0
    late: list[Remark] = field(default_factory=list)


@dataclass(slots=True)
class Ears:
    """Hands remarks to the plugins that listen, and what they make of them to the loudspeaker.

    `unheard` counts the remarks that were left out, `unsaid` the relayed lines that were not taken.
    """

    registry: Registry
    services: Mapping[type, object]
    clock: Clock
    incidents: Incidents
    hands: Hands
    loudspeaker: Loudspeaker
    unheard: int = 0
    unsaid: int = 0
    _rooms: dict[Place, deque[Remark]] = field(default_factory=dict)
    _flows: dict[tuple[Place, str], _Flow] = field(default_factory=dict)
    _told: dict[str, float] = field(default_factory=dict)
    _tasks: "set[asyncio.Task[None]]" = field(default_factory=set)

    def overhear(self, remark: Remark) -> None:
        """Take a remark to whoever listens there; it waits in its room's queue, or is left out."""
        if remark.place not in self.registry.ears:
            return
        now, key = self.clock.monotonic(), (remark.place, remark.nick)
        flow = self._flow(key, now)
        if flow is None:
            self.unheard += 1
        elif flow.more or self._is_crowded(remark.place) or flow.bucket.take(now):
            flow.more += 1
            flow.late += [remark] if flow.more <= FEW else []
            if flow.more == 1:
                self._spawn(self._sum_up(remark, flow))
        else:
            self._put(remark)

    async def close(self) -> None:
        """End what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _flow(self, key: tuple[Place, str], now: float) -> _Flow | None:
        flow = self._flows.get(key)
        if flow is None:
            if len(self._flows) >= SPEAKERS:
                self._flows = {k: f for k, f in self._flows.items() if f.more or not f.bucket.is_full(now)}
            if len(self._flows) >= SPEAKERS:
                return None
            flow = self._flows[key] = _Flow(now)
        flow.at = now
        return flow

    def _is_crowded(self, place: Place) -> bool:
        return len(self._rooms.get(place, ())) >= MOST

    def _put(self, remark: Remark) -> None:
        waiting = self._rooms.get(remark.place)
        if waiting is not None:
            waiting.append(remark)
        else:
            self._rooms[remark.place] = deque([remark])
            self._spawn(self._serve(remark.place))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _sum_up(self, remark: Remark, flow: _Flow) -> None:
        began = now = self.clock.monotonic()
        while (due := min(flow.at + PAUSE, began + LONGEST)) > now:
            await self.clock.sleep(due - now)
            now = self.clock.monotonic()
        del self._flows[remark.place, remark.nick]
        if flow.more <= FEW and not self._is_crowded(remark.place):
            for late in flow.late:
                self._put(late)
        else:
            self.unheard += flow.more
            self._put(Remark(remark.place, remark.nick, "", more=flow.more))

    async def _serve(self, place: Place) -> None:
        waiting = self._rooms[place]
        while waiting:
            remark = waiting.popleft()
            for heard in self.registry.ears.get(place, ()):
                await self._tell(heard, remark)
        del self._rooms[place]

    async def _tell(self, heard: Heard, remark: Remark) -> None:
        try:
            given = inject(heard.signature, {**self.services, Remark: remark})
            work = self.hands.invoke(heard.plugin, heard.handler, given)
            lines = _relayed(await within(self.clock, HEAR_SECONDS, work, name_of(heard.handler)))
        except Exception as error:  # noqa: BLE001 - one plugin's failure must not stop what others hear
            self._report(heard.plugin, error)
            return
        for line in lines:
            self.unsaid += not self.loudspeaker.pass_on(line)

    def _report(self, plugin: str, error: Exception) -> None:
        now = self.clock.monotonic()
        if now - self._told.get(plugin, -QUIET) >= QUIET:
            self._told[plugin] = now
            self.incidents.report(error, during=f"plugin {plugin} hearing what is said in a room")


def _relayed(result: object) -> tuple[Relayed, ...]:
    match result:
        case None:
            return ()
        case Relayed():
            return (result,)
        case list() | tuple() if all(isinstance(line, Relayed) for line in result):
            return tuple(result)
    raise Fault(f"what is heard is relayed or left, not answered with {type(result).__name__}")
