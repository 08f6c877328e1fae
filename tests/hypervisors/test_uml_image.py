import gzip
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from bot.coop.machines import Machine
from bot.errors import HypervisorFault
from bot.hypervisors.uml.image import Entry, cpio, demo_initrd, fetch, find_busybox, find_kernel, image_of


def program(path: Path, text: str = "exit 0") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing but the shell's own programs on it."""
    folder = tmp_path / "path"
    folder.mkdir()
    for name in ("sh", "cp", "mkdir", "cat", "touch", "test", "echo"):
        (folder / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", str(folder))
    return folder


def members(archive: bytes) -> dict[str, tuple[int, bytes, tuple[int, int]]]:
    found: dict[str, tuple[int, bytes, tuple[int, int]]] = {}
    at = 0
    while True:
        assert archive[at : at + 6] == b"070701"
        fields = [int(archive[at + 6 + 8 * i : at + 14 + 8 * i], 16) for i in range(13)]
        name = archive[at + 110 : at + 110 + fields[11] - 1].decode()
        start = at + 110 + fields[11] + -(110 + fields[11] + at) % 4
        if name == "TRAILER!!!":
            return found
        found[name] = (fields[1], archive[start : start + fields[6]], (fields[9], fields[10]))
        at = start + fields[6] + -(start + fields[6]) % 4


def test_an_archive_is_in_the_newc_format() -> None:
    archive = cpio(
        [Entry("etc", 0o40755), Entry("etc/a", 0o100644, b"abc"), Entry("tty", 0o20600, device=(5, 1))]
    )
    assert len(archive) % 4 == 0
    assert members(archive) == {
        "etc": (0o40755, b"", (0, 0)),
        "etc/a": (0o100644, b"abc", (0, 0)),
        "tty": (0o20600, b"", (5, 1)),
    }


def test_a_file_with_many_names_is_stored_once() -> None:
    archive = cpio([Entry("a", 0o100755, b"data", links=("b", "c")), Entry("d", 0o100644)])
    assert archive.count(b"data") == 1
    numbers = [archive[at + 6 : at + 14] for at in range(len(archive)) if archive[at : at + 6] == b"070701"]
    assert numbers[0] == numbers[1] == numbers[2] != numbers[3]
    assert set(members(archive)) == {"a", "b", "c", "d"}


def test_the_demo_image_is_made_once_and_the_same_each_time(cache: Path, path: Path, tmp_path: Path) -> None:
    program(path / "busybox", "echo bin/sh; echo sbin/init; echo bin/busybox")
    first = demo_initrd(cache)
    data = first.read_bytes()
    stamp = first.stat().st_mtime_ns
    assert demo_initrd(cache) == first
    assert first.stat().st_mtime_ns == stamp
    assert demo_initrd(tmp_path / "other").read_bytes() == data
    found = members(gzip.decompress(data))
    assert found["bin/busybox"][:2] == (0o100755, (path / "busybox").read_bytes())
    assert {"init", "sbin/init", "bin/sh"} <= set(found)
    assert found["dev/console"] == (0o20600, b"", (5, 1))
    assert b"ttyS1" in found["etc/inittab"][1]
    assert b"PONG" in found["sbin/agent"][1]


def test_two_machines_that_start_together_make_one_image(
    cache: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(path / "busybox", "echo bin/sh; echo sbin/init; echo bin/busybox")
    written, replace = Barrier(2), Path.replace

    def meet(draft: Path, target: Path) -> Path:
        written.wait(10)
        return replace(draft, target)

    monkeypatch.setattr(Path, "replace", meet)
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(demo_initrd, [cache, cache]))
    assert both[0] == both[1]
    assert [file.name for file in cache.iterdir()] == [both[0].name]
    assert {"init", "bin/sh"} <= set(members(gzip.decompress(both[0].read_bytes())))
    assert both[0].stat().st_mode & 0o777 == 0o644  # the guests' uids read it


def test_another_busybox_makes_another_image(cache: Path, path: Path) -> None:
    program(path / "busybox", "echo bin/sh")
    first = demo_initrd(cache)
    program(path / "busybox", "echo bin/ash")
    assert demo_initrd(cache) != first


@pytest.mark.parametrize("script", ["agent.sh", "rc"])
def test_the_guests_scripts_are_shell(script: str) -> None:
    path = Path(__file__).parents[2] / "bot/hypervisors/uml/guest" / script
    assert subprocess.run(["/bin/sh", "-n", str(path)], check=False).returncode == 0


def test_path_comes_before_the_cache(cache: Path, path: Path) -> None:
    assert find_kernel(cache) is None
    fetched = program(cache / "linux.uml")
    assert find_kernel(cache) == fetched
    installed = program(path / "linux.uml")
    assert find_kernel(cache) == installed


def test_a_busybox_that_needs_libraries_is_of_no_use(cache: Path, path: Path) -> None:
    program(path / "busybox", "# /lib64/ld-linux-x86-64.so.2")
    assert find_busybox(cache) is None
    fetched = program(cache / "busybox")
    assert find_busybox(cache) == fetched


def test_what_a_machine_boots(cache: Path, path: Path, tmp_path: Path) -> None:
    machine = Machine("ford-1", "ford")
    with pytest.raises(HypervisorFault, match=r"no linux\.uml.*install user-mode-linux and busybox-static"):
        image_of(machine, cache, None)
    kernel = program(path / "linux.uml")
    with pytest.raises(HypervisorFault, match="no static busybox"):
        image_of(machine, cache, None)
    program(path / "busybox", "echo bin/sh")
    image = image_of(machine, cache, None)
    assert (image.kernel, image.disk) == (kernel, None)
    assert image.initrd is not None
    own = program(tmp_path / "own")
    assert image_of(machine, cache, own).kernel == own
    mine = image_of(Machine("m", "ford", kernel=own, disk=own), cache, None)
    assert (mine.kernel, mine.initrd, mine.disk) == (own, None, own)
    with pytest.raises(HypervisorFault, match="there is no file"):
        image_of(Machine("m", "ford", initrd=tmp_path / "gone"), cache, None)


APT = """
case "$*" in
*update*) test -d "$PWD/state/lists/partial" || exit 1 ;;
*download*) for word; do case $word in user-*|busybox-*) echo "$word" > $word.deb ;; esac; done ;;
esac
"""
DPKG = """
mkdir -p "$3/usr/bin" "$3/bin"
case $2 in
*linux*) echo kernel > "$3/usr/bin/linux.uml" ;;
*) echo busybox > "$3/bin/busybox" ;;
esac
"""


def test_what_lacks_is_fetched_without_root(cache: Path, path: Path) -> None:
    program(path / "apt-get", APT)
    program(path / "dpkg-deb", DPKG)
    assert fetch(cache) == ("user-mode-linux", "busybox-static")
    assert sorted(file.name for file in cache.iterdir()) == ["busybox", "linux.uml"]
    assert fetch(cache) == ()
    (cache / "busybox").unlink()
    assert fetch(cache) == ("busybox-static",)


@pytest.mark.parametrize(
    ("script", "said"),
    [("echo 'E: no network' >&2; exit 100", "E: no network"), ("exit 7", "7"), (None, "No such file")],
)
def test_a_fetch_that_fails_says_why_and_leaves_nothing(
    cache: Path, path: Path, script: str | None, said: str
) -> None:
    if script:
        program(path / "apt-get", script)
    with pytest.raises(HypervisorFault, match=f"apt-get failed: .*{said}"):
        fetch(cache)
    assert list(cache.iterdir()) == []
