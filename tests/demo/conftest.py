"""People on plain sockets around one embedded IRC server, and a clock that only the test moves."""

import asyncio
import base64
import contextlib
import itertools
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.demo.ircd import Ircd, Limits

ACCOUNTS = {"alice": "correct horse", "Bob": "battery:staple"}
NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
DEADLINE = 60.0


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.at)

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.at + seconds, woken))
        await woken

    def move(self, seconds: float) -> None:
        self.at += seconds
        for due, woken in self._sleepers:
            if due <= self.at and not woken.done():
                woken.set_result(None)
        self._sleepers = [(due, woken) for due, woken in self._sleepers if not woken.done()]


class Person:
    """A client without any cleverness: it sends what it is told and reads line by line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._count = itertools.count()

    def send(self, *lines: str) -> None:
        for line in lines:
            self.send_bytes(line.encode() + b"\r\n")

    def send_bytes(self, data: bytes) -> None:
        self._writer.write(data)

    def stop_reading(self) -> None:
        """Leave all that comes in the kernel's buffer."""
        transport = self._writer.transport
        assert isinstance(transport, asyncio.ReadTransport)
        transport.pause_reading()

    async def line(self) -> str:
        """Return the next line, "" at the end of the connection."""
        async with asyncio.timeout(DEADLINE):
            raw = await self._reader.readline()
        assert not raw or raw.endswith(b"\r\n")
        return raw.removesuffix(b"\r\n").decode("utf-8", "surrogateescape")

    async def until(self, part: str) -> list[str]:
        """Return what comes up to the first line with `part` in it."""
        lines = []
        while line := await self.line():
            lines.append(line)
            if part in line:
                return lines
        raise AssertionError(f"{part!r} did not come before the end; instead {lines}")

    async def expect(self, part: str) -> str:
        """Skip to the first line with `part` in it."""
        return (await self.until(part))[-1]

    async def ask(self, *lines: str) -> list[str]:
        """Send lines and return all that the server has to say until it has answered them."""
        token = f"mark{next(self._count)}"
        self.send(*lines, f"PING {token}")
        return (await self.until(f"PONG shipboard.demo {token}"))[:-1]

    async def rest(self) -> list[str]:
        """Return what comes until the connection ends; a reset is an end too."""
        lines = []
        try:
            while line := await self.line():
                lines.append(line)
        except ConnectionResetError:
            pass
        return lines

    def reset(self) -> None:
        """End the connection with an RST."""
        self._writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
        )
        self._writer.transport.abort()

    async def close(self) -> None:
        self._writer.transport.abort()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


class World:
    """One server and the people that a test brings to it."""

    def __init__(self, clock: HandClock, limits: Limits | None = None) -> None:
        self.clock = clock
        self.ircd = Ircd(ACCOUNTS, clock=clock, motd=["Don't panic."], limits=limits)
        self.port = 0
        self._people: list[Person] = []

    async def stranger(self) -> Person:
        """Connect, and say nothing."""
        person = Person(*await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20))
        self._people.append(person)
        return person

    async def guest(self, nick: str, *, caps: str = "", until: str = " 376 ") -> Person:
        """Register without any proof."""
        person = await self.stranger()
        person.send(
            *([f"CAP REQ :{caps}", "CAP END"] if caps else []),
            f"NICK {nick}",
            f"USER {nick} 0 * :{nick} himself",
        )
        await person.until(until)
        return person

    async def member(self, account: str, *, nick: str = "", caps: str = "message-tags") -> Person:
        """Register with SASL."""
        person = await self.stranger()
        person.send(
            f"CAP REQ :sasl {caps}", "AUTHENTICATE PLAIN", f"AUTHENTICATE {plain(account, ACCOUNTS[account])}"
        )
        await person.until(" 903 ")
        person.send("CAP END", f"NICK {nick or account}", "USER x 0 * :A member")
        await person.until(" 376 ")
        return person

    async def end(self) -> None:
        await self.ircd.close()
        for person in self._people:
            await person.close()


def plain(account: str, password: str, authzid: str = "") -> str:
    """Return the payload of SASL PLAIN."""
    return base64.b64encode(f"{authzid}\0{account}\0{password}".encode()).decode()


@pytest.fixture
def hand_clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def world(hand_clock: HandClock) -> AsyncIterator[World]:
    world = World(hand_clock, Limits(burst=1_000_000))
    world.port = await world.ircd.start()
    yield world
    await world.end()
