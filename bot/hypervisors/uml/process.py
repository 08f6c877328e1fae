"""Guests as processes: how one is started, recognised again, measured and ended.

A guest is a main process, two helpers that share its memory, and one stub for each process inside it, all in
one session. A pid is only trusted together with its start time and the host's boot id (proc_pid_stat(5)).
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from bot.errors import HypervisorFault
from bot.hypervisors.uml.image import Image
from bot.hypervisors.uml.sandbox import Sandbox, walls

MIB = 1024 * 1024
NICE = 10
"""What a half-share is niced by, the process and its scheduling group (sched(7), autogroup)."""

ROOM = 64 * MIB
"""By how much a file of a guest's may exceed its memory or disk: its console log, while no bot is there."""

GAP = 2048 * MIB
"""By how much the kernel may enlarge its memory file where addresses are not fixed."""

TASKS = 4096
"""How many processes a guest with a uid of its own may have on the host."""

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Launch:
    """All that a guest is started with. `run` has the folders `u` (the guest's) and `n` (the bot's)."""

    name: str
    tag: str
    image: Image
    memory_mib: int
    half: bool
    sandbox: Sandbox
    uid: int | None
    run: Path
    fixed_addresses: bool


def spawn(launch: Launch, line: tuple[int, int], log: int) -> int:
    """Start a guest with its agent's line and its console log; return the pid of the started process.

    It is a session of its own, and is waited for by `reap`. HypervisorFault if it cannot start.
    """
    with ExitStack() as stack:
        argv, fds = _command(launch, line, stack)
        switch = launch.sandbox.switch and not launch.sandbox.walls
        try:
            process = subprocess.Popen(  # noqa: S603 - a list of fixed words and paths, no shell
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(*line, *fds),
                start_new_session=True,
                restore_signals=False,  # SIGXFSZ stays ignored: a full log is an error, not the guest's end
                env=_environment(launch),
                cwd="/",
                umask=0o007,
                user=launch.uid if switch else None,
                group=launch.uid if switch else None,
                extra_groups=[] if switch else None,
            )
        except OSError as error:
            raise HypervisorFault(f"{launch.name} cannot be started: {error}") from error
    process.returncode = 0  # it outlives the bot, so it is reaped by pid, and Popen need not mind it
    return process.pid


def _command(launch: Launch, line: tuple[int, int], stack: ExitStack) -> tuple[list[str], list[int]]:
    """Return the command line, and the descriptors by which it names what the guest's uid cannot reach."""
    memory = launch.memory_mib * MIB
    image, run, sandbox = launch.image, launch.run, launch.sandbox
    disk_size = image.disk.stat().st_size if image.disk else 0
    gap = 0 if launch.fixed_addresses else GAP
    argv = ["nice", "-n", str(NICE)] if launch.half else []
    argv += ["prlimit", "--core=0", f"--fsize={max(memory, disk_size) + gap + ROOM}"]
    argv += [f"--nproc={TASKS}"] if sandbox.switch else []
    files = {"kernel": image.kernel, "initrd": image.initrd, "disk": image.disk}
    there = {word: path for word, path in files.items() if path}
    fds: list[int] = []
    if sandbox.walls:
        binds = {f"/{word}": ("bind" if word == "disk" else "ro-bind", path) for word, path in there.items()}
        binds |= {"/run": ("bind", run / "u"), "/notify": ("ro-bind", run / "n")}
        argv += walls(binds, memory + gap + ROOM, launch.uid if sandbox.switch else None)
        names = {word: f"/{word}" for word in there}
        folder, notify = "/run", "/notify/s"
    else:
        for word, path in there.items():
            fds.append(os.open(path, os.O_RDWR if word == "disk" else os.O_RDONLY))
            stack.callback(os.close, fds[-1])
        names = {word: f"/proc/self/fd/{fd}" for word, fd in zip(there, fds, strict=True)}
        folder, notify = str(run / "u"), str(run / "n" / "s")
    argv += ["setarch", "-R"] if launch.fixed_addresses else []
    argv += [names["kernel"], f"umid={launch.name}", f"uml_dir={folder}", f"mem={launch.memory_mib}M"]
    argv += ["con=null", "con0=null,fd:1", "ssl=null", f"ssl1=fd:{line[0]},fd:{line[1]}", "noreboot"]
    argv += [f"mconsole=notify:{notify}", f"shipboard={launch.tag}", f"shipboard_name={launch.name}"]
    argv += [f"initrd={names['initrd']}"] if "initrd" in names else []
    argv += [f"ubd0={names['disk']}", "root=/dev/ubda", "rw"] if "disk" in names else []
    return argv, fds


