"""The database, the audit book in it, and what plugins tell and ask each other."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

from bot.coop.chain import Cell, Verdict
from bot.coop.events import Event
from bot.coop.questions import Inquiry
from bot.model import Notice

if TYPE_CHECKING:
    from sqlite_utils import Database

T = TypeVar("T")
A = TypeVar("A")


class Tx(Protocol):
    """One transaction: everything in it happens, or nothing."""

    @property
    def db(self) -> "Database":
        """The sqlite_utils Database, inside BEGIN IMMEDIATE."""

    @property
    def at(self) -> datetime:
        """The instant of this transaction."""

    def append(self, chain: str, cells: Mapping[str, Cell]) -> tuple[int, str]:
        """Append a row to a hash-chained table, see `bot.chained_table`; return its number and its hash."""

    def notice(self, notice: Notice) -> None:
        """Put a notice into the outbox."""

    def event(self, event: Event) -> None:
        """Put an event where it is dispatched from after the commit."""

    def afterwards(self, hook: Callable[[], None]) -> None:
        """Call this in the bot's event loop after the commit; in a process without one it is not called."""


class Store(Protocol):
    """The database: one writer thread, one transaction per call; readers have their own connection."""

    async def write(self, fn: Callable[[Tx], T]) -> T:
        """Run `fn` in one transaction on the writer thread; what it raises rolls everything back."""

    async def read(self, fn: "Callable[[Database], T]") -> T:
        """Run `fn` on a read-only connection; it sees one state of the database."""

    async def glance(self, fn: "Callable[[Database], T]") -> T:
        """Run one quick query on a read-only connection, in place: a row or two by their key."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the audit book, as it is given to it.

    `kind` is `asked`, `done`, `refused`, `failed` or, for what no command did, a word of its own. `words` has
    lost its private ones. `ref` is the number of the row that this one answers.
    """

    kind: str
    actor: str
    command: str
    words: str = ""
    identity: str = ""
    place: str = ""
    outcome: str = ""
    ref: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row as the audit book holds it; `hash` is 64 hex digits."""

    seq: int
    at: datetime
    entry: Entry
    hash: str


class Book(Protocol):
    """The audit book: append-only and hash-chained."""

    async def write(self, entry: Entry, *, stamp: str | None = None) -> int | None:
        """Append durably, return the row's number; None, and nothing written, if the stamp was seen before.

        A stamp is the network's own id of a message, keyed with its sender; it is remembered for 24 h.
        """

    def enter(self, tx: Tx, entry: Entry) -> int:
        """Append in a transaction of the caller's; return the row's number."""

    def note(self, entry: Entry) -> None:
        """Append within a second, in a batch: for what only reads."""

    async def recent(self, count: int) -> tuple[Row, ...]:
        """Return the newest rows, the newest first."""

    async def verify(self, head: str | None = None) -> Verdict:
        """Recompute the whole chain and name the first fault."""


Dispatch = Callable[[Event], Awaitable[None]]
"""Hands a committed event to its handlers."""


class Ask(Protocol):
    """How a plugin asks the others; one that fails or is too slow is left out of the answers."""

    async def __call__(self, question: Inquiry[A]) -> tuple[A, ...]:
        """Return every answer; that nobody answers is normal."""
