"""How the bot is: its loop, its networks, its store; told to systemd, and to whoever asks on the host."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sqlite_utils import Database, Migrations

from bot.coop.about import About
from bot.coop.spans import counted, span
from bot.errors import StoreFault
from bot.ports import Clock, LinkStatus, Outgoing, Roster, Store, Tx
from bot.runtime.systemd import Notifier

BEAT_SECONDS = 1.0
"""How often the loop's lag is measured."""

LOOK_SECONDS = 15.0
"""How often all else is looked at, where systemd does not want to hear of us sooner."""

WRITE_SECONDS = 30.0
"""How long the store may take for a row."""

LAGGING = 1.0
"""Seconds by which the loop may be late before that is a fault."""

LAGS = 60
"""How many of the last lags count."""


migrations = Migrations("heartbeat")


@migrations()
def create_heartbeat(db: Database) -> None:
    """Create the table of the one row that shows that the disk takes what is written."""
    db.execute("CREATE TABLE heartbeat (id INTEGER PRIMARY KEY, at TEXT NOT NULL) STRICT")


class Supervised(Protocol):
    """What holds one network, as far as health goes."""

    def stuck(self) -> float:
        """Return for how many seconds its attempts have not gone on; 0 where it is up or tries."""


@dataclass(slots=True)
class Pulse:
    """How late the loop was of late, in seconds."""

    clock: Clock
    lags: list[float] = field(default_factory=list)

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            before = self.clock.monotonic()
            await self.clock.sleep(BEAT_SECONDS)
            self.lags = [*self.lags[1 - LAGS :], max(0.0, self.clock.monotonic() - before - BEAT_SECONDS)]

    @property
    def worst(self) -> float:
        """The longest of the last lags."""
        return max(self.lags, default=0.0)


@dataclass(frozen=True, slots=True)
class Report:
    """What a look found; `dead` is what only a new start can mend."""

    machines: int = 0
    waiting: int = 0
    dead: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Health:
    """Looks at everything, and lets systemd's watchdog rest only while nothing is dead."""

    notifier: Notifier
    about: About
    clock: Clock
    store: Store
    roster: Roster
    outgoing: Outgoing
    links: Callable[[], Sequence[LinkStatus]]
    supervisors: Callable[[], Sequence[Supervised]]
    pulse: Pulse = field(init=False)
    report: Report = field(default_factory=Report)

    def __post_init__(self) -> None:
        self.pulse = Pulse(self.clock)

    async def run(self) -> None:
        """Tell systemd that all is ready, then look again and again, until cancelled."""
        self.notifier.tell("READY=1", f"STATUS={self.status()}")
        every = min(self.notifier.watchdog / 2 or LOOK_SECONDS, LOOK_SECONDS)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.pulse.run(), name="the pulse")
            try:
                while True:
                    alive = () if (await self.look()).dead else ("WATCHDOG=1",)
                    self.notifier.tell(*alive, f"STATUS={self.status()}")
                    await self.clock.sleep(every)
            except asyncio.CancelledError:
                self.notifier.tell("STOPPING=1", "STATUS=on the way out")
                raise

    def status(self) -> str:
        """Return one line for `systemctl status`."""
        links = [f"{one.network} {'up' if one.up else 'down'}" for one in self.links()]
        return ", ".join([*links, counted(self.report.machines, "machine"), *self.report.dead])

    def answer(self) -> dict[str, object]:
        """Return, for a program, how the bot is now; `faults` says all that is wrong."""
        networks, lag = self.links(), self.pulse.worst
        down = [f"{one.network} is down: {one.detail}" for one in networks if not one.up]
        faults = [*self.report.dead, *down]
        if lag > LAGGING:
            faults.append(f"the loop was late by {lag:.1f} s")
        return {
            "version": self.about.version,
            "uptime": int((self.clock.now() - self.about.started).total_seconds()),
            "networks": {one.network: "up" if one.up else f"down: {one.detail}" for one in networks},
            "machines": self.report.machines,
            "outbox": self.report.waiting,
            "lag_ms": round(lag * 1e3, 1),
            "faults": faults,
        }

    async def look(self) -> Report:
        """Look at what takes a while."""
        dead = [
            f"{status.network} was not tried again for {span(seconds)}"
            for status, supervisor in zip(self.links(), self.supervisors(), strict=True)
            if (seconds := supervisor.stuck()) > 0
        ]
        machines, waiting, fault = await self._stored()
        if fault:
            dead.append(f"the store does not write: {fault}")
        self.report = Report(machines, waiting, tuple(dead))
        return self.report

    async def _stored(self) -> tuple[int, int, str]:
        """Return how many machines there are, how much waits to be said, and why the store does not write."""
        try:
            await self._within(self.store.write(_beat))
            machines = len(await self.roster.machines())
            waiting = sum(one.waiting for one in await self.outgoing.backlogs())
        except (StoreFault, TimeoutError) as error:
            return self.report.machines, self.report.waiting, str(error) or "it takes too long"
        return machines, waiting, ""

    async def _within(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        timer = asyncio.ensure_future(self.clock.sleep(WRITE_SECONDS))
        try:
            await asyncio.wait({task, timer}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise TimeoutError
            await task
        finally:
            timer.cancel()
            task.cancel()


def _beat(tx: Tx) -> None:
    """Write a row, so that a disk that is full or gone is noticed."""
    tx.db.execute("INSERT OR REPLACE INTO heartbeat (id, at) VALUES (1, ?)", [tx.at.isoformat()])
