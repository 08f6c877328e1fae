"""A hash chain over rows, the same for the audit book and for votes.

Each row's hash is SHA-256 over one JSON text of the hash before it, its number and its cells by name, so that
no two different rows share a text. A cell that is None counts as absent: a table may gain columns. A changed,
removed or inserted row breaks the chain at the first place where it was touched; a cut tail is found by
comparing with a length or a head that was kept or published elsewhere.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

GENESIS = "0" * 64
"""What the first row has as its predecessor."""

SHOWN = 12
"""How many hex digits of a head people are shown."""

Cell = str | int | None

_written = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode
_HEAD = re.compile(f"[0-9a-f]{{{SHOWN},64}}")


@dataclass(frozen=True, slots=True)
class Link:
    """One row of a chained table: its sequence number from 1, its cells by name, and the two hashes."""

    seq: int
    cells: Mapping[str, Cell]
    prev: str
    hash: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verifying a chain found: its length and head, and the first fault (None when whole)."""

    length: int
    head: str
    fault: str | None = None

    @property
    def whole(self) -> bool:
        """Whether every row is as it was written."""
        return self.fault is None


def is_head(text: str) -> bool:
    """Tell whether this could be a published head: lower-case hex digits, SHOWN of them or more."""
    return _HEAD.fullmatch(text) is not None


def digest(prev: str, seq: int, cells: Mapping[str, Cell]) -> str:
    """Return the hash, 64 hex digits, of a row with these cells after the row with the hash `prev`."""
    present = sorted((name, cell) for name, cell in cells.items() if cell is not None)
    return hashlib.sha256(_written([prev, seq, present]).encode("ascii")).hexdigest()


def walk(links: Iterable[Link]) -> Verdict:
    """Follow a chain from its first row to the first fault, or to its end."""
    prev, seq = GENESIS, 0
    for link in links:
        if link.seq > seq + 1:
            return Verdict(seq, prev, f"row {seq + 1} is missing")
        if link.seq < seq + 1:
            return Verdict(seq, prev, f"row {link.seq} does not belong there, after row {seq}")
        if link.prev != prev:
            return Verdict(seq, prev, f"row {link.seq} does not follow the row before it")
        if digest(prev, link.seq, link.cells) != link.hash:
            return Verdict(seq, prev, f"row {link.seq} was changed")
        prev, seq = link.hash, link.seq
    return Verdict(seq, prev)


def verify(links: Iterable[Link], *, length: int | None = None, head: str | None = None) -> Verdict:
    """Walk a chain from its first row and name the first fault.

    `length` is how many rows there should be. `head`, whole or its first SHOWN digits or more, is a hash that
    was published: a chain that has no row with it has lost its tail, or was written anew.
    """
    wanted = head.lower() if head is not None else ""
    found = head is None or (is_head(wanted) and GENESIS.startswith(wanted))

    def watched() -> Iterator[Link]:
        nonlocal found
        for link in links:
            found = found or (is_head(wanted) and link.hash.startswith(wanted))
            yield link

    verdict = walk(watched())
    if not verdict.whole:
        return verdict
    if length is not None and verdict.length != length:
        what = "missing" if verdict.length < length else f"one too many, {length} were written"
        row = min(verdict.length, length) + 1
        return Verdict(verdict.length, verdict.head, f"row {row} is {what}")
    if not found:
        cut = f"the tail from row {verdict.length + 1} was cut, or it is mistyped"
        return Verdict(verdict.length, verdict.head, f"no row has the published head {head}: {cut}")
    return verdict
