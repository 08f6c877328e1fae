"""Brings what the schedule holds on time: the table is the truth, a timer only says when to look at it.

Each entry's handler runs first. Then one transaction claims the dates and writes what the handlers returned,
for many entries at once. What is killed in between is due still; what was claimed does not come again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from bot.coop.spans import span
from bot.core import occurrences
from bot.errors import Refusal, StoreFault
from bot.model import Notice, Outcome, Urgency
from bot.ports import Agenda, Clock, Done, Due, Incidents, Scheduled, ScheduleState, Store, Tx

_LOG = logging.getLogger("shipboard.schedule")

BEAT_SECONDS = 15.0
"""How often, whatever the timer does, the table and the clock are looked at."""

JUMP_SECONDS = 30.0
"""How far the wall clock may move against the monotonic one between two beats."""

CHUNK = 200
"""How many entries are handled side by side, and written in one transaction."""

SLOW_SECONDS = 0.25
"""Real seconds after which a handler is waited for elsewhere, while the others go on."""

FAILURES = 5
"""After so many failures in a row an entry is broken."""

FIRST_RETRY = 60.0
"""Seconds until a date whose handler failed is tried again; doubled each time."""

ANEW = 100
"""How many entries are worked out anew at once."""


class Handlers(Protocol):
    """The handlers of entries, by their kinds."""

    @property
    def kinds(self) -> Collection[str]:
        """The kinds of entries that have a handler."""

    def __call__(self, entry: Scheduled, due: Due) -> Awaitable[Outcome]:
        """Run an entry's handler for one date."""


class Alarm(Protocol):
    """What rings at an instant; see bot.runtime.timer."""

    def set(self, instant: datetime | None) -> None:
        """Ring at this instant, at once if it is over; None lets it rest."""

    def wake(self) -> None:
        """Look at the clock again."""


@dataclass(frozen=True, slots=True)
class _Handled:
    """What is to be written of an entry."""

    entry: Scheduled
    write: Callable[[Tx], None]


