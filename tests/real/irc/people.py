"""People on plain sockets, and a bot of ours under its supervisor, for tests on real IRC servers."""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.config import IrcNetwork
from bot.errors import TransportFault
from bot.model import Message, Reply
from bot.ports import Clock, Report
from bot.runtime.clock import SystemClock, SystemEntropy
from bot.runtime.supervisor import Supervisor
from bot.testing import QuietRoad
from bot.transports.irc.transport import IrcTransport

PATIENCE = 60.0


class FastClock:
    """Time that runs `speed` times as fast, for what takes minutes."""

    def __init__(self, speed: float) -> None:
        self._speed = speed

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic() * self._speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._speed)


class Who(QuietRoad):
    """A road that answers `ping WORD`, and `who` with what the network vouches for."""

    def __init__(self) -> None:
        self.heard: list[Message] = []

    async def handle(self, message: Message, report: Report) -> Reply:
        assert report is not None
        self.heard.append(message)
        verb, _, rest = message.text.partition(" ")
        if verb == "who":
            return Reply((f"you are {message.identity.subject if message.identity else 'nobody'}",))
        return Reply((f"pong {rest}" if verb == "ping" else rest,))


class NoIncidents:
    def report(self, cause: BaseException, *, during: str, private: bool = False) -> str:
        assert not private
        raise AssertionError(during) from cause


