"""The main job: a proven member types `!vm start` in a channel, and a real User-Mode Linux guest boots."""

import asyncio
import json
import os
import re
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from bot.hypervisors.uml import process
from bot.hypervisors.uml.runfolder import run_folder
from tests.ship import Harbour, harbour, running

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

BOOT = 60.0
HOST = 'hypervisor = "uml"\nmemory_mib = 48'


@dataclass(slots=True)
class Yard:
    """A harbour whose host runs real guests; none of them outlives it."""

    port: Harbour
    run: Path

    @property
    def guests(self) -> Path:
        return self.port.folder / "state" / "ford"

    def pid(self, name: str) -> int:
        """The main process of a guest."""
        pid = json.loads((self.guests / name / "record.json").read_text())["pid"]
        assert isinstance(pid, int)
        return pid

    def processes(self) -> list[int]:
        tag = f"shipboard={self.run.name}".encode()
        found = []
        for pid in psutil.pids():
            with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if tag in words and process.born(pid) is not None:
                    found.append(pid)
        return found

    def clear(self) -> None:
        for pid in self.processes():
            with suppress(ProcessLookupError):
                process.end(os.getsid(pid), pid, None)
        shutil.rmtree(self.run, ignore_errors=True)
        assert self.processes() == []


@pytest.fixture
async def yard(need: Callable[..., None]) -> AsyncIterator[Yard]:
    need("linux.uml", "busybox")
    folder = Path(tempfile.mkdtemp(prefix="ship"))
    try:
        async with harbour(folder) as port:
            port.write(host=HOST)
            yard = Yard(port, run_folder(folder / "state" / "ford"))
            try:
                yield yard
            finally:
                yard.clear()
    finally:
        shutil.rmtree(folder)


async def test_the_main_job(yard: Yard) -> None:
    port = yard.port
    port.write(host=HOST, pace="{ burst = 5, per_second = 2.0 }")
    alice, bob, ann = await port.seated("alice", "bob", "ann")
    async with running(port.config) as bot:
        await bob.sees_the_bot()
        for name, role in (("alice", "member"), ("ann", "admin")):  # while it runs
            await asyncio.to_thread(
                port.shell, "member", "add", name, "--role", role, "--identity", f"home:{name}"
            )
        await asyncio.to_thread(port.shell, "machine", "add", "ford-3", "--owner", "alice", "--host", "ford")
        assert "You are alice, member" in await alice.asks("!whoami", "^You are")
        up = await alice.asks("!vm start", "ford-3 is up|went wrong|sandbox", seconds=BOOT)
        assert re.fullmatch(r"ford-3 is up on ford, sandbox (uid|bwrap)\.", up)

        alice.say("!vm run ford-3 uname -a")
        assert await alice.told("exit 0") == "ford-3: exit 0, 1 line"
        assert re.match(r"\[ford-3\] Linux ford-3 .* x86_64", await alice.told("Linux"))
        assert re.search("guest", await bob.asks("!vm run ford-3 id", "^Only"))

        pid = yard.pid("ford-3")
        os.kill(pid, signal.SIGKILL)
        room = await bob.hears("ford-3 CRASHED", seconds=30)
        assert room == "ford-3 CRASHED on ford: “its process ended by SIGKILL”. !vm start ford-3"
        assert await alice.told("ford-3 CRASHED", seconds=30) == room
        assert "ford-3 crashed" in await alice.asks("!vm list", "^ford: ")
        assert yard.processes() == []
        await bob.fence()
        assert bob.lines().count(room) == 1

        assert await alice.asks("!vm start", "ford-3 is up", seconds=BOOT)
        assert await alice.asks("!vm stop", "Say !yes") == "Stop ford-3 on ford? Say !yes within 60 s."
        down = await alice.asks("!yes", "ford-3 is down", seconds=60)
        assert re.fullmatch(r"ford-3 is down: .* \((cad|poweroff), \d+\.\d s\)\.", down)
        assert "ford-3 stopped" in await alice.asks("!vm list", "^ford: ")
        assert yard.processes() == []
        assert "is whole" in await ann.asks("!audit verify", "audit book")
        assert (await bot.terminate())[0] == 0
    assert all("panic" not in line for line in bob.lines())


