"""A clock that is moved by hand, and an IRC server that says exactly what a test wants."""

import asyncio
import contextlib
import heapq
import itertools
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.config import IrcNetwork
from bot.model import Message, Place, Remark, Reply
from bot.ports import Report
from bot.testing import QuietRoad
from bot.transports.irc.transport import IrcTransport

PATIENCE = 60.0
FULL = (
    "message-tags server-time account-tag account-notify extended-join echo-message multi-prefix "
    "userhost-in-names batch cap-notify chghost labeled-response setname"
)


class HandClock:
    """Time stands still until a test moves it."""

    def __init__(self) -> None:
        self._start = datetime(2026, 11, 22, 12, tzinfo=UTC)
        self._passed = 1000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed - 1000.0)

    def monotonic(self) -> float:
        return self._passed

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._passed + seconds, next(self._numbers), future))
        await future

    async def advance(self, seconds: float) -> None:
        """Let that much time pass, waking everybody in order and letting them act."""
        end = self._passed + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, future = heapq.heappop(self._sleepers)
            self._passed = max(self._passed, due)
            if not future.done():
                future.set_result(None)
                await settle()
        self._passed = end
        await settle()


async def settle() -> None:
    """Let everybody act who can, sockets included."""
    for _ in range(12):
        await asyncio.sleep(0)


class Peer:
    """The server's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self.seen: list[str] = []

    async def line(self) -> str:
        """Return the next line from the bot; empty when it has hung up."""
        data = await asyncio.wait_for(self._reader.readline(), PATIENCE)
        text = data.decode().removesuffix("\r\n")
        assert not re.search("[\r\n\0]", text), f"a forged line: {data!r}"
        assert len(data) <= 512
        self.seen.append(text)
        return text

    async def expect(self, pattern: str) -> re.Match[str]:
        """Read on to the first line that matches as a whole."""
        while True:
            text = await self.line()
            if found := re.fullmatch(pattern, text):
                return found
            assert text, f"the bot hung up, waited for {pattern}; before: {self.seen[-5:]}"

    async def pending(self) -> list[str]:
        """Return what the bot says to all that it was sent, having let it act."""
        lines = []
        for fence in ("one", "two"):
            self.send(f"PING :{fence}")
            while (text := await self.line()) != f"PONG :{fence}":
                assert text, "the bot hung up"
                lines.append(text)
            await settle()
        return lines

    async def ended(self) -> None:
        """Wait until the bot has hung up."""
        with contextlib.suppress(ConnectionError):
            while await self.line():
                pass

    def send(self, *lines: str) -> None:
        for line in lines:
            self.writer.write(line.encode("utf-8", "surrogateescape") + b"\r\n")

    def say(self, mask: str, target: str, text: str, tags: str = "") -> None:
        self.send(f"{'@' + tags + ' ' if tags else ''}:{mask} PRIVMSG {target} :{text}")

    def close(self) -> None:
        self.writer.transport.abort()

    async def negotiate(self, caps: str) -> None:
        """Offer capabilities and grant whatever is asked for."""
        await self.expect("CAP LS 302")
        self.send(f":irc.test CAP * LS :{caps}")
        if caps:
            wanted = await self.expect("CAP REQ :(.*)")
            self.send(f":irc.test CAP * ACK :{wanted[1]}")

    async def welcome(self, nick: str = "Eddie", *, isupport: str = "CASEMAPPING=ascii NICKLEN=30") -> None:
        self.send(
            f":irc.test 001 {nick} :Welcome {nick}!eddie@bot.host",
            f":irc.test 005 {nick} {isupport} :are supported",
            f":irc.test 376 {nick} :End of MOTD",
        )

    async def admit(self, caps: str = FULL, nick: str = "Eddie", room: str = "#ford") -> None:
        """Take the bot in, up to and with its room."""
        await self.negotiate(caps)
        await self.expect("CAP END")
        await self.welcome(nick)
        await self.expect(f"JOIN {room}")
        self.join(room, nick)

    def join(self, room: str, nick: str = "Eddie", account: str = "*") -> None:
        self.send(f":{nick}!eddie@bot.host JOIN {room} {account} :shipboard")


class Server:
    """Listens, and hands each connection to the test."""

    def __init__(self) -> None:
        self._peers: asyncio.Queue[Peer] = asyncio.Queue()
        self._all: list[Peer] = []
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self, port: int = 0, **options: Any) -> None:  # noqa: ANN401 - asyncio's own options
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port, limit=1 << 20, **options)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        self._all.append(peer)
        self._peers.put_nowait(peer)

    async def accept(self) -> Peer:
        return await asyncio.wait_for(self._peers.get(), PATIENCE)

    @property
    def connections(self) -> int:
        return len(self._all)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for peer in self._all:
            peer.close()
        await settle()


@dataclass
class StubRoad(QuietRoad):
    """Answers `ping WORD`; anything else by what the test has put there."""

    answers: dict[str, Reply] = field(default_factory=dict)
    heard: list[Message] = field(default_factory=list)
    gates: dict[str, Callable[[Message, Report], Awaitable[None]]] = field(default_factory=dict)
    ears: set[Place] = field(default_factory=set)
    remarks: list[Remark] = field(default_factory=list)

    def listens(self, place: Place) -> bool:
        return place in self.ears

    def overhear(self, remark: Remark) -> None:
        self.remarks.append(remark)

    async def handle(self, message: Message, report: Report) -> Reply:
        self.heard.append(message)
        verb, _, rest = message.text.partition(" ")
        if verb in self.gates:
            await self.gates[verb](message, report)
        if verb == "ping":
            return Reply((f"pong {rest}",))
        return self.answers.get(verb, Reply())


@dataclass
class StubIncidents:
    """Keeps what was reported; a test that expects none asserts so."""

    causes: list[BaseException] = field(default_factory=list)

    def report(self, cause: BaseException, *, during: str, private: bool = False) -> str:
        assert not private
        cause.add_note(during)
        self.causes.append(cause)
        return "7f3a"


@dataclass
class Irc:
    """A transport with everything around it."""

    server: Server
    clock: HandClock
    road: StubRoad
    incidents: StubIncidents
    ups: list[float] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def make(self, **settings: Any) -> IrcTransport:  # noqa: ANN401 - any key of the config
        password = "pässword" if settings.get("account") else None
        table = {
            "kind": "irc",
            "host": "127.0.0.1",
            "port": self.server.port,
            "tls": False,
            "rooms": ("#ford",),
        }
        return IrcTransport(
            "oftc",
            IrcNetwork.model_validate({**table, **settings}),
            nick="Eddie",
            prefix="!",
            road=self.road,
            clock=self.clock,
            password=password,
            room_lines=3,
            direct_lines=12,
            incidents=self.incidents,
        )

    def serve(self, transport: IrcTransport) -> asyncio.Task[None]:
        task = asyncio.create_task(transport.serve(lambda: self.ups.append(self.clock.monotonic())))
        self.tasks.append(task)
        return task

    async def admitted(self, caps: str = FULL, **settings: Any) -> tuple[IrcTransport, Peer]:  # noqa: ANN401 - any key
        transport = self.make(**settings)
        self.serve(transport)
        peer = await self.server.accept()
        await peer.admit(caps)
        await peer.pending()
        return transport, peer


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def irc(clock: HandClock) -> AsyncIterator[Irc]:
    server = Server()
    await server.start()
    made = Irc(server, clock, StubRoad(), StubIncidents())
    yield made
    for task in made.tasks:
        task.cancel()
    await server.stop()
    await asyncio.gather(*made.tasks, return_exceptions=True)
    assert made.incidents.causes == []
