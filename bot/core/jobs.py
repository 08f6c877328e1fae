"""Running handlers: within their time limit, and as numbered jobs from their first report on.

A job has left its speaker's queue. It stands in a table while it runs, so that its owner can be told at the
next start if the bot died meanwhile.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlite_utils import Database

from bot.core.invoke import abandon
from bot.errors import Conflict, Fault, NotFound
from bot.model import Call, Notice
from bot.ports import Clock, Report, Roster, Store, Tx

T = TypeVar("T")
TIMES_FOR_A_JOB = 60
"""A job's time limit is this many times its command's."""


@dataclass(slots=True, eq=False)
class Job:
    """A running handler; `number` is 0 until its first report, `about` has no private words."""

    command: str
    about: str
    call: Call
    began: datetime
    number: int = 0
    part: float = 0.0
    text: str = ""
    cancelled_by: str | None = None
    work: "asyncio.Future[Any] | None" = None


def create_jobs(db: Database) -> None:
    """Make the table of running jobs."""
    db.table("jobs").create(
        {"number": int, "command": str, "member": str, "began": str}, pk="number", strict=True
    )


@dataclass(slots=True)
class Jobs:
    """All jobs that run now."""

    clock: Clock
    store: Store
    running: dict[int, Job] = field(default_factory=dict)
    count: int = 0

    async def run(
        self,
        job: Job,
        invoke: Callable[[Report], Awaitable[T]],
        report: Report,
        *,
        timeout: float,  # noqa: ASYNC109 - by the clock port, which asyncio.timeout does not know
        promoted: Callable[[], None],
    ) -> T:
        """Run a handler to its end; Fault when it is too slow, Conflict when it was cancelled."""

        async def tracked(part: float, text: str) -> None:
            job.part, job.text = min(1.0, max(0.0, part)), text
            if not job.number:
                await self._promote(job)
                promoted()
            await report(job.part, text)

        work = asyncio.ensure_future(invoke(tracked))
        job.work = work
        try:
            await self._wait(job, work, timeout)
            result = await work
        except asyncio.CancelledError:
            abandon(work)
            if job.cancelled_by is None:  # the bot ends: the job's row stays, for its owner to be told
                self.running.pop(job.number, None)
                raise
            await self._end(job)
            raise Conflict(f"{job.about} was cancelled by {job.cancelled_by}.") from None
        except BaseException:
            await self._end(job)
            raise
        await self._end(job)
        return result

    async def _wait(self, job: Job, work: "asyncio.Future[Any]", seconds: float) -> None:
        """Wait for the work as long as a command may take or, if it became one, a job; else Fault."""
        await asyncio.sleep(0)  # most handlers end at their first step, and need no timer
        if work.done():
            return
        waited = 0.0
        for limit in (seconds, seconds * TIMES_FOR_A_JOB):
            timer: asyncio.Future[Any] = asyncio.ensure_future(self.clock.sleep(limit - waited))
            try:
                done, _ = await asyncio.wait({work, timer}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                timer.cancel()
            if work in done:
                return
            waited = limit
            if not job.number:
                break
        abandon(work)
        raise Fault(f"{job.command} did not end within {waited:g} s")

    def cancel(self, number: int, by: str) -> Job:
        """End a job; its asker is told by whom."""
        job = self.running.get(number)
        if job is None or job.work is None:
            raise NotFound(f"There is no job {number}.")
        job.cancelled_by = by
        job.work.cancel()
        return job

    async def _promote(self, job: Job) -> None:
        self.count += 1
        job.number = self.count
        self.running[job.number] = job
        member = job.call.actor.member
        row = {
            "command": job.command,
            "member": member.name if member else "",
            "began": job.began.isoformat(),
        }
        await self.store.write(
            lambda tx: tx.db.table("jobs").insert({"number": job.number, **row}, replace=True)
        )

    async def _end(self, job: Job) -> None:
        if self.running.pop(job.number, None) is not None:
            await self.store.write(lambda tx: tx.db.table("jobs").delete_where("number = ?", [job.number]))

    async def tell_interrupted(self, roster: Roster) -> None:
        """At the bot's start: tell the owners of jobs that its end cut off, and forget them."""
        members = {member.name: member for member in await roster.members()}

        def settle(tx: Tx) -> None:
            for row in tx.db.table("jobs").rows:
                to = members.get(row["member"])
                when = row["began"][:16]
                text = f"Your {row['command']} of {when} UTC was cut off by my restart; look, then ask again."
                if to is not None:
                    tx.notice(Notice(to, (text,), key=f"job {row['number']} {row['began']}"))
            tx.db.table("jobs").delete_where()

        await self.store.write(settle)
