"""The schedule as bot.ports.Agenda: entries are read anew each time, and each date is claimed once."""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from bot.coop.when import When, parse, restored
from bot.core import occurrences
from bot.core.hub import enact
from bot.errors import Expired, NotFound, Usage
from bot.model import Notice, Urgency
from bot.ports import Clock, Declared, Done, Plan, Scheduled, ScheduleState, Store, Tx
from bot.store.roster import find_member
from bot.store.schedule import CLAIMS_KEPT, Change, anew, row_of, scheduled
from bot.store.times import instant, storable, text

_ACTIVE = "state = 'active' AND plugin || ' ' || kind IN (SELECT value FROM json_each(:kinds))"
_BUT = "number NOT IN (SELECT value FROM json_each(:but))"
_MINE = "WHERE number = ? AND revision = ? AND state = 'active'"
_LONGEST_REASON = 200


class SqlAgenda:
    """The schedule over the store; hooks are called after each commit that changed it."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._hooks: list[Callable[[], None]] = []

    def on_change(self, hook: Callable[[], None]) -> None:
        """Call this in the event loop after each commit that changed the schedule."""
        self._hooks.append(hook)

    def add(self, tx: Tx, plan: Plan) -> int:
        """Add an entry and return its number; Usage for a rule that cannot be read or never comes."""
        when = parse(plan.when, zone=plan.zone, now=tx.at)
        return self._insert(tx, _canonical(plan, when), _following(when, tx.at))

    def change(self, tx: Tx, number: int, plan: Plan) -> None:
        """Put another plan in an entry's place and make it active."""
        when = parse(plan.when, zone=plan.zone, now=tx.at)
        self._update(tx, number, {**row_of(_canonical(plan, when)), **_begun(_following(when, tx.at))})

    def pause(self, tx: Tx, number: int, reason: str = "") -> None:
        """Let no date come until it is resumed."""
        self._update(tx, number, _resting(ScheduleState.PAUSED, reason))

    def resume(self, tx: Tx, number: int) -> None:
        """Let its next date come, also of one that is broken; of an active one nothing changes."""
        entry = _found(tx.db, number)
        if entry.state is ScheduleState.ACTIVE:
            return
        following = restored(entry.plan.when).after(tx.at)
        if following is None:
            raise Expired(f"{_title(entry)} has no date left: {entry.plan.when} is over.")
        self._update(tx, number, _begun(following))

    def delete(self, tx: Tx, number: int) -> None:
        """Take an entry away for good."""
        if not tx.db.execute("DELETE FROM schedule WHERE number = ?", [number]).rowcount:
            raise _missing(number)
        self._changed(tx)

    async def show(self, number: int) -> Scheduled:
        """Return an entry."""
        return await self._store.read(lambda db: _found(db, number))

    async def entries(
        self, *, plugin: str | None = None, kind: str | None = None, owner: str | None = None
    ) -> tuple[Scheduled, ...]:
        """Return all entries, or those of a plugin, a kind, an owner."""
        wanted = {"plugin": plugin, "kind": kind, "owner": owner}
        given = {name: value for name, value in wanted.items() if value is not None}
        where = " AND ".join(f"{name} = :{name}" for name in given) or "1"
        sql = f"SELECT * FROM schedule WHERE {where} ORDER BY next_due IS NULL, next_due, number"  # noqa: S608 - names of columns
        return await self._store.read(lambda db: tuple(map(scheduled, db.query(sql, given))))

    def count(self, tx: Tx, *, plugin: str, owner: str) -> int:
        """Return how many entries of a plugin somebody has."""
        sql = "SELECT count(*) FROM schedule WHERE owner = ? AND plugin = ?"
        counted: int = tx.db.execute(sql, [owner, plugin]).fetchone()[0]
        return counted

    def dates(self, entry: Scheduled, count: int) -> tuple[datetime, ...]:
        """Return an entry's next dates in UTC; none of one whose rule cannot be read."""
        try:
            return tuple(occurrences.upcoming(entry, self._clock.now(), count))
        except Usage:
            return ()

    def keep_in_step(self, tx: Tx, plans: Sequence[Declared], plugins: Collection[str]) -> None:
        """Make the declared entries of these plugins what they declare now."""
        sql = "SELECT * FROM schedule WHERE name <> '' AND plugin IN (SELECT value FROM json_each(?))"
        rows = tx.db.query(sql, [json.dumps(list(plugins))])
        before = {_key(entry.plan): entry for entry in map(scheduled, rows)}
        for declared in plans:
            self._step(tx, declared, before.pop(_key(declared.plan), None))
        for entry in before.values():
            self.delete(tx, entry.number)

    def _step(self, tx: Tx, declared: Declared, before: Scheduled | None) -> None:
        when = occurrences.declared(declared.plan.when, declared.plan.zone)
        plan, following = _canonical(declared.plan, when), when.after(tx.at)
        if before is None:
            if declared.at_once:
                following = occurrences.last_before(when, tx.at) or following
            if following is not None:
                self._insert(tx, plan, following)
        elif before.plan != plan or before.state is ScheduleState.BROKEN:
            self._replace(tx, before, plan, following)

    def _replace(self, tx: Tx, before: Scheduled, plan: Plan, following: datetime | None) -> None:
        if before.plan.when == plan.when and before.next_due is not None:
            following = before.next_due
        if before.state is ScheduleState.PAUSED:
            self._update(tx, before.number, {**row_of(plan), **_resting(before.state, before.reason)})
        elif following is not None:
            self._update(tx, before.number, {**row_of(plan), **_begun(following)})
        else:
            self.delete(tx, before.number)

    async def soonest(self, kinds: Collection[str], but: Collection[int]) -> datetime | None:
        """Return when the next entry has to be looked at."""
        sql = f"SELECT wake FROM schedule WHERE {_ACTIVE} AND {_BUT} ORDER BY wake LIMIT 1"  # noqa: S608 - constants
        given = {"kinds": json.dumps(list(kinds)), "but": json.dumps(list(but))}
        row = await self._store.glance(lambda db: db.execute(sql, given).fetchone())
        return instant(row[0]) if row else None

    async def due(
        self, kinds: Collection[str], now: datetime, but: Collection[int], limit: int
    ) -> tuple[Scheduled, ...]:
        """Return what has to be looked at now, the longest due first."""
        sql = (
            "SELECT schedule.*, owner IS NOT NULL AND owner NOT IN (SELECT name FROM members) AS lost "  # noqa: S608 - constants
            f"FROM schedule WHERE {_ACTIVE} AND {_BUT} "
            "AND wake <= :now ORDER BY wake LIMIT :limit"
        )
        sets = {"kinds": json.dumps(list(kinds)), "but": json.dumps(list(but))}
        given = {**sets, "now": text(now), "limit": limit}
        return await self._store.read(lambda db: tuple(map(_looked_at, db.query(sql, given))))

    async def unclaimed(self, entry: Scheduled, dates: Sequence[datetime]) -> tuple[datetime, ...]:
        """Return those dates that have not come yet."""
        sql = "SELECT due_utc FROM schedule_claims WHERE schedule = ? AND due_utc >= ?"
        if not dates:
            return ()
        given = [entry.number, text(dates[0])]
        claimed = await self._store.read(lambda db: {due for (due,) in db.execute(sql, given)})
        return tuple(date for date in dates if text(date) not in claimed)

    def settle(self, tx: Tx, entry: Scheduled, done: Sequence[Done], next_due: datetime | None) -> None:
        """Claim each date and write what is said and told of it, unless it was claimed before."""
        if next_due is None:
            new = done if self._over(tx, entry) else ()
        else:
            new = (
                [one for one in done if _claimed(tx, entry, one)]
                if self._moved(tx, entry, done, next_due)
                else ()
            )
        for one in new:
            _say(tx, entry, one)

    def _over(self, tx: Tx, entry: Scheduled) -> bool:
        """Take away what has no date left, and its claims with it; whether it was still as it was read."""
        sql = f"DELETE FROM schedule {_MINE}"  # noqa: S608 - a constant
        return tx.db.execute(sql, [entry.number, entry.revision]).rowcount == 1

    def _moved(self, tx: Tx, entry: Scheduled, done: Sequence[Done], next_due: datetime) -> bool:
        """Go on to the next date; whether the entry was still as it was read."""
        following, last = text(next_due), max((one.due.due_utc for one in done), default=entry.last_due)
        sql = (
            "UPDATE schedule SET next_due = ?, wake = ?, last_due = ?, occurrences = occurrences + ?, "  # noqa: S608 - a constant
            f"failures = 0, reason = '' {_MINE}"
        )
        values = [following, following, last and text(last), len(done), entry.number, entry.revision]
        return tx.db.execute(sql, values).rowcount == 1

    def stop(self, tx: Tx, entry: Scheduled, state: ScheduleState, reason: str) -> None:
        """Let an entry rest, and tell its owner, and the admins of a broken one."""
        row = _resting(state, reason)
        sql = f"UPDATE schedule SET state = ?, reason = ?, next_due = NULL, wake = NULL {_MINE}"  # noqa: S608 - a constant
        if not tx.db.execute(sql, [row["state"], row["reason"], entry.number, entry.revision]).rowcount:
            return
        what, key = f"{state.value}: {reason[:_LONGEST_REASON]}", f"schedule {entry.number} {state.value}"
        owner = find_member(tx.db, entry.plan.owner) if entry.plan.owner else None
        if owner:
            tx.notice(Notice(owner, (f"Your {_title(entry)} is {what}",), key=key))
        if not owner or state is ScheduleState.BROKEN:
            whose = f" of {entry.plan.owner}" if entry.plan.owner else ""
            tx.notice(Notice("admins", (f"Schedule: {_title(entry)}{whose} is {what}",), Urgency.ALERT, key))

    def fail(self, tx: Tx, entry: Scheduled, retry: datetime) -> None:
        """Count a failure; the date is due again, from `retry` on."""
        sql = f"UPDATE schedule SET failures = failures + 1, wake = ? {_MINE}"  # noqa: S608 - a constant
        tx.db.execute(sql, [text(retry), entry.number, entry.revision])

    async def recompute(self, above: int, limit: int) -> int | None:
        """Work out the next dates of that many entries that are not due, from this number on.

        They are read beside the writer, so that nobody waits for it: hardly ever is there anything to change.
        """
        sql = (
            "SELECT * FROM schedule WHERE state = 'active' AND number > ? AND wake > ? "
            "ORDER BY number LIMIT ?"
        )
        now = self._clock.now()
        found, changes = await self._store.read(
            lambda db: anew(map(scheduled, db.query(sql, [above, text(now), limit])), now)
        )
        if changes:
            await self._store.write(lambda tx: self._change_all(tx, changes))
        return found

    def _change_all(self, tx: Tx, changes: Sequence[Change]) -> None:
        for entry, following, reason in changes:
            if following is None:
                self.stop(tx, entry, ScheduleState.BROKEN, reason)
            else:
                wake, before = text(following), text(entry.next_due or following)
                sql = f"UPDATE schedule SET next_due = ?, wake = ? {_MINE} AND next_due = ?"  # noqa: S608 - a constant
                tx.db.execute(sql, [wake, wake, entry.number, entry.revision, before])

    def _insert(self, tx: Tx, plan: Plan, following: datetime) -> int:
        row = {**row_of(plan), "since": text(tx.at), "next_due": text(following), "wake": text(following)}
        names = ", ".join(row)
        sql = f"INSERT INTO schedule ({names}) VALUES ({', '.join('?' * len(row))}) RETURNING number"  # noqa: S608 - names of columns
        number: int = tx.db.execute(sql, list(row.values())).fetchone()[0]
        self._changed(tx)
        return number

    def _update(self, tx: Tx, number: int, row: dict[str, Any]) -> None:
        sets = ", ".join(f"{name} = ?" for name in row)
        sql = f"UPDATE schedule SET {sets}, since = ?, revision = revision + 1 WHERE number = ?"  # noqa: S608 - names of columns
        if not tx.db.execute(sql, [*row.values(), text(tx.at), number]).rowcount:
            raise _missing(number)
        self._changed(tx)

    def _changed(self, tx: Tx) -> None:
        for hook in self._hooks:
            tx.afterwards(hook)


