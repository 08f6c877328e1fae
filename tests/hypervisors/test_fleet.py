import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.coop.machines import Machine, MachineEvent, MachineInfo, MachineState
from bot.errors import HypervisorFault, NotFound
from bot.hypervisors import fleet as module
from bot.hypervisors.fake import FakeHypervisor
from bot.hypervisors.fleet import Fleet
from bot.testing import FakeClock

ARTHUR, ZAPHOD = Machine("arthur-1", "ford"), Machine("zaphod-1", "zaphod")


class Silent(FakeHypervisor):
    """A host that never answers and never tells."""

    async def inspect(self, machine: Machine) -> MachineInfo:
        await asyncio.Event().wait()
        return await super().inspect(machine)

    async def events(self) -> AsyncIterator[MachineEvent]:
        await asyncio.Event().wait()
        async for event in super().events():
            yield event


@pytest.fixture
def ford(fake_clock: FakeClock) -> FakeHypervisor:
    return FakeHypervisor("ford", fake_clock)


@pytest.fixture
def zaphod(fake_clock: FakeClock) -> FakeHypervisor:
    return FakeHypervisor("zaphod", fake_clock)


async def test_each_call_goes_to_the_machines_host(ford: FakeHypervisor, zaphod: FakeHypervisor) -> None:
    fleet = Fleet({"ford": ford, "zaphod": zaphod})
    assert fleet.hosts == ("ford", "zaphod")
    assert (await fleet.start(ARTHUR)).state is MachineState.RUNNING
    assert (await zaphod.inspect(ZAPHOD)).state is MachineState.STOPPED
    assert (await fleet.run(ARTHUR, "echo hi")).output == b"hi\n"
    await fleet.pause(ARTHUR)
    assert (await fleet.inspect(ARTHUR)).state is MachineState.PAUSED
    await fleet.resume(ARTHUR)
    assert (await fleet.reboot(ARTHUR)).state is MachineState.RUNNING
    assert (await fleet.usage(ARTHUR)).memory_bytes > 0
    assert len(await fleet.console(ARTHUR, 1)) == 1
    assert (await fleet.stop(ARTHUR)).rung == "cad"
    await fleet.start(ARTHUR)
    await fleet.kill(ARTHUR)
    assert (await ford.inspect(ARTHUR)).state is MachineState.STOPPED
    await fleet.close()


async def test_a_host_that_is_none_of_ours(ford: FakeHypervisor) -> None:
    fleet = Fleet({"ford": ford})
    with pytest.raises(NotFound, match=r"zaphod-1 is on zaphod, .*\(ford\)"):
        await fleet.inspect(ZAPHOD)
    assert await fleet.adopt([ZAPHOD]) == ()


async def test_a_silent_host_delays_no_other(
    ford: FakeHypervisor,
    fake_clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fleet = Fleet({"zaphod": Silent("zaphod", fake_clock), "ford": ford})
    await ford.start(ARTHUR)
    monkeypatch.setattr(module, "ADOPT_SECONDS", 0.05)
    found = await fleet.adopt([ZAPHOD, ARTHUR])
    assert [info.name for info in found] == ["arthur-1"]
    assert "host zaphod: silent" in caplog.text
    events = fleet.events()
    assert (await anext(events)).machine == "arthur-1"
    ford.crash("arthur-1")
    assert (await anext(events)).kind == "crashed"
    await events.aclose()  # type: ignore[attr-defined]  # an async generator


async def test_a_host_that_fails_costs_only_its_own(
    ford: FakeHypervisor, zaphod: FakeHypervisor, caplog: pytest.LogCaptureFixture
) -> None:
    fleet = Fleet({"zaphod": zaphod, "ford": ford})
    await fleet.start(ARTHUR)
    zaphod.fail_next("inspect")
    assert [info.name for info in await fleet.adopt([ZAPHOD, ARTHUR])] == ["arthur-1"]
    assert "host zaphod: its machines were not adopted" in caplog.text


async def test_events_of_all_hosts_come_until_all_have_ended(fake_clock: FakeClock) -> None:
    class Brief(FakeHypervisor):
        async def events(self) -> AsyncIterator[MachineEvent]:
            yield await anext(super().events())

    hosts = {name: Brief(name, fake_clock) for name in ("ford", "zaphod")}
    for name, host in hosts.items():
        host.notify(f"{name}-1", "hello")
    assert {event.host async for event in Fleet(dict(hosts)).events()} == {"ford", "zaphod"}


async def test_closing_closes_all_and_tells_the_fault(ford: FakeHypervisor, fake_clock: FakeClock) -> None:
    class Stuck(FakeHypervisor):
        async def close(self) -> None:
            raise HypervisorFault("stuck")

    with pytest.raises(HypervisorFault, match="stuck"):
        await Fleet({"zaphod": Stuck("zaphod", fake_clock), "ford": ford}).close()
