import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from bot.errors import HypervisorFault
from bot.hypervisors.uml import process
from bot.hypervisors.uml.image import Image
from bot.hypervisors.uml.process import Launch
from bot.hypervisors.uml.sandbox import Sandbox


@pytest.fixture
def sleeper() -> Iterator[int]:
    """A session with a child, whose command line is like a guest's."""
    words = ["/bin/sh", "-c", "sleep 60 & wait", "umid=ford-1", "shipboard=tag"]
    null = subprocess.DEVNULL
    with subprocess.Popen(words, start_new_session=True, stdin=null, stdout=null, stderr=null) as started:
        while not any(child.name() == "sleep" for child in _children(started.pid)):
            pass  # until the child is the other program, its command line is its parent's
        yield started.pid
        process.end(started.pid, None, None)
        started.wait()


def _children(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children()


def launch(tmp_path: Path, kernel: str = "/bin/true", **changes: object) -> Launch:
    fields: dict[str, object] = {
        "name": "ford-1",
        "tag": "tag",
        "image": Image(Path(kernel), tmp_path / "initrd", None),
        "memory_mib": 32,
        "half": False,
        "sandbox": Sandbox(switch=False, walls=False),
        "uid": None,
        "run": tmp_path / "run",
        "fixed_addresses": True,
    }
    (tmp_path / "initrd").touch()
    return Launch(**fields | changes)  # type: ignore[arg-type]  # checked by the dataclass's users


def test_a_process_is_known_by_its_birth(sleeper: int) -> None:
    ticks = process.born(sleeper)
    assert ticks == process.born(sleeper) != process.born(os.getpid())
    assert 0 <= process.age(ticks or 0) < 60
    assert process.born(2**22 + 1) is None


def test_a_zombie_has_ended() -> None:
    started = subprocess.Popen(["/bin/true"])
    os.waitid(os.P_PID, started.pid, os.WEXITED | os.WNOWAIT)
    assert process.born(started.pid) is None
    assert process.reap(started.pid, walls=False) == 0
    started.returncode = 0


def test_all_of_a_session_ends(sleeper: int) -> None:
    children = [child.pid for child in psutil.Process(sleeper).children()]
    assert set(process.remains(sleeper, None, None)) == {sleeper, *children}
    process.end(sleeper, None, None)
    assert process.remains(sleeper, None, None) == []


def test_what_does_not_end_is_named(sleeper: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "kill", lambda *_: None)
        patch.setattr(time, "sleep", lambda _: None)
        with pytest.raises(HypervisorFault, match=f"do not end: .*{sleeper}"):
            process.end(sleeper, None, None)


def test_a_guest_is_found_by_its_command_line(sleeper: int) -> None:
    uid = {os.geteuid()}
    assert process.find("ford-1", "tag", uid) == sleeper
    assert process.find("ford-1", "tag", {60600}) is None
    assert process.find("ford-2", "tag", uid) is None
    assert process.find("ford-1", "other", uid) is None


def test_the_kernel_is_the_process_or_its_child(sleeper: int) -> None:
    sleep = Path("/bin/sleep")
    child = process.main_process(sleeper, sleep)
    assert child in {found.pid for found in psutil.Process(sleeper).children()}
    assert process.main_process(sleeper, Path("/proc/1/exe/none")) is None
    assert process.main_process(2**22 + 1, sleep) is None


@pytest.mark.parametrize(
    ("script", "walls", "status"),
    [
        ("exit 3", False, 3),
        ("kill -9 $$", False, -9),
        ("exit 137", True, -9),
        ("exit 137", False, 137),
        ("exit 0", True, 0),
    ],
)
def test_how_a_process_ended(script: str, walls: bool, status: int) -> None:  # noqa: FBT001 - a table's column
    started = subprocess.Popen(["/bin/sh", "-c", script])
    started.returncode = 0
    os.waitid(os.P_PID, started.pid, os.WEXITED | os.WNOWAIT)
    assert process.reap(started.pid, walls=walls) == status
    assert process.reap(started.pid, walls=walls) is None


def test_one_that_runs_is_not_reaped(sleeper: int) -> None:
    assert process.reap(sleeper, walls=False) is None
    assert process.born(sleeper) is not None


def command(asked: Launch) -> list[str]:
    with ExitStack() as stack:
        return process._command(asked, (7, 8), stack)[0]


def test_a_guests_command_line(tmp_path: Path) -> None:
    argv = command(launch(tmp_path))
    assert argv[:2] == ["prlimit", "--core=0"]
    assert {"setarch", "umid=ford-1", "mem=32M", "noreboot", "ssl1=fd:7,fd:8", "shipboard=tag"} <= set(argv)
    assert not any(word.startswith(("con0=port", "hostfs", "--nproc", "ubd0")) for word in argv)
    assert argv[-1].startswith("initrd=/proc/self/fd/")


def test_a_half_share_is_niced_and_addresses_may_float(tmp_path: Path) -> None:
    argv = command(launch(tmp_path, half=True, fixed_addresses=False))
    assert argv[:3] == ["nice", "-n", "10"]
    assert "setarch" not in argv
    assert f"--fsize={32 * process.MIB + process.GAP + process.ROOM}" in argv


def test_a_guest_behind_walls_knows_no_path_of_the_hosts(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.write_bytes(b"x")
    image = Image(Path("/bin/true"), None, disk)
    argv = command(launch(tmp_path, image=image, sandbox=Sandbox(switch=True, walls=True), uid=60600))
    words = argv[argv.index("setarch") :]
    assert not any(str(tmp_path) in word for word in words)
    assert {"/kernel", "ubd0=/disk", "root=/dev/ubda", "uml_dir=/run", "mconsole=notify:/notify/s"} <= set(
        words
    )
    assert "--nproc=4096" in argv
    assert "--reuid=60600" in argv


def test_a_guest_inherits_nothing_of_the_bots_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "secret")
    yes = launch(tmp_path, image=Image(Path("/usr/bin/yes"), None, None))
    first_word, said = os.pipe()
    pid = process.spawn(yes, (said, said), said)
    os.close(said)
    # Until the program itself has spoken, the kernel may not have its environment in place (execve(2)).
    assert os.read(first_word, 1)
    environ = Path(f"/proc/{pid}/environ").read_text()
    process.end(pid, None, None)
    os.close(first_word)
    assert process.reap(pid, walls=False) == -signal.SIGKILL
    assert {word.partition("=")[0] for word in environ.split("\0") if word} == {"PATH", "HOME", "TMPDIR"}


def test_what_cannot_be_started_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_command", lambda *_: (["/nowhere/program"], []))
    with pytest.raises(HypervisorFault, match=r"ford-1 cannot be started: .*No such file"):
        process.spawn(launch(tmp_path), (0, 1), 1)


def test_memory_goes_where_it_has_room_and_may_be_executed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert process.memory_folder(1, ("/nowhere", str(tmp_path))) == str(tmp_path)
    with pytest.raises(HypervisorFault, match="no folder has room"):
        process.memory_folder(1, ("/nowhere", "/proc"))
    with pytest.raises(HypervisorFault, match="1000000000 MiB"):
        process.memory_folder(10**9, (str(tmp_path),))
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result((0,) * 8 + (os.ST_NOEXEC, 0)))
    with pytest.raises(HypervisorFault, match="allows execution"):
        process.memory_folder(1, (str(tmp_path),))


