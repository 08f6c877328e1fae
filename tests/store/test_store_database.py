import asyncio
import sqlite3
import stat
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from sqlite_utils import Database, Migrations

from bot.coop.events import DayBegan
from bot.errors import ConfigError, Conflict, StoreFault
from bot.model import Notice
from bot.ports import Tx
from bot.store import schema
from bot.store.connection import connect, faults
from bot.store.database import SqliteStore
from tests.store.conftest import HandClock


def put(tx: Tx, stamp: str) -> None:
    tx.db.table("stamps").insert({"stamp": stamp, "at": "now"})


def stamps(db: Database) -> list[str]:
    return [stamp for (stamp,) in db.execute("SELECT stamp FROM stamps ORDER BY stamp")]


def fill(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)


def held(path: Path) -> bytes:
    return path.read_bytes()


async def test_a_write_is_seen_by_the_next_read(store: SqliteStore) -> None:
    await store.write(lambda tx: put(tx, "a"))
    assert await store.read(stamps) == ["a"]


async def test_a_write_returns_what_its_function_does_and_knows_the_instant(
    store: SqliteStore, clock: HandClock
) -> None:
    assert await store.write(lambda tx: (tx.at, "x")) == (clock.now(), "x")


async def test_a_refusal_rolls_back_and_passes(store: SqliteStore) -> None:
    def refuse(tx: Tx) -> None:
        put(tx, "a")
        raise Conflict("no")

    with pytest.raises(Conflict, match=r"^no$"):
        await store.write(refuse)
    assert await store.read(stamps) == []


async def test_what_sqlite_says_is_a_fault_and_rolls_back(store: SqliteStore, path: Path) -> None:
    def twice(tx: Tx) -> None:
        put(tx, "a")
        put(tx, "a")

    with pytest.raises(StoreFault, match=f"{path}: UNIQUE constraint failed"):
        await store.write(twice)
    with pytest.raises(StoreFault, match="no such table"):
        await store.read(lambda db: db.execute("SELECT * FROM missing"))
    assert await store.read(stamps) == []


async def test_a_caught_fault_inside_leaves_the_rest(store: SqliteStore) -> None:
    def caught(tx: Tx) -> None:
        put(tx, "a")
        with suppress(sqlite3.IntegrityError), tx.db.atomic():
            put(tx, "b")
            put(tx, "a")

    await store.write(caught)
    assert await store.read(stamps) == ["a"]


@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
async def test_a_write_that_ends_its_own_transaction_is_a_fault(store: SqliteStore, end: str) -> None:
    with pytest.raises(StoreFault, match="ended its own transaction"):
        await store.write(lambda tx: tx.db.execute(end))
    await store.write(lambda tx: put(tx, "later"))
    assert await store.read(stamps) == ["later"]


async def test_a_transaction_is_of_no_use_after_its_end(store: SqliteStore) -> None:
    kept = await store.write(lambda tx: tx)
    with pytest.raises(StoreFault, match="after its end"):
        put(kept, "a")
    with pytest.raises(StoreFault, match="after its end"):
        kept.notice(Notice("team", ("late",)))


async def test_readers_cannot_write(store: SqliteStore) -> None:
    with pytest.raises(StoreFault, match="readonly"):
        await store.read(lambda db: db.execute("INSERT INTO stamps VALUES ('a', 'b')"))


async def test_a_read_sees_one_state_while_others_write(store: SqliteStore) -> None:
    looked, written = threading.Event(), threading.Event()

    def look(db: Database) -> tuple[list[str], list[str]]:
        before = stamps(db)
        looked.set()
        assert written.wait(20)
        return before, stamps(db)

    reading = asyncio.create_task(store.read(look))
    await asyncio.to_thread(looked.wait, 20)
    await store.write(lambda tx: put(tx, "a"))
    written.set()
    assert await reading == ([], [])
    assert await store.read(stamps) == ["a"]


async def test_a_long_read_delays_no_other(store: SqliteStore) -> None:
    release, begun = threading.Event(), threading.Event()

    def linger(_db: Database) -> bool:
        begun.set()
        return release.wait(20)

    reading = asyncio.create_task(store.read(linger))
    await asyncio.to_thread(begun.wait, 20)
    assert await asyncio.wait_for(store.read(stamps), 10) == []
    release.set()
    assert await reading


async def test_writes_stand_one_after_the_other(store: SqliteStore) -> None:
    def count(tx: Tx) -> int:
        put(tx, str(tx.db.table("stamps").count))
        return tx.db.table("stamps").count

    assert sorted(await asyncio.gather(*(store.write(count) for _ in range(20)))) == list(range(1, 21))


async def test_the_hook_is_called_after_news_only(store: SqliteStore) -> None:
    calls: list[int] = []
    store.after_commit(lambda: calls.append(1))
    await store.write(lambda tx: put(tx, "a"))
    assert calls == []
    await store.write(lambda tx: tx.event(DayBegan(date="2026-11-22")))
    await store.write(lambda tx: tx.notice(Notice("team", ("hello",))))
    assert calls == [1, 1]


async def test_a_cancelled_caller_does_not_stop_what_has_begun(store: SqliteStore) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        begun.set()
        assert go_on.wait(20)
        put(tx, "a")

    writing = asyncio.create_task(store.write(slow))
    await asyncio.to_thread(begun.wait, 20)
    writing.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await store.write(lambda tx: put(tx, "b"))
    assert await store.read(stamps) == ["a", "b"]


