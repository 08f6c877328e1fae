"""What the plugin keeps: the chain of events, and beside it what must stay secret for a while."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache, reduce
from typing import TYPE_CHECKING, Any

from bot import GENESIS, Link, NotFound, Tx, Verdict, verify
from plugins.votes import written
from plugins.votes.declared import EVENTS
from plugins.votes.motion import End, Motion, Record, after, fold

if TYPE_CHECKING:
    from sqlite_utils import Database

_COLUMNS = ("seq", "motion", "at", "kind", "actor", "body", "hash")
_ROWS = f"SELECT {', '.join(_COLUMNS)} FROM {EVENTS}"  # noqa: S608 - constants
_OF_VOTERS = ("voted", "retracted")
_OF_ALL = tuple(sorted(written.KINDS.keys() - {*_OF_VOTERS}))
_LATER = f"{_ROWS} WHERE motion = ? AND kind IN ({', '.join('?' * len(_OF_ALL))}) AND seq > ?"
_OWN = f"{_ROWS} WHERE motion = ? AND kind IN (?, ?) AND actor = ? AND seq > ? ORDER BY seq DESC LIMIT 1"
_LAST = f"SELECT at FROM {EVENTS} WHERE motion = ? ORDER BY seq DESC LIMIT 1"  # noqa: S608 - a constant

Row = tuple[Any, ...]


def append(tx: Tx, record: Record) -> Record:
    """Write a record at the chain's end, and return it with its place there."""
    seq, made = tx.append(EVENTS, written.cells(record))
    return replace(record, seq=seq, hash=made)


def records(db: "Database", number: int) -> list[Record]:
    """Return all of one motion's records; NotFound if there are none."""
    found = [_record(row) for row in db.query(f"{_ROWS} WHERE motion = ? ORDER BY seq", [number])]
    if not found:
        raise NotFound(f"There is no motion {number}; !vote list names them.")
    return found


def motion(db: "Database", number: int) -> Motion:
    """Return a motion as its records have made it."""
    return fold(records(db, number))


def for_voter(db: "Database", number: int, member: str) -> Motion:
    """Return a motion with nobody's ballot but this member's last: casting must not read all the others."""
    opening = _opening(db, number)
    if opening is None:
        return motion(db, number)
    begun = db.execute(f"{_ROWS} WHERE motion = ? AND seq <= ? ORDER BY seq", [number, opening])
    later = db.execute(_LATER, [number, *_OF_ALL, opening]).fetchall()
    own = db.execute(_OWN, [number, *_OF_VOTERS, member, opening]).fetchall()
    (last,) = db.execute(_LAST, [number]).fetchone()
    found = reduce(after, map(_read, sorted([*later, *own])), _begun(tuple(begun)))
    return replace(found, last_at=written.moment(last))


@lru_cache(maxsize=16)
def _begun(rows: tuple[Row, ...]) -> Motion:
    """Return what these rows, up to an opening with its whole electorate, make of a motion."""
    return fold(map(_read, rows))


def _opening(db: "Database", number: int) -> int | None:
    """Return the number of the row in which a motion's ballot opened last."""
    sql = f"SELECT max(seq) FROM {EVENTS} WHERE motion = ? AND kind = 'opened'"  # noqa: S608 - a constant
    (seq,) = db.execute(sql, [number]).fetchone()
    return None if seq is None else int(seq)


def opened(db: "Database", number: int) -> datetime | None:
    """Return when a motion's ballot opened, None where it has not."""
    sql = f"SELECT max(at) FROM {EVENTS} WHERE motion = ? AND kind = 'opened'"  # noqa: S608 - a constant
    (at,) = db.execute(sql, [number]).fetchone()
    return written.moment(at) if at else None


def is_last(db: "Database", found: Motion, member: str) -> bool:
    """Tell whether, with this member's ballot, all have one, and their motion closes by that."""
    if found.opening is None or found.opening.rules.early_close != "all-voted":
        return False
    waited_for = found.count - (member not in found.ballots)
    return _cast(db, found.number, "*") >= waited_for and voters(db, found.number) >= waited_for


def _cast(db: "Database", number: int, what: str) -> int:
    sql = f"SELECT count({what}) FROM {EVENTS} WHERE motion = ? AND kind = 'voted'"  # noqa: S608 - constants
    (count,) = db.execute(sql, [number]).fetchone()
    return int(count)


def voters(db: "Database", number: int) -> int:
    """Return how many have a ballot in a motion now, of those who are not out of it."""
    sql = (
        f"SELECT kind FROM (SELECT kind, max(seq) FROM {EVENTS} WHERE motion = ? "  # noqa: S608 - a constant
        "AND kind IN ('voted', 'retracted', 'recused') GROUP BY actor) WHERE kind = 'voted'"
    )
    return len(db.execute(sql, [number]).fetchall())


def motions(db: "Database") -> tuple[Motion, ...]:
    """Return every motion there is, by its number."""
    found: dict[int, list[Record]] = {}
    for row in db.query(f"{_ROWS} ORDER BY seq"):
        found.setdefault(row["motion"], []).append(_record(row))
    return tuple(fold(found[number]) for number in sorted(found))