def _canonical(plan: Plan, when: When) -> Plan:
    return replace(plan, when=when.canonical, zone=when.zone)


def _following(when: When, at: datetime) -> datetime:
    following = when.after(at)
    if following is None:
        raise Usage(f"“{when.text}” never comes.")
    return following


def _begun(following: datetime) -> dict[str, Any]:
    """Return what an entry is like that waits for its next date."""
    row = {"state": ScheduleState.ACTIVE.value, "reason": "", "failures": 0}
    return {**row, "next_due": text(following), "wake": text(following)}


def _resting(state: ScheduleState, reason: str) -> dict[str, Any]:
    """Return what an entry is like that waits for nothing."""
    return {
        "state": state.value,
        "reason": storable(reason)[:_LONGEST_REASON],
        "next_due": None,
        "wake": None,
    }


def _found(db: Database, number: int) -> Scheduled:
    for row in db.query("SELECT * FROM schedule WHERE number = ?", [number]):
        return scheduled(row)
    raise _missing(number)


def _missing(number: int) -> NotFound:
    return NotFound(f"There is no {number} in the schedule.")


def _looked_at(row: dict[str, Any]) -> Scheduled:
    """Return an entry that is due; one whose owner is gone is broken."""
    entry = scheduled(row)
    if not row["lost"] or entry.state is ScheduleState.BROKEN:
        return entry
    return replace(entry, state=ScheduleState.BROKEN, reason=f"{entry.plan.owner} is no member any more")


