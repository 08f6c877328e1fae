"""Where the demo's kernel comes from: PATH, else Debian, else nowhere."""

import asyncio
import os
from pathlib import Path

import psutil
import pytest

from bot.demo import kernel
from bot.errors import HypervisorFault
from bot.hypervisors.uml import image


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH, on a processor on which User-Mode Linux runs."""
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def tool(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


async def test_what_is_on_path_is_taken_without_a_word(tools: Path, tmp_path: Path) -> None:
    found = tool(tools / "linux.uml", "exit 0")
    tool(tools / "busybox", "exit 0")
    said: list[str] = []
    assert await kernel.provide(tmp_path / "cache", said.append, "x86_64") == found
    assert said == []


async def test_another_processor_is_named(tmp_path: Path) -> None:
    with pytest.raises(HypervisorFault, match="does not run on aarch64"):
        await kernel.provide(tmp_path, print, "aarch64")


@pytest.mark.usefixtures("tools")
async def test_a_host_without_apt_is_named(tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(HypervisorFault, match="apt-get"):
        await kernel.provide(tmp_path / "cache", said.append, "x86_64")
    assert said[0].startswith("fetching user-mode-linux and busybox-static from Debian")


async def test_what_apt_says_is_the_reason(tools: Path, tmp_path: Path) -> None:
    tool(tools / "apt-get", "echo 'E: Could not resolve deb.debian.org' >&2; exit 100")
    with pytest.raises(HypervisorFault, match=r"apt-get failed: E: Could not resolve deb\.debian\.org"):
        await kernel.provide(tmp_path / "cache", print, "x86_64")


async def test_an_apt_that_brings_nothing_is_told(tools: Path, tmp_path: Path) -> None:
    tool(tools / "apt-get", "exit 0")
    with pytest.raises(HypervisorFault, match=r"no linux\.uml on PATH, and none came into"):
        await kernel.provide(tmp_path / "cache", print, "x86_64")


def slow_apt(tools: Path, tmp_path: Path) -> Path:
    """Make an apt-get that says its pid and then takes long."""
    fifo = tmp_path / "pid"
    os.mkfifo(fifo)
    tool(tools / "apt-get", f"echo $$ > {fifo}; exec /bin/sleep 600")
    return fifo


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_whoever_ends_the_demo_meanwhile_leaves_no_apt_behind(tools: Path, tmp_path: Path) -> None:
    fifo = slow_apt(tools, tmp_path)
    task = asyncio.create_task(kernel.provide(tmp_path / "cache", print, "x86_64"))
    async with asyncio.timeout(20):
        pid = int(await asyncio.to_thread(fifo.read_text))
    assert lives(pid)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    while lives(pid):
        pass


async def test_an_apt_that_hangs_is_given_up(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "FETCH_SECONDS", 0.2)
    tool(tools / "apt-get", "exec /bin/sleep 600")
    with pytest.raises(HypervisorFault, match=r"fetching took longer than 0\.2 s"):
        await kernel.provide(tmp_path / "cache", print, "x86_64")


def test_the_fetching_process_gives_a_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(image, "fetch", lambda _: ())
    assert kernel.main(tmp_path) == 0

    def fail(_: Path) -> tuple[str, ...]:
        raise HypervisorFault("no network")

    monkeypatch.setattr(image, "fetch", fail)
    assert kernel.main(tmp_path) == 1
    assert capsys.readouterr().err == "no network\n"
