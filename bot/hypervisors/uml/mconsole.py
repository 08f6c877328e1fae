"""A client of the UML management console: one datagram asks, one or more answer.

Request `=III` (magic, version, length) and 512 bytes; answer `=iII` (error, more, length) and the text.
https://docs.kernel.org/virt/uml/user_mode_linux_howto_v2.html#the-management-console, and
arch/um/include/shared/mconsole.h in the kernel. The guest's root may have put anything in the socket's place:
no symbolic link is followed on the way to it, and answers are bounded in size, number and time.

HypervisorFault
└─ MconsoleFault
   ├─ GuestRefused   it answered that it will not, or cannot
   ├─ GuestSilent    the socket is bound, but nobody answers: stopped, hung, or only a helper lives
   ├─ GuestGone      there is no socket, or nobody has it open
   └─ GuestGarbled   what came is no answer
"""

import asyncio
import os
import socket
import stat
import struct
from contextlib import ExitStack
from pathlib import Path

from bot.errors import HypervisorFault
from bot.hypervisors.uml.cleaning import one_line

MAGIC = 0xCAFEBABE
VERSION = 2
DATA = 512
"""How long a request may be, and each packet of an answer."""

PATIENCE = 2.0
"""Seconds after which a guest that does not answer counts as unresponsive."""

MOST = 64 * 1024
"""How many bytes one answer may have in all."""

_REQUEST = struct.Struct("=III")
_ANSWER = struct.Struct("=iII")


class MconsoleFault(HypervisorFault):
    """The management console did not do what it was asked."""


class GuestRefused(MconsoleFault):
    """It answered that it will not, or cannot."""


class GuestSilent(MconsoleFault):
    """The socket is bound, but nobody answers: stopped, hung, or only a helper lives."""


class GuestGone(MconsoleFault):
    """There is no socket, or nobody has it open."""


class GuestGarbled(MconsoleFault):
    """What came is no answer."""


async def ask(path: Path, line: str, patience: float = PATIENCE) -> str:
    """Send one command to the console at that path and return its answer, raw and hostile.

    Raises one of the MconsoleFaults above; ValueError for a command that is too long.
    """
    request = line.encode()
    if len(request) >= DATA:
        raise ValueError("a management console command has at most 511 bytes")
    packet = _REQUEST.pack(MAGIC, VERSION, len(request)) + request.ljust(DATA, b"\0")
    with ExitStack() as stack:
        sock = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK))
        sock.bind("")  # an abstract name: the guest needs somewhere to answer, and no file is left behind
        try:
            sock.connect(_unfollowed(path, stack))
            async with asyncio.timeout(patience):
                await asyncio.get_running_loop().sock_sendall(sock, packet)
                return await _answer(sock)
        except TimeoutError:
            raise GuestSilent(f"{path}: no answer to {line!r} in {patience:g} s") from None
        except OSError as error:
            raise GuestGone(f"{path}: {error.strerror}") from error


def _unfollowed(path: Path, stack: ExitStack) -> str:
    """Return a name for the socket itself: a link in its place could lead to another guest's."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW)
    stack.callback(os.close, folder)
    file = os.open(path.name, os.O_PATH | os.O_NOFOLLOW, dir_fd=folder)
    stack.callback(os.close, file)
    if not stat.S_ISSOCK(os.fstat(file).st_mode):
        raise GuestGone(f"{path}: not a socket")
    return f"/proc/self/fd/{file}"


async def _answer(sock: socket.socket) -> str:
    loop = asyncio.get_running_loop()
    text = bytearray()
    packets = 0
    while True:
        packet = await loop.sock_recv(sock, _ANSWER.size + DATA + 64)
        packets += 1
        if len(packet) < _ANSWER.size:
            raise GuestGarbled(f"an answer of {len(packet)} bytes")
        error, more, length = _ANSWER.unpack_from(packet)
        text += packet[_ANSWER.size : _ANSWER.size + length]
        if len(text) > MOST or packets > MOST // DATA:
            raise GuestGarbled(f"an answer of more than {MOST} bytes")
        if not more:
            break
    words = bytes(text).replace(b"\0", b"").decode("utf-8", "replace")
    if error:
        raise GuestRefused(one_line(words) or f"error {error}")
    return words
