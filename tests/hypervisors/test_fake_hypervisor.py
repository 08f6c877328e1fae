from collections.abc import AsyncIterator

import pytest

from bot.coop.machines import Machine, MachineEvent, MachineState
from bot.coop.shares import Share
from bot.errors import Conflict, HypervisorFault
from bot.hypervisors.fake import FakeHypervisor
from bot.testing import FakeClock


@pytest.fixture
def fake(fake_clock: FakeClock) -> FakeHypervisor:
    return FakeHypervisor("ford", fake_clock)


async def heard(events: AsyncIterator[MachineEvent], count: int) -> list[MachineEvent]:
    return [await anext(events) for _ in range(count)]


async def test_a_crash_is_not_asked_for(fake: FakeHypervisor, machine: Machine) -> None:
    await fake.start(machine)
    fake.crash("ford-1", "panic")
    info = await fake.inspect(machine)
    assert (info.state, info.detail) == (MachineState.CRASHED, "panic")
    _, crash = await heard(fake.events(), 2)
    assert (crash.kind, crash.asked, crash.text, crash.tail[-1]) == ("crashed", False, "panic", "panic")
    assert (await fake.start(machine)).state is MachineState.RUNNING


async def test_a_halt_from_inside_and_a_word(fake: FakeHypervisor, machine: Machine) -> None:
    await fake.start(machine)
    fake.notify("ford-1", "hello")
    fake.exit("ford-1")
    assert (await fake.inspect(machine)).state is MachineState.STOPPED
    events = await heard(fake.events(), 3)
    assert [(event.kind, event.asked, event.text) for event in events[1:]] == [
        ("notice", False, "hello"),
        ("exited", False, "halted from inside"),
    ]


async def test_one_that_hangs_goes_by_kill(fake: FakeHypervisor, machine: Machine) -> None:
    await fake.start(machine)
    fake.hang("ford-1")
    assert (await fake.inspect(machine)).state is MachineState.UNRESPONSIVE
    with pytest.raises(Conflict, match="unresponsive"):
        await fake.run(machine, "uname")
    assert (await fake.stop(machine)).tried == ("cad", "poweroff", "halt", "kill")


async def test_faults_on_demand_come_once(fake: FakeHypervisor, machine: Machine) -> None:
    fake.fail_next("start", "no memory")
    fake.fail_next("start", Conflict("busy"))
    with pytest.raises(HypervisorFault, match="no memory"):
        await fake.start(machine)
    with pytest.raises(Conflict, match="busy"):
        await fake.start(machine)
    assert (await fake.start(machine)).state is MachineState.RUNNING
    await fake.close()


async def test_a_few_commands_are_answered(
    fake: FakeHypervisor, machine: Machine, fake_clock: FakeClock
) -> None:
    await fake.start(machine)
    fake.answers["cat /etc/motd"] = "hi\n"
    await fake_clock.advance(180)
    assert (await fake.run(machine, "cat /etc/motd")).output == b"hi\n"
    assert (await fake.run(machine, "uptime")).output.startswith(b" up 3 min")
    assert (await fake.run(machine, "yes")).status == 127
    assert (await fake.run(machine, "rm -rf /")).status == 127
    assert (await fake.usage(machine)).cpu_seconds == 1.8


async def test_a_guest_can_be_busy_and_calmed(
    fake: FakeHypervisor, machine: Machine, fake_clock: FakeClock
) -> None:
    await fake.start(machine)
    assert (await fake.run(machine, "yes > /dev/null &")).status == 0
    await fake_clock.advance(100)
    assert (await fake.usage(machine)).cpu_seconds == 101
    assert (await fake.run(machine, "killall yes")).output == b""
    await fake_clock.advance(100)
    assert (await fake.usage(machine)).cpu_seconds == 102
    await fake.run(machine, "killall yes")
    assert (await fake.usage(machine)).cpu_seconds == 102
    await fake.reboot(machine)
    assert (await fake.usage(machine)).cpu_seconds == 0


async def test_a_half_share_is_niced(fake: FakeHypervisor) -> None:
    info = await fake.start(Machine("ford-2", "ford", share=Share.HALF, memory_mib=32))
    assert info.limits is not None
    assert (info.limits.nice, info.limits.memory_mib) == (10, 32)
