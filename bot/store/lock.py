"""One bot per state folder: an flock on `state/lock`, which the kernel releases however the holder ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.errors import ConfigError

FILE = "lock"
"""What the lock file is called in `bot.state`."""


@contextmanager
def hold(state: Path) -> Iterator[Path]:
    """Hold the folder, made if it is not there; ConfigError that says who does, if somebody else holds it.

    The file stays where it is: removing it would let two hold two files of that name.
    """
    path = state / FILE
    try:
        state.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(f"bot.state: {path} cannot be written: {error.strerror}") from error
    try:
        _lock(fd, state)
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        yield path
    finally:
        os.close(fd)


def _lock(fd: int, state: Path) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        pid = os.pread(fd, 20, 0).decode("ascii", "replace").strip()
        who = f"process {pid}" if pid.isdigit() else "another process"
        raise ConfigError(
            f"bot.state: {state} is in use by {who}: stop that bot, or give this one another folder"
        ) from error
