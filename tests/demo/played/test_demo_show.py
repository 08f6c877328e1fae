"""The whole demo as a newcomer starts it: a process of its own, in a checkout of its own."""

import asyncio
import io
import logging
import os
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from bot.demo import kernel, script, show
from bot.demo.screen import Screen
from bot.demo.script import Line, Step
from bot.errors import ConfigError
from bot.hypervisors.uml.runfolder import run_folder
from tests.demo.played.conftest import Paper

ROOT = Path(__file__).parents[3]


@pytest.fixture
def guest_kernel() -> None:
    """Skip, loudly, where there is no kernel for guests; with CI=true that is a failure."""
    missing = [name for name in ("linux.uml", "busybox") if shutil.which(name) is None]
    if missing and os.environ.get("CI") != "true":
        pytest.skip(f"NO REAL GUESTS TESTED, {missing} missing: apt install user-mode-linux busybox-static")
    assert not missing


@pytest.fixture
def checkout() -> Iterator[Path]:
    """A copy of what the demo needs of a checkout, in a folder that another uid may pass through."""
    with tempfile.TemporaryDirectory(prefix="ship") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for part in ("bot", "plugins", "policies", "data/seed"):
            if (ROOT / part).exists():
                ignore = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / part, folder / part, ignore=ignore)
        shutil.copy(ROOT / "pyproject.toml", folder)
        yield folder
        assert [left.cmdline() for left in guests(folder)] == []
        shutil.rmtree(run_folder(folder / "data/demo/ford"))


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder for PATH without kernel and apt."""
    folder = tmp_path / "bare"
    folder.mkdir()
    (folder / "sh").symlink_to("/bin/sh")
    return folder


def guests(checkout: Path) -> list[psutil.Process]:
    """Return the guests' processes of a demo in that checkout."""
    tag = f"shipboard={run_folder(checkout / 'data/demo/ford').name}"
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if tag in process.cmdline():
                found.append(process)
    return found


def start(
    checkout: Path, path: str, stdin: int = subprocess.DEVNULL, stdout: int = subprocess.PIPE
) -> "subprocess.Popen[str]":
    environ = {**os.environ, "PATH": path, "TERM": "xterm", "COLUMNS": "110", "PYTHONDONTWRITEBYTECODE": "1"}
    argv = [sys.executable, "-m", "bot.cli", "demo"]
    return subprocess.Popen(argv, cwd=checkout, env=environ, text=True, stdin=stdin, stdout=stdout)


def read_until(process: "subprocess.Popen[str]", part: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if part in line:
            return
    raise AssertionError(f"{part!r} did not come")


def test_without_a_terminal_and_without_a_kernel_the_tour_is_played_and_says_so_loudly(
    checkout: Path, bare: Path
) -> None:
    with start(checkout, str(bare)) as process:
        out, _ = process.communicate(timeout=150)
    assert process.returncode == 0, out
    assert "NOT REAL: no guest boots here" in out
    assert out.endswith(f"{show.OVER}\n")
    assert "The tour is over: every answer came" in out
    assert "\x1b" not in out
    assert "  jabber    left out: prosody is not installed\n" in out
    assert "@localhost" not in out
    assert (checkout / "data/demo/shipboard.db").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_tour_with_its_own_status(
    checkout: Path, bare: Path, number: signal.Signals
) -> None:
    with start(checkout, str(bare)) as process:
        read_until(process, "-- 2.")
        process.send_signal(number)
        process.send_signal(number)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert out.endswith(f"{show.OVER}\n")


def test_on_a_terminal_a_person_sits_and_ctrl_c_is_a_good_end(checkout: Path, bare: Path) -> None:
    person, program = pty.openpty()
    with start(checkout, str(bare), stdin=program, stdout=program) as process:
        os.close(program)
        seen = _see(person, "<alice> ")
        os.write(person, b"!ping hello\n")
        seen += _see(person, "pong hello")
        process.send_signal(signal.SIGINT)
        seen += _see(person, show.OVER)
        process.wait(timeout=60)
    os.close(person)
    assert process.returncode == 0
    assert "irssi -c 127.0.0.1 -p " in seen
    assert "You are alice, an admin, in #ford." in seen


def _see(terminal: int, part: str) -> str:
    seen = ""
    while part not in seen:
        seen += os.read(terminal, 4096).decode()
    return seen


@pytest.mark.real
@pytest.mark.usefixtures("guest_kernel")
def test_the_tour_runs_on_real_guests(checkout: Path) -> None:
    with start(checkout, os.environ["PATH"]) as process:
        out, _ = process.communicate(timeout=150)
    assert process.returncode == 0, out
    assert "NOT REAL" not in out
    assert "[ford-1] Linux ford-1 6." in out
    if os.environ.get("CI") == "true" or shutil.which("prosody"):
        assert "<Eddie> <fenchurch@jabber> Good morning from Jabber!\n" in out
        assert not (checkout / "data/demo/prosody").exists()
    assert (checkout / "data/cache").is_dir()


@pytest.mark.real
@pytest.mark.usefixtures("guest_kernel")
def test_a_signal_ends_the_guests_too(checkout: Path) -> None:
    with start(checkout, os.environ["PATH"]) as process:
        read_until(process, "<Eddie> ford-1 is up on ford")
        assert guests(checkout) != []
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert guests(checkout) == []


@pytest.mark.real
@pytest.mark.usefixtures("guest_kernel")
def test_what_a_killed_demo_left_is_ended_by_the_next(checkout: Path) -> None:
    with start(checkout, os.environ["PATH"]) as process:
        read_until(process, "<Eddie> ford-1 is up on ford")
        process.kill()
    assert guests(checkout) != []
    with start(checkout, os.environ["PATH"]) as process:
        out, _ = process.communicate(timeout=150)
    assert process.returncode == 0, out
    assert guests(checkout) == []


async def test_quit_ends_the_seat_and_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paper: Paper, screen: Screen
) -> None:
    monkeypatch.setattr(kernel, "PROCESSORS", frozenset())
    person, program = pty.openpty()
    showing = asyncio.create_task(show.Show(tmp_path / "demo", tmp_path / "cache", screen, program).run())
    await paper.expect("!vm start ford-1   !vm run ford-1 uname -a", "<alice> ")
    os.write(person, b"/quit\n")
    assert await showing == 0
    assert paper.getvalue().endswith(f"{show.OVER}\n")
    os.close(person)
    os.close(program)


