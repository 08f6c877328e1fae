"""The uids under which guests run: one for each machine, and nobody else's."""

import pwd
import threading
import zlib
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import psutil

from bot.errors import Conflict
from bot.hypervisors.uml.record import load

UIDS = range(60578, 61184)
"""Where the guests' uids and gids come from: used by nobody else (https://systemd.io/UIDS-GIDS/)."""


class GuestUids:
    """The uids of the machines whose records are in `folder`; machines may start side by side, in threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._picked: dict[str, int] = {}
        self._picking = threading.Lock()

    def pick(self, name: str) -> int:
        """Return a uid that no other machine of this host has or will soon, and nobody else uses now."""
        with self._picking:
            others = (path for path in self._folder.glob("*/record.json") if path.parent.name != name)
            taken = {uid for uid in (load(path).uid for path in others) if uid is not None}
            taken |= {uid for other, uid in self._picked.items() if other != name}
            uid = self._picked[name] = pick_uid(f"{self._folder}/{name}", taken | uids_in_use())
            return uid


def pick_uid(key: str, taken: Collection[int]) -> int:
    """Return a uid for a machine: the same for the same key, unless it is taken. Conflict if all are."""
    first = zlib.crc32(key.encode()) % len(UIDS)
    for step in range(len(UIDS)):
        uid = UIDS[(first + step) % len(UIDS)]
        if uid not in taken:
            return uid
    raise Conflict(f"All uids for guests, {UIDS.start} to {UIDS.stop - 1}, are taken.")


def uids_in_use() -> set[int]:
    """Return the uids of all running processes, and those with an account."""
    running = set()
    for pid in psutil.pids():
        with suppress(FileNotFoundError, ProcessLookupError):
            running.add(Path(f"/proc/{pid}").stat().st_uid)
    return running | {account.pw_uid for account in pwd.getpwall()}
