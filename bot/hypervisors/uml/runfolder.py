"""The short private folder for sockets: a unix socket's path has at most 107 bytes, a UML folder's 60."""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from bot.errors import HypervisorFault

LONGEST = 40
"""How long its path may be: a machine's name of 16 and `/u` come after it."""


def run_folder(folder: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Return, and make, the run folder of a host's folder: the same at each start.

    It is below $RUNTIME_DIRECTORY (systemd.exec(5)), $XDG_RUNTIME_DIR or, for root, /run, else below
    /tmp/shipboard-UID: the first that is short, writable and nobody else's. HypervisorFault if none is.
    """
    name = "shipboard-" + hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:8]
    tried = []
    for base in _bases(environ, os.geteuid()):
        try:
            make_private(path := base / name)
        except OSError as error:
            tried.append(f"{base}: {error.strerror or error}")
        else:
            return path
    raise HypervisorFault(f"no place for the machines' sockets: {'; '.join(tried)}")


def _bases(environ: Mapping[str, str], uid: int) -> Iterator[Path]:
    for variable in ("RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"):
        if environ.get(variable) and (uid or variable == "RUNTIME_DIRECTORY"):
            yield Path(environ[variable].split(":")[0])
    if uid == 0:
        yield Path("/run")
    shared = Path(f"/tmp/shipboard-{uid}")  # noqa: S108 - made private, and its owner is looked at
    make_private(shared)
    yield shared


def make_private(path: Path) -> None:
    """Make a folder that only its owner lists and writes; others may pass, as the guests' uids must."""
    if len(os.fsencode(path)) > LONGEST:
        raise OSError(f"longer than {LONGEST} bytes")
    path.mkdir(mode=0o711, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise OSError(f"{path} is not ours")
    path.chmod(0o711)
