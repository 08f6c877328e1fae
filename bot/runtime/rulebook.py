"""The folder of policies: what is in force, what a vote changes, and what was edited without one.

The database keeps each file's text as the bot last knew it. What a vote decides stands there first, in the
vote's own transaction, and is then written to the file; a bot that died in between writes it at its start.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlite_utils import Database, Migrations

from bot.config.policies import read, read_folder
from bot.coop.policy import Change, PolicyBook, patched
from bot.coop.voterules import below_floor
from bot.errors import ConfigError, Conflict
from bot.model import Notice, Urgency
from bot.ports import Book, Entry, Store, Tx

migrations = Migrations("policies")


@migrations()
def create_policies(db: Database) -> None:
    """Create the table of the files' texts; `written` is 0 until a decided text stands in its file."""
    db.execute(
        "CREATE TABLE policies (name TEXT PRIMARY KEY, text TEXT NOT NULL, written INTEGER NOT NULL) STRICT"
    )


@dataclass(slots=True)
class Rulebook:
    """The policies of one folder, read when this is made. Implements `bot.ports.Policies`.

    Those that come with shipboard are not `writable`: no vote changes an installation's own files.
    """

    folder: Path
    store: Store
    writable: bool = True
    _book: PolicyBook = field(init=False)

    def __post_init__(self) -> None:
        self._book = read_folder(self.folder)

    def book(self) -> PolicyBook:
        """Return what is in force now."""
        return self._book

    def amended(self, changes: Sequence[Change]) -> PolicyBook:
        """Return what would be in force with these numbers, see `bot.ports.Policies`."""
        self._must_be_ours()
        return _amended(self._book, changes)

    def amend(self, tx: Tx, changes: Sequence[Change]) -> PolicyBook:
        """Put the numbers into the transaction, see `bot.ports.Policies`."""
        self._must_be_ours()
        # What another vote has decided a moment ago may not stand in its file yet.
        decided = dict(tx.db.execute("SELECT name, text FROM policies"))
        before = read(decided) if decided else self._book
        after = _amended(before, changes)
        for name, policy in after.policies.items():
            if policy.text != before.policies[name].text:
                tx.db.execute("UPDATE policies SET text = ?, written = 0 WHERE name = ?", [policy.text, name])
        return after

    def _must_be_ours(self) -> None:
        if not self.writable:
            raise Conflict(
                "These policies came with shipboard and are nobody's to change: an admin copies them with "
                "`shipboard init` and names the copy as bot.policies."
            )

    async def settle(self) -> None:
        """Write the decided texts to their files; ConfigError if a file cannot be written."""
        rows = await self.store.read(
            lambda db: list(db.execute("SELECT name, text FROM policies WHERE written = 0"))
        )
        for name, text in rows:
            _write(self.folder / f"{name}.md", text)
            await self.store.write(
                lambda tx, row=(name, text): tx.db.execute(  # type: ignore[misc]  # mypy#12557
                    "UPDATE policies SET written = 1 WHERE name = ? AND text = ?", row
                )
            )
        self._book = read_folder(self.folder)

    async def look(self, book: Book) -> tuple[str, ...]:
        """At the bot's start: finish what was decided, then tell of files that were edited since.

        An edit is told to the admins and written into the audit book; it is in force all the same: the files
        are the operator's. Return the names of what was edited.
        """
        await self.settle()
        known = dict(await self.store.read(lambda db: list(db.execute("SELECT name, text FROM policies"))))
        there = {name: policy.text for name, policy in self._book.policies.items()}
        edited = tuple(sorted(n for n in known.keys() | there.keys() if known.get(n) != there.get(n)))
        if not edited:
            return ()
        if known:
            digest = self._book.digest
            entry = Entry("edited", "the host", "policies", " ".join(edited), outcome=f"sha256 {digest}")
            await book.write(entry)
        await self.store.write(lambda tx: _remember(tx, there, edited if known else ()))
        return edited if known else ()


def _amended(before: PolicyBook, changes: Sequence[Change]) -> PolicyBook:
    texts = {name: policy.text for name, policy in before.policies.items()}
    for change in changes:
        name = _file_of(before, change)
        try:
            before.number(f"{change.table}.{change.key}")
            texts[name] = patched(texts[name], change)
        except KeyError:
            raise Conflict(f"There is no number {change.table}.{change.key} in the policies.") from None
    try:
        after = read(texts)
    except ConfigError as error:
        raise Conflict(f"That cannot be: {error}") from error
    for kind, rules in after.rules.items():
        fault = below_floor(kind, rules)
        if fault and rules != before.rules[kind]:
            raise Conflict(f"No vote may do that: {fault}.")
    return after


def _file_of(book: PolicyBook, change: Change) -> str:
    if change.table in book.policies:
        return change.table
    kind = change.table.removeprefix("vote.")
    for name, policy in book.policies.items():
        votes = policy.table.get("vote")
        if change.table.startswith("vote.") and isinstance(votes, dict) and kind in votes:
            return name
    raise Conflict(f"There is no policy {change.table}.")


def _write(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    try:
        with new.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        raise ConfigError(f"policies: {path} cannot be written: {error.strerror}") from error


def _remember(tx: Tx, texts: dict[str, str], edited: Sequence[str]) -> None:
    tx.db.execute("DELETE FROM policies")
    for name, text in texts.items():
        tx.db.execute("INSERT INTO policies (name, text, written) VALUES (?, ?, 1)", [name, text])
    if edited:
        line = f"The rules were edited outside a vote: {', '.join(edited)}. They are in force as they stand."
        tx.notice(Notice("admins", (line,), Urgency.ALERT, "rules edited"))
