"""What comes on time: people's posts and plugins' own jobs, in one table, each due time once.

An entry of the schedule is a plan with a number. When it is due, its handler (`@plugin.due`, `@plugin.job`)
returns what is to be said and told; then one transaction claims the due time and writes all of that. Killed
in between, the bot runs the handler again at its next start: what a handler returns comes once, what it does
by itself may be done twice. One that raises is tried again, ever later, until it is marked as broken; one
that raises a Refusal pauses its entry, and the owner is told the text.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

from bot.model import Group, Outcome, Place
from bot.ports.store import Tx

Target = Place | Group | Literal["owner"]
"""Where something is said; "owner" is the entry's owner directly, wherever they are."""


class CatchUp(StrEnum):
    """What becomes of the dates that the bot missed: it was down, or the clock was put forward."""

    SKIP = "skip"
    """The newest comes if it is not later than the grace, the others never."""
    ONCE = "once"
    """The newest comes, however late."""
    EACH = "each"
    """The newest `most` come, the oldest of them first."""


class ScheduleState(StrEnum):
    """Whether an entry's dates come."""

    ACTIVE = "active"
    PAUSED = "paused"
    """Somebody wanted that, or its handler refused: see `reason`."""
    BROKEN = "broken"
    """Its rule cannot be read any more, or its handler failed too often: see `reason`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to come, and when.

    `plugin` and `kind` find the handler. `when` is a rule of bot.coop.when, kept in its canonical form and
    read in `zone`. A text that the handler returns is said at each of `where`. `payload` is the handler's
    own, by custom JSON, never code. Up to `grace` seconds after its time nothing is late. `name` tells the
    plans apart that code or config declares; it is empty for those of people. `most` counts for `each` only.
    """

    plugin: str
    kind: str
    when: str
    zone: str = "UTC"
    name: str = ""
    owner: str | None = None
    where: tuple[Target, ...] = ()
    payload: str = "{}"
    catch_up: CatchUp = CatchUp.ONCE
    most: int = 5
    grace: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """A plan that is in the schedule; numbers are never used again.

    `next_due` is the next date that is not settled yet, None while none will come. `failures` counts those in
    a row, `occurrences` the dates that have come, `revision` its changes; `since` is when the last was.
    """

    number: int
    plan: Plan
    state: ScheduleState
    since: datetime
    next_due: datetime | None = None
    last_due: datetime | None = None
    occurrences: int = 0
    failures: int = 0
    reason: str = ""
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Due:
    """One date of an entry, as it is handed over.

    `late_seconds` is 0 unless it is later than the plan's grace. `occurrence` counts from 1.
    """

    due_utc: datetime
    late_seconds: float
    occurrence: int


class Schedule(Protocol):
    """The schedule, for plugins. What is written counts from the transaction's end on, at once."""

    def add(self, tx: Tx, plan: Plan) -> int:
        """Add an entry and return its number; Usage for a rule that cannot be read or never comes."""

    def change(self, tx: Tx, number: int, plan: Plan) -> None:
        """Put another plan in an entry's place and make it active; NotFound, Usage."""

    def pause(self, tx: Tx, number: int, reason: str = "") -> None:
        """Let no date come until it is resumed, and miss them for good; NotFound."""

    def resume(self, tx: Tx, number: int) -> None:
        """Let its next date come, also of one that is broken; NotFound, Expired if it has none left."""

    def delete(self, tx: Tx, number: int) -> None:
        """Take an entry away for good; NotFound."""

    async def show(self, number: int) -> Scheduled:
        """Return an entry; NotFound for one that is over, deleted, or never was."""

    async def entries(
        self, *, plugin: str | None = None, kind: str | None = None, owner: str | None = None
    ) -> tuple[Scheduled, ...]:
        """Return all entries, or those of a plugin, a kind, an owner; the next due first, resting last."""

    def count(self, tx: Tx, *, plugin: str, owner: str) -> int:
        """Return how many entries of a plugin somebody has, for a limit that holds in the transaction."""

    def dates(self, entry: Scheduled, count: int) -> tuple[datetime, ...]:
        """Return an entry's next dates in UTC, fewer if no more come; of a resting one, as if resumed."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A plan that code or config declares; `at_once`: if it is new, its last date before now comes too."""

    plan: Plan
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What the handler of an entry returned for one of its dates."""

    due: Due
    outcome: Outcome


class Agenda(Schedule, Protocol):
    """The schedule's table, for what brings its entries on time.

    `kinds` are those that have a handler, each "PLUGIN KIND"; entries of others wait for one. What is written
    of an entry that somebody changed or deleted since it was read is nothing.
    """

    def on_change(self, hook: Callable[[], None]) -> None:
        """Call this in the event loop after each commit that changed the schedule."""

    def keep_in_step(self, tx: Tx, plans: Sequence[Declared], plugins: Collection[str]) -> None:
        """Make the declared entries of these plugins what they declare now; Usage for a wrong rule.

        One that stays the same goes on, and stays paused; a broken one begins anew.
        """

    async def soonest(self, kinds: Collection[str], but: Collection[int]) -> datetime | None:
        """Return when the next entry, leaving some out, has to be looked at."""

    async def due(
        self, kinds: Collection[str], now: datetime, but: Collection[int], limit: int
    ) -> tuple[Scheduled, ...]:
        """Return what has to be looked at now, the longest due first.

        One whose row cannot be read, or whose owner is no member any more, is BROKEN, with the reason.
        """

    async def unclaimed(self, entry: Scheduled, dates: Sequence[datetime]) -> tuple[datetime, ...]:
        """Return those dates that have not come yet."""

    def settle(self, tx: Tx, entry: Scheduled, done: Sequence[Done], next_due: datetime | None) -> None:
        """Claim each date and write what is said and told of it, unless it was claimed before.

        Without a next date the entry is over, and taken away.
        """

    def stop(self, tx: Tx, entry: Scheduled, state: ScheduleState, reason: str) -> None:
        """Let an entry rest, and tell its owner, and the admins of a broken one."""

    def fail(self, tx: Tx, entry: Scheduled, retry: datetime) -> None:
        """Count a failure; the date is due again, from `retry` on."""

    async def recompute(self, above: int, limit: int) -> int | None:
        """Work out the next dates of that many entries that are not due, from this number on.

        Returns the last of the numbers, None if there are no more. One whose rule cannot be read is stopped.
        """
