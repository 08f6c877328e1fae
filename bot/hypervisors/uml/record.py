"""What the bot must still know of a machine after it was killed: one small file a machine."""

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.coop.machines import MachineEventKind


@dataclass(frozen=True, slots=True)
class End:
    """How a machine's last run ended; `told` once the event's listener has taken it."""

    kind: MachineEventKind
    reason: str
    at: datetime
    asked: bool
    told: bool
    tail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """A machine's run: which process it is, what was asked of it, what was applied to it, how it ended.

    `pid` is the guest's main process, `keeper` the one that the bot started (bubblewrap's, else the same).
    `born` is the start in clock ticks after the boot `boot`: with the pid it names one process for ever.
    `wanted` tells that the machine should run: an end then is unasked.
    """

    wanted: bool = False
    pid: int | None = None
    keeper: int | None = None
    born: int = 0
    boot: str = ""
    uid: int | None = None
    sandbox: str = ""
    memory_mib: int = 0
    paused: bool = False
    notes: tuple[str, ...] = ()
    end: End | None = None

    def ended(self, end: End) -> "Record":
        """Return the record after its process has gone."""
        return replace(self, wanted=False, pid=None, keeper=None, paused=False, end=end)


def load(path: Path) -> Record:
    """Read a record; an absent or unreadable one is that of a machine that never ran."""
    try:
        fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        end = fields.pop("end")
        return Record(**fields | {"notes": tuple(fields["notes"]), "end": _end(end) if end else None})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Record()


def _end(fields: dict[str, Any]) -> End:
    read = {
        "kind": MachineEventKind(fields["kind"]),
        "at": datetime.fromisoformat(fields["at"]),
        "tail": tuple(fields["tail"]),
    }
    return End(**fields | read)


def save(path: Path, record: Record) -> None:
    """Write a record so that a reader, and the next bot, sees the old or the new one, never a half."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(record), default=datetime.isoformat), encoding="utf-8")
    fresh.replace(path)
