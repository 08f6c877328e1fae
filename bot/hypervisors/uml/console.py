"""A machine's console log: the guest writes it, the bot keeps it small and shows its tail."""

import os
from pathlib import Path

from bot.hypervisors.uml.cleaning import last_lines

LIMIT = 8 * 1024 * 1024
"""What the log may never exceed while the bot runs, in bytes."""

TRIM_AT = 3 * 1024 * 1024
"""From which size on it is cut: a guest writes about 2 MiB a second, and it is looked at once a second."""

KEEP = 256 * 1024
"""How much of its end stays when it is cut, in bytes."""


class ConsoleLog:
    """The log file. The guest has it open for appending only, so it can be cut while the guest runs."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def renew(self) -> int:
        """Put the last run's log aside and open a new one for the guest; return the file descriptor."""
        if self._path.exists():
            self._path.replace(self._path.with_suffix(".old"))
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def size(self) -> int:
        """Return its size in bytes; 0 if there is none."""
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0

    def trim(self) -> bool:
        """Cut it to its end if it has grown too long; tell whether it was cut."""
        if self.size() < TRIM_AT:
            return False
        kept = self._end(KEEP)
        with self._path.open("ab") as file:
            os.truncate(self._path, 0)
            file.write(b"[earlier lines were cut]\n" + kept)
        return True

    def tail(self, lines: int) -> tuple[str, ...]:
        """Return its last lines, clean and each at most 200 characters."""
        return last_lines(self._end(KEEP), lines)

    def _end(self, size: int) -> bytes:
        try:
            with self._path.open("rb") as file:
                file.seek(-min(size, os.fstat(file.fileno()).st_size), os.SEEK_END)
                return file.read(size)
        except FileNotFoundError:
            return b""
