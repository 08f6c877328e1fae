"""The schedule's two tables: the entries, and which of their due times were claimed.

The index over `wake` is the heap of what comes next: nothing of the schedule is kept in memory.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlite_utils import Database

from bot.coop.when import restored
from bot.errors import StoreFault, Usage
from bot.model import Place
from bot.ports import CatchUp, Plan, Scheduled, ScheduleState, Target
from bot.store.times import instant, storable, text

CLAIMS_KEPT = timedelta(days=35)
"""How long it is remembered that a due time has come; the newest of an entry is not forgotten."""

_INSTANT = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].*Z"

_DAY = {"plugin": "core", "kind": "begin_day", "name": "begin_day"}
"""The job of the ship's own that took the place of the table `days`."""


def create(db: Database) -> None:
    """Create the tables, inside a migration."""
    words, number = "TEXT NOT NULL", "INTEGER NOT NULL DEFAULT 0"
    db.execute(
        f"CREATE TABLE schedule (number INTEGER PRIMARY KEY AUTOINCREMENT, plugin {words}, kind {words}, "
        f"name {words} DEFAULT '', rule {words}, zone {words}, owner TEXT, "
        f"places {words} CHECK (json_valid(places)), payload {words} CHECK (json_valid(payload)), "
        f"catch_up {words} CHECK (catch_up IN ('skip', 'once', 'each')), "
        "most INTEGER NOT NULL CHECK (most > 0), grace REAL NOT NULL CHECK (grace >= 0), "
        f"state {words} DEFAULT 'active' CHECK (state IN ('active', 'paused', 'broken')), "
        f"since {words}, next_due TEXT, wake TEXT, last_due TEXT, occurrences {number}, failures {number}, "
        f"reason {words} DEFAULT '', revision {number}, "
        f"CHECK ((state = 'active') = (next_due IS NOT NULL)), CHECK ((wake IS NULL) = (next_due IS NULL)), "
        f"CHECK (wake GLOB '{_INSTANT}'), CHECK (next_due GLOB '{_INSTANT}')) STRICT"
    )
    db.execute("CREATE INDEX schedule_wake ON schedule (wake) WHERE state = 'active'")
    db.execute("CREATE INDEX schedule_owner ON schedule (owner)")
    db.execute("CREATE UNIQUE INDEX schedule_declared ON schedule (plugin, kind, name) WHERE name <> ''")
    db.execute(
        "CREATE TABLE schedule_claims (schedule INTEGER NOT NULL REFERENCES schedule ON DELETE CASCADE, "
        f"due_utc {words}, at {words}, UNIQUE (schedule, due_utc)) STRICT"
    )


def take_over_days(db: Database) -> None:
    """Put the table of the days that were told into the schedule, so that none is told twice or skipped."""
    if not db["days"].exists():
        return
    told = db.execute("SELECT max(date) FROM days").fetchone()[0]
    if told:
        last = datetime.fromisoformat(f"{date.fromisoformat(told)}T00:00:00+00:00")
        following = text(last + timedelta(days=1))
        sql = (
            "INSERT INTO schedule (plugin, kind, name, rule, zone, places, payload, catch_up, most, grace, "
            "since, next_due, wake, last_due, occurrences) VALUES (:plugin, :kind, :name, "
            "'every day 00:00 UTC', 'UTC', '[]', '{}', 'once', 5, 60, :last, :next, :next, :last, 1)"
        )
        db.execute(sql, {**_DAY, "last": text(last), "next": following})
    db.execute("DROP TABLE days")


def row_of(plan: Plan) -> dict[str, str | int | float | None]:
    """Return a plan as the table holds it."""
    return {
        "plugin": plan.plugin,
        "kind": plan.kind,
        "name": plan.name,
        "rule": storable(plan.when),
        "zone": plan.zone,
        "owner": plan.owner,
        "places": json.dumps([_written(target) for target in plan.where]),
        "payload": storable(plan.payload),
        "catch_up": plan.catch_up.value,
        "most": plan.most,
        "grace": plan.grace,
    }


def scheduled(row: Mapping[str, Any]) -> Scheduled:
    """Read an entry; one that cannot be read is broken, and says so."""
    try:
        return _scheduled(row)
    except (StoreFault, ValueError, TypeError, KeyError) as error:
        plan = Plan(
            plugin=row["plugin"], kind=row["kind"], when=row["rule"], name=row["name"], owner=row["owner"]
        )
        return Scheduled(
            number=row["number"],
            plan=plan,
            state=ScheduleState.BROKEN,
            since=datetime.fromisoformat("1970-01-01T00:00:00+00:00"),
            reason=f"its row cannot be read: {error}",
            revision=row["revision"],
        )


def _scheduled(row: Mapping[str, Any]) -> Scheduled:
    plan = Plan(
        plugin=row["plugin"],
        kind=row["kind"],
        when=row["rule"],
        zone=row["zone"],
        name=row["name"],
        owner=row["owner"],
        where=tuple(_target(written) for written in json.loads(row["places"])),
        payload=row["payload"],
        catch_up=CatchUp(row["catch_up"]),
        most=row["most"],
        grace=row["grace"],
    )
    return Scheduled(
        number=row["number"],
        plan=plan,
        state=ScheduleState(row["state"]),
        since=instant(row["since"]),
        next_due=_instant(row["next_due"]),
        last_due=_instant(row["last_due"]),
        occurrences=row["occurrences"],
        failures=row["failures"],
        reason=row["reason"],
        revision=row["revision"],
    )


def _instant(written: str | None) -> datetime | None:
    return instant(written) if written is not None else None


def _written(target: Target) -> str | list[str | bool]:
    return [target.network, target.name, target.direct] if isinstance(target, Place) else target


def _target(written: object) -> Target:
    match written:
        case "team" | "alerts" | "admins" | "owner":
            return written
        case [str(network), str(name), bool(direct)]:
            return Place(network, name, direct)
    raise StoreFault(f"{written!r} is no place")


class Change(NamedTuple):
    """The other date that an entry has now, None for one that is broken."""

    entry: Scheduled
    following: datetime | None
    reason: str = ""


def anew(entries: Iterable[Scheduled], now: datetime) -> tuple[int | None, list[Change]]:
    """Work out the dates after now; return the last entry's number, if any, and what is to be changed."""
    last, changes = None, []
    for entry in entries:
        last = entry.number
        try:
            following = restored(entry.plan.when).after(now)
        except Usage as error:
            changes.append(Change(entry, None, str(error)))
            continue
        if entry.state is ScheduleState.BROKEN:
            changes.append(Change(entry, None, entry.reason))
        elif following is not None and following != entry.next_due:
            changes.append(Change(entry, following))
    return last, changes
