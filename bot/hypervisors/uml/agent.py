"""The bot's end of the serial line to a guest's agent: one command at a time, bounded in size and time.

The line is two named pipes in a folder of the bot's own. The guest has them open for reading and writing
both, as its second serial line, so that neither end ever hangs up and the next bot finds it by its path.
Everything that comes over it is the guest's own: lines with another id or of another form are passed over.
"""

import asyncio
import base64
import binascii
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path

from bot.coop.machines import RunResult
from bot.errors import Conflict

OUTPUT = 1024 * 1024
"""How many bytes of a command's output are kept."""

COMMAND = 8 * 1024
"""How long a command may be, in bytes."""

ANSWER_SECONDS = 10.0
"""How long the agent may take to send what a command that has ended wrote."""

PING_SECONDS = 5.0
"""How long an agent that is not busy may take to say that it is there."""

_CHUNK = 64 * 1024
_MOST = 2 * OUTPUT
"""How many bytes an answer may have on the line: base64 and its line heads add less than half."""

_PIPE = 1024 * 1024  # the most that /proc/sys/fs/pipe-max-size lets a pipe hold by default
_DIGITS = 3
_LINE = re.compile(rb"(PONG|OUT|END) ([0-9a-f]{16})(?: ([A-Za-z0-9+/=]*))?\r?")


class NoAgent(Conflict):
    """No agent answers in the guest."""


class Agent:
    """The line to one guest's agent."""

    def __init__(self, folder: Path, name: str) -> None:
        self._paths = (folder / "agent.in", folder / "agent.out")
        self._name = name
        self._turn = asyncio.Lock()
        self._fds: tuple[int, int] | None = None
        self._rest = b""
        self._budget = _MOST
        self._ready: asyncio.Future[None] | None = None

    def make(self) -> tuple[int, int]:
        """Make the pipes anew and return the guest's two ends, which the caller closes after its start."""
        self.close()
        for path in self._paths:
            path.unlink(missing_ok=True)
            os.mkfifo(path, 0o600)
        self.open()
        return (os.open(self._paths[0], os.O_RDWR), os.open(self._paths[1], os.O_RDWR))

    def open(self) -> None:
        """Open the bot's ends; no harm if they are open."""
        if self._fds is None:
            to_guest = os.open(self._paths[0], os.O_RDWR | os.O_NONBLOCK)
            try:
                self._fds = (to_guest, os.open(self._paths[1], os.O_RDWR | os.O_NONBLOCK))
            except OSError:
                os.close(to_guest)
                raise

    def close(self) -> None:
        """Close the bot's ends; a command that waits for its answer is told that the machine is gone."""
        if self._fds is None:
            return
        if self._ready and not self._ready.done():
            self._ready.get_loop().remove_reader(self._fds[1])
            self._ready.set_result(None)
        for fd in self._fds:
            os.close(fd)
        self._fds = None

    async def answers(self, patience: float = PING_SECONDS) -> bool:
        """Tell whether the agent answers within so many seconds; a busy one does not."""
        try:
            async with asyncio.timeout(patience), self._turn:
                await self._ping()
        except (TimeoutError, NoAgent):
            return False
        return True

    def say(self, command: str) -> None:
        """Have a command run without waiting for what comes of it."""
        self._send(f"RUN {_request()} 10 1 {_encoded(command)}")

    async def run(self, command: str, limit: float) -> RunResult:
        """Run a shell command that is killed after `limit` seconds (status 137) and return what it wrote.

        NoAgent if nobody answers; Conflict for a command that is too long.
        """
        if len(command.encode()) > COMMAND:
            raise Conflict(f"A command has at most {COMMAND} bytes.")
        seconds = max(1, round(limit))
        async with self._turn:
            try:
                async with asyncio.timeout(PING_SECONDS):
                    await self._ping()
                async with asyncio.timeout(seconds + ANSWER_SECONDS):
                    request = _request()
                    self._send(f"RUN {request} {seconds} {OUTPUT + 1} {_encoded(command)}")
                    return await self._collect(request)
            except TimeoutError:
                raise NoAgent(f"{self._name}'s agent does not answer; it may be busy.") from None

    async def _ping(self) -> None:
        self._drain()
        request = _request()
        self._send(f"PING {request}")
        while (await self._next(request))[0] != b"PONG":
            pass

    async def _collect(self, request: str) -> RunResult:
        output = bytearray()
        while True:
            verb, words = await self._next(request)
            if verb == b"END":
                status = int(words) if words.isdigit() and len(words) <= _DIGITS else -1
                return RunResult(status, bytes(output[:OUTPUT]), len(output) > OUTPUT)
            with suppress(binascii.Error):
                output += base64.b64decode(words)

    async def _next(self, request: str) -> tuple[bytes, bytes]:
        """Return the verb and the words of the next line that answers this request."""
        while True:
            line, newline, rest = self._rest.partition(b"\n")
            if not newline:
                more = await self._read()
                self._rest = self._rest[-_CHUNK:] + more
                continue
            self._rest = rest
            match = _LINE.fullmatch(line)
            if match and match[2] == request.encode():
                return match[1], match[3] or b""

    async def _read(self) -> bytes:
        """Return what comes next, a chunk at most; every other task gets its turn before."""
        fds = self._opened()
        self._ready = asyncio.get_running_loop().create_future()
        self._ready.get_loop().add_reader(fds[1], _settle, self._ready)
        try:
            await self._ready
        finally:
            if self._fds is not None:
                self._ready.get_loop().remove_reader(fds[1])
        data = _read_some(self._opened()[1])
        self._budget -= len(data)
        if self._budget < 0:
            raise NoAgent(f"{self._name}'s agent talks without end.")
        return data

    def _send(self, line: str) -> None:
        data = f"\n{line}\n".encode()  # the first newline ends what may have been left unfinished before
        try:
            sent = os.write(self._opened()[0], data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            raise NoAgent(f"{self._name}'s agent takes no commands now.")

    def _drain(self) -> None:
        """Forget late answers to earlier requests, which are no more than the pipe holds."""
        self._rest, self._budget = b"", _MOST
        for _ in range(_PIPE // _CHUNK):
            if not _read_some(self._opened()[1]):
                return

    def _opened(self) -> tuple[int, int]:
        if self._fds is None:
            raise NoAgent(f"{self._name} is not up.")
        return self._fds


def _read_some(fd: int) -> bytes:
    try:
        return os.read(fd, _CHUNK)
    except BlockingIOError:
        return b""


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def _request() -> str:
    return secrets.token_hex(8)


def _encoded(command: str) -> str:
    return base64.b64encode(command.encode()).decode()
