"""What a restart must not forget: the board in one row, and every deed in a row that is never changed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import TypeAdapter
from sqlite_utils import Database

from bot import Tx
from plugins.alerts.board import Board, Silence, Storm
from plugins.alerts.declared import plugin
from plugins.alerts.watch import Alert


@dataclass(frozen=True, slots=True)
class _Kept:
    """A board as it is written."""

    alerts: tuple[Alert, ...] = ()
    silences: tuple[Silence, ...] = ()
    fired: tuple[datetime, ...] = ()
    storm: Storm | None = None
    numbers: int = 0
    silenced: int = 0


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that happened to an alert: what it was, a line about it, and who heard or did it."""

    number: int
    kind: str
    line: str
    who: tuple[str, ...] = ()
    at: datetime | None = None


_KEPT = TypeAdapter(_Kept)


@plugin.migration
def create_alerts(db: Database) -> None:
    """Create the tables; rows of events are only ever added."""
    db.execute(
        "CREATE TABLE alerts_board (id INTEGER PRIMARY KEY CHECK (id = 1), board TEXT NOT NULL) STRICT"
    )
    db.execute(
        "CREATE TABLE alerts_events (id INTEGER PRIMARY KEY AUTOINCREMENT, number INTEGER NOT NULL, "
        "kind TEXT NOT NULL, line TEXT NOT NULL, who TEXT NOT NULL, at TEXT NOT NULL) STRICT"
    )
    db.execute("CREATE INDEX alerts_events_number ON alerts_events (number)")
    for deed in ("UPDATE", "DELETE"):
        db.execute(
            f"CREATE TRIGGER alerts_events_no_{deed.lower()} BEFORE {deed} ON alerts_events "
            "BEGIN SELECT RAISE(ABORT, 'events of alerts are only ever added'); END"
        )


def load(db: Database) -> Board:
    """Return the board."""
    row = db.execute("SELECT board FROM alerts_board").fetchone()
    return read(row[0]) if row else Board()


def read(text: str) -> Board:
    """Return a board as it was written."""
    kept = _KEPT.validate_json(text)
    alerts = {alert.key: alert for alert in kept.alerts}
    return Board(alerts, kept.silences, kept.fired, kept.storm, kept.numbers, kept.silenced)


def written(board: Board) -> str:
    """Return a board as a text."""
    numbers = (board.fired, board.storm, board.numbers, board.silenced)
    return _KEPT.dump_json(_Kept(tuple(board.alerts.values()), board.silences, *numbers)).decode()


def save(tx: Tx, board: Board, before: Board, deeds: Sequence[Deed] = ()) -> None:
    """Write the board if it is another one than before, and what happened."""
    if board != before:
        tx.db.execute("INSERT OR REPLACE INTO alerts_board VALUES (1, ?)", [written(board)])
    for deed in deeds:
        row = [deed.number, deed.kind, deed.line, json.dumps(deed.who), tx.at.isoformat()]
        tx.db.execute("INSERT INTO alerts_events (number, kind, line, who, at) VALUES (?, ?, ?, ?, ?)", row)


def deeds(db: Database, number: int) -> list[Deed]:
    """Return what happened to an alert, the oldest first."""
    rows = db.query(
        "SELECT number, kind, line, who, at FROM alerts_events WHERE number = ? ORDER BY id", [number]
    )
    return [_deed(row["number"], row["kind"], row["line"], row["who"], row["at"]) for row in rows]


def is_for(happened: Sequence[Deed], name: str) -> bool:
    """Tell whether somebody may know of an alert: everybody, unless it was for other members alone."""
    first = happened[0].who if happened else ()
    return not first or name in first or any(who.startswith("#") for who in first)


def count(db: Database, kind: str, since: datetime) -> int:
    """Return how often something happened since then that was not for a member alone."""
    query = (
        "SELECT count(*) FROM alerts_events WHERE kind = ? AND at >= ? "
        "AND (who = '[]' OR instr(who, '\"#') > 0)"
    )
    return int(db.execute(query, [kind, since.isoformat()]).fetchone()[0])


def _deed(number: int, kind: str, line: str, who: str, at: str) -> Deed:
    return replace(Deed(number, kind, line, tuple(json.loads(who))), at=datetime.fromisoformat(at))
