"""Hash-chained tables: append-only, verified without trusting the file.

A chained table has the columns `seq`, `prev` and `hash`; all its other columns are the cells that the hash
covers. `chain_heads` records each chain's length and head in the same transaction, so that a cut tail is
found even where no head was published. Triggers refuse what is not an append; verifying needs none of them.
"""

import sqlite3
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import lru_cache

from sqlite_utils import Database
from sqlite_utils.db import quote_identifier as quoted

from bot.coop.chain import GENESIS, Cell, Link, Verdict, digest, is_head, walk
from bot.coop.chaintable import refusal, statements
from bot.errors import StoreFault
from bot.store.times import storable

AUDIT = "audit"
"""The chain that every database of ours has."""

STEPS = (100, 10, 1)
"""How many rows are appended in one step. Each number is a statement that SQLite keeps, so they are few."""


def create_heads(db: Database) -> None:
    """Create the table of the chains' heads, which only ever grow by one."""
    db.execute(
        "CREATE TABLE chain_heads "
        "(chain TEXT PRIMARY KEY, length INTEGER NOT NULL, head TEXT NOT NULL) STRICT"
    )
    db.execute(refusal("chain_heads", "DELETE"))
    grown = "NEW.chain IS NOT OLD.chain OR NEW.length IS NOT OLD.length + 1"
    db.execute(refusal("chain_heads", "UPDATE", grown))


def create(db: Database, chain: str, columns: Mapping[str, str]) -> None:
    """Create a chained table with these columns (name: SQL type and constraints), inside a migration."""
    for statement in statements(chain, columns):
        db.execute(statement)


def append(db: Database, chain: str, cells: Mapping[str, Cell]) -> tuple[int, str]:
    """Append a row inside a transaction; return its number and its hash.

    StoreFault where the record of the chain's head is gone.
    """
    conn = db.conn
    length, prev = _head(db, chain)
    seq, kept = length + 1, _kept(cells)
    made = digest(prev, seq, kept)
    conn.execute(_insertion(quoted(chain), tuple(kept)), [seq, *kept.values(), prev, made])
    conn.execute("UPDATE chain_heads SET length = ?, head = ? WHERE chain = ?", [seq, made, chain])
    return seq, made


def append_all(db: Database, chain: str, rows: Iterable[Mapping[str, Cell]]) -> None:
    """Append rows with the same columns inside a transaction, many in one step of SQLite.

    At each step its thread gives the interpreter away, and where the event loop is busy it has it back only
    5 ms later: row by row, a few hundred a second would be written of thousands that come.
    StoreFault where the record of the chain's head is gone; ValueError for rows of several kinds.
    """
    length, prev = _head(db, chain)
    made: list[Sequence[Cell]] = []
    names: tuple[str, ...] = ()
    for seq, row in enumerate(rows, start=length + 1):
        kept = _kept(row)
        if made and tuple(kept) != names:
            raise ValueError(f"rows of {chain} with other columns: {', '.join(kept)}")
        names, before, prev = tuple(kept), prev, digest(prev, seq, kept)
        made.append((seq, *kept.values(), before, prev))
    if not made:
        return
    view = _appender(db, chain, ("seq", *names, "prev", "hash"))
    at = 0
    for step in STEPS:
        while len(made) - at >= step:
            cells = [cell for row in made[at : at + step] for cell in row]
            db.conn.execute(_insertion(view, names, step), cells)
            at += step


def _head(db: Database, chain: str) -> tuple[int, str]:
    found = db.conn.execute("SELECT length, head FROM chain_heads WHERE chain = ?", [chain]).fetchone()
    if found is None:
        raise StoreFault(f"{chain}: the record of the chain's head is missing, run shipboard verify")
    return found[0], found[1]


def _kept(cells: Mapping[str, Cell]) -> dict[str, Cell]:
    return {name: storable(cell) if isinstance(cell, str) else cell for name, cell in cells.items()}


def _appender(db: Database, chain: str, columns: Sequence[str]) -> str:
    """Return a view of this connection's own: what is inserted into it is appended, head and all."""
    table, view = quoted(chain), quoted(f"append to {chain}")
    names, new = ", ".join(map(quoted, columns)), ", ".join(f"NEW.{quoted(name)}" for name in columns)
    text = chain.replace("'", "''")
    deeds = (
        f"INSERT INTO {table} ({names}) VALUES ({new}); "  # noqa: S608 - names, quoted
        f"UPDATE chain_heads SET length = NEW.seq, head = NEW.hash WHERE chain = '{text}';"
    )
    trigger = f"CREATE TEMP TRIGGER IF NOT EXISTS {view} INSTEAD OF INSERT ON {view}"
    db.conn.execute(f"CREATE TEMP VIEW IF NOT EXISTS {view} AS SELECT {names} FROM {table}")  # noqa: S608 - as above
    db.conn.execute(f"{trigger} BEGIN {deeds} END")
    return view