def _key(plan: Plan) -> tuple[str, str, str]:
    return plan.plugin, plan.kind, plan.name


def _title(entry: Scheduled) -> str:
    plan = entry.plan
    return f"job {plan.name} of {plan.plugin}" if plan.name else f"{plan.kind} {entry.number}"


def _claimed(tx: Tx, entry: Scheduled, one: Done) -> bool:
    """Claim a date, and forget old claims; False if it was claimed before."""
    due = text(one.due.due_utc)
    old = min(due, text(tx.at - CLAIMS_KEPT))
    tx.db.execute("DELETE FROM schedule_claims WHERE schedule = ? AND due_utc < ?", [entry.number, old])
    sql = "INSERT OR IGNORE INTO schedule_claims (schedule, due_utc, at) VALUES (?, ?, ?)"
    return tx.db.execute(sql, [entry.number, due, text(tx.at)]).rowcount == 1


def _say(tx: Tx, entry: Scheduled, one: Done) -> None:
    """Write what a handler returned: its text to each place of the entry, its notices, its events."""
    lines = one.outcome.reply.lines
    for target in entry.plan.where if lines else ():
        to = target if target != "owner" else find_member(tx.db, entry.plan.owner or "")
        if to is not None:
            tx.notice(Notice(to, lines))
    enact(tx, one.outcome)
