import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.coop.chain import SHOWN
from bot.errors import StoreFault
from bot.ports import Entry, Tx
from bot.store import audit, chains
from bot.store.audit import AuditBook
from bot.store.connection import connect
from bot.store.database import SqliteStore
from tests.store.conftest import DEADLINE, Complaints, HandClock

FULL_DISK = "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END"


def entry(words: str, kind: str = "asked") -> Entry:
    return Entry(kind, "alice", "vm list", words, "oftc:alice", "oftc/#ford")


@pytest.fixture
def book(store: SqliteStore, clock: HandClock, complaints: Complaints) -> AuditBook:
    return AuditBook(store, clock, incidents=complaints)


@pytest.fixture
async def running(book: AuditBook) -> AsyncIterator[AuditBook]:
    task = asyncio.create_task(book.run())
    yield book
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def rows(store: SqliteStore) -> list[str]:
    found = await store.read(lambda db: db.execute("SELECT words FROM audit ORDER BY seq").fetchall())
    return [words for (words,) in found]


async def test_rows_are_numbered_and_come_back_as_they_were(book: AuditBook, clock: HandClock) -> None:
    assert await book.write(entry("one")) == 1
    clock.advance(60)
    assert await book.write(Entry("done", "alice", "vm stop", outcome="down", ref=1)) == 2
    newest, oldest = await book.recent(9)
    assert (newest.seq, newest.entry.ref, newest.entry.outcome, newest.at) == (2, 1, "down", clock.now())
    assert (oldest.entry, oldest.at) == (entry("one"), clock.now() - timedelta(seconds=60))
    assert [row.seq for row in await book.recent(1)] == [2]
    assert await book.recent(0) == await book.recent(-1) == ()


async def test_a_stamp_counts_once_within_a_day(
    book: AuditBook, clock: HandClock, store: SqliteStore
) -> None:
    assert await book.write(entry("one"), stamp="alice m1") == 1
    assert await book.write(entry("again"), stamp="alice m1") is None
    assert await book.write(entry("bob's"), stamp="bob m1") == 2
    clock.advance(24 * 3600 - 1)
    assert await book.write(entry("again"), stamp="alice m1") is None
    clock.advance(1)
    assert await book.write(entry("a day later"), stamp="alice m1") == 3
    assert await store.read(lambda db: db.table("stamps").count) == 1
    assert await rows(store) == ["one", "bob's", "a day later"]


async def test_a_stamp_is_forgotten_with_a_row_that_failed(book: AuditBook, store: SqliteStore) -> None:
    bad = entry("x")
    object.__setattr__(bad, "words", {"not": "text"})
    with pytest.raises(StoreFault):
        await book.write(bad, stamp="m1")
    assert await book.write(entry("good"), stamp="m1") == 1
    assert await rows(store) == ["good"]


async def test_what_only_reads_is_written_within_a_second(
    running: AuditBook, clock: HandClock, store: SqliteStore
) -> None:
    for number in range(5):
        running.note(entry(str(number)))
    await clock.asked_for(1.0)
    assert await rows(store) == []
    clock.advance(1)
    running.note(entry("later"))
    await clock.asked_for(1.0)
    assert await rows(store) == ["0", "1", "2", "3", "4", "later"]


async def written(store: SqliteStore, count: int) -> None:
    """Wait until there are so many rows."""
    async with asyncio.timeout(DEADLINE):
        while len(await rows(store)) < count:
            pass


async def test_many_do_not_wait_out_their_second(running: AuditBook, store: SqliteStore) -> None:
    for number in range(audit.BATCH_ROWS):
        running.note(entry(str(number)))
    await written(store, audit.BATCH_ROWS)
    assert await rows(store) == [str(number) for number in range(audit.BATCH_ROWS)]


async def test_many_that_could_not_be_written_wait_before_they_are_tried_again(
    running: AuditBook, clock: HandClock, store: SqliteStore, complaints: Complaints
) -> None:
    await store.write(lambda tx: tx.db.execute(FULL_DISK))
    for number in range(audit.BATCH_ROWS):
        running.note(entry(str(number)))
    await asyncio.wait_for(complaints.came.wait(), DEADLINE)
    running.note(entry("one more"))
    await clock.asked_for(1.0)
    await store.write(lambda tx: tx.db.execute("DROP TRIGGER full"))
    assert (len(complaints.all), await rows(store)) == (1, [])
    clock.advance(1)
    await written(store, audit.BATCH_ROWS + 1)