async def test_a_signal_at_the_seat_is_a_good_end_and_a_second_one_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paper: Paper, screen: Screen
) -> None:
    monkeypatch.setattr(kernel, "PROCESSORS", frozenset())
    person, program = pty.openpty()
    showing = asyncio.create_task(show.Show(tmp_path / "demo", tmp_path / "cache", screen, program).run())
    await paper.expect("<alice> ")
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGINT)
    assert await showing == 0
    assert paper.getvalue().endswith(f"{show.OVER}\n")
    os.close(person)
    os.close(program)


def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """Run the demo in this process, as if it were installed."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(kernel, "PROCESSORS", frozenset())
    monkeypatch.setattr(show, "folders", lambda *_: (tmp_path / "demo", tmp_path / "cache"))
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stdin", None)
    status = show.main({})
    assert isinstance(out.buffer, io.BytesIO)
    return status, out.buffer.getvalue().decode()


def test_a_terminal_without_utf_8_shows_what_it_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status, out = play(tmp_path, monkeypatch)
    assert status == 0
    assert "<Eddie ? alice> [ford-1] Linux" in out
    assert "<trillian> !audit verify" in out


def test_an_answer_that_does_not_come_is_a_status_and_a_line_that_names_it_and_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = (Step("Nothing", (Line("alice", "!ping", ("never",), 0.3),)),)
    monkeypatch.setattr(script, "script", lambda _, **__: steps)
    handlers = [*logging.getLogger().handlers]
    status, out = play(tmp_path, monkeypatch)
    assert status == 1
    assert f"no line with 'never' came in 0.3 s; instead came: pong. Its log: {tmp_path}/demo/demo.log" in out
    assert "the demo failed" in (tmp_path / "demo/demo.log").read_text()
    assert logging.getLogger().handlers == handlers


def test_a_folder_that_cannot_be_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "demo").write_text("a file")
    with pytest.raises(ConfigError, match="set XDG_STATE_HOME to a folder that may be written"):
        play(tmp_path, monkeypatch)


def test_the_demo_lives_in_its_checkout_else_in_the_xdg_place(tmp_path: Path) -> None:
    package, home = tmp_path / "bot", {"HOME": "/home/zaphod"}
    installed = Path("/home/zaphod/.local/state/shipboard/demo")
    assert show.folders(package, home) == (installed, installed / "cache")
    assert show.folders(package, {"XDG_STATE_HOME": "/state"})[0] == Path("/state/shipboard/demo")
    (tmp_path / "data").mkdir()
    (tmp_path / "pyproject.toml").touch()
    assert show.folders(package, home) == (tmp_path / "data/demo", tmp_path / "data/cache")
