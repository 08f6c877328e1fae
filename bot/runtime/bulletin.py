"""What the admins are told: each cause at once, but not again and again. Grouped, and through the outbox."""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bot.coop.spans import counted
from bot.model import Notice, Urgency
from bot.ports import Clock, Store, Tx

_LOG = logging.getLogger("shipboard.incidents")
QUIET = 600.0
"""Seconds in which the same cause is only counted; twice as many each time that it goes on, up to LONGEST."""

LONGEST = 3600.0
LOOK_SECONDS = 15.0
MOST = 50
"""How many causes are told apart; what more there is counts as one."""

OTHERS = "too many things at once"
KEPT = timedelta(days=1)


@dataclass(slots=True)
class Group:
    """One cause: since when, until when it is only counted, and how often it came since it was last told."""

    since: datetime
    until: float
    quiet: float = QUIET
    said: int = 0
    count: int = 0
    untold: int = 0
    text: str = ""


@dataclass(slots=True)
class Bulletin:
    """Tells the place `admins` and each admin directly, where there is a store; see `tell` and `run`."""

    clock: Clock
    store: Store | None = None
    groups: dict[str, Group] = field(default_factory=dict)
    tasks: set["asyncio.Task[Any]"] = field(default_factory=set)

    def tell(self, cause: str, text: str, burst: int = 1) -> None:
        """Tell something now, or count it where its cause was told `burst` times of late; never raises."""
        now = self.clock.monotonic()
        self._forget(now)
        if cause not in self.groups and len(self.groups) >= MOST:
            cause = OTHERS
        group = self.groups.setdefault(cause, Group(self.clock.now(), now + QUIET))
        group.text = text
        group.count += 1
        if group.said < burst and group.untold == 0:
            group.said += 1
            self._say(cause if burst == 1 else f"{cause} {group.count}", text)
        else:
            group.untold += 1

    async def run(self) -> None:
        """Tell, when its time has come, what was only counted, until cancelled."""
        while True:
            await self.clock.sleep(LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        """Tell what was only counted and whose time has come."""
        now = self.clock.monotonic()
        for cause, group in self.groups.items():
            if group.untold and now >= group.until:
                more = counted(group.count - group.said, "time")
                group.quiet = min(LONGEST, group.quiet * 2)
                group.until, group.untold = now + group.quiet, 0
                self._say(
                    f"{cause} again", f"{group.text} (again: {more} more since {group.since:%H:%M} UTC)"
                )
        self._forget(now)

    def _forget(self, now: float) -> None:
        gone = [cause for cause, group in self.groups.items() if now >= group.until and not group.untold]
        for cause in gone:
            del self.groups[cause]

    def _say(self, cause: str, text: str) -> None:
        if self.store is None:
            return
        notice = Notice("admins", (text,), Urgency.ALERT, cause, self.clock.now() + KEPT)
        self._soon(self.store.write(partial(_put, notice)))

    def _soon(self, work: Coroutine[Any, Any, Any]) -> None:
        try:
            task = asyncio.get_running_loop().create_task(work)
        except RuntimeError:
            work.close()
            return
        self.tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[Any]") -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _LOG.error("the admins could not be told: %s", task.exception())


def _put(notice: Notice, tx: Tx) -> None:
    tx.notice(notice)
