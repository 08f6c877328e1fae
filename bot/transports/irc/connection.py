"""The one place that touches the untyped `irc` package: its parser and asyncio connection, made robust.

What we do not take over from it, each for a reason: CTCP dequoting (it turns text into CR and NUL), feature
and nick tracking (one bad line kills the connection), events, and its rate limit (it blocks the loop).
"""

import asyncio
import linecache
import re
from collections.abc import Callable
from typing import Any

from irc.client import _rfc_1459_command_regexp as _command
from irc.client import buffer
from irc.client_aio import AioConnection, AioReactor, IrcProtocol

from bot.config import IrcNetwork
from bot.errors import TransportFault
from bot.transports.irc.line import Line
from bot.transports.irc.tls import context
from bot.transports.lines import IRC_LINE
from bot.transports.pins import check_pins

linecache.clearcache()  # to find its own folder, `irc` reads the source of all that is on the stack: 0.3 MiB

LONGEST_LINE = 16 * 1024
"""Bytes of a line with its tags; what is longer is dropped, however long it gets."""

BACKLOG = 256 * 1024
"""Bytes that may wait for a server that does not read; after that the link counts as lost."""

_FORBIDDEN = re.compile("[\r\n\0]")


class CappedBuffer(buffer.LenientDecodingLineBuffer):  # type: ignore[misc]  # the package ships no types
    """Lines as UTF-8, else Latin-1; of a line that does not end, no more than LONGEST_LINE is ever kept."""

    buffer: bytes

    def __init__(self) -> None:
        super().__init__()
        self.dropped = 0
        self._skipping = False

    def feed(self, data: bytes) -> None:
        """Take what came from the network."""
        if self._skipping:
            _, newline, data = data.partition(b"\n")
            self._skipping = not newline
        super().feed(data)
        whole = self.buffer.rfind(b"\n") + 1
        if len(self.buffer) - whole > LONGEST_LINE:
            self.buffer = self.buffer[:whole]
            self.dropped += 1
            self._skipping = True


class _Protocol(IrcProtocol):  # type: ignore[misc]  # the package ships no types
    def connection_lost(self, exc: Exception | None) -> None:
        self.connection.lost(str(exc) if exc else "the server closed the connection")

    def pause_writing(self) -> None:
        self.connection.writable.clear()

    def resume_writing(self) -> None:
        self.connection.writable.set()


class Link(AioConnection):  # type: ignore[misc]  # the package ships no types
    """One connection: lines in as values, each in its own guard; lines out through one gate.

    `on_line` may raise: the line counts as bad, `on_error` hears why, and the connection goes on.
    """

    protocol_class = _Protocol
    buffer_class = CappedBuffer
    buffer: CappedBuffer
    transport: asyncio.Transport | None = None

    def __init__(self, on_line: Callable[[Line], None], on_error: Callable[[Exception], None]) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(AioReactor(loop=loop))
        self.closed: asyncio.Future[str] = loop.create_future()
        self.buffer = CappedBuffer()
        self._on_line = on_line
        self._on_error = on_error
        self._malformed = 0
        self._settings: IrcNetwork | None = None
        self._greeted = False
        self._outgoing = bytearray()
        self.writable = asyncio.Event()
        self.writable.set()

    @property
    def bad_lines(self) -> int:
        """How many lines could not be read, were too long, or made us stumble."""
        return self._malformed + self.buffer.dropped

    async def open(self, settings: IrcNetwork, nick: str) -> None:
        """Connect to the server of the config, check who it is, and begin to register.

        TransportFault if it cannot be reached or is not who it should be; then nothing was sent.
        """
        self._settings = settings
        try:
            await self.connect(
                settings.host,
                settings.port,
                nick,
                username=nick.lower(),
                ircname="shipboard",
                connect_factory=self._dial,
            )
        except (OSError, UnicodeError) as error:
            raise TransportFault(f"{settings.host} cannot be reached: {error}") from error

    async def _dial(self, protocol: _Protocol, address: tuple[str, int]) -> tuple[Any, _Protocol]:
        assert self._settings is not None  # noqa: S101 - `open` is the only way here
        transport, _ = await asyncio.get_running_loop().create_connection(
            lambda: protocol, *address, ssl=context(self._settings)
        )
        session = transport.get_extra_info("ssl_object")
        try:
            if self._settings.tls:  # the pins of a plain connection are for what STS makes of it
                check_pins(session and session.getpeercert(binary_form=True), self._settings.tls_fingerprints)
        except TransportFault:
            transport.abort()
            raise
        return transport, protocol

    def nick(self, newnick: str) -> None:
        """Ask for a nick; the package does so first of all, so the capabilities are asked for before it."""
        if not self._greeted:
            self._greeted = True
            self.send_raw("CAP LS 302")
        self.send_items("NICK", newnick)

    def process_data(self, new_data: bytes) -> None:
        """Take bytes from the server; nothing in them ends the connection."""
        self.buffer.feed(new_data)
        for text in self.buffer:
            if self.closed.done():
                return
            self._process_line(text)

    def _process_line(self, text: str) -> None:
        try:
            line = parse(text) if len(text) <= LONGEST_LINE else None
            if line is not None:
                self._on_line(line)
            elif text:
                self._malformed += 1
        except Exception as error:  # noqa: BLE001 - one line must not cost the connection
            self._malformed += 1
            self._on_error(error)

    def send_raw(self, string: str) -> None:
        """Send one line in this round of the loop; into a lost connection it is lost."""
        if self.transport is None or self.transport.is_closing():
            return
        if not self._outgoing:
            asyncio.get_running_loop().call_soon(self._flush)
        self._outgoing += self._prep_message(string)
        if self.transport.get_write_buffer_size() + len(self._outgoing) > BACKLOG:
            self.lost("the server does not read")

    def _flush(self) -> None:
        # one system call for all that was said in one round of the loop: each costs more than what it sends
        if self._outgoing and self.transport is not None and not self.transport.is_closing():
            self.transport.write(bytes(self._outgoing))
        self._outgoing.clear()

    def _prep_message(self, string: str) -> bytes:
        text = _FORBIDDEN.sub(" ", string).encode("utf-8", "replace")
        return text[: IRC_LINE - 2].decode("utf-8", "ignore").encode() + b"\r\n"

    def lost(self, why: str) -> None:
        """Note that this connection is over, and give up its socket."""
        self.connected = False
        self.writable.set()
        if not self.closed.done():
            self.closed.set_result(why)
        if self.transport is not None:
            self.transport.abort()

    def disconnect(self, message: str = "") -> None:
        """Drop the connection without a word; the package asks for this in its own ways."""
        self.lost(message or "closed")


def parse(text: str) -> Line | None:
    """Return the line as a value, None if it is none.

    Parameters are parted by spaces only: other white space may be part of a name.
    """
    found = _command.match(text.rstrip("\r"))
    if found is None or not (found["command"].isalnum() and found["command"].isascii()):
        return None
    head, colon, trailing = (found["argument"] or "").partition(" :")
    params = [word for word in head.split(" ") if word]
    if colon:
        params.append(trailing)
    return Line(found["command"].upper(), tuple(params), found["prefix"] or "", found["tags"] or "")