def next_number(db: "Database") -> int:
    """Return the number of the next motion."""
    (last,) = db.execute(f"SELECT max(motion) FROM {EVENTS}").fetchone()  # noqa: S608 - a constant
    return (last or 0) + 1


def head(db: "Database") -> str:
    """Return the hash of the chain's last row."""
    row = db.execute(f"SELECT hash FROM {EVENTS} ORDER BY seq DESC LIMIT 1").fetchone()  # noqa: S608 - a constant
    return str(row[0]) if row else GENESIS


def verdict(db: "Database") -> Verdict:
    """Recompute the chain and name its first fault."""
    return verify(links(db))


def links(db: "Database", last: int = 2**63 - 1) -> Iterator[Link]:
    """Yield the chain's rows up to one of them."""
    rows = db.query(f"SELECT * FROM {EVENTS} WHERE seq <= ? ORDER BY seq", [last])  # noqa: S608 - a constant
    return (_link(row) for row in rows)


def first_ballot(db: "Database", number: int) -> int:
    """Return the row of the first ballot since a motion's last opening, 0 if there is none."""
    sql = f"SELECT min(seq) FROM {EVENTS} WHERE motion = ? AND kind IN (?, ?) AND seq > ?"  # noqa: S608 - a constant
    (seq,) = db.execute(sql, [number, *_OF_VOTERS, _opening(db, number) or 0]).fetchone()
    return int(seq or 0)


def missed(db: "Database") -> Mapping[str, int]:
    """Return how many ballots each member has missed in a row, up to now; one that is cast begins anew."""
    sql = f"{_ROWS} WHERE kind IN ('opened', 'recused', 'closed') ORDER BY seq"
    electors: dict[int, set[str]] = {}
    found: dict[str, int] = {}
    for record in (_record(row) for row in db.query(sql)):
        deed: Any = record.deed
        match type(deed).__name__:
            case "Opened" if deed.method != "lazy":
                electors[record.motion] = {name for name, *_ in deed.electors}
            case "Recused":
                electors.get(record.motion, set()).discard(record.by)
            case "Closed":
                asked = electors.pop(record.motion, set())
                if deed.end not in {End.WITHDRAWN, End.ANNULLED}:
                    found |= {n: 0 if n in deed.voters else found.get(n, 0) + 1 for n in asked}
    for number in electors:
        sql = f"SELECT DISTINCT actor FROM {EVENTS} WHERE motion = ? AND kind = 'voted'"  # noqa: S608 - a constant
        found |= {name: 0 for (name,) in db.execute(sql, [number])}
    return found


def keep_seal(tx: Tx, number: int, member: str, sealed: tuple[str, str]) -> None:
    """Keep a secret ballot's token and words, which the chain only has the seal of."""
    sql = "INSERT OR REPLACE INTO votes_sealed (motion, member, token, words) VALUES (?, ?, ?, ?)"
    tx.db.execute(sql, [number, member, *sealed])


def sealed(db: "Database", number: int) -> dict[str, tuple[str, str]]:
    """Return each voter's token and words in a secret ballot."""
    sql = "SELECT member, token, words FROM votes_sealed WHERE motion = ?"
    return {member: (token, words) for member, token, words in db.execute(sql, [number])}


def forget_seals(tx: Tx, number: int, members: Iterable[str] | None = None) -> None:
    """Erase what links a secret ballot with its voter: of these members, or of all."""
    for member in sealed(tx.db, number) if members is None else members:
        tx.db.execute("DELETE FROM votes_sealed WHERE motion = ? AND member = ?", [number, member])


def seed(tx: Tx, number: int, fresh: str) -> str:
    """Return the seed of a motion's lot; one that has none yet gets the fresh one."""
    sql = "INSERT OR IGNORE INTO votes_seeds (motion, seed) VALUES (?, ?)"
    tx.db.execute(sql, [number, fresh])
    (found,) = tx.db.execute("SELECT seed FROM votes_seeds WHERE motion = ?", [number]).fetchone()
    return str(found)


def beat(tx: Tx, started: datetime) -> tuple[datetime, datetime] | None:
    """Note that the bot is there; return since when and until when it was not, once after each start."""
    mark, now = written.instant(started), written.instant(tx.at)
    row = tx.db.execute("SELECT started, beat FROM votes_away WHERE id = 1").fetchone()
    sql = "INSERT OR REPLACE INTO votes_away (id, started, beat) VALUES (1, ?, ?)"
    tx.db.execute(sql, [mark, now])
    return None if row is None or row[0] == mark else (written.moment(row[1]), started)


def _read(row: Row) -> Record:
    return _record(dict(zip(_COLUMNS, row, strict=True)))


def _record(row: Mapping[str, Any]) -> Record:
    return written.record(row, row["seq"], row["hash"])


def _link(row: dict[str, Any]) -> Link:
    seq, prev, made = (row.pop(name) for name in ("seq", "prev", "hash"))
    return Link(seq, row, prev, made)