@dataclass(slots=True, kw_only=True)
class Scheduler:
    """Handles what is due. `turn` does so once; `run` and `beat` go on until they are cancelled."""

    agenda: Agenda
    store: Store
    handlers: Handlers
    clock: Clock
    incidents: Incidents
    under_way: dict[int, "asyncio.Task[None]"] = field(default_factory=dict)
    _called: asyncio.Event = field(default_factory=asyncio.Event)

    def poke(self) -> None:
        """Look at the table at once."""
        self._called.set()

    async def run(self, alarm: Alarm) -> None:
        """Handle what is due whenever the alarm rings, the schedule is changed, or a beat comes."""
        try:
            while True:
                self._called.clear()
                alarm.set(await self._turned())
                await self._called.wait()
        finally:
            for task in self.under_way.values():
                task.cancel()

    async def _turned(self) -> datetime | None:
        """Handle what is due; return when there is more, None if only the next beat can tell."""
        try:
            await self.turn()
            return await self.soonest()
        except StoreFault as error:  # what is due stays due
            self.incidents.report(error, during="the schedule")
            return None

    async def beat(self, alarm: Alarm) -> None:
        """Wake the alarm and look at the clocks, time and again: no timer notices a clock that is changed."""
        await self.recompute()
        wall, steady = self.clock.now(), self.clock.monotonic()
        while True:
            await self.clock.sleep(BEAT_SECONDS)
            before, wall = wall, self.clock.now()
            since, steady = steady, self.clock.monotonic()
            jump = (wall - before).total_seconds() - (steady - since)
            try:
                alarm.wake()
            except Exception as error:  # noqa: BLE001 - a timer that fails must not end what replaces it
                self.incidents.report(error, during="the schedule's timer")
            if abs(jump) > JUMP_SECONDS:
                await self._jumped(jump)
            self.poke()

    async def soonest(self) -> datetime | None:
        """Return when there is something to do next."""
        return await self.agenda.soonest(self.handlers.kinds, self.under_way)

    async def turn(self) -> None:
        """Handle all that is due now; what is slow goes on by itself."""
        while True:
            now = self.clock.now()
            entries = await self.agenda.due(self.handlers.kinds, now, self.under_way, CHUNK)
            if not entries:
                return
            await self._handle(entries, now)

    async def recompute(self) -> None:
        """Work out anew when entries come next: the clock or the rules of zones may have changed."""
        last: int | None = 0
        while last is not None:
            last = await self.agenda.recompute(last, ANEW)

    async def _handle(self, entries: Sequence[Scheduled], now: datetime) -> None:
        tasks = {asyncio.create_task(self._attempt(entry, now)): entry for entry in entries}
        try:
            done, slow = await asyncio.wait(tasks, timeout=SLOW_SECONDS)
        except asyncio.CancelledError:
            for task in tasks:
                task.cancel()
            raise
        for task in slow:
            number = tasks[task].number
            self.under_way[number] = asyncio.create_task(self._later(number, task), name=f"entry {number}")
        await self._write([task.result() for task in tasks if task in done])

    async def _later(self, number: int, task: "asyncio.Task[_Handled]") -> None:
        """Wait for a slow handler, and write what it returned."""
        try:
            await self._write([await task])
        except StoreFault as error:
            self.incidents.report(error, during="the schedule")
        finally:
            task.cancel()
            del self.under_way[number]
            self.poke()

    async def _attempt(self, entry: Scheduled, now: datetime) -> _Handled:
        """Run an entry's handler for each date that is to come now."""
        if entry.state is ScheduleState.BROKEN:
            return self._stopped(entry, entry.state, entry.reason)
        done: list[Done] = []
        try:
            turn = occurrences.turn(entry, now)
        except Exception as error:  # noqa: BLE001 - whatever stands in the row, the others come
            return self._stopped(entry, ScheduleState.BROKEN, str(error))
        dates = turn.dates
        try:
            dates = await self._fresh(entry, dates)
            for date in dates:
                due = occurrences.due(entry, date, now, len(done))
                done.append(Done(due, await self.handlers(entry, due)))
        except Refusal as error:
            return self._stopped(entry, ScheduleState.PAUSED, str(error), done)
        except Exception as error:  # noqa: BLE001 - one handler's failure is its own entry's
            return self._failed(entry, now, error, done, dates[len(done)])
        return _Handled(entry, lambda tx: self.agenda.settle(tx, entry, done, turn.next_due))

    async def _fresh(self, entry: Scheduled, dates: tuple[datetime, ...]) -> tuple[datetime, ...]:
        """Leave out the dates that have come already: once the clock was put back, there can be some."""
        if entry.last_due is None or not dates or dates[0] > entry.last_due:
            return dates
        return await self.agenda.unclaimed(entry, dates)

    def _stopped(
        self, entry: Scheduled, state: ScheduleState, reason: str, done: Sequence[Done] = ()
    ) -> _Handled:
        def write(tx: Tx) -> None:
            if done:
                self.agenda.settle(tx, entry, done, entry.next_due)
            self.agenda.stop(tx, entry, state, reason)

        return _Handled(entry, write)

    def _failed(
        self,
        entry: Scheduled,
        now: datetime,
        error: Exception,
        done: Sequence[Done] = (),
        date: datetime | None = None,
    ) -> _Handled:
        """Let the date that failed be due again, ever later; too often, and the entry is broken."""
        plan = entry.plan
        self.incidents.report(error, during=f"plugin {plan.plugin}: {plan.kind} {entry.number}")
        failures = 1 if done else entry.failures + 1
        if failures >= FAILURES:
            reason = f"it failed {failures} times in a row, the last time by {type(error).__name__}: {error}"
            return self._stopped(entry, ScheduleState.BROKEN, reason, done)

        def write(tx: Tx) -> None:
            if done:
                self.agenda.settle(tx, entry, done, date)
            self.agenda.fail(tx, entry, now + timedelta(seconds=FIRST_RETRY * 2 ** (failures - 1)))

        return _Handled(entry, write)

    async def _write(self, handled: Sequence[_Handled]) -> None:
        """Write all in one transaction or, if one cannot be written, each in its own."""
        if not handled:
            return
        try:
            await self.store.write(partial(_write_all, handled))
        except Exception:  # noqa: BLE001 - it is told below, with the entry that it comes from
            for one in handled:
                await self._write_alone(one)

    async def _write_alone(self, one: _Handled) -> None:
        try:
            await self.store.write(one.write)
        except Exception as error:  # noqa: BLE001 - what a handler returned may be impossible to write
            await self.store.write(self._failed(one.entry, self.clock.now(), error).write)

    async def _jumped(self, seconds: float) -> None:
        """Tell the admins that the clock is another one, and work out what comes next by it."""
        way = "forward" if seconds > 0 else "back"
        text = (
            f"The clock was put {way} by {span(abs(seconds))}, or this machine slept; I go by the new time."
        )
        _LOG.warning("%s", text)
        notice = Notice("admins", (text,), Urgency.ALERT, "schedule clock")
        await self.store.write(lambda tx: tx.notice(notice))
        await self.recompute()


def _write_all(handled: Sequence[_Handled], tx: Tx) -> None:
    for one in handled:
        one.write(tx)
