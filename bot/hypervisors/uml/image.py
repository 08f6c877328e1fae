"""What a machine boots: the kernel (found, or fetched without root) and the demo's busybox initramfs.

The initramfs is a cpio archive in the `newc` format, gzipped
(https://docs.kernel.org/driver-api/early-userspace/buffer-format.html), written here so that no cpio and no
root are needed, and always the same bytes for the same busybox.
"""

import gzip
import hashlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bot.coop.machines import Machine
from bot.errors import HypervisorFault

PACKAGES = ("user-mode-linux", "busybox-static")
_GUEST = Path(__file__).parent / "guest"
_FOLDERS = (
    "bin",
    "sbin",
    "usr",
    "usr/bin",
    "usr/sbin",
    "etc",
    "dev",
    "proc",
    "sys",
    "run",
    "tmp",
    "root",
    "mnt",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One member of an archive: its path, its mode with the file type, its bytes, a device's numbers.

    `links` are further names of the same file: in a guest's memory each symbolic link would take a page.
    """

    path: str
    mode: int
    data: bytes = b""
    device: tuple[int, int] = (0, 0)
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Image:
    """The files that one machine boots."""

    kernel: Path
    initrd: Path | None
    disk: Path | None


def cpio(entries: list[Entry]) -> bytes:
    """Return an archive in the newc format with these members, owned by root, dated 1970."""
    out = bytearray()
    for number, entry in enumerate([*entries, Entry("TRAILER!!!", 0)], start=1):
        for path in (entry.path, *entry.links):
            name, data = path.encode() + b"\0", entry.data if path == entry.path else b""
            count = 1 + len(entry.links)
            fields = (number, entry.mode, 0, 0, count, 0, len(data), 0, 0, *entry.device, len(name), 0)
            out += b"070701" + b"".join(b"%08x" % field for field in fields) + name
            out += b"\0" * (-len(out) % 4) + data
            out += b"\0" * (-len(out) % 4)
    return bytes(out)


def find_kernel(cache: Path) -> Path | None:
    """Return linux.uml from PATH or from the cache, None if there is none."""
    return _find("linux.uml", cache)


def find_busybox(cache: Path) -> Path | None:
    """Return a statically linked busybox from PATH or from the cache, None if there is none."""
    found = _find("busybox", cache)
    if found is None or _is_static(found):
        return found
    fetched = cache / "busybox"
    return fetched if fetched.is_file() else None


def _find(name: str, cache: Path) -> Path | None:
    on_path = shutil.which(name)
    if on_path:
        return Path(on_path).resolve()
    fetched = cache / name
    return fetched if fetched.is_file() else None


def _is_static(program: Path) -> bool:
    """Tell whether a program asks for no dynamic loader, whose path would stand in it."""
    data = program.read_bytes()
    return b"/ld-linux" not in data and b"/ld-musl" not in data


def image_of(machine: Machine, cache: Path, kernel: Path | None) -> Image:
    """Return what a machine boots, the demo image made if it needs that; HypervisorFault if a part lacks."""
    found = Path(machine.kernel) if machine.kernel else kernel or find_kernel(cache)
    if found is None:
        raise HypervisorFault(f"no linux.uml on PATH or in {cache}: install {' and '.join(PACKAGES)}")
    initrd = Path(machine.initrd) if machine.initrd else None
    disk = Path(machine.disk) if machine.disk else None
    if initrd is None and disk is None:
        initrd = demo_initrd(cache)
    for file in (found, initrd, disk):
        if file is not None and not file.is_file():
            raise HypervisorFault(f"{machine.name}: there is no file {file}")
    return Image(found.absolute(), initrd and initrd.absolute(), disk and disk.absolute())


def demo_initrd(cache: Path) -> Path:
    """Return the demo's initramfs, made when first needed and kept under the hash of its parts."""
    busybox = find_busybox(cache)
    if busybox is None:
        raise HypervisorFault(f"no static busybox on PATH or in {cache}: install {PACKAGES[1]}")
    program = busybox.read_bytes()
    scripts = [(name, (_GUEST / name).read_bytes()) for name in ("agent.sh", "inittab", "rc")]
    digest = hashlib.sha256(b"\0".join([program, *(data for _, data in scripts)])).hexdigest()
    path = cache / f"initramfs-{digest[:16]}.cpio.gz"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        fd, name = tempfile.mkstemp(".new", path.stem, cache)  # machines start side by side, in threads
        fresh = Path(name)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(gzip.compress(cpio(_demo_entries(busybox, program, dict(scripts))), mtime=0))
                os.fchmod(fd, 0o644)
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
    return path


def _demo_entries(busybox: Path, program: bytes, scripts: dict[str, bytes]) -> list[Entry]:
    applets = {"init", *_output(str(busybox), "--list-full").split()} - {"bin/busybox"}
    return [
        *(Entry(folder, 0o40755) for folder in _FOLDERS),
        Entry("dev/console", 0o20600, device=(5, 1)),
        Entry("bin/busybox", 0o100755, program, links=tuple(sorted(applets))),
        Entry("etc/inittab", 0o100644, scripts["inittab"]),
        Entry("etc/rc", 0o100755, scripts["rc"]),
        Entry("sbin/agent", 0o100755, scripts["agent.sh"]),
    ]


def fetch(cache: Path) -> tuple[str, ...]:
    """Fetch the kernel and busybox from Debian into the cache, needing no root; return what was fetched.

    apt gets a state folder of its own, since an ordinary user cannot refresh the system's (apt.conf(5)).
    Nothing is fetched that is there already. HypervisorFault if it cannot be done. Blocks for seconds.
    """
    wanted = [
        package
        for package, found in zip(PACKAGES, (find_kernel(cache), find_busybox(cache)), strict=True)
        if found is None
    ]
    if not wanted:
        return ()
    work = cache.absolute() / "apt"
    for folder in ("state/lists/partial", "cache/archives/partial", "unpacked"):
        (work / folder).mkdir(parents=True, exist_ok=True)
    state = ("-o", f"Dir::State={work}/state", "-o", "Dir::State::status=/var/lib/dpkg/status")
    options = (*state, "-o", f"Dir::Cache={work}/cache")
    try:
        _output("apt-get", "-qq", *options, "update", cwd=work)
        _output("apt-get", "-qq", *options, "download", *wanted, cwd=work)
        for package in sorted(work.glob("*.deb")):
            _output("dpkg-deb", "-x", str(package), str(work / "unpacked"), cwd=work)
        for path in ("usr/bin/linux.uml", "usr/bin/busybox", "bin/busybox"):
            if (work / "unpacked" / path).is_file():
                shutil.move(work / "unpacked" / path, cache / Path(path).name)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return tuple(wanted)


def _output(*argv: str, cwd: Path | None = None) -> str:
    try:
        return subprocess.run(argv, cwd=cwd, check=True, capture_output=True, text=True, timeout=300).stdout  # noqa: S603 - fixed programs, no shell
    except subprocess.CalledProcessError as error:
        said = (error.stderr or "").strip().splitlines()
        raise HypervisorFault(f"{argv[0]} failed: {said[-1] if said else error.returncode}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HypervisorFault(f"{argv[0]} failed: {error}") from error
