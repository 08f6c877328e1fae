"""A hash chain over rows, the same for the audit book and for votes.

Each row's hash is SHA-256 over one JSON text of the hash before it, its number and its cells by name, so that
no two different rows share a text. A changed, removed or inserted row breaks the chain at the first place
where it was touched; a cut tail is found by comparing with a head that was kept or published elsewhere.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

GENESIS = "0" * 64
"""What the first row has as its predecessor."""

SHOWN = 12
"""How many hex digits of a head people are shown."""

Cell = str | int | None


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


def digest(prev: str, seq: int, cells: Mapping[str, Cell]) -> str:
    """Return the hash, 64 hex digits, of a row with these cells after the row with the hash `prev`."""
    text = json.dumps([prev, seq, sorted(cells.items())], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def verify(links: Iterable[Link], *, length: int | None = None, head: str | None = None) -> Verdict:
    """Walk a chain from its first row and name the first fault.

    `length` is how many rows there should be. `head`, whole or its first SHOWN digits, is a hash that was
    published: a chain that has no row with it has lost its tail, or was written anew.
    """
    prev, seq, seen = GENESIS, 0, head is None
    for link in links:
        if link.seq != seq + 1:
            return Verdict(seq, prev, f"row {seq + 1} is missing")
        if link.prev != prev:
            return Verdict(seq, prev, f"row {link.seq} does not follow the row before it")
        if digest(prev, link.seq, link.cells) != link.hash:
            return Verdict(seq, prev, f"row {link.seq} was changed")
        prev, seq = link.hash, link.seq
        seen = seen or (head is not None and prev.startswith(head.lower()))
    if length is not None and seq < length:
        return Verdict(seq, prev, f"row {seq + 1} is missing: {length} were written, the tail was cut")
    if not seen:
        return Verdict(
            seq, prev, f"no row has the published head {head}: the tail from row {seq + 1} was cut"
        )
    return Verdict(seq, prev)
