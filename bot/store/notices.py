"""The outbox's rows: what is to be said elsewhere, written in the transaction of the deed that it tells of.

Each row has one destination (a room, a nick, or a member wherever they are) and belongs to one lane, within
which delivery is in order: a network for rooms and nicks, the member for members.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlite_utils import Database

from bot.coop.people import Member
from bot.model import Notice, Place
from bot.store.times import storable, text

if TYPE_CHECKING:
    from bot.store.connection import RoomsOf


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row that is to be delivered: to a place, or to the member of that name."""

    id: int
    to: Place | str
    lines: tuple[str, ...]

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


def put(db: Database, notice: Notice, at: datetime, rooms_of: "RoomsOf") -> None:
    """Write one row a destination; what waits there under the same key is replaced.

    A replacement gets a new number, so that the end of a delivery under way does not take it along.
    """
    for to in _destinations(db, notice, rooms_of):
        place = to if isinstance(to, Place) else None
        row = {
            "lane": f"network {place.network}" if place else f"member {to}",
            "destination": _destination(to),
            "member": None if place else to,
            "network": place and place.network,
            "room": place and place.name,
            "direct": int(bool(place and place.direct)),
            "lines": json.dumps([storable(line) for line in notice.lines]),
            "urgency": int(notice.urgency),
            "key": notice.key and storable(notice.key),
            "at": text(at),
            "expires": text(notice.expires) if notice.expires else None,
        }
        db.execute("DELETE FROM outbox WHERE destination = ? AND key = ?", [row["destination"], row["key"]])
        db.table("outbox").insert(row)


def _destinations(db: Database, notice: Notice, rooms_of: "RoomsOf") -> Sequence[Place | str]:
    """Spell a group out; what is for admins without a room of theirs goes to each of them directly."""
    match notice.to:
        case Place():
            return (notice.to,)
        case Member(name=name):
            return (name,)
    if rooms := tuple(dict.fromkeys(rooms_of(notice.to))):
        return rooms
    if notice.to == "team":
        return ()
    return [name for (name,) in db.execute("SELECT name FROM members WHERE role = 'admin' ORDER BY name")]


def lanes(db: Database) -> list[str]:
    """Return the lanes in which something waits."""
    return [lane for (lane,) in db.execute("SELECT DISTINCT lane FROM outbox")]


def first(db: Database, lane: str, at: datetime, but: Collection[str]) -> Waiting | None:
    """Return what goes out next in this lane, leaving out destinations that cannot be reached now."""
    found = db.execute(
        "SELECT id, member, network, room, direct, lines FROM outbox "
        "WHERE lane = ? AND (expires IS NULL OR expires > ?) "
        "AND destination NOT IN (SELECT value FROM json_each(?)) ORDER BY urgency DESC, id LIMIT 1",
        [lane, text(at), json.dumps(list(but))],
    ).fetchone()
    if found is None:
        return None
    number, member, network, room, direct, lines = found
    return Waiting(number, member or Place(network, room, bool(direct)), tuple(json.loads(lines)))


def expired(db: Database, at: datetime) -> int:
    """Count what nobody needs to hear any more."""
    count: int = db.execute("SELECT count(*) FROM outbox WHERE expires <= ?", [text(at)]).fetchone()[0]
    return count


def drop_expired(db: Database, at: datetime) -> int:
    """Remove what nobody needs to hear any more; return how many rows that were."""
    return db.execute("DELETE FROM outbox WHERE expires <= ?", [text(at)]).rowcount


def remove(db: Database, number: int | None) -> None:
    """Take away a row that was delivered, or has nobody left to hear it."""
    db.execute("DELETE FROM outbox WHERE id = ?", [number])


def waiting(db: Database) -> Iterator[dict[str, object]]:
    """Yield all that waits, in order of lanes: for the status line and for tests."""
    yield from db.table("outbox").rows_where(order_by="lane, urgency DESC, id")
