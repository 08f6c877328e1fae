"""Maintenance windows: announced before, at their beginning and at their end; others can ask about them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot import (
    About,
    Call,
    CatchUp,
    Clock,
    Due,
    Maintenance,
    MaintenanceNow,
    Meter,
    NotFound,
    Notice,
    Outcome,
    Plan,
    Reply,
    Schedule,
    Scheduled,
    Store,
    Tx,
    Usage,
    admins,
    quoted,
)
from plugins.posts import texts
from plugins.posts.declared import Settings, plugin
from plugins.posts.deeds import member_of, payload
from plugins.posts.grammar import window

if TYPE_CHECKING:
    from sqlite_utils import Database


@plugin.migration
def create_windows(db: "Database") -> None:
    """Create the table of maintenance windows; instants are UTC."""
    db.execute(
        "CREATE TABLE posts_windows (id INTEGER PRIMARY KEY AUTOINCREMENT, host TEXT NOT NULL, "
        "start TEXT NOT NULL, end TEXT NOT NULL, text TEXT NOT NULL, by TEXT NOT NULL) STRICT"
    )


@dataclass(frozen=True, slots=True)
class _Phase:
    name: str
    at: datetime


@plugin.command("maint", allow=admins, limit="20/10m", example="ford tomorrow 18:00-20:00 new kernel")
async def maint(  # noqa: PLR0913 - services, by name
    call: Call,
    about: About,
    clock: Clock,
    host: str,
    from_to: str,
    *,
    meter: Meter,
    schedule: Schedule,
    settings: Settings,
    store: Store,
    text: str,
) -> Outcome:
    """Announce maintenance of a host: FROM-TO is 18:00-20:00 or 2026-12-24T18:00-20:00."""
    member, now = member_of(call.actor), clock.now()
    if host.casefold() not in meter.hosts():
        raise NotFound(f"There is no host {quoted(host)}: there is {', '.join(meter.hosts()) or 'none'}.")
    zone = texts.zone_of(member.zone, about.zone)
    span = window(from_to, text, zone.key, now)
    if len(span.text) > settings.longest:
        raise Usage(f"That is {len(span.text)} characters; at most {settings.longest} can be posted.")
    planned = Maintenance(host.casefold(), span.start, span.end, span.text, member.name)
    early = span.start - timedelta(minutes=settings.announce_minutes)
    phases = [_Phase("start", span.start), _Phase("end", span.end)]
    phases += [_Phase("before", early)] if early > now else []
    number = await store.write(lambda tx: _open(tx, schedule, planned, phases))
    notices = () if early > now else (Notice("team", texts.announced(planned, "before", now, zone)),)
    dates = f"{texts.date(span.start, zone, now)} to {texts.date(span.end, zone, now)}"
    said = f"Maintenance of {planned.host}, {dates}: the team is told before, at and after."
    return Outcome(Reply.of(f"{said} !post delete {number}"), notices)


def _open(tx: Tx, schedule: Schedule, planned: Maintenance, phases: list[_Phase]) -> int:
    row = {"host": planned.host, "text": planned.text, "by": planned.by}
    times = {"start": planned.start.isoformat(), "end": planned.end.isoformat()}
    key = tx.db.table("posts_windows").insert({**row, **times}).last_pk
    numbers = [schedule.add(tx, _plan(phase, int(str(key)), planned.host)) for phase in phases]
    return numbers[0]


def _plan(phase: _Phase, key: int, host: str) -> Plan:
    return Plan(
        plugin="posts",
        kind="maint",
        when=f"on {phase.at:%Y-%m-%d %H:%M:%S} UTC",
        where=("team",),
        payload=json.dumps({"window": key, "phase": phase.name, "host": host}),
        catch_up=CatchUp.ONCE,
    )


async def take_back(entry: Scheduled, schedule: Schedule, store: Store) -> str:
    """Let a window not take place, or be over."""
    kept = payload(entry)
    others = await schedule.entries(plugin="posts", kind="maint")
    numbers = [other.number for other in others if payload(other).get("window") == kept.get("window")]

    def delete(tx: Tx) -> None:
        for number in numbers:
            schedule.delete(tx, number)
        tx.db.execute("DELETE FROM posts_windows WHERE id = ?", [kept.get("window")])

    await store.write(delete)
    return f"The maintenance of {kept.get('host')} is taken back."


@plugin.due("maint")
async def tell(entry: Scheduled, due: Due, about: About, clock: Clock, store: Store) -> Reply | None:
    """Announce a window; what is too late to be of use is left out."""
    kept, now = payload(entry), clock.now()
    rows = await store.read(
        lambda db: list(db.query("SELECT * FROM posts_windows WHERE id = ?", [kept.get("window")]))
    )
    if not rows:
        return None
    planned, phase = _read(rows[0]), str(kept.get("phase"))
    if (phase == "before" and now >= planned.start) or (phase == "start" and now >= planned.end):
        return None
    head, *rest = texts.announced(planned, phase, now, texts.zone_of(about.zone))
    return Reply((f"{texts.late(due.late_seconds)}{head}", *rest))


@plugin.answers(MaintenanceNow)
async def maintenance_now(question: MaintenanceNow, clock: Clock, store: Store) -> Maintenance | None:
    """Return the window of a host that is open now, of several the one that ends last."""
    now = clock.now()
    rows = await store.read(
        lambda db: list(db.query("SELECT * FROM posts_windows WHERE host = ?", [question.host]))
    )
    is_open = [one for one in map(_read, rows) if one.start <= now < one.end]
    return max(is_open, key=lambda one: one.end, default=None)


def _read(row: Mapping[str, Any]) -> Maintenance:
    start, end = datetime.fromisoformat(row["start"]), datetime.fromisoformat(row["end"])
    return Maintenance(row["host"], start, end, row["text"], row["by"])
