"""Real guests outlive the bot: the next one finds them, and tells of those that died meanwhile."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.coop.machines import Machine, MachineEventKind, MachineState
from bot.errors import Conflict

pytestmark = pytest.mark.real

Site = Any
SCRIPT = Path(__file__).parent / "uml_bot.py"


@asynccontextmanager
async def other_bot(site: Site, *deeds: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), str(site.folder), str(site.cache), "auto", *deeds,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(SCRIPT.parents[2])},
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def said(process: asyncio.subprocess.Process) -> Any:  # noqa: ANN401 - JSON
    assert process.stdout
    async with asyncio.timeout(60):
        return json.loads(await process.stdout.readline())


async def test_a_bot_killed_at_once_and_its_guests_are_found_again(site: Site, machine: Machine) -> None:
    async with other_bot(site, "start", "wait") as first:
        state, pid, _ = await said(first)
        assert state == "running"
        with pytest.raises(Conflict, match="in the hands of another shipboard"):
            await site.bot().stop(machine)
        assert await site.bot().adopt([machine]) == ()
        async with other_bot(site, "start") as second:
            assert "Conflict: ford-1 is in the hands of another" in await said(second)
        first.kill()
        await first.wait()
    bot = site.bot()
    (info,) = await bot.adopt([machine])
    assert (info.state, info.pid) == (MachineState.RUNNING, pid)
    assert (await bot.run(machine, "echo still here")).output == b"still here\n"
    await bot.run(machine, "echo hello > /proc/mconsole")
    events = bot.events()
    assert (await anext(events)).text == "hello"
    with pytest.raises(Conflict, match="up already"):
        await bot.start(machine)
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(60):
        crash = await anext(events)
    assert (crash.kind, crash.asked) == (MachineEventKind.CRASHED, False)
    assert site.processes() == []


async def test_a_paused_guest_stays_paused_over_the_bots_end(site: Site, machine: Machine) -> None:
    first = site.bot()
    await first.start(machine)
    await first.pause(machine)
    await first.close()
    second = site.bot()
    (info,) = await second.adopt([machine])
    assert info.state is MachineState.PAUSED
    await second.resume(machine)
    assert (await second.run(machine, "echo on")).output == b"on\n"
    result = await second.stop(machine)
    assert result.rung == "cad"


async def test_a_guest_that_nobody_adopted_is_taken_over_by_the_first_deed(
    site: Site, machine: Machine
) -> None:
    first = site.bot()
    await first.start(machine)
    await first.close()
    second = site.bot()
    assert (await second.run(machine, "echo mine")).output == b"mine\n"
    result = await second.stop(machine, 0)
    assert result.rung == "halt"
    assert site.processes() == []


async def test_an_adopted_guest_that_halts_itself_has_not_crashed(site: Site, machine: Machine) -> None:
    async with other_bot(site, "start", "wait") as first:
        await said(first)
        first.kill()
        await first.wait()
    bot = site.bot()
    await bot.adopt([machine])
    await bot.run(machine, "(sleep 0.1; poweroff -f) >/dev/null 2>&1 &")
    events = bot.events()
    async with asyncio.timeout(60):
        ended = await anext(events)
    assert (ended.kind, ended.asked, ended.text) == (MachineEventKind.EXITED, False, "halted from inside")


async def test_a_guest_that_died_while_the_bot_was_away_is_told_until_it_was_heard(
    site: Site, machine: Machine
) -> None:
    first = site.bot()
    info = await first.start(machine)
    await first.close()
    await site.kill(info.pid)
    second = site.bot()
    assert (await second.inspect(machine)).state is MachineState.CRASHED
    assert await second.adopt([machine]) == ()
    events = second.events()
    crash = await anext(events)
    assert (crash.kind, crash.asked, crash.machine) == (MachineEventKind.CRASHED, False, "ford-1")
    assert crash.text.endswith("while the bot was away")
    assert site.processes() == []
    await second.close()  # before the listener came back: it may not have been handled
    third = site.bot()
    assert await third.adopt([machine]) == ()
    events = third.events()
    again = await anext(events)
    assert (again.text, again.at) == (crash.text, crash.at)
    waiting = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0)
    waiting.cancel()
    await third.close()
    fourth = site.bot()
    await fourth.adopt([machine])
    await fourth.start(machine)
    assert (await anext(fourth.events())).kind is MachineEventKind.READY
    assert site.processes() != []
