"""What tests of the whole ship share: the embedded IRC server, people on it, and bots of every kind."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot import cli
from bot.demo.client import Happened, Person, Said
from bot.demo.ircd import Ircd, Limits
from bot.runtime.clock import SystemClock
from tests.real.irc.servers import free_port

ROOT = Path(__file__).parents[1]
TEAM, ADMINS, BOT = "#team", "#admins", "Eddie"
PASSWORDS = {name: f"{name}'s word" for name in ("eddie", "alice", "bob", "ann", "abe")}
PATIENCE = 30.0

CONFIG = """\
[bot]
state = "state"
{bot}
[networks.home]
kind = "irc"
host = "127.0.0.1"
port = {port}
tls = false
account = "eddie"
password_file = "password"
mechanisms = ["PLAIN"]
rooms = ["#team", "#admins"]
login_hint = "log in"
pace = {pace}

[places]
team = ["home/#team"]
admins = ["home/#admins"]

[hosts.ford]
{host}
{more}
"""


class Cable:
    """What the bot reaches the server by: it can be cut, and mended, while people stay on the server."""

    def __init__(self) -> None:
        self.port = 0
        self._to = 0
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def lay(self, to: int) -> None:
        self._to, self.port = to, self.port or free_port()
        self._server = await asyncio.start_server(self._joined, "127.0.0.1", self.port)

    def cut(self) -> None:
        if self._server:
            self._server.close()
        for end in self._ends:
            end.transport.abort()

    async def close(self) -> None:
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.add(writer)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.transport.abort()
            return
        self._ends.add(far_writer)
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(_pump(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(4096):
            sink.write(data)
    sink.transport.abort()


class Seat:
    """A person on the server, with all that they have heard and not yet looked at."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.heard: list[Said | Happened] = []
        self.all: list[Said | Happened] = []
        self._news = asyncio.Event()
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async for event in self.person.events():
            self.heard.append(event)
            self.all.append(event)
            self._news.set()

    def say(self, text: str, to: str = TEAM) -> None:
        self.person.say(to, text)

    async def hears(self, pattern: str, *, to: str = TEAM, seconds: float = PATIENCE) -> str:
        """Wait for a line of the bot's in which the pattern is found, and take it out of what was heard."""

        def wanted(event: Said | Happened) -> bool:
            return (
                isinstance(event, Said)
                and (event.nick, event.to) == (BOT, to)
                and bool(re.search(pattern, event.text))
            )

        event = await self._next(wanted, f"{BOT} said nothing like {pattern!r} to {to}", seconds)
        assert isinstance(event, Said)
        return event.text

    async def told(self, pattern: str, *, seconds: float = PATIENCE) -> str:
        """Wait for such a line in a direct message."""
        return await self.hears(pattern, to=self.person.nick, seconds=seconds)

    async def asks(self, text: str, pattern: str, *, seconds: float = PATIENCE) -> str:
        self.say(text)
        return await self.hears(pattern, seconds=seconds)

    async def sees(self, nick: str, text: str, *, seconds: float = PATIENCE) -> None:
        """Wait until something has happened whose description begins so."""

        def wanted(event: Said | Happened) -> bool:
            return isinstance(event, Happened) and event.nick == nick and event.text.startswith(text)

        await self._next(wanted, f"{nick} {text}: did not happen", seconds)

    async def sees_the_bot(self) -> None:
        await self.sees(BOT, f"is in {TEAM}")

    async def finds_the_bot(self) -> None:
        """Ask until it is there and answers, whoever of us came first."""
        for attempt in range(int(PATIENCE)):
            self.say(f"ping here {attempt}", BOT)
            with contextlib.suppress(AssertionError):
                await self.told("^pong here", seconds=1)
                return
        raise AssertionError(f"{BOT} did not come within {PATIENCE:g} s")

    def lines(self, to: str = TEAM) -> list[str]:
        """Everything that the bot has said there so far."""
        return [e.text for e in self.all if isinstance(e, Said) and (e.nick, e.to) == (BOT, to)]

    async def fence(self) -> None:
        """Wait until the bot has answered something: what it had to say before has come."""
        word = f"fence{len(self.all)}"
        self.person.say(BOT, f"ping {word}")
        await self.told(f"^pong {word}$")

    async def leave(self) -> None:
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        await self.person.leave()

    async def _next(
        self, wanted: Callable[[Said | Happened], bool], what: str, seconds: float
    ) -> Said | Happened:
        try:
            async with asyncio.timeout(seconds):
                while True:
                    self._news.clear()
                    for event in self.heard:
                        if wanted(event):
                            self.heard.remove(event)
                            return event
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"{what} within {seconds:g} s; but {self.heard[-12:]}") from None


