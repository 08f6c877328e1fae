import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.coop.policy import Change
from bot.errors import ConfigError, Conflict
from bot.model import Place
from bot.paths import share
from bot.runtime import rulebook
from bot.runtime.rulebook import Rulebook
from bot.store.audit import AuditBook
from bot.store.database import SqliteStore
from bot.testing import FakeClock, FakeIncidents

ROOMS = {"admins": (), "team": (Place("net", "#team"),)}
KINDER = Change("bandwidth", "warn_at_pct", 85)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(share("policies"), tmp_path / "policies"))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = await SqliteStore.open(
        tmp_path / "shipboard.db", FakeClock(), rooms_of=lambda group: ROOMS[group]
    )
    await opened.migrate(rulebook.migrations)
    await opened.write(
        lambda tx: tx.db.table("members").insert(
            {
                "name": "ann",
                "role": "admin",
                "share": "full",
                "standing": "good",
                "joined": "2026-01-01T00:00:00Z",
            }
        )
    )
    yield opened
    await opened.close()


@pytest.fixture
def book(store: SqliteStore) -> AuditBook:
    return AuditBook(store, FakeClock(), incidents=FakeIncidents())


async def told(store: SqliteStore) -> list[str]:
    return [row["lines"] for row in await store.read(lambda db: list(db.query("SELECT lines FROM outbox")))]


async def test_what_a_vote_decides_is_in_the_file(folder: Path, store: SqliteStore, book: AuditBook) -> None:
    rules = Rulebook(folder, store)
    assert await rules.look(book) == ()
    after = await store.write(lambda tx: rules.amend(tx, [KINDER]))
    assert (rules.book().number("bandwidth.warn_at_pct"), after.number("bandwidth.warn_at_pct")) == (80, 85)
    await rules.settle()
    assert rules.book().number("bandwidth.warn_at_pct") == 85
    assert rules.book().policies["bandwidth"].version == 2
    assert "warn_at_pct = 85\n" in (folder / "bandwidth.md").read_text()
    assert await Rulebook(folder, store).look(book) == ()
    assert await told(store) == []


async def test_a_bot_that_died_over_it_writes_it_at_its_start(
    folder: Path, store: SqliteStore, book: AuditBook
) -> None:
    rules = Rulebook(folder, store)
    await rules.look(book)
    await store.write(lambda tx: rules.amend(tx, [KINDER]))
    again = Rulebook(folder, store)
    assert again.book().number("bandwidth.warn_at_pct") == 80
    assert await again.look(book) == ()
    assert again.book().number("bandwidth.warn_at_pct") == 85


async def test_an_edit_outside_a_vote_is_told_and_written_down_once(
    folder: Path, store: SqliteStore, book: AuditBook
) -> None:
    await Rulebook(folder, store).look(book)
    file = folder / "spam.md"
    file.write_text(file.read_text().replace("= 500", "= 900"))
    (folder / "warez.md").unlink()
    edited = Rulebook(folder, store)
    assert await edited.look(book) == ("spam", "warez")
    assert edited.book().number("spam.smtp_out_per_hour") == 900
    (line,) = await told(store)
    assert "rules were edited outside a vote: spam, warez" in line
    (row,) = await book.recent(1)
    assert (row.entry.kind, row.entry.words, row.entry.actor) == ("edited", "spam warez", "the host")
    assert edited.book().digest in row.entry.outcome
    assert await Rulebook(folder, store).look(book) == ()


async def test_an_edit_between_a_vote_and_its_writing_is_not_overwritten(
    folder: Path, store: SqliteStore, book: AuditBook
) -> None:
    rules = Rulebook(folder, store)
    await rules.look(book)
    await store.write(lambda tx: rules.amend(tx, [KINDER]))
    await store.write(lambda tx: rules.amend(tx, [Change("bandwidth", "grace_pct", 12)]))
    file = folder / "bandwidth.md"
    file.write_text(file.read_text().replace("warn_at_pct = 80", "warn_at_pct = 70"))
    await rules.settle()
    assert rules.book().number("bandwidth.warn_at_pct") == 70
    (line, to_team) = await told(store)
    assert line == to_team
    assert "The policy bandwidth was edited outside a vote" in line
    assert "without warn_at_pct = 85; grace_pct = 12: an admin has to write that into it" in line
    (row,) = await book.recent(1)
    assert (row.entry.kind, row.entry.words) == ("edited", "bandwidth")
    await rules.settle()
    assert await Rulebook(folder, store).look(book) == ()
    assert len(await told(store)) == 2
    after = await store.write(lambda tx: rules.amend(tx, [KINDER]))
    await rules.settle()
    assert rules.book().number("bandwidth.warn_at_pct") == after.number("bandwidth.warn_at_pct") == 85