def _environment(launch: Launch) -> dict[str, str]:
    """Return the little that a guest's process inherits: nothing of the bot's own environment."""
    folder = "/dev/shm" if launch.sandbox.walls else memory_folder(launch.memory_mib)  # noqa: S108 - where the guest's memory is, unlinked at once
    return {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/", "TMPDIR": folder}


def memory_folder(
    memory_mib: int,
    folders: Iterable[str] = ("/dev/shm", "/tmp", "/var/tmp"),  # noqa: S108 - where the guest's memory is, unlinked at once
) -> str:
    """Return the first folder that has room for a guest's memory and lets it be executed."""
    for folder in folders:
        with suppress(OSError):
            if (
                not os.statvfs(folder).f_flag & os.ST_NOEXEC
                and shutil.disk_usage(folder).free > memory_mib * MIB + ROOM
            ):
                return folder
    raise HypervisorFault(f"no folder has room for a guest's memory of {memory_mib} MiB and allows execution")


def boot_id() -> str:
    """Return what names this boot of the host."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def born(pid: int) -> int | None:
    """Return when a process began, in clock ticks after the host's boot; None if it has ended."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if words[0] in "ZX" else int(words[19])


def age(ticks: int) -> float:
    """Return how many seconds ago a process began."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / _TICKS


def main_process(keeper: int, kernel: Path) -> int | None:
    """Return the guest's main process: the started one or its child, once that is the kernel; None before."""
    try:
        pids = [keeper, *(child.pid for child in psutil.Process(keeper).children())]
    except psutil.Error:
        return None
    for pid in pids:
        with suppress(OSError):
            if Path(f"/proc/{pid}/exe").samefile(kernel):
                return pid
    return None


def tagged(name: str, tag: str) -> dict[int, set[bytes]]:
    """Return the processes whose command line names this guest of this bot, with its words."""
    wanted = {f"umid={name}".encode(), f"shipboard={tag}".encode()}
    found = {}
    for pid in psutil.pids():
        with suppress(FileNotFoundError, ProcessLookupError):
            words = set(Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"))
            if wanted <= words and born(pid) is not None:
                found[pid] = words
    return found


def find(name: str, tag: str, uids: Collection[int]) -> int | None:
    """Return the main process of a guest by its command line, if it belongs to one of these uids."""
    kernels = [pid for pid, words in tagged(name, tag).items() if b"bwrap" not in words]
    with suppress(psutil.Error):
        for process in (psutil.Process(pid) for pid in sorted(kernels)):
            if process.ppid() not in kernels and process.uids().effective in uids:
                return process.pid
    return None


def remains(pid: int, keeper: int | None, uid: int | None) -> list[int]:
    """Return what is left of a guest's processes: those of its sessions, and all of its own uid."""
    found = []
    for other in psutil.pids():
        with suppress(FileNotFoundError, ProcessLookupError):
            owned = uid is not None and Path(f"/proc/{other}").stat().st_uid == uid
            if (owned or os.getsid(other) in {pid, keeper}) and born(other) is not None:
                found.append(other)
    return found


def end(pid: int, keeper: int | None, uid: int | None) -> None:
    """Kill all that is left of a guest; blocks some milliseconds. HypervisorFault if something stays."""
    _end(lambda: remains(pid, keeper, uid))


def end_strays(name: str, tag: str) -> None:
    """Kill what an earlier run of a guest left, when its pids are no longer known to be its own."""
    _end(lambda: tagged(name, tag))


def _end(left: Callable[[], Collection[int]]) -> None:
    for _ in range(100):
        found = left()
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not found:
            return
        time.sleep(0.01)
    raise HypervisorFault(f"processes of a guest do not end: {sorted(left())}")


def reap(keeper: int, *, walls: bool) -> int | None:
    """Return how a started process ended, negative for a signal; None if it was an earlier bot's."""
    try:
        result = os.waitid(os.P_PID, keeper, os.WEXITED | os.WNOHANG)
    except ChildProcessError:
        return None
    if result is None:
        return None
    if result.si_code != os.CLD_EXITED:
        return -result.si_status
    # bubblewrap passes a signal on as 128 and its number, as a shell does
    return 128 - result.si_status if walls and result.si_status > 128 else result.si_status  # noqa: PLR2004 - sh(1)


def soften(pid: int) -> str:
    """Weigh a half-share's session less than the others; return why that could not be done, or nothing."""
    try:
        Path(f"/proc/{pid}/autogroup").write_text(str(NICE))
    except OSError as error:
        return f"autogroup: {error.strerror}"
    return ""


def weight(pid: int) -> str:
    """Return the scheduling group's weight in force, like `autogroup nice 10`; empty where there is none."""
    try:
        words = Path(f"/proc/{pid}/autogroup").read_text().split()
    except OSError:
        return ""
    return f"autogroup nice {words[-1]}" if words else ""


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a guest and of all that ever ran in it; psutil.Error if it has gone.

    Forty guests are measured every 10 s, so it asks the clocks of their processes, as clock_getcpuclockid(3)
    does: that is much quicker than to read what /proc tells of each. What has ended is in the main process.
    """
    try:
        words = _told(f"/proc/{pid}/stat").rpartition(b")")[2].split()
        ended = (int(words[13]) + int(words[14])) / _TICKS
        family = [pid]
        for one in family:  # it grows meanwhile
            with suppress(FileNotFoundError, ProcessLookupError):
                family += map(int, _told(f"/proc/{one}/task/{one}/children").split())
    except (FileNotFoundError, ProcessLookupError) as error:
        raise psutil.NoSuchProcess(pid) from error
    return ended + sum(map(_own_seconds, family))


def _told(path: str) -> bytes:
    fd = os.open(path, os.O_RDONLY)
    try:
        return b"".join(iter(lambda: os.read(fd, 4096), b""))
    finally:
        os.close(fd)


def _own_seconds(pid: int) -> float:
    """Return what a process worked itself; 0 if it has gone."""
    try:
        return time.clock_gettime(~pid << 3 | 2)  # MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED)
    except OSError:
        return 0.0


def memory_bytes(pid: int) -> int:
    """Return what a guest takes of the host's memory: exact by its file, else what its process holds."""
    with suppress(PermissionError):
        folder = f"/proc/{pid}/fd"
        paths = [f"{folder}/{name}" for name in os.listdir(folder)]  # noqa: PTH208 - a third of the time
        unlinked = [os.stat(path) for path in paths if os.readlink(path).endswith("(deleted)")]  # noqa: PTH116, PTH115 - as above
        if unlinked:
            return max(found.st_blocks for found in unlinked) * 512
    return int(psutil.Process(pid).memory_info().rss)
