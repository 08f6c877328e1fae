"""What every hypervisor does: the fake, and the real one with a real guest."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.coop.machines import Machine, MachineEvent, MachineEventKind, MachineState
from bot.errors import Conflict, NotFound
from bot.hypervisors.fake import FakeHypervisor
from bot.hypervisors.uml.hypervisor import UmlHypervisor
from bot.ports import Clock, Hypervisor


@pytest.fixture(params=["fake", pytest.param("uml", marks=pytest.mark.real)])
async def hypervisor(
    request: pytest.FixtureRequest, short: Path, run: Path, clock: Clock, machine: Machine
) -> AsyncIterator[Hypervisor]:
    if request.param == "fake":
        yield FakeHypervisor("ford", clock)
        return
    if not shutil.which("linux.uml") or not shutil.which("busybox"):
        reason = "NOT TESTED: linux.uml or busybox is not installed"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    uml = UmlHypervisor("ford", folder=short / "ford", run=run, cache=short, sandbox="auto", clock=clock)
    try:
        yield uml
    finally:
        if (await uml.inspect(machine)).state.is_up:
            await uml.kill(machine)
        await uml.close()


@pytest.fixture
async def events(hypervisor: Hypervisor) -> AsyncIterator[AsyncIterator[MachineEvent]]:
    events = hypervisor.events()
    yield events
    await events.aclose()  # type: ignore[attr-defined]  # an async generator


async def coming(events: AsyncIterator[MachineEvent]) -> MachineEvent:
    async with asyncio.timeout(60):
        return await anext(events)


async def test_a_machine_that_was_never_started_is_stopped(hypervisor: Hypervisor, machine: Machine) -> None:
    info = await hypervisor.inspect(machine)
    assert (info.name, info.state, info.pid, info.since, info.limits) == (
        "ford-1", MachineState.STOPPED, None, None, None,
    )  # fmt: skip
    assert await hypervisor.console(machine, 5) == ()
    assert await hypervisor.adopt([machine]) == ()


async def test_what_needs_a_running_machine_is_refused_without_one(
    hypervisor: Hypervisor, machine: Machine
) -> None:
    for deed in (
        hypervisor.stop(machine),
        hypervisor.reboot(machine),
        hypervisor.pause(machine),
        hypervisor.resume(machine),
        hypervisor.kill(machine),
        hypervisor.run(machine, "uname"),
        hypervisor.usage(machine),
    ):
        with pytest.raises(Conflict, match="ford-1 is not running"):
            await deed


async def test_a_machine_of_another_host_is_not_found(hypervisor: Hypervisor) -> None:
    with pytest.raises(NotFound, match="zaphod-1 is not on ford"):
        await hypervisor.start(Machine("zaphod-1", "zaphod"))


async def test_a_machines_life(
    hypervisor: Hypervisor, machine: Machine, events: AsyncIterator[MachineEvent], clock: Clock
) -> None:
    info = await hypervisor.start(machine)
    assert info.state is MachineState.RUNNING
    assert info.pid
    assert info.since is not None
    assert abs((clock.now() - info.since).total_seconds()) < 20
    assert info.limits is not None
    assert info.limits.memory_mib == 64
    assert info.limits.sandbox in {"uid", "bwrap", "fake"}
    ready = await coming(events)
    assert (ready.machine, ready.host, ready.kind, ready.asked) == (
        "ford-1",
        "ford",
        MachineEventKind.READY,
        True,
    )
    with pytest.raises(Conflict, match="up already"):
        await hypervisor.start(machine)
    assert [found.name for found in await hypervisor.adopt([machine])] == ["ford-1"]

    assert b"Linux ford-1" in (await hypervisor.run(machine, "uname -a")).output
    assert (await hypervisor.run(machine, "echo hello there")).output == b"hello there\n"
    assert (await hypervisor.run(machine, "no-such-program")).status == 127
    usage = await hypervisor.usage(machine)
    assert usage.cpu_seconds >= 0
    assert 0 < usage.memory_bytes <= 80 * 1024 * 1024
    assert len(await hypervisor.console(machine, 2)) == 2

    await hypervisor.pause(machine)
    assert (await hypervisor.inspect(machine)).state is MachineState.PAUSED
    for refused in (hypervisor.pause(machine), hypervisor.run(machine, "uname")):
        with pytest.raises(Conflict, match="paused"):
            await refused
    await hypervisor.resume(machine)
    with pytest.raises(Conflict, match="not paused"):
        await hypervisor.resume(machine)
    assert (await hypervisor.run(machine, "echo again")).status == 0

    result = await hypervisor.stop(machine)
    assert (result.rung, result.tried) == ("cad", ("cad",))
    assert result.seconds < 20
    ended = await coming(events)
    assert (ended.kind, ended.asked) == (MachineEventKind.EXITED, True)
    assert len(ended.tail) > 1
    assert (await hypervisor.inspect(machine)).state is MachineState.STOPPED


async def test_a_reboot_and_a_kill(
    hypervisor: Hypervisor, machine: Machine, events: AsyncIterator[MachineEvent]
) -> None:
    first = await hypervisor.start(machine)
    second = await hypervisor.reboot(machine)
    assert second.state is MachineState.RUNNING
    assert second.pid != first.pid
    await hypervisor.kill(machine)
    assert (await hypervisor.inspect(machine)).state is MachineState.STOPPED
    heard = [await coming(events) for _ in range(4)]
    assert [event.kind for event in heard] == ["ready", "exited", "ready", "exited"]
    assert all(event.asked for event in heard)


async def test_a_machine_without_grace_goes_at_once(hypervisor: Hypervisor, machine: Machine) -> None:
    await hypervisor.start(machine)
    result = await hypervisor.stop(machine, 0)
    assert result.rung in {"halt", "kill"}
    assert result.seconds < 20
    assert (await hypervisor.start(machine)).state is MachineState.RUNNING
