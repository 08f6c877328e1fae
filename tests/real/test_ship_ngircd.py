"""The whole ship on Debian's ngIRCd, a network that proves nothing: people read and talk there."""

import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot import cli
from bot.demo.client import Person
from tests.real.irc.servers import free_port
from tests.ship import BOT, TEAM, Seat, running

pytestmark = pytest.mark.real

SERVER = """
[Global]
    Name = irc.test
    Info = shipboard's test server
    Listen = 127.0.0.1
    Ports = {port}
    AdminInfo1 = test
    AdminEMail = a@irc.test
    MotdPhrase = hi
    ServerUID = nobody
    ServerGID = nogroup
[Limits]
    MaxConnectionsIP = 0
    MaxPenaltyTime = 0
[Options]
    PAM = no
    Ident = no
    DNS = no
    IncludeDir = {folder}/none
"""
CONFIG = """\
[bot]
state = "state"
[networks.home]
kind = "irc"
host = "127.0.0.1"
port = {port}
tls = false
rooms = ["#team"]
[hosts.ford]
hypervisor = "fake"
"""


class Server:
    """An ngIRCd of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        path = self.folder / "ngircd.conf"
        path.write_text(SERVER.format(port=self.port, folder=self.folder))
        program = shutil.which("ngircd", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or "ngircd"
        self._process = await asyncio.create_subprocess_exec(
            program,
            "-n",
            "-f",
            str(path),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(60):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    writer.close()
                    return
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@pytest.fixture
async def server(tmp_path: Path, need: Callable[..., None]) -> AsyncIterator[Server]:
    if not shutil.which("ngircd", path="/usr/sbin"):
        need("ngircd")
    made = Server(tmp_path)
    await made.start()
    yield made
    await made.kill()


async def seat(server: Server, nick: str) -> Seat:
    seat = Seat(await Person.enter(server.port, nick, None, [TEAM]))
    await seat.sees(nick, f"is in {TEAM}")
    return seat


async def test_nobody_is_proven_there_and_the_bot_comes_back_when_the_server_does(
    server: Server, tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(CONFIG.format(port=server.port))
    for words in (
        ("member", "add", "alice", "--role", "admin", "--identity", "home:alice"),
        ("machine", "add", "ford-3", "--owner", "alice", "--host", "ford"),
    ):
        assert cli.main(["--config", str(config), *words]) == 0
    alice = await seat(server, "alice")
    async with running(config) as bot:
        await alice.sees_the_bot()
        assert await alice.asks("!ping hello", "^pong") == "pong hello"
        assert await alice.asks("!whoami", "guest") == (
            "You are a guest: home proves nothing about “alice”. "
            "Log in to your account there, then say !whoami again."
        )
        refused = await alice.asks("!vm start ford-3", "^Only")
        assert re.match(
            "Only the owner of the machine or admins may vm start, and to me you are a guest", refused
        )
        alice.say("!link", BOT)
        assert (await alice.told("code")).startswith("Only members get a code")
        await alice.leave()
        await server.kill()
        await server.start()
        alice = await seat(server, "alice")
        await alice.finds_the_bot()
        assert await alice.asks("!status", "networks: 1 of 1 up")
        assert (await bot.terminate())[0] == 0
    await alice.leave()
