"""Answers `shipboard check --live` on a socket in the state folder: one JSON line, to whoever may open it.

The socket is bound through its folder's descriptor: a path to it could be longer than the 107 bytes that fit
(https://man7.org/linux/man-pages/man7/unix.7.html). Only the bot's own user, and root, can open it.
"""

import asyncio
import json
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

SOCKET = "live.sock"
MOST = 8
"""How many may ask at the same time."""

PATIENCE = 5.0
"""Seconds that somebody has for taking the answer."""


@contextmanager
def reached(state: Path) -> Iterator[str]:
    """Yield a short path for the socket in this folder, good for as long as the context is held."""
    fd = os.open(state, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{fd}/{SOCKET}"
    finally:
        os.close(fd)


@dataclass(slots=True)
class Doorbell:
    """Answers everybody who connects and says nothing; nobody is read from, and nobody is waited for."""

    state: Path
    answer: Callable[[], Mapping[str, object]]
    open: int = 0

    async def run(self) -> None:
        """Answer until cancelled; the folder must be ours alone, see bot.store.lock."""
        server = await asyncio.start_unix_server(self._ring, sock=self._bind(), backlog=MOST)
        try:
            async with server:
                await server.serve_forever()
        finally:
            (self.state / SOCKET).unlink(missing_ok=True)

    def _bind(self) -> socket.socket:
        (self.state / SOCKET).unlink(missing_ok=True)
        bell = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            os.fchmod(bell.fileno(), 0o600)  # before it has a name: the file is made with this mode
            with reached(self.state) as path:
                bell.bind(path)
        except BaseException:
            bell.close()
            raise
        return bell

    async def _ring(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.open >= MOST:
            writer.transport.abort()
            return
        self.open += 1
        try:
            writer.write(json.dumps(self.answer()).encode() + b"\n")
            async with asyncio.timeout(PATIENCE):
                await writer.drain()
                writer.close()
                await writer.wait_closed()
        except (OSError, TimeoutError):
            with suppress(OSError):
                writer.transport.abort()
        finally:
            self.open -= 1
