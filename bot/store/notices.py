"""The outbox's rows: what is to be said elsewhere, written in the transaction of the deed that it tells of.

Each row has one destination (a room, a nick, or a member wherever they are) and belongs to one lane, within
which delivery is in order: a network for rooms and nicks, the member for members.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from sqlite_utils import Database

from bot.coop.people import Member
from bot.coop.spans import counted
from bot.model import Manner, Notice, Place, Urgency
from bot.ports import Backlog
from bot.store.times import instant, storable, text

if TYPE_CHECKING:
    from bot.store.connection import RoomsOf

EXPIRED = "outbox expired"
"""The key of the row that tells a destination how much it will not hear any more."""

EXPIRED_TOLD_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row that is to be delivered: to a place, or to the member of that name; `at` is when it was put."""

    id: int
    to: Place | str
    lines: tuple[str, ...]
    urgency: Urgency
    at: datetime
    key: str | None = None
    manner: Manner = "plain"

    @property
    def destination(self) -> str:
        """What tells one destination from all others."""
        return _destination(self.to)


def _destination(to: Place | str) -> str:
    if isinstance(to, Place):
        return f"{'nick' if to.direct else 'room'} {to}"
    return f"member {to}"


def create(db: Database) -> None:
    """Create the table, inside a migration."""
    db.execute(
        "CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, lane TEXT NOT NULL, "
        "destination TEXT NOT NULL, member TEXT, network TEXT, room TEXT, direct INTEGER NOT NULL, "
        "lines TEXT NOT NULL, urgency INTEGER NOT NULL, key TEXT, at TEXT NOT NULL, expires TEXT) STRICT"
    )
    db.execute("CREATE INDEX outbox_order ON outbox (lane, urgency DESC, id)")
    db.execute("CREATE UNIQUE INDEX outbox_key ON outbox (destination, key) WHERE key IS NOT NULL")
    db.execute("CREATE INDEX outbox_expires ON outbox (expires) WHERE expires IS NOT NULL")


def create_counts(db: Database) -> None:
    """Create the table of what was never said, inside a migration; `untold` is what nobody heard of yet."""
    number = "INTEGER NOT NULL DEFAULT 0"
    db.execute(
        f"CREATE TABLE outbox_counts (destination TEXT PRIMARY KEY, expired {number}, dropped {number}, "
        f"untold {number}) STRICT, WITHOUT ROWID"
    )
    db.execute("CREATE INDEX outbox_destination ON outbox (destination, urgency, id)")


def create_manners(db: Database) -> None:
    """Let rows say how a member is to be told, inside a migration."""
    db.execute("ALTER TABLE outbox ADD COLUMN manner TEXT NOT NULL DEFAULT 'plain'")


