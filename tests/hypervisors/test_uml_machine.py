"""What a machine does where a real guest would have to misbehave: its process is a sleeping one."""

import asyncio
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from bot.coop.machines import Machine, MachineState
from bot.errors import Conflict, HypervisorFault
from bot.hypervisors.events import EventQueue
from bot.hypervisors.uml import guest as guest_module
from bot.hypervisors.uml import machine as module
from bot.hypervisors.uml import process
from bot.hypervisors.uml.console import ConsoleLog
from bot.hypervisors.uml.hypervisor import UmlHypervisor
from bot.hypervisors.uml.machine import UmlMachine
from bot.hypervisors.uml.mconsole import GuestSilent
from bot.hypervisors.uml.record import Record
from bot.hypervisors.uml.site import Site
from bot.ports import Clock


@pytest.fixture
def sleeper() -> Iterator[int]:
    null = subprocess.DEVNULL
    with subprocess.Popen(["/bin/sleep", "60"], start_new_session=True, stdin=null, stdout=null) as started:
        yield started.pid
        process.end(started.pid, None, None)


@pytest.fixture
def up(short: Path, run: Path, clock: Clock, sleeper: int) -> UmlMachine:
    """A machine whose record says that this process is its guest."""
    site = Site("ford", short / "ford", run, short, "none", clock, None, EventQueue())
    up = UmlMachine("ford-1", site, lambda _: 60600)
    up.guest.home.mkdir(parents=True)
    (up.guest.run / "n").mkdir(parents=True)
    ticks = process.born(sleeper) or 0
    up.guest.record = Record(wanted=True, pid=sleeper, keeper=sleeper, born=ticks, boot=process.boot_id())
    return up


async def test_a_young_guest_without_a_console_is_starting_an_old_one_unresponsive(
    up: UmlMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await up.inspect()).state is MachineState.STARTING
    monkeypatch.setattr(process, "age", lambda _: 3600.0)
    info = await up.inspect()
    assert info.state is MachineState.UNRESPONSIVE
    assert "No such file" in info.detail


