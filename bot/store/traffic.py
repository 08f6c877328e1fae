"""Bytes of a time, by whom they belonged to then; and the raw counters, so that a restart loses none.

A row of `owners` holds from its minute until the next one of that machine. Where only coarser rows are left
of a time, its bounds and the changes of owners in it count from the beginning of the row that they are in.
"""

from bisect import bisect_left, bisect_right
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
    return Ledger(db).traffic(start, until)


class Ledger:
    """Whose the bytes were, read once for all times that are asked for."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._marks, self._done = rollup.pruned(db), rollup.rolled_up(db)
        self._names = {id_: (kind, name) for id_, kind, name in db.conn.execute("SELECT * FROM subjects")}
        self._owned: dict[int, tuple[list[int], list[str | None]]] = defaultdict(lambda: ([], []))
        for subject, since, owner in db.conn.execute(
            "SELECT subject, since, owner FROM owners ORDER BY 1, 2"
        ):
            times, owners = self._owned[subject]
            times.append(self._whole(since))
            owners.append(owner)
        self._changes = sorted({at for times, _ in self._owned.values() for at in times})

    def traffic(self, start: int, until: int) -> list[Traffic]:
        """Return the bytes of a time, as the function of this name."""
        low, high = self._whole(start), self._whole(until)
        cuts = self._changes[bisect_right(self._changes, low) : bisect_left(self._changes, high)]
        totals: dict[tuple[int, str | None], list[int]] = defaultdict(lambda: [0, 0])
        for first, last in pairwise(sorted({low, *cuts, high})):
            for piece in pieces(self._done, first, last):
                for subject, received, sent in _sums(self._db, piece):
                    total = totals[subject, self._owner(subject, first)]
                    total[0] += received
                    total[1] += sent
        found = (Traffic(*self._names[subject], owner, *both) for (subject, owner), both in totals.items())
        return sorted(found, key=lambda one: (one.kind, one.name, one.owner or ""))

    def _whole(self, at: int) -> int:
        """Return the beginning of the finest row that is left and holds this time."""
        step = rollup.finest(self._marks, at).step
        return at // step * step

    def _owner(self, subject: int, at: int) -> str | None:
        times, owners = self._owned.get(subject, ((), ()))
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
