"""Connections to the database file, and what one transaction on them is.

The bot's own store and the command line both write through here, each in its own process: SQLite's lock on
the file is what keeps them apart (https://www.sqlite.org/wal.html).
"""

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from sqlite_utils import Database

from bot.coop.chain import Cell
from bot.coop.events import Event
from bot.errors import StoreFault
from bot.model import Notice, Place
from bot.store import chains, events, notices

BUSY_SECONDS = 20.0
"""How long a connection waits for another process that writes."""

CACHE_KIB = 256
"""Memory for pages, each connection: the kernel keeps the file anyway. By default a flood makes it 2 MiB."""

RoomsOf = Callable[[str], Sequence[Place]]
"""The rooms that a group's name stands for."""


_WHAT_TO_DO = MappingProxyType(
    {
        sqlite3.SQLITE_BUSY: ": another process writes to it and does not end, try again",
        sqlite3.SQLITE_CANTOPEN: ": may you read and write it, and its folder?",
        sqlite3.SQLITE_CORRUPT: ": it is damaged, restore a backup",
        sqlite3.SQLITE_FULL: ": make room there",
        sqlite3.SQLITE_NOTADB: ": move it away, or restore a backup",
        sqlite3.SQLITE_READONLY: ": may you write to it?",
    }
)


def no_rooms(_group: str) -> Sequence[Place]:
    """Know no room: what the command line needs, which tells nobody anything."""
    return ()


@contextmanager
def faults(path: Path | str) -> Iterator[None]:
    """Make StoreFault of whatever SQLite says, with the file that it is about and what to do."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # its low byte is the primary code
        raise StoreFault(f"{path}: {error}{_WHAT_TO_DO.get(code, '')}") from error


def connect(path: Path, *, read_only: bool = False, busy: float = BUSY_SECONDS) -> Database:
    """Open the file, made if need be unless `read_only`; StoreFault if it is no database that can be used.

    The writer waits for the disk at each commit. Any thread may use the connection, one at a time.
    """
    with faults(path):
        if not read_only:
            _make_private(path)
        uri = f"file:{quote(str(path.absolute()))}?mode={'ro' if read_only else 'rw'}"
        conn = sqlite3.connect(uri, uri=True, timeout=busy, isolation_level=None, check_same_thread=False)
        try:
            return _prepared(conn, read_only=read_only)
        except BaseException:
            conn.close()
            raise


def _make_private(path: Path) -> None:
    """Make an empty file that only we may read; SQLite gives its side files the same mode."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreFault(f"{path}: cannot be opened for writing: {error.strerror}") from error


def _prepared(conn: sqlite3.Connection, *, read_only: bool) -> Database:
    db = Database(conn, execute_plugins=False)
    if read_only:
        db.execute("PRAGMA query_only = on")
    elif db.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        db.execute("PRAGMA journal_mode = wal")
    db.execute("PRAGMA synchronous = full")
    db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    db.execute("PRAGMA foreign_keys = on")
    db.execute("SELECT count(*) FROM sqlite_master")
    return db


class Transaction:
    """One transaction, as its function sees it: bot.ports.Tx. Of no use once that has returned."""

    __slots__ = ("_at", "_db", "_rooms_of", "hooks", "open", "told")

    def __init__(self, db: Database, at: datetime, rooms_of: RoomsOf) -> None:
        self._db, self._at, self._rooms_of = db, at, rooms_of
        self.open = True
        self.told = False
        self.hooks: list[Callable[[], None]] = []

    @property
    def db(self) -> Database:
        """The database, inside BEGIN IMMEDIATE."""
        if not self.open:
            raise StoreFault("a transaction was used after its end")
        return self._db

    @property
    def at(self) -> datetime:
        """The instant of this transaction."""
        return self._at

    def append(self, chain: str, cells: Mapping[str, Cell]) -> tuple[int, str]:
        """Append a row to a hash-chained table."""
        return chains.append(self.db, chain, cells)

    def notice(self, notice: Notice) -> None:
        """Put a notice into the outbox."""
        notices.put(self.db, notice, self._at, self._rooms_of)
        self.told = True

    def event(self, event: Event) -> None:
        """Put an event where it is dispatched from after the commit."""
        events.put(self.db, event, self._at)
        self.told = True

    def afterwards(self, hook: Callable[[], None]) -> None:
        """Call this after the commit, once however often it is asked for."""
        if hook not in self.hooks:
            self.hooks.append(hook)


@contextmanager
def transaction(db: Database, at: datetime, rooms_of: RoomsOf = no_rooms) -> Iterator[Transaction]:
    """Hold BEGIN IMMEDIATE … COMMIT; whatever is raised inside rolls everything back and goes on."""
    db.conn.execute("BEGIN IMMEDIATE")
    tx = Transaction(db, at, rooms_of)
    try:
        yield tx
        _commit(db)
    except BaseException:
        db.rollback()
        raise
    finally:
        tx.open = False


def _commit(db: Database) -> None:
    if not db.conn.in_transaction:
        raise StoreFault("a write ended its own transaction: leave BEGIN and COMMIT to the store")
    db.conn.execute("COMMIT")


@contextmanager
def snapshot(db: Database) -> Iterator[Database]:
    """Hold one unchanging state of the database for reading."""
    db.conn.execute("BEGIN")
    try:
        yield db
    finally:
        db.rollback()


def copy(path: Path, target: Path) -> None:
    """Copy the database into a new file, whole and checked, while others write.

    SQLite's online backup in one step, which in WAL mode hinders no writer. The copy replaces `target` only
    when it is complete on disk, and only if that is empty or a database; StoreFault otherwise.
    """
    _refuse_to_overwrite(path, target)
    try:
        fd, name = tempfile.mkstemp(".part", f".{target.name}.", target.parent)
    except OSError as error:
        raise StoreFault(f"{target}: cannot be written: {error.strerror}") from error
    os.close(fd)
    part = Path(name)
    try:
        with faults(f"{path} copied to {target}"):
            _copy(path, part)
        _keep(part, target)
    except OSError as error:
        raise StoreFault(f"{target}: cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def _copy(path: Path, part: Path) -> None:
    with (
        closing(connect(path, read_only=True)) as source,
        closing(sqlite3.connect(part, isolation_level=None)) as made,
    ):
        source.conn.backup(made)
        made.execute("PRAGMA journal_mode = delete")
        found = made.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise StoreFault(f"{path}: is damaged: {found}")


def _refuse_to_overwrite(path: Path, target: Path) -> None:
    try:
        if not target.exists():
            return
        if not target.is_file() or target.samefile(path):
            raise StoreFault(f"{target}: choose another file for the backup")
        with target.open("rb") as file:
            if file.read(16) not in {b"", b"SQLite format 3\0"}:
                raise StoreFault(f"{target}: holds something else, choose another file for the backup")
    except OSError as error:
        raise StoreFault(f"{target}: cannot be written: {error.strerror}") from error


def _keep(part: Path, target: Path) -> None:
    """Give the finished file its name, durably."""
    part.replace(target)
    for name in (target, target.parent):
        fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