def test_figures_of_a_process(sleeper: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert process.cpu_seconds(sleeper) >= 0
    assert process.memory_bytes(sleeper) > 0
    monkeypatch.setattr(os, "listdir", refused)
    assert process.memory_bytes(sleeper) > 0
    with pytest.raises(psutil.Error):
        process.cpu_seconds(2**22 + 1)


def refused(_: str) -> list[str]:
    raise PermissionError


BUSY = """
import os, time
def work(seconds):
    while time.process_time() < seconds: pass
for depth in range(2):
    if os.fork() == 0:
        work(0.1)
        continue
    if depth == 0:
        if os.fork() == 0:
            work(0.15)
            os._exit(0)
        os.wait()
        print(flush=True)
    break
time.sleep(600)
"""


def test_the_time_of_a_family_is_that_of_all_its_living_and_its_dead() -> None:
    argv = [sys.executable, "-c", BUSY]
    with subprocess.Popen(argv, start_new_session=True, stdout=subprocess.PIPE) as started:
        assert started.stdout
        started.stdout.readline()
        deadline = time.monotonic() + 50
        while process.cpu_seconds(started.pid) < 0.35 and time.monotonic() < deadline:
            pass
        main = psutil.Process(started.pid)
        everybody = [main, *main.children(recursive=True)]
        assert len(everybody) == 3
        expected = sum(sum(one.cpu_times()[:4]) for one in everybody)
        assert process.cpu_seconds(started.pid) == pytest.approx(expected, abs=0.08)
        process.end(started.pid, None, None)


def test_forty_families_are_measured_in_a_few_ms() -> None:
    script = "for i in 1 2 3 4 5 6 7; do sleep 600 & done; echo; wait"
    with ExitStack() as stack:
        families = []
        for _ in range(40):
            argv = ["/bin/sh", "-c", script]
            started = stack.enter_context(
                subprocess.Popen(argv, start_new_session=True, stdout=subprocess.PIPE)
            )
            stack.callback(process.end, started.pid, None, None)
            families.append(started)
        for started in families:
            assert started.stdout
            started.stdout.readline()
        costs = []
        for _ in range(5):
            before = time.process_time()
            for started in families:
                process.cpu_seconds(started.pid)
            costs.append(time.process_time() - before)
        assert min(costs) < 0.050  # five times what it takes on a slow machine


def test_a_weight_that_cannot_be_set_is_told(sleeper: int) -> None:
    assert process.soften(2**22 + 1) == "autogroup: No such file or directory"
    assert process.weight(2**22 + 1) == ""
    if Path("/proc/self/autogroup").exists():
        assert process.soften(sleeper) == ""
        assert process.weight(sleeper) == "autogroup nice 10"