async def test_what_was_noted_stands_before_what_came_after(
    book: AuditBook, clock: HandClock, store: SqliteStore
) -> None:
    noted_at = clock.now()
    book.note(entry("read"))
    clock.advance(0.5)
    assert await book.write(entry("deed")) == 2
    assert [(row.entry.words, row.at) for row in await book.recent(5)] == [
        ("deed", clock.now()),
        ("read", noted_at),
    ]
    book.note(entry("more"))
    assert [row.entry.words for row in await book.recent(1)] == ["more"]
    book.note(entry("most"))
    assert (await book.verify()).length == 4
    book.note(entry("last"))
    await book.close()
    assert await rows(store) == ["read", "deed", "more", "most", "last"]


async def test_what_another_call_is_just_writing_is_waited_for(
    book: AuditBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go, append_all = threading.Event(), threading.Event(), chains.append_all

    def slowly(*given: Any) -> None:  # noqa: ANN401 - as the real one
        begun.set()
        assert go.wait(DEADLINE)
        append_all(*given)

    monkeypatch.setattr(chains, "append_all", slowly)
    book.note(entry("noted"))
    writing = asyncio.create_task(book.flush())
    assert await asyncio.to_thread(begun.wait, DEADLINE)
    looking = asyncio.create_task(book.recent(5))
    await asyncio.to_thread(go.set)
    assert [row.entry.words for row in await looking] == ["noted"]
    await writing


async def test_many_at_once_lose_and_double_nothing(book: AuditBook, store: SqliteStore) -> None:
    async def both(number: int) -> None:
        book.note(entry(f"read {number}"))
        await book.write(entry(f"deed {number}"))

    await asyncio.gather(*(both(number) for number in range(40)))
    assert sorted(await rows(store)) == sorted(f"{kind} {n}" for kind in ("read", "deed") for n in range(40))
    assert (await book.verify()).whole


async def test_notes_beyond_the_bound_are_counted(
    book: AuditBook, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "NOTED", 3)
    for number in range(5):
        book.note(entry(str(number)))
    await book.flush()
    (lost, *kept) = await book.recent(9)
    assert (lost.entry.kind, lost.entry.outcome) == ("lost", "2 rows of what only read were not kept")
    assert len(kept) == 3
    await book.flush()
    assert len(await rows(store)) == 4


async def test_a_disk_that_fails_loses_no_note(
    running: AuditBook, clock: HandClock, store: SqliteStore, complaints: Complaints
) -> None:
    await store.write(lambda tx: tx.db.execute(FULL_DISK))
    running.note(entry("one"))
    running.note(entry("two"))
    await clock.asked_for(1.0)
    clock.advance(1)
    await asyncio.wait_for(complaints.came.wait(), 20)
    assert complaints.all[0].startswith("the audit book, which tries again: ")
    await store.write(lambda tx: tx.db.execute("DROP TRIGGER full"))
    await clock.asked_for(1.0)
    clock.advance(1)
    running.note(entry("three"))
    await clock.asked_for(1.0)
    assert await rows(store) == ["one", "two", "three"]


async def test_another_writer_may_append_in_its_own_transaction(book: AuditBook, store: SqliteStore) -> None:
    await book.write(entry("bot"))

    def deed(tx: Tx) -> int:
        tx.db.table("stamps").insert({"stamp": "s", "at": "x"})
        return audit.append(tx, entry("with its deed"))

    assert await store.write(deed) == 2
    assert (await book.verify()).whole


async def test_verify_finds_the_head_that_was_published(book: AuditBook) -> None:
    await book.write(entry("one"))
    head = (await book.verify()).head
    await book.write(entry("two"))
    assert (await book.verify(head[:SHOWN])).whole
    assert "no row has the published head" in str((await book.verify("f" * 12)).fault)


async def test_what_utf_8_cannot_hold_is_replaced(book: AuditBook) -> None:
    await book.write(entry("a\udc80b \x00 \x1b[31m 😀"), stamp="m\ud800")
    assert (await book.recent(1))[0].entry.words == "a?b \x00 \x1b[31m 😀"
    assert (await book.verify()).whole


async def test_a_row_that_was_tampered_with_is_a_fault_not_a_crash(book: AuditBook, path: Path) -> None:
    await book.write(entry("one"))
    other = connect(path)
    for (name,) in other.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        other.execute(f"DROP TRIGGER {name}")
    other.execute("UPDATE audit SET at = 'yesterday'")
    other.close()
    with pytest.raises(StoreFault, match="'yesterday' is no instant"):
        await book.recent(1)
    assert (await book.verify()).fault == "row 1 was changed"
