"""What stands between a guest's root and the host.

A UML guest's root can mount the host's files (hostfs is built into the kernel, and its jail has a way out)
and can load code into the kernel process. So that process runs as another uid, where the bot may switch, and
sees an empty file system in bubblewrap, where that works; one of the two there must be.
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bot.config import SandboxKind
from bot.errors import Conflict
from bot.hypervisors.uml.uids import UIDS

_CAPABILITIES = {"CHOWN": 0, "DAC_OVERRIDE": 1, "KILL": 5, "SETGID": 6, "SETUID": 7}
"""What a bot must be allowed to switch uids and still rule its guests, by bit (linux/capability.h)."""

_PROBE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Sandbox:
    """How a guest is kept in: under a uid of its own (`switch`), behind bubblewrap's walls, or both."""

    switch: bool
    walls: bool

    @property
    def kind(self) -> str:
        """What `Limits.sandbox` shows."""
        if self.switch:
            return "uid"
        return "bwrap" if self.walls else "NONE"


@dataclass(frozen=True, slots=True)
class Means:
    """What this host lets the bot do, found out by trying."""

    switch: bool
    walls: bool
    fixed_addresses: bool

    @classmethod
    def probe(cls) -> "Means":
        """Try it; takes some 20 ms."""
        return cls(
            may_switch(Path("/proc/self/status").read_text(), Path("/proc/self/uid_map").read_text()),
            _works([*walls({}, 4096), "true"]),
            _works(["setarch", "-R", "true"]),
        )


def choose(kind: SandboxKind, means: Means) -> Sandbox:
    """Return the strongest sandbox of the kind that the config wants; Conflict, with the cure, if none."""
    if kind == "none":
        return Sandbox(switch=False, walls=False)
    if kind != "bwrap" and means.switch:
        return Sandbox(switch=True, walls=means.walls)
    if kind != "uid" and means.walls:
        return Sandbox(switch=False, walls=True)
    cures = {
        "auto": "install bubblewrap and allow user namespaces, or run the bot as root",
        "uid": f"run the bot as root, or with {', '.join(f'CAP_{name}' for name in _CAPABILITIES)}",
        "bwrap": "install bubblewrap and allow user namespaces",
    }
    raise Conflict(f'Machines here would have no sandbox: {cures[kind]}, or write sandbox = "none".')


def may_switch(status: str, uid_map: str) -> bool:
    """Tell from /proc/self/status and uid_map whether this process may run guests as other uids."""
    effective = next((int(line[7:], 16) for line in status.splitlines() if line.startswith("CapEff:")), 0)
    mapped = (tuple(int(part) for part in line.split()) for line in uid_map.splitlines())
    return all(effective >> bit & 1 for bit in _CAPABILITIES.values()) and any(
        inside <= UIDS.start and UIDS.stop <= inside + count for inside, _, count in mapped
    )


def walls(binds: dict[str, tuple[str, Path]], shared_memory: int, uid: int | None = None) -> list[str]:
    """Return the start of a bubblewrap command line: an empty file system but for /usr and these.

    `binds` maps a path inside to how it is bound (`bind` or `ro-bind`) and what. `shared_memory` is the
    size of /dev/shm in bytes. With a uid the switch is made inside, by setpriv. No --die-with-parent: guests
    outlive the bot; no --unshare-pid: their pids stay valid. bwrap(1), setpriv(1).
    """
    argv = ["bwrap", "--unshare-ipc", "--cap-drop", "ALL"]
    argv += ["--unshare-user"] if uid is None else ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    argv += ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64"):
        path = Path("/", name)
        if path.is_symlink():
            argv += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            argv += ["--ro-bind", str(path), str(path)]
    argv += ["--dev", "/dev", "--perms", "1777", "--size", str(shared_memory), "--tmpfs", "/dev/shm"]  # noqa: S108 - the sandbox's own
    for inside, (how, path) in binds.items():
        argv += [f"--{how}", str(path), inside]
    argv += ["--remount-ro", "/", "--chdir", "/"]
    if uid is not None:
        argv += ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--inh-caps=-all"]
        argv += ["--bounding-set=-all", "--no-new-privs"]
    return argv


def _works(argv: list[str]) -> bool:
    if shutil.which(argv[0]) is None:
        return False
    try:
        done = subprocess.run(argv, check=False, capture_output=True, timeout=_PROBE_SECONDS)  # noqa: S603 - fixed programs, no shell
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
