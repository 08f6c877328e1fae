"""Bytes of a time, by whom they belonged to then; and the raw counters, so that a restart loses none.

A row of `owners` holds from its minute until the next one of that machine. Where only coarser rows are left
of a time, its bounds and the changes of owners in it count from the beginning of the row that they are in.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise

from sqlite_utils import Database

from bot.coop.traffic import Counter, Traffic
from bot.store import rollup
from bot.store.rollup import LEVELS

Key = tuple[str, str]
Piece = tuple[str, int, int]
"""A table and a time, from and until, in Unix seconds."""


def create(db: Database) -> None:
    """Create the tables, inside a migration; what machines used before was their present owners'."""
    db.execute(
        "CREATE TABLE owners (subject INTEGER NOT NULL REFERENCES subjects, since INTEGER NOT NULL, "
        "owner TEXT, PRIMARY KEY (subject, since)) STRICT, WITHOUT ROWID"
    )
    db.execute(
        "CREATE TABLE counters (subject INTEGER PRIMARY KEY REFERENCES subjects, epoch TEXT NOT NULL, "
        "received INTEGER NOT NULL, sent INTEGER NOT NULL) STRICT"
    )
    db.execute(
        "INSERT INTO owners SELECT id, 0, owner FROM subjects JOIN machines USING (name) "
        "WHERE kind = 'machine'"
    )


def note_owners(db: Database, owners: Mapping[str, str | None], since: int) -> None:
    """Write who owns each machine from a time on, where that is news."""
    newest = dict(_newest_owners(db))
    for name, owner in owners.items():
        subject = rollup.subject(db, "machine", name)
        if subject not in newest or newest[subject] != owner:
            db.conn.execute("DELETE FROM owners WHERE subject = ? AND since >= ?", [subject, since])
            db.conn.execute("INSERT INTO owners VALUES (?, ?, ?)", [subject, since, owner])


def _newest_owners(db: Database) -> Iterator[tuple[int, str | None]]:
    for subject, _, owner in db.conn.execute(
        "SELECT subject, max(since), owner FROM owners GROUP BY subject"
    ):
        yield subject, owner


def put_counters(db: Database, counters: Mapping[Key, Counter]) -> None:
    """Write the raw counters in place of those before."""
    db.conn.execute("DELETE FROM counters")
    for (kind, name), one in counters.items():
        row = [rollup.subject(db, kind, name), one.epoch, one.received, one.sent]
        db.conn.execute("INSERT INTO counters VALUES (?, ?, ?, ?)", row)


def counters(db: Database) -> dict[Key, Counter]:
    """Return the raw counters as they were written last."""
    rows = db.conn.execute(
        "SELECT kind, name, epoch, received, sent FROM counters JOIN subjects ON subjects.id = subject"
    )
    return {(kind, name): Counter(*cells) for kind, name, *cells in rows}


def traffic(db: Database, start: int, until: int) -> list[Traffic]:
    """Return the bytes of a time, one a subject and owner, from the coarsest rows that fit.

    What two times that touch hold together is what the whole holds, to the byte.
    """
    marks, done = rollup.pruned(db), rollup.rolled_up(db)
    low, high = _whole(marks, start), _whole(marks, until)
    owned = _owned(db, marks)
    cuts = {at for changes, _ in owned.values() for at in changes if low < at < high}
    totals: dict[tuple[int, str | None], list[int]] = defaultdict(lambda: [0, 0])
    for first, last in pairwise(sorted({low, high} | cuts)):
        for piece in pieces(done, first, last):
            for subject, received, sent in _sums(db, piece):
                total = totals[subject, _owner(owned, subject, first)]
                total[0] += received
                total[1] += sent
    names = {subject: (kind, name) for subject, kind, name in db.conn.execute("SELECT * FROM subjects")}
    found = (Traffic(*names[subject], owner, *both) for (subject, owner), both in totals.items())
    return sorted(found, key=lambda one: (one.kind, one.name, one.owner or ""))


def _whole(marks: Mapping[str, int], at: int) -> int:
    """Return the beginning of the finest row that is left and holds this time."""
    step = rollup.finest(marks, at).step
    return at // step * step


def _owned(db: Database, marks: Mapping[str, int]) -> dict[int, tuple[list[int], list[str | None]]]:
    """Return by subject the times from which on somebody owns it, and who, the oldest first."""
    found: dict[int, tuple[list[int], list[str | None]]] = defaultdict(lambda: ([], []))
    for subject, since, owner in db.conn.execute("SELECT subject, since, owner FROM owners ORDER BY 1, 2"):
        times, owners = found[subject]
        times.append(_whole(marks, since))
        owners.append(owner)
    return found


def _owner(owned: Mapping[int, tuple[list[int], list[str | None]]], subject: int, at: int) -> str | None:
    times, owners = owned.get(subject, ((), ()))
    number = bisect_right(times, at)
    return owners[number - 1] if number else None


def pieces(
    done: Mapping[str, int], start: int, until: int, coarsest: int = len(LEVELS) - 1
) -> Iterator[Piece]:
    """Cover a time with rows of the coarsest tables that fit it, each of its minutes once.

    `done` is what `rolled_up` returned: what is newer is taken from finer tables.
    """
    level = LEVELS[coarsest]
    if not coarsest:
        yield level.table, start, until
        return
    first = -(-start // level.step) * level.step
    last = min(until, done[level.table]) // level.step * level.step
    if first >= last:
        yield from pieces(done, start, until, coarsest - 1)
        return
    if start < first:
        yield from pieces(done, start, first, coarsest - 1)
    yield level.table, first, last
    if last < until:
        yield from pieces(done, last, until, coarsest - 1)


def _sums(db: Database, piece: Piece) -> Iterator[tuple[int, int, int]]:
    table, low, high = piece
    return db.conn.execute(
        f"SELECT subject, sum(received), sum(sent) FROM subjects CROSS JOIN {table} "  # noqa: S608 - our own names
        "ON subject = subjects.id AND at >= ? AND at < ? GROUP BY subject",
        [low, high],
    )
