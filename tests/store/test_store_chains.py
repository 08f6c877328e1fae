"""Somebody has the file and a hex editor, or sqlite3: what they do to a chained table is found and named."""

import sqlite3
import tracemalloc
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from bot.coop.chain import GENESIS, SHOWN, Cell
from bot.errors import StoreFault
from bot.ports import Entry
from bot.store import audit, chains, schema
from bot.store.connection import connect, snapshot, transaction
from tests.store.conftest import HandClock

ROWS = 6
CELLS = "at, kind, actor, command, words, identity, place, outcome, ref, prev, hash FROM audit"
TEXTS = ["at", *(field.name for field in fields(Entry) if field.name != "ref")]


def entry(number: int) -> Entry:
    return Entry("done", "alice", "vm stop", f"ford-{number}", "oftc:alice", "oftc/#ford", "down", ref=number)


@pytest.fixture
def db(path: Path) -> Iterator[Database]:
    opened = connect(path)
    schema.migrations.apply(opened)
    with transaction(opened, HandClock().now()) as tx:
        for number in range(ROWS):
            audit.append(tx, entry(number))
    yield opened
    opened.close()


def tamper(db: Database, *statements: str) -> None:
    """Change the file as somebody would who can: without triggers, without STRICT, past every check."""
    conn = db.conn
    for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        conn.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        conn.execute(statement)


def fault(db: Database, head: str | None = None) -> str | None:
    return chains.verify(db, "audit", head).fault


def unstrict(db: Database) -> None:
    tamper(
        db,
        "CREATE TABLE loose AS SELECT * FROM audit",
        "DROP TABLE audit",
        "ALTER TABLE loose RENAME TO audit",
    )


def cells(number: int) -> dict[str, Cell]:
    made = entry(number)
    return {
        "at": f"2026-11-{number:04}",
        **{field.name: getattr(made, field.name) for field in fields(Entry)},
    }


class Steps:
    """In the place of a connection: counts the statements."""

    def __init__(self, db: Database) -> None:
        self.count = 0
        self._conn, db.conn = db.conn, cast("sqlite3.Connection", self)

    def execute(self, *given: Any) -> sqlite3.Cursor:  # noqa: ANN401 - as the connection's own
        self.count += 1
        return self._conn.execute(*given)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as above
        return getattr(self._conn, name)


@pytest.mark.parametrize("count", [1, 100, 217])
def test_many_rows_are_appended_as_if_one_by_one_in_few_steps(db: Database, path: Path, count: int) -> None:
    for number in range(count):
        with transaction(db, HandClock().now()) as tx:
            chains.append(tx.db, "audit", cells(number))
    other = connect(path.with_name("other.db"))
    schema.migrations.apply(other)
    with transaction(other, HandClock().now()) as tx:
        for number in range(ROWS):
            audit.append(tx, entry(number))
        steps = Steps(other)
        chains.append_all(tx.db, "audit", map(cells, range(count)))
        taken = steps.count
    assert chains.verify(other, "audit") == chains.verify(db, "audit")
    assert chains.verify(other, "audit").length == ROWS + count
    assert taken == 3 + {1: 1, 100: 1, 217: 2 + 1 + 7}[count]
    other.close()


def test_no_rows_are_no_change(db: Database) -> None:
    before = chains.verify(db, "audit")
    with transaction(db, HandClock().now()) as tx:
        chains.append_all(tx.db, "audit", ())
    assert chains.verify(db, "audit") == before


def test_rows_that_were_rolled_back_are_appended_the_next_time(db: Database) -> None:
    def fail() -> None:
        with transaction(db, HandClock().now()) as tx:
            chains.append_all(tx.db, "audit", map(cells, range(chains.STEPS[0] + 1)))
            tx.db.execute("SELECT nothing")

    with pytest.raises(sqlite3.OperationalError):
        fail()
    assert chains.verify(db, "audit").length == ROWS
    for _ in range(2):
        with transaction(db, HandClock().now()) as tx:
            chains.append_all(tx.db, "audit", [cells(1), cells(2)])
    assert (fault(db), chains.verify(db, "audit").length) == (None, ROWS + 4)


def test_rows_of_several_kinds_are_not_appended_together(db: Database) -> None:
    other = dict(reversed(cells(2).items()))
    with pytest.raises(ValueError, match="rows of audit with other columns: ref, "):
        chains.append_all(db, "audit", [cells(1), other])
    assert fault(db) is None


def test_nothing_is_appended_to_a_chain_without_its_record(db: Database) -> None:
    tamper(db, "DELETE FROM chain_heads")
    with (
        pytest.raises(StoreFault, match="record of the chain's head is missing"),
        transaction(db, HandClock().now()) as tx,
    ):
        chains.append_all(tx.db, "audit", [cells(1)])
    assert db.execute("SELECT count(*) FROM audit").fetchone() == (ROWS,)