async def test_a_guest_that_ends_while_it_is_asked_is_not_unresponsive(
    up: UmlMachine, sleeper: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ending(*_: object) -> str:
        process.end(sleeper, None, None)
        raise GuestSilent("no answer")

    monkeypatch.setattr(module, "ask", ending)
    info = await up.inspect()
    assert (info.state, info.pid) == (MachineState.CRASHED, None)


async def test_a_pause_that_fails_leaves_no_pause(up: UmlMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(*_: object) -> str:
        raise GuestSilent("no answer")

    monkeypatch.setattr(module, "ask", silent)
    with pytest.raises(GuestSilent):
        await up.pause()
    assert not up.guest.record.paused
    await up.guest.close()


async def test_a_paused_machine_that_does_not_answer_is_stopped_all_the_same(up: UmlMachine) -> None:
    up.guest.record = replace(up.guest.record, paused=True)
    result = await up.stop(0)
    assert result.rung == "kill"
    await up.guest.close()


async def test_a_pid_that_is_another_process_now_is_not_the_guest(up: UmlMachine, sleeper: int) -> None:
    up.guest.record = replace(up.guest.record, born=1)
    assert (await up.inspect()).state is MachineState.CRASHED
    with pytest.raises(Conflict, match="not running"):
        await up.kill()
    assert not up.guest.adopt()
    assert process.born(sleeper) is not None


async def test_a_machine_of_the_hosts_last_boot_has_crashed_with_it(up: UmlMachine) -> None:
    up.guest.record = replace(up.guest.record, boot="another")
    assert not up.guest.adopt()
    event = await anext(up.guest.site.events.listen())
    assert event.text == "the host was restarted, while the bot was away"


async def test_a_guest_whose_record_was_not_finished_is_found(
    up: UmlMachine, sleeper: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    up.guest.record = replace(up.guest.record, pid=None, born=0)
    monkeypatch.setattr(process, "find", lambda *_: sleeper)
    assert up.guest.adopt()
    assert up.guest.record.pid == sleeper
    await up.guest.close()


async def test_a_guest_that_cannot_be_measured(
    up: UmlMachine, monkeypatch: pytest.MonkeyPatch, short: Path
) -> None:
    def gone(_: int) -> float:
        raise psutil.NoSuchProcess(1)

    disk = short / "disk"
    disk.write_bytes(b"x" * 8192)
    assert (await up.usage(Machine("ford-1", "ford", disk=disk))).disk_bytes >= 8192
    monkeypatch.setattr(process, "cpu_seconds", gone)
    with pytest.raises(HypervisorFault, match="cannot be measured"):
        await up.usage(Machine("ford-1", "ford"))


async def test_a_slow_boot_is_reported_and_a_guest_without_an_agent_is_up(
    up: UmlMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    async def report(part: float, text: str) -> None:
        assert 0 < part < 1
        told.append(text)
        up.guest.booted.set()

    monkeypatch.setattr(module, "REPORT_AFTER", 0.01)
    monkeypatch.setattr(module, "AGENT_SECONDS", 0.02)
    assert up.guest.adopt()
    up.guest.booted.clear()
    monkeypatch.setattr(module, "PING_SECONDS", 0.015)
    assert await up._come_up(report) == "no agent answers"
    assert told == ["waiting for the kernel", "the kernel is up, waiting for the agent"]
    await up.guest.close()
    with pytest.raises(Conflict, match="boots on"):
        await up._come_up(report)


async def test_a_guest_whose_init_could_start_nothing_is_booted_again(
    up: UmlMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    boots: list[object] = []

    async def launch(launched: object) -> None:
        boots.append(launched)
        if len(boots) == 3:
            raise HypervisorFault("enough")

    async def answers(_: float) -> bool:
        return False

    async def end() -> None:
        boots.append("end")

    monkeypatch.setattr(type(up.guest), "launch", lambda _, launched: launch(launched))
    monkeypatch.setattr(type(up.guest), "end", lambda _: end())
    monkeypatch.setattr(up, "_prepare", lambda _: "launch", raising=False)
    monkeypatch.setattr(up.guest.agent, "answers", answers)
    up.guest.booted.set()
    up.guest.gone.clear()
    (up.guest.home / "console.log").write_text("Run /init as init process\ncan't fork\n")
    with pytest.raises(HypervisorFault, match="enough"):
        await up._boot(Machine("ford-1", "ford"), None)
    assert boots == ["launch", "end", "launch"]


async def test_a_kernel_that_never_boots(up: UmlMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REPORT_AFTER", 0.01)
    monkeypatch.setattr(module, "BOOT_SECONDS", 0.02)
    with pytest.raises(HypervisorFault, match="no sign of its kernel"):
        await up._come_up(None)


async def test_what_cannot_be_cleared_away_is_logged(
    up: UmlMachine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def stuck(*_: object) -> None:
        raise HypervisorFault("stuck")

    assert up.guest.adopt()
    with monkeypatch.context() as patch:
        patch.setattr(guest_module, "_remove", stuck)
        await up.guest.end()
    assert "could be cleared away" in caplog.text
    assert up.guest.gone.is_set()
    up.guest.record = Record(wanted=True, pid=1, boot="another")
    monkeypatch.setattr(process, "end_strays", stuck)
    assert not up.guest.adopt()
    assert caplog.text.count("could be cleared away") == 2
    await up.guest.close()


def test_a_folder_that_cannot_be_removed_is_a_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    deep = tmp_path / "deep"
    (deep / "a" / "b").mkdir(parents=True)
    (deep / "link").symlink_to("/etc")
    guest_module._remove(deep)
    assert not deep.exists()
    assert Path("/etc/hostname").exists()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HypervisorFault, match="cannot be removed"):
        guest_module._remove(deep)


async def test_a_log_that_cannot_be_cut_stops_nothing(
    short: Path,
    run: Path,
    clock: Clock,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    tried = asyncio.Event()

    def broken(_: ConsoleLog) -> bool:
        tried.set()
        raise OSError("no space")

    monkeypatch.setattr(ConsoleLog, "trim", broken)
    bot = UmlHypervisor("ford", folder=short / "ford", run=run, cache=short, sandbox="none", clock=clock)
    assert await bot.adopt([machine]) == ()
    async with asyncio.timeout(60):
        await tried.wait()
    await bot.close()
    assert "a console log cannot be cut" in caplog.text
