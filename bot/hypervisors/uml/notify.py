"""What a guest's kernel tells of its own accord: it is up, it panics, or its root wrote to /proc/mconsole.

Datagrams `=IIiI` (magic, version, type, length) and the text, sent to the socket that the kernel was given
with `mconsole=notify:PATH` (arch/um/include/shared/mconsole.h). All text is the guest's own: it is made one
line, and a flood of it is read slowly, so that the guest's kernel waits and the bot does not.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from bot.hypervisors.uml.cleaning import one_line
from bot.hypervisors.uml.mconsole import MAGIC
from bot.ports import Clock

_HEADER = struct.Struct("=IIiI")
_LARGEST = 4096 + _HEADER.size
_AT_ONCE = 16
_REST = 0.05
"""After 16 datagrams the reader rests for 50 ms: a flood costs the bot nothing that one would notice."""


class NotifyKind(IntEnum):
    """What the kernel calls the types."""

    SOCKET = 0
    PANIC = 1
    HANG = 2
    USER = 3


@dataclass(frozen=True, slots=True)
class Notification:
    """One datagram: its type, and its text as one clean line."""

    kind: NotifyKind
    text: str


def parse(packet: bytes) -> Notification | None:
    """Read one datagram; None if it is none of the kernel's."""
    if len(packet) < _HEADER.size:
        return None
    magic, _, kind, length = _HEADER.unpack_from(packet)
    if magic != MAGIC or kind not in NotifyKind.__members__.values():
        return None
    words = packet[_HEADER.size : _HEADER.size + length].split(b"\0")[0]
    return Notification(NotifyKind(kind), one_line(words.decode("utf-8", "replace")))


class NoticeGate:
    """Lets five notices through at once and then one in 20 s; what it holds back is counted."""

    def __init__(self, clock: Clock, burst: int = 5, seconds: float = 20.0) -> None:
        self._clock = clock
        self._burst = burst
        self._seconds = seconds
        self._tokens = float(burst)
        self._at = clock.monotonic()
        self._held = 0

    def admit(self, text: str) -> str | None:
        """Return the text to pass on, with how many were held back before it; None to hold it back."""
        now = self._clock.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) / self._seconds)
        self._at = now
        if self._tokens < 1:
            self._held += 1
            return None
        self._tokens -= 1
        held, self._held = self._held, 0
        return one_line(f"{text} ({held} more were dropped)" if held else text)


class NotifySocket:
    """The listening end, in a folder that is the bot's own; `heard` gets each notification."""

    def __init__(self, path: Path, heard: Callable[[Notification], None], *, shared: bool) -> None:
        """Bind it, in place of what an earlier bot left; `shared` lets another uid send to it."""
        self._path = path
        self._heard = heard
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._left = _AT_ONCE
        path.unlink(missing_ok=True)
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._sock.bind(str(path))
        path.chmod(0o666 if shared else 0o600)
        self._loop.add_reader(self._sock, self._read)

    def drain(self) -> None:
        """Read what waits, up to a bound: a panic may have been told just before the end."""
        self._take(_AT_ONCE * 16)

    def _read(self) -> None:
        self._left -= self._take(self._left)
        if self._left == 0:
            self._loop.remove_reader(self._sock)
            self._timer = self._loop.call_later(_REST, self._go_on)

    def _go_on(self) -> None:
        self._left = _AT_ONCE
        self._loop.add_reader(self._sock, self._read)

    def _take(self, most: int) -> int:
        """Read at most so many datagrams; return how many there were."""
        for taken in range(most):
            try:
                packet = self._sock.recv(_LARGEST)
            except BlockingIOError:
                return taken
            notification = parse(packet)
            if notification:
                self._heard(notification)
        return most

    def close(self) -> None:
        """Stop listening and take the socket away."""
        if self._timer:
            self._timer.cancel()
        self._loop.remove_reader(self._sock)
        self._sock.close()
        self._path.unlink(missing_ok=True)