class Person:
    """Somebody on a plain socket; everything that the server says is kept."""

    def __init__(self, nick: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.nick = nick
        self.writer = writer
        self.seen: list[str] = []
        self._reader = reader

    @classmethod
    async def join(cls, port: int, nick: str, *rooms: str) -> "Person":
        person = cls(nick, *await asyncio.open_connection("127.0.0.1", port, limit=1 << 20))
        person.send(f"NICK {nick}", f"USER {nick} 0 * :x")
        await person.expect(r":\S+ (376|422) .*")
        for room in rooms or ("#ford",):
            person.send(f"JOIN {room}")
            await person.expect(rf":\S+ 366 \S+ {room} .*")
        return person

    def send(self, *lines: str) -> None:
        for line in lines:
            self.writer.write(line.encode("utf-8", "surrogateescape") + b"\r\n")

    def say(self, text: str, target: str = "#ford") -> None:
        self.send(f"PRIVMSG {target} :{text}")

    async def line(self) -> str:
        data = await self._reader.readline()
        if not data:
            raise ConnectionError(f"the server hung up on {self.nick}: {self.seen[-3:]}")
        text = data.decode("utf-8", "surrogateescape").rstrip("\r\n")
        self.seen.append(text)
        if text.startswith("PING"):
            self.send(text.replace("PING", "PONG", 1))
        return text

    async def expect(self, pattern: str, patience: float = PATIENCE) -> re.Match[str]:
        """Read on to the first line that matches as a whole."""
        try:
            async with asyncio.timeout(patience):
                while not (found := re.fullmatch(pattern, await self.line())):
                    pass
        except TimeoutError:
            raise AssertionError(f"{self.nick} waited for {pattern}; last: {self.seen[-8:]}") from None
        return found

    async def answered(self, text: str, answer: str, patience: float = PATIENCE) -> str:
        """Say something in the room until the bot, by whatever nick, gives that answer there."""
        pattern = rf":(\S+)!\S+ PRIVMSG #ford :{answer}|:Eddie_*!\S+ JOIN :?#ford.*"
        async with asyncio.timeout(patience):
            while True:
                self.say(text)
                with contextlib.suppress(AssertionError):
                    found = await self.expect(pattern, 1.5)
                    if found[1]:  # else it has only just come, and heard nothing
                        return found[1]

    async def listen(self) -> None:
        """Read on, and answer the server's PINGs, until cancelled."""
        while True:
            await self.line()

    async def identified(self, account: str) -> None:
        """Log in to services that may have only just come."""
        done = rf":You are now (?:identified|logged in) .*{account}.*"
        async with asyncio.timeout(PATIENCE):
            while True:
                self.say(f"IDENTIFY {account} {account}pw", "NickServ")
                with contextlib.suppress(AssertionError):
                    found = await self.expect(rf":\S+ (401|NOTICE) \S+ (NickServ .*|{done})", 1.5)
                    if found[1] == "NOTICE":
                        return
                    await asyncio.sleep(0.1)  # nothing tells that they are there

    def close(self) -> None:
        self.writer.transport.abort()


class People:
    """Everybody whom a test lets in; all leave at its end."""

    def __init__(self) -> None:
        self._all: list[Person] = []

    async def __call__(self, port: int, nick: str, *rooms: str) -> Person:
        person = await Person.join(port, nick, *rooms)
        self._all.append(person)
        return person

    async def leave(self) -> None:
        for person in self._all:
            person.writer.transport.abort()
            with contextlib.suppress(OSError):
                await person.writer.wait_closed()


class _Noting(IrcTransport):
    """Notes why it lost a connection that had been up: its status shows that only until the next attempt."""

    def __init__(self, *words: Any, **settings: Any) -> None:  # noqa: ANN401 - the transport's own
        super().__init__(*words, **settings)
        self.losses: list[str] = []

    async def serve(self, up: Callable[[], None]) -> None:
        ups: list[None] = []

        def came() -> None:
            ups.append(None)
            up()

        try:
            await super().serve(came)
        except TransportFault as fault:
            self.losses += [str(fault)] if ups else []
            raise


@dataclass
class Ship:
    """A transport under its supervisor."""

    transport: IrcTransport
    supervisor: Supervisor
    road: Who
    ups: list[float] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    """Why each connection ended that had been up."""

    @property
    def attempts(self) -> int:
        return self.supervisor.status.count

    async def until(self, what: str, patience: float = PATIENCE, **wanted: Any) -> float:  # noqa: ANN401 - any field of LinkStatus
        """Wait until the status is like that; return after how many seconds."""
        began = time.monotonic()
        while any(getattr(self.transport.status(), name) != value for name, value in wanted.items()):
            waited = time.monotonic() - began
            assert waited < patience, f"{what} took more than {patience} s: {self.transport.status()}"
            await asyncio.sleep(0.02)
        return time.monotonic() - began

    async def until_lost(self, times: int = 1) -> str:
        """Wait until it has been lost so often, however short it was away; return why."""
        async with asyncio.timeout(PATIENCE):
            while len(self.losses) < times:  # noqa: ASYNC110 - nothing tells of a loss
                await asyncio.sleep(0.01)
        return self.losses[times - 1]

    async def until_told(self, fragment: str) -> None:
        """Wait until the status says that."""
        async with asyncio.timeout(PATIENCE):
            while fragment not in self.transport.status().detail:  # noqa: ASYNC110 - nothing tells of a status
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def at_sea(
    port: int,
    road: Any = None,  # noqa: ANN401 - any road
    clock: Clock | None = None,
    **settings: Any,  # noqa: ANN401 - any key of the config
) -> AsyncIterator[Ship]:
    """Run a bot on that port until the block ends; it waits for its turns only where `pace` says so."""
    table = {"kind": "irc", "host": "127.0.0.1", "port": port, "tls": False, "rooms": ("#ford",)}
    table |= {"pace": "off", **settings}
    account = table.get("account")
    password = table.pop("password", f"{account}pw" if account else None)
    clock = clock or SystemClock()
    road = road or Who()
    made = _Noting(
        "test",
        IrcNetwork.model_validate(table),
        nick="Eddie",
        prefix="!",
        road=road,
        clock=clock,
        password=password,
        room_lines=3,
        direct_lines=12,
        incidents=NoIncidents(),
    )
    ups: list[float] = []
    supervisor = Supervisor(made, clock, SystemEntropy(), NoIncidents(), lambda: ups.append(time.monotonic()))
    task = asyncio.create_task(supervisor.run())
    try:
        yield Ship(made, supervisor, road, ups, made.losses)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