async def test_a_file_that_was_removed_meanwhile_stays_away(
    folder: Path, store: SqliteStore, book: AuditBook
) -> None:
    rules = Rulebook(folder, store)
    await rules.look(book)
    await store.write(lambda tx: rules.amend(tx, [Change("spam", "smtp_out_per_hour", 400)]))
    (folder / "spam.md").unlink()
    again = Rulebook(folder, store)
    assert await again.look(book) == ()
    assert "spam" not in again.book().policies
    assert "without smtp_out_per_hour = 400" in (await told(store))[0]
    assert await Rulebook(folder, store).look(book) == ()


async def test_what_the_bot_had_written_before_it_died_is_not_an_edit(
    folder: Path, store: SqliteStore, book: AuditBook
) -> None:
    rules = Rulebook(folder, store)
    await rules.look(book)
    after = await store.write(lambda tx: rules.amend(tx, [KINDER]))
    (folder / "bandwidth.md").write_text(after.policies["bandwidth"].text)
    assert await Rulebook(folder, store).look(book) == ()
    assert await told(store) == []


async def test_what_is_told_of_an_edit_is_remembered_with_it_or_not_at_all(
    folder: Path, store: SqliteStore, book: AuditBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    await Rulebook(folder, store).look(book)
    file = folder / "spam.md"
    file.write_text(file.read_text().replace("= 500", "= 900"))

    def dies(*_: object) -> None:
        raise InterruptedError

    with monkeypatch.context() as patch:
        patch.setattr("bot.runtime.rulebook._remember", dies)
        with pytest.raises(InterruptedError):
            await Rulebook(folder, store).look(book)
    assert await Rulebook(folder, store).look(book) == ("spam",)
    assert [row.entry.kind for row in await book.recent(9)] == ["edited"]
    assert len(await told(store)) == 1


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (Change("nowhere", "x", 1), "There is no policy nowhere"),
        (Change("vote.nowhere", "seconds", 1), "There is no policy vote.nowhere"),
        (Change("bandwidth", "nothing", 1), "no number bandwidth.nothing"),
        (Change("bandwidth", "title", 1), "no number bandwidth.title"),
        (
            Change("vote.policy", "open_hours", 48),
            "No vote may do that: vote.policy: a ballot must stay open",
        ),
        (Change("vote.default", "open_hours", 48), "There is no number vote.default"),
        (Change("vote.expel", "yes_den", 4), "the threshold cannot be below 2/3"),
        (Change("vote.policy", "seconds", -4), "That cannot be: .*seconds = -4 is too small"),
        (Change("vote.policy", "second_within_days", 999_999_999), "That cannot be: .*is too large"),
        (Change("vote.policy", "open_hours", 87_601), "That cannot be: .*open_hours = 87601 is too large"),
    ],
)
async def test_what_no_vote_may_change(folder: Path, store: SqliteStore, change: Change, fault: str) -> None:
    rules = Rulebook(folder, store)
    with pytest.raises(Conflict, match=fault):
        rules.amended([change])


async def test_a_file_that_cannot_be_written_is_named(
    folder: Path, store: SqliteStore, book: AuditBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = Rulebook(folder, store)
    await rules.look(book)
    await store.write(lambda tx: rules.amend(tx, [KINDER]))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ConfigError, match=r"bandwidth\.md cannot be written: No space left on device"):
        await rules.settle()
    assert "warn_at_pct = 80\n" in (folder / "bandwidth.md").read_text()


async def test_no_vote_changes_an_installations_own_files(store: SqliteStore) -> None:
    rules = Rulebook(share("policies"), store, writable=False)
    assert rules.book().number("bandwidth.warn_at_pct") == 80
    with pytest.raises(Conflict, match="an admin copies them"):
        rules.amended([KINDER])
    with pytest.raises(Conflict, match="an admin copies them"):
        await store.write(lambda tx: rules.amend(tx, [KINDER]))