_PUT = (
    "INSERT INTO outbox "
    "(lane, destination, member, network, room, direct, lines, urgency, key, at, expires, manner) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def put(db: Database, notice: Notice, at: datetime, rooms_of: "RoomsOf") -> None:
    """Write one row a destination; what waits there under the same key is replaced.

    A replacement gets a new number, so that the end of a delivery under way does not take it along.
    """
    lines = json.dumps([storable(line) for line in notice.lines])
    key = notice.key and storable(notice.key)
    until = text(notice.expires) if notice.expires else None
    for to in _destinations(db, notice, rooms_of):
        destination = _destination(to)
        if key is not None:
            db.execute("DELETE FROM outbox WHERE destination = ? AND key = ?", [destination, key])
        what = [lines, int(notice.urgency), key, text(at), until, notice.manner]
        if isinstance(to, Place):
            lane, direct = f"network {to.network}", int(to.direct)
            db.execute(_PUT, [lane, destination, None, to.network, to.name, direct, *what])
        else:
            db.execute(_PUT, [f"member {to}", destination, to, None, None, 0, *what])


def _destinations(db: Database, notice: Notice, rooms_of: "RoomsOf") -> Sequence[Place | str]:
    """Spell a group out.

    What is for the admins goes to each of them directly too if it is urgent, or if they have no room.
    """
    match notice.to:
        case Place():
            return (notice.to,)
        case Member(name=name):
            return (name,)
    rooms = tuple(dict.fromkeys(rooms_of(notice.to)))
    urgent = notice.to == "admins" and notice.urgency is Urgency.ALERT
    if notice.to == "team" or (rooms and not urgent):
        return rooms
    admins = "SELECT name FROM members WHERE role = 'admin' AND standing = 'good' ORDER BY name"
    return (*rooms, *(name for (name,) in db.execute(admins)))


def lanes(db: Database) -> list[str]:
    """Return the lanes in which something waits; as quick as there are few lanes, however much waits."""
    found = db.execute(
        "WITH RECURSIVE lanes (lane) AS (SELECT min(lane) FROM outbox UNION ALL "
        "SELECT (SELECT min(lane) FROM outbox WHERE lane > lanes.lane) FROM lanes WHERE lanes.lane NOTNULL) "
        "SELECT lane FROM lanes WHERE lane NOTNULL"
    )
    return [lane for (lane,) in found]


def destinations(db: Database, lane: str) -> frozenset[str]:
    """Return the destinations in a lane for which something waits."""
    found = db.execute("SELECT DISTINCT destination FROM outbox WHERE lane = ?", [lane])
    return frozenset(destination for (destination,) in found)


_ROW = "SELECT id, member, network, room, direct, lines, urgency, at, key, manner FROM outbox "


def first(
    db: Database, lane: str, at: datetime, but: Collection[str], *, patient: bool = True
) -> Waiting | None:
    """Return what goes out next in this lane, leaving out destinations that cannot be reached now.

    Without `patient`, leave out what waits for the end of somebody's quiet hours too.
    """
    sql = (
        f"{_ROW} WHERE lane = ? AND (expires IS NULL OR expires > ?) "  # noqa: S608 - a constant
        "AND destination NOT IN (SELECT value FROM json_each(?)) AND manner IS NOT ? "
        "ORDER BY urgency DESC, id LIMIT 1"
    )
    left_out = None if patient else "patient"
    found = db.execute(sql, [lane, text(at), json.dumps(list(but)), left_out]).fetchone()
    return _waiting(found) if found else None


def _waiting(row: tuple[int, str | None, str, str, int, str, int, str, str | None, str]) -> Waiting:
    number, member, network, room, direct, lines, urgency, at, key, manner = row
    to, said = member or Place(network, room, bool(direct)), tuple(json.loads(lines))
    return Waiting(number, to, said, Urgency(urgency), instant(at), key, cast("Manner", manner))


_TOLD = "destination = ? AND urgency < ? AND key IS NOT ? AND manner <> 'patient'"
"""What of a destination's may be told in a digest: no alert, not the row about what has expired."""

_CALM = f"{_TOLD} AND (expires IS NULL OR expires > ?)"


def _calm(destination: str, at: datetime) -> list[object]:
    return [destination, int(Urgency.ALERT), EXPIRED, text(at)]


def backlog(
    db: Database, destination: str, at: datetime, shown: int
) -> tuple[int, datetime | None, list[Waiting]]:
    """Count what waits for a destination but alerts; return since when, and the newest of it, in order."""
    sql = f"SELECT count(*), min(at) FROM outbox WHERE {_CALM}"  # noqa: S608 - a constant
    count, oldest = db.execute(sql, _calm(destination, at)).fetchone()
    found = db.execute(f"{_ROW} WHERE {_CALM} ORDER BY id DESC LIMIT ?", [*_calm(destination, at), shown])
    return count, instant(oldest) if count else None, [_waiting(row) for row in found][::-1]


def remove_up_to(db: Database, destination: str, number: int) -> None:
    """Take away what a digest told: all for a destination but alerts, up to the row of that number."""
    db.execute(
        f"DELETE FROM outbox WHERE {_TOLD} AND id <= ?",  # noqa: S608 - a constant
        [destination, int(Urgency.ALERT), EXPIRED, number],
    )


def expired(db: Database, at: datetime) -> bool:
    """Tell whether there is something that nobody needs to hear any more."""
    return db.execute("SELECT 1 FROM outbox WHERE expires <= ? LIMIT 1", [text(at)]).fetchone() is not None


def drop_expired(db: Database, at: datetime) -> int:
    """Remove what nobody needs to hear any more; return how many rows that were.

    They are counted, and a row of its own tells each destination how many it missed.
    """
    missed = db.execute(
        "SELECT destination, count(*), max(id) FROM outbox WHERE expires <= ? AND key IS NOT ? GROUP BY 1",
        [text(at), EXPIRED],
    ).fetchall()
    for destination, count, example in missed:
        _tell_of_expired(db, destination, count_lost(db, destination, expired=count), example, at)
    db.execute("DELETE FROM outbox WHERE expires <= ?", [text(at)])
    return sum(count for _, count, _ in missed)


def _tell_of_expired(db: Database, destination: str, untold: int, example: int, at: datetime) -> None:
    line = f"{counted(untold, 'message')} expired before I could be heard."
    db.execute("DELETE FROM outbox WHERE destination = ? AND key = ?", [destination, EXPIRED])
    db.execute(
        "INSERT INTO outbox "
        "(lane, destination, member, network, room, direct, lines, urgency, key, at, expires) "
        "SELECT lane, destination, member, network, room, direct, ?, ?, ?, ?, ? FROM outbox WHERE id = ?",
        [json.dumps([line]), int(Urgency.NEWS), EXPIRED, text(at), text(at + EXPIRED_TOLD_FOR), example],
    )


def count_lost(db: Database, destination: str, *, expired: int = 0, dropped: int = 0) -> int:
    """Add to what a destination never heard; return how much of it expired without its being told so."""
    row: tuple[int] = db.execute(
        "INSERT INTO outbox_counts (destination, expired, dropped, untold) VALUES (?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET expired = expired + excluded.expired, "
        "dropped = dropped + excluded.dropped, untold = untold + excluded.untold RETURNING untold",
        [destination, expired, dropped, expired],
    ).fetchone()
    return row[0]


def remove(db: Database, row: Waiting) -> None:
    """Take away a row that was delivered, or has nobody left to hear it."""
    gone = db.execute("DELETE FROM outbox WHERE id = ?", [row.id]).rowcount
    if gone and row.key == EXPIRED:
        db.execute("UPDATE outbox_counts SET untold = 0 WHERE destination = ?", [row.destination])


def backlogs(db: Database, tries: Mapping[str, datetime]) -> tuple[Backlog, ...]:
    """Return what waits and what was never said, by place; `tries` has the next ones by destination."""
    found = db.execute(
        "SELECT destination, coalesce(waiting, 0), oldest, coalesce(expired, 0), coalesce(dropped, 0) FROM "
        "(SELECT destination, count(*) AS waiting, min(at) AS oldest FROM outbox GROUP BY destination) "
        "FULL JOIN outbox_counts USING (destination) ORDER BY 2 DESC, 1"
    )
    return tuple(
        Backlog(
            _shown(destination),
            waiting,
            instant(oldest) if oldest else None,
            tries.get(destination) if waiting else None,
            expired,
            dropped,
        )
        for destination, waiting, oldest, expired, dropped in found
    )


def _shown(destination: str) -> str:
    return destination.partition(" ")[2]


def drop(db: Database, place: str) -> int:
    """Remove and count all that waits for a place, written as a Backlog has it; return how much that was."""
    gone = 0
    for kind in ("room", "nick", "member"):
        destination = storable(f"{kind} {place}")
        if count := db.execute("DELETE FROM outbox WHERE destination = ?", [destination]).rowcount:
            count_lost(db, destination, dropped=count)
            gone += count
    return gone


def waiting(db: Database) -> Iterator[dict[str, object]]:
    """Yield all that waits, in order of lanes: for the status line and for tests."""
    yield from db.table("outbox").rows_where(order_by="lane, urgency DESC, id")
