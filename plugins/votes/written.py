"""Records as cells of a chained table, and back: what is written is what is read."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import get_type_hints

from bot.words import GENESIS, Link, digest
from plugins.votes import deeds
from plugins.votes.motion import Deed, Record

KINDS: Mapping[str, type] = {
    kind.__name__.lower(): kind
    for kind in vars(deeds).values()
    if isinstance(kind, type) and kind.__module__ == deeds.__name__
}
"""Each kind of event by its name in the chain."""

_HINTS = {kind: get_type_hints(kind) for kind in KINDS.values()}


def cells(record: Record) -> dict[str, str | int | None]:
    """Return a record's cells by column: motion, at, kind, actor, body (canonical JSON)."""
    deed = record.deed
    body = {field.name: _plain(getattr(deed, field.name)) for field in fields(deed)}  # type: ignore[arg-type]  # each deed is a dataclass
    return {
        "motion": record.motion,
        "at": instant(record.at),
        "kind": type(deed).__name__.lower(),
        "actor": record.by,
        "body": json.dumps(body, sort_keys=True, separators=(",", ":")),
    }


def record(row: Mapping[str, str | int | None], seq: int = 0, hash_: str = "") -> Record:
    """Return the record that a row's cells say; ValueError for a row that no record was written as."""
    kind = KINDS.get(str(row["kind"]))
    if kind is None:
        raise ValueError(f"row {seq}: no event is called {row['kind']}")
    hints = _HINTS[kind]
    body = json.loads(str(row["body"]))
    deed: Deed = kind(**{name: _typed(value, hints[name]) for name, value in body.items()})
    return Record(int(row["motion"] or 0), moment(str(row["at"])), str(row["actor"]), deed, seq, hash_)


def chained(records: Iterable[Record], prev: str = GENESIS, seq: int = 0) -> list[Record]:
    """Return records with their places in the chain after the row `seq` with the hash `prev`."""
    found = []
    for one in records:
        seq, prev = seq + 1, digest(prev, seq + 1, cells(one))
        found.append(replace(one, seq=seq, hash=prev))
    return found


def links(records: Iterable[Record], prev: str = GENESIS) -> list[Link]:
    """Return chained records as the links that `verify` walks."""
    found = []
    for one in records:
        found.append(Link(one.seq, cells(one), prev, one.hash))
        prev = one.hash
    return found


def exported(rows: Iterable[Link]) -> Iterator[str]:
    """Yield a chain's rows as lines of a file, as JSON objects, as docs/check_certificate.py reads them."""
    for row in rows:
        whole = {**row.cells, "seq": row.seq, "prev": row.prev, "hash": row.hash}
        yield json.dumps(whole, sort_keys=True, separators=(",", ":")) + "\n"


def instant(at: datetime) -> str:
    """Return an instant as it is written: UTC, ISO 8601, with a Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """Return a written instant; ValueError if it is none."""
    return datetime.fromisoformat(text)


def _plain(value: object) -> object:
    return instant(value) if isinstance(value, datetime) else value


def _typed(value: object, hint: object) -> object:
    if hint is datetime:
        return moment(str(value))
    return _tuples(value) if isinstance(value, list) else value


def _tuples(value: object) -> object:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