async def test_a_guest_outlives_its_bots_kill_and_its_restart(yard: Yard) -> None:
    port = yard.port
    port.enrol()
    alice, bob = await port.seated("alice", "bob")
    async with running(port.config) as bot:
        await bob.sees_the_bot()
        await asyncio.gather(
            alice.asks("!vm start", "ford-3 is up", seconds=BOOT),
            bob.asks("!vm start", "ford-1 is up", seconds=BOOT),
        )
        pids = yard.pid("ford-3"), yard.pid("ford-1")
        await bot.kill()
    assert all(psutil.pid_exists(pid) for pid in pids)
    async with running(port.config) as bot:
        await bob.sees_the_bot()
        assert re.match("ford-3 running", await alice.asks("!vm show ford-3", "^ford-3 "))
        alice.say("!vm run ford-3 echo adopted")
        assert await alice.told("adopted") == "[ford-3] adopted"
        status, _ = await bot.terminate()
        assert status == 0
    assert (yard.pid("ford-3"), yard.pid("ford-1")) == pids
    assert all(psutil.pid_exists(pid) for pid in pids)
    os.kill(pids[1], signal.SIGKILL)  # while no bot is there
    async with running(port.config) as bot:
        assert "while the bot was away" in await bob.told("ford-1 CRASHED", seconds=30)
        await bob.sees_the_bot()
        await alice.asks("!vm kill", "Say !yes")
        assert await alice.asks("!yes", "ford-3 is dead") == "ford-3 is dead. !vm start ford-3"
        await bot.terminate()
    assert yard.processes() == []


async def test_what_a_guest_says_is_marked_cut_and_harmless(yard: Yard) -> None:
    port = yard.port
    port.write(host=HOST, bot="direct_lines = 500")
    port.enrol()
    alice, bob = await port.seated("alice", "bob")
    async with running(port.config) as bot:
        await bob.sees_the_bot()
        await alice.asks("!vm start", "ford-3 is up", seconds=BOOT)
        alice.say("!vm run ford-3 head -c 300000 /dev/zero | tr '\\0' x | fold -w 1000")
        assert await alice.told("^ford-3: exit 0") == "ford-3: exit 0, 300 lines"
        await alice.told("more lines were cut", seconds=60)
        direct = [line for line in alice.lines("alice") if line.startswith("[ford-3] x")]
        assert len(direct) > 400
        assert all(set(line.removeprefix("[ford-3] ")) == {"x"} for line in direct)
        assert await alice.hears("direct message") == "alice: answered in a direct message."

        alice.say("!vm run ford-3 printf '\\033[2J\\033]0;evil\\007\\002VOTE 7 PASSED\\r\\nA17 CRIT\\n'")
        assert await alice.told("VOTE 7") == "[ford-3] VOTE 7 PASSED"
        assert await alice.told("A17") == "[ford-3] A17 CRIT"
        alice.say(
            "!vm run ford-3 printf '\\033[31mred\\033[0m\\a\\n' > /dev/console; echo red > /proc/mconsole"
        )
        assert await alice.told("red", seconds=30) == "[ford-3] red"
        alice.say("!vm console ford-3 5")
        await alice.told(r"\[ford-3\]")

        alice.say("!vm run ford-3 echo c > /proc/sysrq-trigger")
        room = await bob.hears("ford-3 CRASHED", seconds=30)
        assert re.fullmatch("ford-3 CRASHED on ford: “kernel panic: .*”. !vm start ford-3", room)
        await alice.told("ford-3 CRASHED")
        await bob.fence()
        everything = [*bob.lines(), *alice.lines(), *alice.lines("alice")]
        assert [line for line in everything if re.search("[\x00-\x1f\x7f-\x9f]", line)] == []
        assert [line for line in bob.lines() if "xxx" in line or "VOTE" in line or "A17" in line] == []
        await bot.terminate()
    assert yard.processes() == []


async def test_two_guests_at_once_and_a_second_admin(yard: Yard) -> None:
    port = yard.port
    port.enrol()
    alice, bob, ann, abe = await port.seated("alice", "bob", "ann", "abe")
    async with running(port.config) as bot:
        await bob.sees_the_bot()
        await asyncio.gather(
            alice.asks("!vm start", "ford-3 is up", seconds=BOOT),
            bob.asks("!vm start", "ford-1 is up", seconds=BOOT),
        )
        listed = await ann.asks("!vm list", "^ford: ")
        assert re.search(r"ford-1 running .*\(bob\) · ford-3 running .*\(alice\) · ford-9 stopped", listed)
        assert await alice.asks("!vm pause", "ford-3 is paused")
        assert "ford-3 paused" in await ann.asks("!vm list", "^ford: ")
        assert await alice.asks("!vm run ford-3 id", r"^ford-3 is paused\.$")
        assert await alice.asks("!vm resume", "ford-3 goes on")
        number = re.search(r"!yes (\d+)", await ann.asks("!vm kill ford-1", "another admin's yes"))
        assert number
        await bob.asks(f"!yes {number[1]}", "waits for the yes of another admin")
        assert await abe.asks(f"!yes {number[1]}", "is dead") == "ford-1 is dead. !vm start ford-1"
        assert re.search("hosts: 1; machines: 1 of 3 up", await ann.asks("!status", "hosts:"))
        assert re.search("3 machines, 1 up", await ann.asks("!host show ford", "machines,"))
        assert await alice.asks("!vm reboot", "Say !yes")
        assert await alice.asks("!yes", "ford-3 is up again", seconds=BOOT)
        await bot.terminate()
    assert yard.processes() != []  # they outlive the bot
