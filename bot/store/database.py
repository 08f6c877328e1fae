"""The bot's database: one writer thread, one transaction a write; readers on connections of their own."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from sqlite_utils import Database, Migrations

from bot.errors import ConfigError, StoreFault
from bot.ports import Clock, Tx
from bot.store import schema
from bot.store.connection import RoomsOf, connect, copy, faults, no_rooms, snapshot, transaction

T = TypeVar("T")

FILE = "shipboard.db"
"""What the database is called in `bot.state`."""

READERS = 3
"""How many reads may go on at once; a long one (an audit that is verified) delays no other."""


def prepare(db: Database, migrations: Migrations = schema.migrations) -> None:
    """Bring the tables of a set of migrations up to date.

    ConfigError if a newer version of shipboard wrote them. Two processes may do it at the same time.
    """
    known = {step.name for step in migrations._migrations}  # noqa: SLF001 - sqlite-utils has no public list of them
    if foreign := [step.name for step in migrations.applied(db) if step.name not in known]:
        raise ConfigError(
            f"the database's {migrations.name} tables are newer than this program ({foreign[0]}): "
            "update shipboard"
        )
    if not migrations.pending(db):
        return
    if all(step.transactional for step in migrations.pending(db)):
        db.conn.execute("BEGIN IMMEDIATE")
        try:
            migrations.apply(db)
            db.commit()
        finally:
            db.rollback()
    else:
        migrations.apply(db)


class SqliteStore:
    """The database as bot.ports.Store; made by `open`, done with by `close`."""

    def __init__(self, path: Path, clock: Clock, rooms_of: RoomsOf) -> None:
        """Use `open`."""
        self.path = path
        self._clock, self._rooms_of = clock, rooms_of
        self._hooks: list[Callable[[], None]] = []
        self._writing = ThreadPoolExecutor(1, "store-writer")
        self._reading = ThreadPoolExecutor(READERS, "store-reader")
        self._idle: SimpleQueue[Database] = SimpleQueue()
        self._db: Database | None = None
        self._near: Database | None = None

    @classmethod
    async def open(cls, path: Path, clock: Clock, *, rooms_of: RoomsOf = no_rooms) -> "SqliteStore":
        """Open the file, made if it is not there, with its tables up to date.

        `rooms_of` spells out the groups that notices are for. StoreFault if the file cannot be used.
        """
        store = cls(path, clock, rooms_of)
        try:
            await store._run(store._writing, store._connect)
        except BaseException:
            await store.close()
            raise
        return store

    def after_commit(self, hook: Callable[[], None]) -> None:
        """Call this in the event loop after each commit that holds a notice or an event."""
        self._hooks.append(hook)

    async def write(self, fn: Callable[[Tx], T]) -> T:
        """Run `fn` in one transaction on the writer thread; what it raises rolls everything back.

        StoreFault for what SQLite says. Cancelling the caller does not stop a transaction that has begun.
        """
        result, told, hooks = await self._run(self._writing, lambda: self._transact(fn))
        for hook in (*hooks, *(self._hooks if told else ())):
            hook()
        return result

    async def read(self, fn: Callable[[Database], T]) -> T:
        """Run `fn` on a read-only connection; it sees one state of the database."""
        return await self._run(self._reading, lambda: self._look(fn))

    async def glance(self, fn: Callable[[Database], T]) -> T:
        """Run one query for a row or two in place: a thread's hop would cost more than the query.

        Readers of a database in WAL mode wait for nobody; should this one have to, it does so in a thread.
        """
        if self._near is None:
            raise StoreFault(f"{self.path}: is closed")
        try:
            return fn(self._near)
        except sqlite3.Error:
            return await self.read(fn)

    async def migrate(self, migrations: Migrations) -> None:
        """Bring a plugin's tables up to date."""
        await self._run(self._writing, lambda: self._prepare(migrations))

    async def backup(self, path: Path) -> None:
        """Copy the whole database to a file while everything goes on; StoreFault if that cannot be."""
        await asyncio.to_thread(copy, self.path, path)

    async def close(self) -> None:
        """Finish what was begun and close the file."""
        await asyncio.to_thread(self._close)

    async def _run(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        try:
            future = asyncio.get_running_loop().run_in_executor(pool, work)
        except RuntimeError as error:
            raise StoreFault(f"{self.path}: is closed") from error
        return await future

    @property
    def _connection(self) -> Database:
        if self._db is None:
            raise StoreFault(f"{self.path}: is closed")
        return self._db

    def _connect(self) -> None:
        self._db = connect(self.path)
        self._prepare(schema.migrations)
        for _ in range(READERS):
            self._idle.put(connect(self.path, read_only=True))
        self._near = connect(self.path, read_only=True, busy=0.0)

    def _prepare(self, migrations: Migrations) -> None:
        with faults(self.path):
            prepare(self._connection, migrations)

    def _transact(self, fn: Callable[[Tx], T]) -> tuple[T, bool, Sequence[Callable[[], None]]]:
        with faults(self.path), transaction(self._connection, self._clock.now(), self._rooms_of) as tx:
            return fn(tx), tx.told, tx.hooks

    def _look(self, fn: Callable[[Database], T]) -> T:
        db = self._idle.get()
        try:
            with faults(self.path), snapshot(db):
                return fn(db)
        finally:
            self._idle.put(db)

    def _close(self) -> None:
        self._reading.shutdown()
        self._writing.shutdown()
        while not self._idle.empty():
            self._idle.get().close()
        for db in (self._near, self._db):
            if db is not None:
                db.close()
        self._near = self._db = None