def test_what_was_written_is_whole(db: Database) -> None:
    verdict = chains.verify(db, "audit")
    assert (verdict.length, verdict.fault) == (ROWS, None)
    with snapshot(db):
        assert chains.verify_all(db) == {"audit": verdict}
    assert chains.verify(db, "audit", verdict.head[:SHOWN].upper()).whole
    assert chains.verify(db, "audit", GENESIS[:SHOWN]).whole


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET words = 'x'",
        "UPDATE audit SET seq = seq + 100",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE seq = 6",
        f"INSERT OR REPLACE INTO audit SELECT 3, {CELLS} WHERE seq = 3",
        f"INSERT INTO audit SELECT 9, {CELLS} WHERE seq = 3",
        "UPDATE chain_heads SET length = 3",
        "UPDATE chain_heads SET chain = 'x', length = length + 1",
        "DELETE FROM chain_heads",
    ],
)
def test_triggers_refuse_all_but_appending(db: Database, path: Path, statement: str) -> None:
    stranger = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        stranger.execute(statement)
    stranger.close()
    assert fault(db) is None


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    column=st.sampled_from([*TEXTS, "ref", "prev", "hash"]),
    row=st.integers(1, ROWS),
    value=st.one_of(
        st.none(), st.integers(-9, 9), st.floats(allow_nan=False), st.text(max_size=5), st.binary(max_size=5)
    ),
)
def test_any_changed_cell_is_found_and_named(column: str, row: int, value: object) -> None:
    with TemporaryDirectory() as folder:
        changed = connect(Path(folder) / "shipboard.db")
        schema.migrations.apply(changed)
        with transaction(changed, HandClock().now()) as tx:
            for number in range(ROWS):
                audit.append(tx, entry(number))
        unstrict(changed)
        table = changed.table("audit")
        before = next(table.rows_where("seq = ?", [row]))[column]
        changed.execute(f"UPDATE audit SET {column} = ? WHERE seq = ?", [_storable(value), row])  # noqa: S608 - a test
        after = next(table.rows_where("seq = ?", [row]))[column]
        said = fault(changed)
        changed.close()
    if (type(before), before) == (type(after), after):
        assert said is None
    else:
        assert said in {f"row {row} was changed", f"row {row} does not follow the row before it"}


def _storable(value: object) -> object:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


@pytest.mark.parametrize("row", range(1, ROWS + 1))
def test_a_removed_row_is_named(db: Database, row: int) -> None:
    tamper(db)
    db.execute("DELETE FROM audit WHERE seq = ?", [row])
    assert str(fault(db)).startswith(f"row {row} is missing")


@pytest.mark.parametrize("kept", range(ROWS))
def test_a_cut_tail_is_found_without_any_published_head(db: Database, kept: int) -> None:
    tamper(db)
    db.execute("DELETE FROM audit WHERE seq > ?", [kept])
    assert fault(db) == f"row {kept + 1} is missing: the record tells of {ROWS} rows, the tail was cut"


def test_a_tail_cut_with_its_record_is_found_by_a_published_head(db: Database) -> None:
    head = chains.verify(db, "audit").head
    tamper(
        db,
        "DELETE FROM audit WHERE seq > 4",
        "UPDATE chain_heads SET length = 4, head = (SELECT hash FROM audit WHERE seq = 4)",
    )
    assert fault(db) is None
    assert fault(db, head) == (
        f"no row has the published head {head}: the tail from row 5 was cut, or it is mistyped"
    )
    assert not chains.verify_all(db, head)["audit"].whole


def test_an_inserted_row_is_named(db: Database) -> None:
    row = (
        "at, kind, actor, command, words, identity, place, outcome, ref, prev, hash FROM audit WHERE seq = 2"
    )
    tamper(db, f"INSERT INTO audit SELECT 7, {row}")
    assert fault(db) == "row 7 does not follow the row before it"
    tamper(db, "DELETE FROM audit WHERE seq = 7", f"INSERT INTO audit SELECT 0, {CELLS} WHERE seq = 2")
    assert fault(db) == "row 0 does not belong there, after row 0"


