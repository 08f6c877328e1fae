"""The IRC transport on Debian's ngIRCd: no account-tag, no echoes, and a bare CR ends a line there."""

import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.config import IrcNetwork
from bot.model import Message, Place, Reply
from bot.ports import Report
from bot.testing import QuietRoad
from bot.transports.irc.transport import IrcTransport
from tests.real.irc.servers import free_port

pytestmark = pytest.mark.real

PATIENCE = 60.0
NGIRCD = shutil.which("ngircd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
CONFIG = """
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
    MaxNickLength = 31
    MaxConnectionsIP = 0
    PingTimeout = 20
    PongTimeout = 10
    MaxPenaltyTime = 0
[Options]
    PAM = no
    Ident = no
    DNS = no
    IncludeDir = {folder}/none
"""
ATTACK = "hi \x10rTOPIC #ford :owned\x10rPRIVMSG watcher :forged \rTOPIC #ford :owned \nQUIT :x\0"


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Echo(QuietRoad):
    """A road that repeats what people say, control characters and all."""

    def __init__(self) -> None:
        self.heard: list[Message] = []

    async def handle(self, message: Message, report: Report) -> Reply:
        assert report is not None
        self.heard.append(message)
        verb, _, rest = message.text.partition(" ")
        return Reply((f"pong {rest}" if verb == "ping" else ATTACK + rest,))


class NoIncidents:
    def report(self, cause: BaseException, *, during: str, private: bool = False) -> str:
        assert not private
        raise AssertionError(during) from cause


class Person:
    """Somebody on a plain socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer
        self.seen: list[str] = []

    @classmethod
    async def join(cls, port: int, nick: str) -> "Person":
        person = cls(*await asyncio.open_connection("127.0.0.1", port))
        person.send(f"NICK {nick}", f"USER {nick} 0 * :x")
        await person.expect(r":\S+ 376 .*")
        person.send("JOIN #ford")
        await person.expect(r":\S+ 366 .*")
        return person

    def send(self, *lines: str) -> None:
        for line in lines:
            self.writer.write(line.encode() + b"\r\n")

    async def expect(self, pattern: str) -> str:
        while True:
            data = await asyncio.wait_for(self._reader.readline(), PATIENCE)
            assert data, f"the server hung up, waited for {pattern}"
            text = data.decode(errors="replace").rstrip("\r\n")
            self.seen.append(text)
            if text.startswith("PING"):
                self.send(text.replace("PING", "PONG", 1))
            if re.fullmatch(pattern, text):
                return text


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    if NGIRCD is None:
        if os.environ.get("CI") == "true":
            pytest.fail("ngircd is not installed: apt-get install ngircd")
        pytest.skip("ngircd is not installed: the IRC transport is NOT proven on a real server here")
    number = free_port()
    (tmp_path / "none").mkdir()
    config = tmp_path / "ngircd.conf"
    config.write_text(CONFIG.format(port=number, folder=tmp_path))
    server = await asyncio.create_subprocess_exec(
        NGIRCD, "-n", "-f", str(config), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await listening(number, server)
        yield number
    finally:
        with contextlib.suppress(ProcessLookupError):
            server.kill()
        await server.wait()


async def listening(port: int, server: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            assert server.returncode is None, "ngircd did not start"
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            await writer.wait_closed()
            return


def transport(port: int, road: Echo) -> IrcTransport:
    return IrcTransport(
        "test",
        IrcNetwork(kind="irc", host="127.0.0.1", port=port, tls=False, rooms=("#ford",), pace="off"),
        nick="Eddie",
        prefix="!",
        road=road,
        clock=WallClock(),
        password=None,
        room_lines=3,
        direct_lines=12,
        incidents=NoIncidents(),
    )


@contextlib.asynccontextmanager
async def aboard(port: int, road: Echo) -> AsyncIterator[tuple[IrcTransport, Person]]:
    watcher = await Person.join(port, "watcher")
    watcher.send("TOPIC #ford :ours")
    await watcher.expect(".* TOPIC #ford :ours")
    made = transport(port, road)
    task = asyncio.create_task(made.serve(lambda: None))
    try:
        await watcher.expect(r":Eddie!\S+ JOIN :?#ford")
        yield made, watcher
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        watcher.writer.close()


async def test_it_joins_answers_and_confirms(port: int) -> None:
    road = Echo()
    async with aboard(port, road) as (made, watcher):
        watcher.send("PRIVMSG #ford :!ping hello", "PRIVMSG Eddie :ping direct")
        await watcher.expect(r":Eddie!\S+ PRIVMSG #ford :pong hello")
        await watcher.expect(r":Eddie!\S+ PRIVMSG watcher :pong direct")
        assert [message.identity for message in road.heard] == [None, None]
        assert await made.say(Place("test", "#ford"), ["A17 over"]) is True
        assert await made.say(Place("test", "nobody", direct=True), ["hello"]) is False
        long = "wörd " * 300
        assert await made.say(Place("test", "#ford"), [long]) is True
        watcher.send("PRIVMSG #ford :!ping end")
        await watcher.expect(r":Eddie!\S+ PRIVMSG #ford :pong end")
        texts = [line.partition(" :")[2] for line in watcher.seen if ":w" in line and "PRIVMSG #ford" in line]
        assert " ".join(texts).split() == long.split()
        assert made.status().rooms == ("#ford",)
        assert made.bad_lines == 0


async def test_the_injection_of_the_stock_library_changes_nothing(port: int) -> None:
    road = Echo()
    async with aboard(port, road) as (made, watcher):
        mallory = await Person.join(port, "mallory")
        mallory.send("PRIVMSG #ford :!echo hi \x10rTOPIC #ford :owned\x10rPRIVMSG watcher :forged \x01\x10n")
        await watcher.expect(r":Eddie!\S+ PRIVMSG #ford :hi rTOPIC .*")
        await made.say(Place("test", "#ford"), [ATTACK])
        await made.say(Place("test", "watcher\rTOPIC #ford :owned", direct=True), [ATTACK])
        mallory.send("PRIVMSG #ford :!ping end")
        await watcher.expect(r":Eddie!\S+ PRIVMSG #ford :pong end")
        watcher.send("TOPIC #ford")
        assert await watcher.expect(r":\S+ 332 .*") == ":irc.test 332 watcher #ford :ours"
        said = [line for line in watcher.seen if line.startswith(":Eddie!")]
        assert all(" PRIVMSG #ford :" in line or " JOIN " in line for line in said), said
        assert made.status().up
        mallory.writer.close()


async def test_a_taken_nick_is_regained(port: int) -> None:
    ghost = await Person.join(port, "Eddie")
    watcher = await Person.join(port, "watcher")
    made = transport(port, Echo())
    task = asyncio.create_task(made.serve(lambda: None))
    try:
        await watcher.expect(r":Eddie_!\S+ JOIN :?#ford")
        watcher.send("PRIVMSG #ford :Eddie_: ping alt")
        await watcher.expect(r":Eddie_!\S+ PRIVMSG #ford :pong alt")
        ghost.send("QUIT :gone")
        await watcher.expect(r":Eddie_!\S+ NICK :?Eddie")
        watcher.send("PRIVMSG #ford :Eddie: ping own")
        await watcher.expect(r":Eddie!\S+ PRIVMSG #ford :pong own")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        watcher.writer.close()
        ghost.writer.close()
    await watcher.writer.wait_closed()
    assert made.status().detail == "left"
