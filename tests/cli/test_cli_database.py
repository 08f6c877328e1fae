"""Databases at the shell: none made for reading, faults in one line, backup and verify."""

import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from bot.store import connection
from tests.cli.conftest import ADMIN, Shell

BOB = (
    "bob is in the co-op: member, full share; "
    "known by nothing yet: shipboard member identity binds what proves them."
)


@pytest.mark.parametrize(
    "words",
    [("member", "list"), ("machine", "list"), ("verify",), ("backup", "x.db"), ("vote", "export", "1", "x")],
    ids=" ".join,
)
def test_reading_makes_no_database(shell: Shell, words: tuple[str, ...]) -> None:
    said = f"{shell.database}: there is no database yet; shipboard member add makes it"
    assert shell.wrong(*words) == said
    assert not shell.state.exists()


def spoil(shell: Shell, how: str) -> None:
    match how:
        case "text":
            shell.database.write_text("Dear diary, " * 1000)
        case "damaged":
            raw = bytearray(shell.database.read_bytes())
            raw[4096:] = b"\x55" * (len(raw) - 4096)
            shell.database.write_bytes(raw)
        case "empty":
            shell.database.write_bytes(b"")
        case "folder":
            shell.database.unlink()
            shell.database.mkdir()
        case "newer":
            with closing(sqlite3.connect(shell.database)) as db, db:
                db.execute(
                    "UPDATE _sqlite_migrations SET name = 'of_the_future' "
                    "WHERE id = (SELECT max(id) FROM _sqlite_migrations WHERE migration_set = 'shipboard')"
                )
        case "spoilt":
            with closing(sqlite3.connect(shell.database)) as db, db:
                db.execute("UPDATE members SET joined = 'once'")


@pytest.mark.parametrize(
    ("how", "words", "said"),
    [
        ("text", ("member", "list"), "file is not a database: move it away, or restore a backup"),
        ("text", ("member", "add", "bob"), "file is not a database"),
        ("text", ("verify",), "file is not a database"),
        ("text", ("backup", "none.db"), "file is not a database"),
        ("text", ("check",), "file is not a database"),
        ("damaged", ("member", "list"), "malformed: it is damaged, restore a backup"),
        ("damaged", ("member", "add", "bob"), "malformed"),
        ("damaged", ("machine", "list"), "malformed"),
        ("damaged", ("check",), "malformed"),
        ("empty", ("member", "list"), "no such table: members"),
        ("folder", ("member", "list"), "shipboard.db: is no file; move it away"),
        ("folder", ("member", "add", "bob"), "cannot be opened for writing: Is a directory"),
        ("newer", ("member", "add", "bob"), "shipboard tables are newer than this program (of_the_future)"),
        ("spoilt", ("member", "list"), "'once' is no instant: something else wrote to the database"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_line(
    shell: Shell, how: str, words: tuple[str, ...], said: str
) -> None:
    shell.ok(*ADMIN)
    for side in ("-wal", "-shm"):
        shell.database.with_name(f"shipboard.db{side}").unlink(missing_ok=True)
    spoil(shell, how)
    assert said in shell.wrong(*words)


def test_a_database_that_is_damaged_is_broken_for_verify(shell: Shell) -> None:
    shell.ok(*ADMIN)
    spoil(shell, "damaged")
    status, out, err = shell.run("verify")
    assert (status, out or err) != (0, "")
    assert "malformed" in out + err


def test_a_full_disk_is_one_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.ok(*ADMIN)

    def full(*_: object, **__: object) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr("bot.store.audit.append", full)
    assert (
        shell.wrong("member", "add", "bob") == f"{shell.database}: database or disk is full: make room there"
    )
    assert "bob" not in shell.ok("member", "list")


def test_who_writes_for_too_long_is_one_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.ok(*ADMIN)
    monkeypatch.setattr("bot.cli.desk.connect", partial(connection.connect, busy=0.05))
    with closing(sqlite3.connect(shell.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        said = shell.wrong("member", "add", "bob")
        what = "database is locked: another process writes to it and does not end, try again"
        assert said == f"{shell.database}: {what}"
        assert "alice" in shell.ok("member", "list")
        other.execute("ROLLBACK")
    shell.ok("member", "add", "bob")


def test_the_command_line_waits_for_a_running_bot(
    shell: Shell, process: Callable[..., "subprocess.Popen[str]"]
) -> None:
    shell.ok(*ADMIN)
    with closing(sqlite3.connect(shell.database, isolation_level=None)) as bot:
        bot.execute("BEGIN IMMEDIATE")
        adding = process("member", "add", "bob")
        with pytest.raises(subprocess.TimeoutExpired):
            adding.wait(1.5)
        bot.execute("COMMIT")
        assert adding.communicate(timeout=30) == (
            f"{BOB}\n",
            "",
        )


def test_many_at_once_are_one_chain(shell: Shell, process: Callable[..., "subprocess.Popen[str]"]) -> None:
    adding = [process("member", "add", f"m{number}") for number in range(8)]
    assert [one.communicate(timeout=50)[1] for one in adding] == [""] * 8
    assert shell.ok("verify").startswith("audit: 8 rows, whole; head ")
    assert len(shell.ok("member", "list").splitlines()) == 8


def test_one_row_is_told_as_one(shell: Shell) -> None:
    shell.ok("member", "add", "ann")
    assert shell.ok("verify").startswith("audit: 1 row, whole; head ")


def test_backup_and_verify(shell: Shell, tmp_path: Path) -> None:
    shell.ok(*ADMIN)
    target = tmp_path / "kept.db"
    assert shell.ok("backup", str(target)).startswith(
        f"{target}: a whole copy of {shell.database}, checked; "
    )
    head = shell.ok("verify").split()[-1]
    assert shell.ok("verify", "--head", head[:12].upper()) == f"audit: 2 rows, whole; head {head}\n"
    shell.ok("member", "add", "bob")
    assert "3 rows" in shell.ok("verify", "--head", head)
    shell.database.unlink()
    target.rename(shell.database)
    assert "2 rows" in shell.ok("verify", "--head", head)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE audit SET words = 'nothing' WHERE seq = 1", "audit: BROKEN: row 1 was changed.\n"),
        ("UPDATE audit SET at = 'x' WHERE seq = 2", "audit: BROKEN: row 2 was changed.\n"),
        ("DELETE FROM audit WHERE seq = 1", "audit: BROKEN: row 1 is missing.\n"),
        (
            "DELETE FROM audit WHERE seq = 3",
            "audit: BROKEN: row 3 is missing: the record tells of 3 rows, the tail was cut.\n",
        ),
        ("DROP TABLE audit", "audit: BROKEN: the table cannot be read: no such table: audit.\n"),
        ("DROP TABLE chain_heads", "audit: BROKEN: the table cannot be read: no such table: chain_heads.\n"),
    ],
)
def test_verify_names_the_row(shell: Shell, statement: str, said: str) -> None:
    shell.ok(*ADMIN)
    shell.ok("member", "add", "bob")
    with closing(sqlite3.connect(shell.database)) as db, db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        db.execute(statement)
    assert shell.run("verify") == (1, said, "")


def test_verify_finds_a_rewritten_book_by_its_published_head(shell: Shell) -> None:
    shell.ok(*ADMIN)
    status, out, err = shell.run("verify", "--head", "f" * 12)
    assert (status, err) == (1, "")
    assert out.startswith("audit: BROKEN: no row has the published head ffffffffffff")