@dataclass(slots=True)
class Harbour:
    """A server, the cable to it, a folder with a config, and everybody who is there."""

    folder: Path
    ircd: Ircd
    cable: Cable
    port: int
    stack: AsyncExitStack
    seats: dict[str, Seat] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    def write(
        self, *, host: str = 'hypervisor = "fake"', bot: str = "", pace: str = '"off"', more: str = ""
    ) -> Path:
        (self.folder / "password").write_text(PASSWORDS["eddie"])
        text = CONFIG.format(port=self.cable.port, host=host, bot=bot, pace=pace, more=more)
        self.config.write_text(text)
        return self.config

    def shell(self, *words: str) -> None:
        """Do as an admin of the host does."""
        assert cli.main(["--config", str(self.config), *words]) == 0

    def enrol(self) -> None:
        """Two members, two admins, a machine of alice's, one of bob's and one of the co-op's."""
        for name, role in (("alice", "member"), ("bob", "member"), ("ann", "admin"), ("abe", "admin")):
            self.shell("member", "add", name, "--role", role, "--identity", f"home:{name}")
        for machine, owner in (("ford-1", "bob"), ("ford-3", "alice"), ("ford-9", "co-op")):
            self.shell("machine", "add", machine, "--owner", owner, "--host", "ford")

    async def seat(self, name: str, *, proven: bool = True, rooms: tuple[str, ...] = (TEAM,)) -> Seat:
        rooms = (*rooms, ADMINS) if name in {"ann", "abe"} else rooms
        person = await Person.enter(self.port, name, PASSWORDS[name] if proven else None, rooms)
        seat = self.seats[name] = Seat(person)
        self.stack.push_async_callback(seat.leave)
        for room in rooms:
            await seat.sees(person.nick, f"is in {room}")
        return seat

    async def seated(self, *names: str) -> list[Seat]:
        return [await self.seat(name) for name in names]


@asynccontextmanager
async def harbour(folder: Path) -> AsyncIterator[Harbour]:
    async with AsyncExitStack() as stack:
        ircd, cable = Ircd(PASSWORDS, clock=SystemClock(), limits=Limits(burst=10_000)), Cable()
        port = await ircd.start()
        stack.push_async_callback(ircd.close)
        await cable.lay(port)
        stack.push_async_callback(cable.close)
        yield Harbour(folder, ircd, cable, port, stack)


@dataclass(slots=True)
class Running:
    """A bot as a process of its own."""

    process: asyncio.subprocess.Process

    @property
    def resident(self) -> int:
        """Its resident memory in KiB (proc(5))."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
        assert found
        return int(found[1])

    async def ends(self, seconds: float = PATIENCE) -> tuple[int, str]:
        """Wait for its end; return its status and what it wrote to standard error."""
        async with asyncio.timeout(seconds):
            _, said = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, said.decode()

    async def terminate(self) -> tuple[int, str]:
        self.process.send_signal(signal.SIGTERM)
        return await self.ends(15)

    async def kill(self) -> None:
        self.process.kill()
        await self.ends()


@asynccontextmanager
async def running(config: Path, *, env: Mapping[str, str] | None = None) -> AsyncIterator[Running]:
    """Start `shipboard run` as a process; it is gone at the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.cli", "run", "--config", str(config),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
    )  # fmt: skip
    try:
        yield Running(process)
    finally:
        if process.returncode is None:
            process.kill()
            _, said = await process.communicate()
            sys.stdout.write(said.decode(errors="replace"))  # what the bot had to say, where a test failed
