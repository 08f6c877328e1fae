"""The folder of policies: what is in force, what a vote changes, and what was edited without one.

The database keeps each file's text as the bot last knew it. What a vote decides stands there first, in the
vote's own transaction, and is then written to the file; a bot that died in between writes it at its start.
A file that somebody edited before that is left as it stands: the files are the operator's.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sqlite_utils import Database, Migrations

from bot.config.policies import read, read_folder
from bot.coop.policy import Change, PolicyBook, patched
from bot.coop.voterules import below_floor
from bot.errors import ConfigError, Conflict
from bot.model import Notice, Urgency
from bot.ports import Book, Entry, Store, Tx

migrations = Migrations("policies")

_DECIDE = (
    "UPDATE policies SET base = CASE written WHEN 1 THEN text ELSE base END, text = ?, written = 0 "
    "WHERE name = ?"
)
"""Of several votes that decide before the file is written, the first one's base counts."""


@migrations()
def create_policies(db: Database) -> None:
    """Create the table of the files' texts; `written` is 0 until a decided text stands in its file."""
    db.execute(
        "CREATE TABLE policies (name TEXT PRIMARY KEY, text TEXT NOT NULL, written INTEGER NOT NULL) STRICT"
    )


@migrations()
def add_base(db: Database) -> None:
    """Keep what stood in a file before a vote decided otherwise: that alone may be written over."""
    db.execute("ALTER TABLE policies ADD COLUMN base TEXT")


@dataclass(slots=True)
class Rulebook:
    """The policies of one folder, read when this is made. Implements `bot.ports.Policies`.

    Those that come with shipboard are not `writable`: no vote changes an installation's own files.
    """

    folder: Path
    store: Store
    writable: bool = True
    _book: PolicyBook = field(init=False)
    _audit: Book | None = field(init=False, default=None)

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
                tx.db.execute(_DECIDE, [policy.text, name])
        return after

    def _must_be_ours(self) -> None:
        if not self.writable:
            raise Conflict(
                "These policies came with shipboard and are nobody's to change: an admin copies them with "
                "`shipboard init` and names the copy as bot.policies."
            )

    async def settle(self) -> None:
        """Write the decided texts to their files, but for one that somebody has edited meanwhile.

        ConfigError if a file cannot be written.
        """
        rows = await self.store.read(
            lambda db: list(db.execute("SELECT name, text, base FROM policies WHERE written = 0"))
        )
        for name, text, base in rows:
            there = _there(self.folder / f"{name}.md")
            if base is None or there in {base, text}:
                _write(self.folder / f"{name}.md", text)
                await self.store.write(partial(_written, row=(name, text)))
            else:
                left = _Left(name, text, base, there)
                await self.store.write(partial(_leave, left=left, audit=self._audit))
        self._book = read_folder(self.folder)

    async def look(self, book: Book) -> tuple[str, ...]:
        """At the bot's start: finish what was decided, then tell of files that were edited since.

        An edit is told to the admins and written into the audit book; it is in force all the same: the files
        are the operator's. Return the names of what was edited.
        """
        self._audit = book
        await self.settle()
        known = dict(await self.store.read(lambda db: list(db.execute("SELECT name, text FROM policies"))))
        there = {name: policy.text for name, policy in self._book.policies.items()}
        edited = tuple(sorted(n for n in known.keys() | there.keys() if known.get(n) != there.get(n)))
        if not edited:
            return ()
        if not known:
            await self.store.write(partial(_remember, texts=there))
            return ()
        entry = _edit(" ".join(edited), f"sha256 {self._book.digest}")

        def tell(tx: Tx) -> None:
            book.enter(tx, entry)
            _remember(tx, there)
            words = (
                f"The rules were edited outside a vote: {', '.join(edited)}. They are in force as they stand."
            )
            tx.notice(Notice("admins", (words,), Urgency.ALERT, "rules edited"))

        await self.store.write(tell)
        return edited


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


def _there(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "surrogateescape")
    except OSError:
        return None


def _remember(tx: Tx, texts: Mapping[str, str]) -> None:
    tx.db.execute("DELETE FROM policies")
    for name, text in texts.items():
        tx.db.execute("INSERT INTO policies (name, text, written) VALUES (?, ?, 1)", [name, text])


def _written(tx: Tx, row: tuple[str, str]) -> None:
    tx.db.execute("UPDATE policies SET written = 1, base = NULL WHERE name = ? AND text = ?", row)


@dataclass(frozen=True, slots=True)
class _Left:
    """A file that is left as it is: what a vote decided, what stood there before, what stands there now."""

    name: str
    decided: str
    base: str
    there: str | None

    @property
    def lines(self) -> str:
        """The lines that the vote decided."""
        before = set(self.base.splitlines())
        lines = [line for line in self.decided.splitlines() if line not in before]
        return "; ".join(line for line in lines if not line.startswith("version "))


def _leave(tx: Tx, left: _Left, audit: Book | None) -> None:
    """Forget what was decided: the file stands; tell everybody what it lacks."""
    if left.there is None:
        tx.db.execute("DELETE FROM policies WHERE name = ?", [left.name])
    else:
        tx.db.execute(
            "UPDATE policies SET text = ?, written = 1, base = NULL WHERE name = ?", [left.there, left.name]
        )
    if audit is not None:
        audit.enter(tx, _edit(left.name, f"left as it stands, without {left.lines}"))
    line = (
        f"The policy {left.name} was edited outside a vote before what a vote decided was written there. "
        f"It is in force as it stands, without {left.lines}: an admin has to write that into it."
    )
    tx.notice(Notice("admins", (line,), Urgency.ALERT, f"rules edited {left.name}"))
    tx.notice(Notice("team", (line,)))


def _edit(names: str, outcome: str) -> Entry:
    return Entry("edited", "the host", "policies", names, outcome=outcome)