@lru_cache(maxsize=64)
def _insertion(table: str, cells: tuple[str, ...], rows: int = 1) -> str:
    """Write the statement that appends rows with these cells to a table or a view, its name quoted."""
    columns = ("seq", *cells, "prev", "hash")
    names, marks = ", ".join(map(quoted, columns)), f"({', '.join('?' * len(columns))})"
    return f"INSERT INTO {table} ({names}) VALUES {', '.join([marks] * rows)}"  # noqa: S608 - names, quoted


def verify(db: Database, chain: str, head: str | None = None) -> Verdict:
    """Recompute a chain row by row and name the first fault; never raises, whatever is in the file.

    `head` is one that was published: the chain must have a row with it. Needs one snapshot of the database.
    """
    try:
        with _any_bytes(db):
            verdict = _verified(db, chain)
            if head is None or not verdict.whole or _has(db, chain, head):
                return verdict
    except sqlite3.Error as error:
        return Verdict(0, GENESIS, f"the table cannot be read: {error}")
    cut = f"the tail from row {verdict.length + 1} was cut, or it is mistyped"
    fault = f"no row has the published head {head}: {cut}"
    return Verdict(verdict.length, verdict.head, fault)


def verify_all(db: Database, head: str | None = None) -> dict[str, Verdict]:
    """Verify every chain there is, by its name; a published head must be in one of them."""
    try:
        with _any_bytes(db):
            names = sorted(_names(db))
            somewhere = head is None or any(_has(db, name, head) for name in names if db[name].exists())
    except sqlite3.Error as error:
        return {AUDIT: Verdict(0, GENESIS, f"the table cannot be read: {error}")}
    return {name: verify(db, name, None if somewhere else head) for name in names}


@contextmanager
def _any_bytes(db: Database) -> Iterator[None]:
    """Read texts that are no UTF-8, which only somebody else can have written."""
    before = db.conn.text_factory
    db.conn.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        db.conn.text_factory = before


def _names(db: Database) -> set[str]:
    """Find the chains: by record, by the shape of a table, and the one that must be there."""
    found = db.execute(
        "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) i ON i.name IN ('prev', 'hash') "
        "WHERE m.type = 'table' GROUP BY m.name HAVING count(*) = 2"
    ).fetchall()
    with suppress(sqlite3.OperationalError):  # each chain then misses its record, and says so
        found += db.execute("SELECT chain FROM chain_heads").fetchall()
    return {AUDIT, *(str(name) for (name,) in found)}


def _has(db: Database, chain: str, head: str) -> bool:
    """Tell whether a chain has, or began with, the head that was published."""
    start = head.lower()
    if not is_head(start) or GENESIS.startswith(start):
        return is_head(start)
    sql = f"SELECT 1 FROM {quoted(chain)} WHERE substr(hash, 1, ?) = ? LIMIT 1"  # noqa: S608 - a table, quoted
    return db.execute(sql, [len(start), start]).fetchone() is not None


def _verified(db: Database, chain: str) -> Verdict:
    recorded = db.execute("SELECT length, head FROM chain_heads WHERE chain = ?", [chain]).fetchall()
    if len(recorded) != 1:
        return Verdict(0, GENESIS, "the record of the chain's length and head is missing")
    (length, tip), rows = recorded[0], _links(db, chain)
    with closing(rows):
        verdict = walk(rows)
    if not verdict.whole:
        return verdict
    if (verdict.length, verdict.head) != (length, tip):
        fault = f"row {verdict.length + 1} is missing: the record tells of {length} rows, the tail was cut"
        if not isinstance(length, int) or length <= verdict.length:
            fault = f"row {verdict.length} is not the one that was recorded last"
        return Verdict(verdict.length, verdict.head, fault)
    return verdict


def _links(db: Database, chain: str) -> Generator[Link, None, None]:
    """Read the rows one after the other; what is no text and no number can only be a forgery."""
    cursor = db.execute(f"SELECT * FROM {quoted(chain)} ORDER BY seq")  # noqa: S608 - a table, quoted
    names = [column[0] for column in cursor.description]
    for cells in cursor:
        row = dict(zip(names, cells, strict=True))
        seq, prev, made = (row.pop(name, None) for name in ("seq", "prev", "hash"))
        honest = {name: _honest(cell) for name, cell in row.items()}
        yield Link(seq if isinstance(seq, int) else 0, honest, str(prev), str(made))


def _honest(cell: object) -> Cell:
    return cell if cell is None or isinstance(cell, str | int) else f"{type(cell).__name__} {cell!r}"