async def test_a_closed_store_says_so(path: Path, clock: HandClock) -> None:
    store = await SqliteStore.open(path, clock)
    await store.close()
    await store.close()
    with pytest.raises(StoreFault, match="is closed"):
        await store.write(lambda tx: put(tx, "a"))
    with pytest.raises(StoreFault, match="is closed"):
        await store.read(stamps)


async def test_the_file_is_durable_private_and_strict(store: SqliteStore, path: Path) -> None:
    def pragmas(tx: Tx) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys")
        return [tx.db.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

    assert await store.write(pragmas) == ["wal", 2, 1]
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    tables = await store.read(
        lambda db: [(t.name, t.strict) for t in db.tables if not t.name.startswith(("sqlite_", "_sqlite"))]
    )
    assert len(tables) > 5
    assert all(strict for _name, strict in tables), tables


async def test_opening_again_keeps_all(path: Path, clock: HandClock) -> None:
    for name in ("a", "b"):
        store = await SqliteStore.open(path, clock)
        await store.write(partial(put, stamp=name))
        await store.close()
    assert stamps(connect(path, read_only=True)) == ["a", "b"]


async def test_plugins_bring_tables_of_their_own(store: SqliteStore) -> None:
    steps = Migrations("posts")

    @steps()
    def first(db: Database) -> None:
        db.table("posts_waiting").create({"id": int}, pk="id", strict=True)

    await store.migrate(steps)
    await store.migrate(steps)

    @steps(transactional=False)
    def second(db: Database) -> None:
        db.vacuum()
        db.execute("INSERT INTO posts_waiting VALUES (1)")

    await store.migrate(steps)
    assert await store.read(lambda db: db.table("posts_waiting").count) == 1


async def test_a_migration_that_fails_leaves_nothing(store: SqliteStore) -> None:
    steps = Migrations("posts")

    @steps()
    def first(db: Database) -> None:
        db.table("posts_waiting").create({"id": int}, pk="id")
        db.execute("nonsense")

    with pytest.raises(StoreFault, match="nonsense"):
        await store.migrate(steps)
    assert not await store.read(lambda db: db.table("posts_waiting").exists())
    await store.write(lambda tx: put(tx, "still works"))


async def test_a_newer_database_is_refused(store: SqliteStore, path: Path, clock: HandClock) -> None:
    newer = Migrations("shipboard")

    @newer()
    def of_the_future(db: Database) -> None:
        db.execute("CREATE TABLE future (id INTEGER) STRICT")

    def apply(tx: Tx) -> None:
        newer.apply(tx.db)

    await store.write(apply)
    with pytest.raises(ConfigError, match=r"shipboard tables are newer than this program \(of_the_future\)"):
        await SqliteStore.open(path, clock)


async def test_two_may_make_the_database_at_once(path: Path, clock: HandClock) -> None:
    stores = await asyncio.gather(*(SqliteStore.open(path, clock) for _ in range(6)))
    for number, store in enumerate(stores):
        await store.write(partial(put, stamp=str(number)))
    assert await stores[0].read(stamps) == [str(n) for n in range(6)]
    for store in stores:
        await store.close()


@pytest.mark.parametrize("content", [b"this is a text file, and a long one at that", bytes(5000)])
async def test_what_is_no_database_is_a_fault(path: Path, clock: HandClock, content: bytes) -> None:
    fill(path, content)
    with pytest.raises(StoreFault, match=str(path)):
        await SqliteStore.open(path, clock)
    assert held(path) == content


async def test_a_folder_in_its_place_is_a_fault(path: Path, clock: HandClock) -> None:
    fill(path / "inside", b"")
    with pytest.raises(StoreFault, match=f"{path}: cannot be opened for writing: Is a directory"):
        await SqliteStore.open(path, clock)


async def test_a_file_in_the_folders_place_is_a_fault(path: Path, clock: HandClock) -> None:
    path.parent.write_text("")
    with pytest.raises(StoreFault, match="cannot be opened for writing"):
        await SqliteStore.open(path, clock)


async def test_who_waits_too_long_for_a_writer_is_told(store: SqliteStore, path: Path) -> None:
    other = connect(path, busy=0.05)
    with pytest.raises(StoreFault, match="is locked: another process writes to it and does not end"):
        await store.write(lambda _tx: _begin(other, path))
    other.close()


def _begin(db: Database, path: Path) -> None:
    with faults(path):
        db.execute("BEGIN IMMEDIATE")


async def test_every_table_is_made_by_a_named_step() -> None:
    assert [step.name for step in schema.migrations.pending(Database(memory=True))] == [
        "first_voyage",
        "what_was_never_said",
        "on_time",
        "what_is_measured",
        "whose_traffic",
        "how_members_are_told",
        "whole_numbers",
    ]


async def test_a_glance_sees_what_is_committed_and_fails_as_a_read_does(store: SqliteStore) -> None:
    await store.write(lambda tx: put(tx, "a"))
    assert await store.glance(stamps) == ["a"]
    with pytest.raises(StoreFault, match="no such table"):
        await store.glance(lambda db: db.execute("SELECT 1 FROM nowhere").fetchone())
    with pytest.raises(StoreFault, match="readonly"):
        await store.glance(lambda db: db.execute("DELETE FROM stamps").fetchone())
    await store.close()
    with pytest.raises(StoreFault, match="is closed"):
        await store.glance(stamps)