def test_rows_that_somebody_chained_well_after_the_last_are_found(db: Database) -> None:
    before = db.execute("SELECT length, head FROM chain_heads").fetchone()
    with transaction(db, HandClock().now()) as tx:
        audit.append(tx, entry(7))
    tamper(db)
    db.execute("UPDATE chain_heads SET length = ?, head = ?", before)
    assert fault(db) == "row 7 is not the one that was recorded last"
    tamper(db, "UPDATE chain_heads SET length = 7")
    assert fault(db) == "row 7 is not the one that was recorded last"
    tamper(db, "UPDATE chain_heads SET length = 70")
    assert fault(db) == "row 8 is missing: the record tells of 70 rows, the tail was cut"


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (["DROP TABLE audit"], "cannot be read: no such table: audit"),
        (["DROP TABLE chain_heads"], "cannot be read: no such table: chain_heads"),
        (["DELETE FROM chain_heads"], "record of the chain's length and head is missing"),
        (["ALTER TABLE audit DROP COLUMN words"], "row 1 was changed"),
        (["ALTER TABLE audit ADD COLUMN more TEXT DEFAULT 'x'"], "row 1 was changed"),
        (["ALTER TABLE audit RENAME COLUMN words TO word"], "row 1 was changed"),
        (["ALTER TABLE audit RENAME COLUMN hash TO hush"], "row 1 was changed"),
        (["ALTER TABLE audit RENAME COLUMN seq TO nr"], "cannot be read: no such column: seq"),
        (["UPDATE audit SET words = CAST(x'ff41' AS TEXT) WHERE seq = 2"], "row 2 was changed"),
        (["UPDATE chain_heads SET head = 'x'"], "row 6 is not the one that was recorded last"),
    ],
)
def test_whatever_was_done_to_the_tables_is_a_named_fault(
    db: Database, statements: list[str], said: str
) -> None:
    tamper(db, *statements)
    assert said in str(fault(db))
    assert any(said in str(verdict.fault) for verdict in chains.verify_all(db).values())


def test_numbers_that_are_none_are_a_named_fault(db: Database) -> None:
    unstrict(db)
    db.execute("UPDATE audit SET seq = NULL WHERE seq = 3")
    assert fault(db) == "row 0 does not belong there, after row 0"
    db.execute("UPDATE audit SET seq = 'three' WHERE seq IS NULL")
    assert fault(db) == "row 3 is missing"


def test_a_file_that_is_no_database_any_more_is_a_named_fault(db: Database, path: Path) -> None:
    reader = connect(path, read_only=True)
    db.execute("PRAGMA wal_checkpoint(truncate)")
    raw = bytearray(path.read_bytes())
    raw[4096:] = b"\x55" * (len(raw) - 4096)
    path.write_bytes(raw)
    assert "cannot be read" in str(fault(reader))
    assert all(not verdict.whole for verdict in chains.verify_all(reader).values())
    reader.close()


def test_verifying_needs_no_more_than_to_read(db: Database, path: Path) -> None:
    tamper(db)
    reader = connect(path, read_only=True)
    assert chains.verify_all(reader)["audit"].length == ROWS
    reader.close()


def test_other_tables_can_be_chained_and_a_head_of_any_counts(db: Database) -> None:
    with transaction(db, HandClock().now()) as tx:
        chains.create(tx.db, "vote_events", {"body": "TEXT NOT NULL", "weight": "INTEGER"})
        chains.append(tx.db, "vote_events", {"body": "opened", "weight": None})
        _seq, head = chains.append(tx.db, "vote_events", {"body": "cast", "weight": 2})
    verdicts = chains.verify_all(db, head)
    assert {name: (v.length, v.whole) for name, v in verdicts.items()} == {
        "audit": (ROWS, True),
        "vote_events": (2, True),
    }
    tamper(db, "DELETE FROM chain_heads WHERE chain = 'vote_events'")
    assert not chains.verify_all(db)["vote_events"].whole
    tamper(db, "UPDATE vote_events SET weight = 3 WHERE seq = 2")
    assert chains.verify_all(db)["audit"].whole


def test_a_table_may_gain_a_column(db: Database) -> None:
    db.execute("ALTER TABLE audit ADD COLUMN more TEXT")
    with transaction(db, HandClock().now()) as tx:
        chains.append(tx.db, "audit", {"at": "x", **dict.fromkeys(TEXTS, "x"), "more": "y"})
    assert fault(db) is None


def test_appending_without_the_record_is_a_fault(db: Database) -> None:
    tamper(db, "DELETE FROM chain_heads")
    with pytest.raises(StoreFault, match="run shipboard verify"), transaction(db, HandClock().now()) as tx:
        audit.append(tx, entry(1))


def test_a_long_chain_is_verified_without_holding_it_in_memory(db: Database) -> None:
    with transaction(db, HandClock().now()) as tx:
        for number in range(20_000):
            audit.append(tx, entry(number))
    tracemalloc.start()
    verdict = chains.verify(db, "audit")
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (verdict.length, verdict.whole) == (ROWS + 20_000, True)
    assert peak < 1_000_000
