"""Those who talk to the bot: plain sockets in the channel, and the ledger of what they asked."""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.server import PATIENCE

CHANNEL = "#bench"
BATCH = 50
"""Lines that somebody writes at a time before the others have their turn."""

TOGETHER = 5
"""People who connect at the same time."""

AGAIN = 0.05
"""Seconds until a nick that is taken is asked for again."""

Hear = Callable[[bytes], None]


class Person(asyncio.Protocol):
    """Somebody in the channel; `hear` gets each line, and without it hardly any time is spent on them."""

    def __init__(self, nick: str, hear: Hear | None = None) -> None:
        self.nick, self._hear = nick, hear
        self._rest = b""
        self._pongs: dict[bytes, asyncio.Future[None]] = {}
        self._writable = asyncio.Event()
        self._writable.set()
        self.inside: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport

    @classmethod
    async def join(cls, port: int, nick: str, hear: Hear | None = None) -> "Person":
        """Connect, and come into the channel."""
        loop = asyncio.get_running_loop()
        _, person = await loop.create_connection(lambda: cls(nick, hear), "127.0.0.1", port)
        await asyncio.wait_for(person.inside, PATIENCE)
        return person

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a TCP connection is one
        self.transport = transport
        self.send(f"NICK {self.nick}", f"USER {self.nick} 0 * :bench")

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of all who wait."""
        for future in (self.inside, *self._pongs.values()):
            if not future.done():
                future.set_exception(ConnectionError(f"{self.nick} lost the server: {exc}"))
                future.exception()
        self._writable.set()

    def pause_writing(self) -> None:
        """Wait until the server has read."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Go on."""
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        """Take each line; once inside, one who hears nobody looks only for what the server wants."""
        data = self._rest + data
        if self._hear is None and self.inside.done() and b"PING" not in data and b"PONG" not in data:
            self._rest = data.rpartition(b"\r\n")[2]
            return
        *lines, self._rest = data.split(b"\r\n")
        for line in lines:
            self._take(line)

    def _take(self, line: bytes) -> None:
        if self._hear is not None:
            self._hear(line)
        source, verb, rest = (*line.split(b" ", 2), b"", b"")[:3]
        if source == b"PING":
            self.send(f"PONG {verb.decode()}")
        elif verb == b"433":  # whoever had the nick in the last round is leaving
            asyncio.get_running_loop().call_later(AGAIN, self.send, f"NICK {self.nick}")
        elif verb == b"001":
            self.send(f"JOIN {CHANNEL}")
        elif verb == b"366" and not self.inside.done():
            self.inside.set_result(None)
        elif verb == b"PONG" and (waiting := self._pongs.pop(rest.rpartition(b":")[2], None)):
            waiting.set_result(None)

    def send(self, *lines: str) -> None:
        """Write lines as they are."""
        self.transport.write("".join(f"{line}\r\n" for line in lines).encode())

    def say(self, *texts: str) -> None:
        """Say something in the channel."""
        self.send(*(f"PRIVMSG {CHANNEL} :{text}" for text in texts))

    async def say_all(self, texts: Sequence[str]) -> None:
        """Say many things, as fast as the server takes them."""
        for start in range(0, len(texts), BATCH):
            await self._writable.wait()
            self.say(*texts[start : start + BATCH])
            await asyncio.sleep(0)

    async def synced(self) -> None:
        """Wait until the server has taken everything that was sent."""
        token = f"bench{time.perf_counter_ns()}"
        pong = self._pongs[token.encode()] = asyncio.get_running_loop().create_future()
        self.send(f"PING {token}")
        await asyncio.wait_for(pong, PATIENCE)

    def look_away(self) -> None:
        """Read nothing more: 200 people who read in one process would be what is measured."""
        self.transport.pause_reading()

    def leave(self) -> None:
        """Close the connection."""
        self.transport.abort()


@dataclass(slots=True)
class Ledger:
    """Numbered questions, and when each was answered by the bot of this nick, as perf_counter seconds."""

    nick: str
    answered: dict[int, float] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    joined_at: float | None = None
    left: str = ""
    _count: int = 100_000
    _waiting: dict[int, asyncio.Future[float]] = field(default_factory=dict)
    _line: re.Pattern[bytes] = field(init=False)

    def __post_init__(self) -> None:
        said = rb":%b!\S+ (?:PRIVMSG \S+ :pong (\d{6,})$|(JOIN) |(QUIT|PART|KILL))" % self.nick.encode()
        self._line = re.compile(said)

    def hear(self, line: bytes) -> None:
        """Take a line, if it is of the bot."""
        found = self._line.match(line)
        if found is None:
            return
        now = time.perf_counter()
        if found[1]:
            self._settle(int(found[1]), now)
        elif found[2]:
            self.joined_at = now
        else:
            self.left = line.decode("utf-8", "replace")

    def _settle(self, number: int, now: float) -> None:
        self.order.append(number)
        self.answered.setdefault(number, now)
        if (waiting := self._waiting.pop(number, None)) and not waiting.done():
            waiting.set_result(now)

    def number(self) -> int:
        """Return a number that no other question has."""
        self._count += 1
        return self._count

    async def ask(self, person: Person, patience: float = PATIENCE) -> float | None:
        """Ask one thing and return the seconds until its answer, None if there is none."""
        number = self.number()
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        person.say(f"!ping {number}")
        try:
            arrived: float = await asyncio.wait_for(answer, patience)
        except TimeoutError:
            self._waiting.pop(number, None)
            return None
        return arrived - began

    async def settled(self, numbers: Sequence[int], quiet: float) -> None:
        """Wait until all are answered, or nothing was for so many seconds."""
        missing, heard, last = set(numbers), len(self.order), time.perf_counter()
        while missing and time.perf_counter() - last < quiet:
            await asyncio.sleep(0.02)
            if len(self.order) > heard:
                missing.difference_update(self.order[heard:])
                heard, last = len(self.order), time.perf_counter()


async def several(port: int, nicks: Sequence[str]) -> list[Person]:
    """Let many people come in, a few at a time: ngIRCd lets no more than ten wait at its door."""
    people: list[Person] = []
    for start in range(0, len(nicks), TOGETHER):
        coming = (Person.join(port, nick) for nick in nicks[start : start + TOGETHER])
        people += await asyncio.gather(*coming)
    return people
