"""Real guests: how they live and die, and how the bot hears of it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.coop.machines import Machine, MachineEvent, MachineEventKind, MachineState
from bot.coop.shares import Share
from bot.errors import Conflict, HypervisorFault
from bot.hypervisors.uml import console, hypervisor
from bot.hypervisors.uml.console import LIMIT
from bot.hypervisors.uml.mconsole import GuestSilent, ask
from bot.hypervisors.uml.sandbox import Means

pytestmark = pytest.mark.real

Site = Any
AUTOGROUP = Path("/proc/self/autogroup").exists()


async def coming(events: AsyncIterator[MachineEvent]) -> MachineEvent:
    async with asyncio.timeout(60):
        return await anext(events)


async def test_output_is_whole_up_to_its_limit_and_declared_where_it_is_cut(
    site: Site, machine: Machine
) -> None:
    bot = site.bot()
    await bot.start(machine)
    whole = await bot.run(machine, "head -c 300000 /dev/zero | tr '\\0' x")
    assert (whole.status, len(whole.output), whole.truncated) == (0, 300_000, False)
    assert set(whole.output) == {ord("x")}
    cut = await bot.run(machine, "head -c 3000000 /dev/zero")
    assert (len(cut.output), cut.truncated) == (1024 * 1024, True)
    slow = await bot.run(machine, "echo begun; sleep 60", timeout=1)
    assert (slow.status, slow.output.splitlines()[0]) == (137, b"begun")
    behind = await bot.run(machine, "sleep 60 & echo gone on")
    assert (behind.status, behind.output) == (0, b"gone on\n")
    assert (await bot.run(machine, "exit 7")).status == 7
    long = "x" * 8000
    assert (await bot.run(machine, f"echo {long} | wc -c")).output.strip() == b"8001"


async def test_escapes_of_the_guest_are_not_shown(site: Site, machine: Machine) -> None:
    bot = site.bot()
    await bot.start(machine)
    script = r"printf '\033[31mred\033[0m\007\302\233 \033]0;title\007end\n'"
    await bot.run(machine, f"{script} > /dev/console; {script} > /proc/mconsole; uname -a > /dev/console")
    events = bot.events()
    assert (await coming(events)).kind is MachineEventKind.READY
    notice = await coming(events)
    assert (notice.kind, notice.text, notice.asked) == (MachineEventKind.NOTICE, "red end", False)
    shown = await bot.console(machine, 50)
    assert "red end" in shown
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for line in shown for char in line)


async def test_a_guest_whose_process_is_killed_has_crashed(site: Site, machine: Machine) -> None:
    bot = site.bot()
    info = await bot.start(machine)
    events = bot.events()
    await coming(events)
    os.kill(info.pid, signal.SIGKILL)
    crash = await coming(events)
    assert (crash.kind, crash.asked) == (MachineEventKind.CRASHED, False)
    assert crash.text == "its process ended by SIGKILL"
    assert any("Run /init" in line for line in crash.tail)
    assert (await bot.inspect(machine)).state is MachineState.CRASHED
    assert site.processes() == []
    assert (await bot.start(machine)).state is MachineState.RUNNING


async def test_a_panic_is_a_crash_with_its_words(site: Site, machine: Machine) -> None:
    bot = site.bot()
    await bot.start(machine)
    events = bot.events()
    await coming(events)
    with pytest.raises(HypervisorFault):
        await ask(site.run / "ford-1/u/ford-1/mconsole", "sysrq c", 2)
    crash = await coming(events)
    assert (crash.kind, crash.text, crash.asked) == ("crashed", "kernel panic: sysrq triggered crash", False)
    info = await bot.inspect(machine)
    assert (info.state, info.detail) == (MachineState.CRASHED, crash.text)
    assert site.processes() == []


@pytest.mark.parametrize(("command", "said"), [("poweroff", "halted"), ("reboot", "rebooted")])
async def test_a_guest_that_goes_down_by_itself_has_not_crashed(
    site: Site, machine: Machine, command: str, said: str
) -> None:
    bot = site.bot()
    await bot.start(machine)
    events = bot.events()
    await coming(events)
    await bot.run(machine, f"(sleep 0.1; {command} -f) >/dev/null 2>&1 &")
    ended = await coming(events)
    assert (ended.kind, ended.asked, ended.text) == (MachineEventKind.EXITED, False, f"{said} from inside")
    info = await bot.inspect(machine)
    assert (info.state, info.detail) == (MachineState.STOPPED, f"{said} from inside")
    assert site.processes() == []


async def test_a_guest_that_stands_still_is_unresponsive_and_goes_by_kill(
    site: Site, machine: Machine
) -> None:
    bot = site.bot()
    info = await bot.start(machine)
    os.kill(info.pid, signal.SIGSTOP)
    with pytest.raises(GuestSilent):
        await ask(site.run / "ford-1/u/ford-1/mconsole", "version", 0.1)
    assert (await bot.inspect(machine)).state is MachineState.UNRESPONSIVE
    stopping = asyncio.ensure_future(bot.stop(machine, 0.3))
    await asyncio.sleep(0)
    assert (await bot.inspect(machine)).state is MachineState.STOPPING
    with pytest.raises(Conflict, match="busy: stopping"):
        await bot.stop(machine)
    result = await stopping
    assert (result.rung, result.tried) == ("kill", ("cad", "poweroff", "halt", "kill"))
    assert (await bot.inspect(machine)).state is MachineState.STOPPED
    assert site.processes() == []


async def test_two_guests_run_side_by_side_and_a_half_share_weighs_less(site: Site, machine: Machine) -> None:
    half = Machine("ford-2", "ford", share=Share.HALF, memory_mib=32)
    bot = site.bot()
    one, two = await asyncio.gather(bot.start(machine), bot.start(half))
    assert (one.limits.nice, two.limits.nice) == (0, 10)
    assert (one.limits.memory_mib, two.limits.memory_mib) == (48, 40)
    if AUTOGROUP:
        assert (one.limits.cpu_weight, two.limits.cpu_weight) == ("autogroup nice 0", "autogroup nice 10")
    names = await asyncio.gather(*(bot.run(each, "hostname") for each in (machine, half)))
    assert [name.output for name in names] == [b"ford-1\n", b"ford-2\n"]
    if one.limits.sandbox == "uid":
        owners = {site.owner(info.pid) for info in (one, two)}
        assert len(owners) == 2
        assert not owners & {0, os.geteuid()}


async def test_a_guest_may_flood_its_console_and_the_log_stays_small(
    site: Site, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "TRIM_AT", 512 * 1024)  # so that it need not last for minutes on a slow host
    monkeypatch.setattr(hypervisor, "TRIM_SECONDS", 0.2)
    bot = site.bot()
    await bot.start(machine)
    log = site.folder / "ford/ford-1/console.log"
    flood = asyncio.ensure_future(bot.run(machine, "yes 'too much' | head -c 1000000 > /dev/console", 50))
    sizes = []
    while not flood.done():
        sizes.append(log.stat().st_size)
        await asyncio.wait([flood], timeout=0.05)
    assert max(sizes) <= LIMIT
    assert b"[earlier lines were cut]" in log.read_bytes()
    assert (await bot.run(machine, "echo alive")).output == b"alive\n"


async def test_what_a_crash_left_does_not_hinder_the_next_start(site: Site, machine: Machine) -> None:
    bot = site.bot()
    info = await bot.start(machine)
    await bot.close()
    await site.kill(info.pid)
    (site.run / "ford-1/u/left" / "over").mkdir(parents=True)
    (site.folder / "ford/ford-1/agent.in").unlink()
    (site.folder / "ford/ford-1/record.json").write_text("{")
    assert (await site.bot().start(machine)).state is MachineState.RUNNING


async def test_a_kernel_that_does_not_boot_is_a_fault_with_its_words(site: Site, machine: Machine) -> None:
    bot = site.bot(kernel=Path("/bin/false"))
    with pytest.raises(HypervisorFault, match=r"ford-1 did not (start|come up)"):
        await bot.start(machine)
    assert (await bot.inspect(machine)).state is MachineState.CRASHED
    assert (await site.bot().start(machine)).state is MachineState.RUNNING


async def test_a_kernel_that_panics_at_boot_is_a_fault_with_its_words(site: Site, machine: Machine) -> None:
    bot = site.bot()
    disk = site.folder / "disk"
    disk.write_bytes(bytes(4096))
    with pytest.raises(HypervisorFault, match=r"(?s)did not come up: .*panic: VFS: Unable to mount root fs"):
        await bot.start(Machine("ford-1", "ford", disk=disk))
    info = await bot.inspect(machine)
    assert info.state is MachineState.CRASHED
    assert "panic" in info.detail
    assert site.processes() == []


async def test_a_start_given_up_leaves_nothing(site: Site, machine: Machine) -> None:
    bot = site.bot()
    starting = asyncio.ensure_future(bot.start(machine))
    async with asyncio.timeout(60):
        await site.process_appears()
    assert (await bot.inspect(machine)).state is MachineState.STARTING
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert site.processes() == []
    assert not (await bot.inspect(machine)).state.is_up


async def test_addresses_that_cannot_be_fixed_cost_memory_and_are_told(site: Site, machine: Machine) -> None:
    bot = site.bot()
    means = bot._site.means
    bot._site.__dict__["means"] = Means(means.switch, means.walls, fixed_addresses=False)
    info = await bot.start(machine)
    assert info.limits.memory_mib == 128
    assert "addresses are not fixed" in info.limits.notes[0]


async def test_a_host_without_a_sandbox_starts_nothing(site: Site, machine: Machine) -> None:
    bot = site.bot()
    bot._site.__dict__["means"] = Means(switch=False, walls=False, fixed_addresses=True)
    with pytest.raises(Conflict, match=r"no sandbox: install bubblewrap"):
        await bot.start(machine)
    assert site.processes() == []
