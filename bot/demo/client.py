"""A small IRC client, with which the terminal's seat and the people of the tour are on the demo's server."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from bot.errors import TransportFault

_CHUNK = 64 * 1024  # bytes of the longest line that is read, with its tags
_LOGIN_SECONDS = 15.0
_TAKEN, _WRONG_PASSWORD, _READY = "433", "464", {"376", "422"}
_ERRORS = range(400, 600)
_NEWS = {"JOIN": "is in {}", "PART": "left {}", "QUIT": "is gone ({})", "NICK": "is {} now"}


@dataclass(frozen=True, slots=True)
class Said:
    """Words, raw and hostile; `to` is a room, or the nick of whom they were said to directly."""

    nick: str
    to: str
    text: str


@dataclass(frozen=True, slots=True)
class Happened:
    """What else a person wants to see: who came or left, or, without `nick`, what the server refused."""

    nick: str
    text: str


Event = Said | Happened


class Person:
    """One connection; made by `enter`. Its nick is `nick`, which a server may refuse to change."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, nick: str) -> None:
        self._reader, self._writer = reader, writer
        self.nick = nick

    @classmethod
    async def enter(cls, port: int, nick: str, password: str | None, rooms: Sequence[str]) -> "Person":
        """Connect, log in to the account of that name where there is a password, and join the rooms.

        TransportFault, which says why, if that fails. A nick that is taken gets an underscore more.
        """
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_CHUNK)
        except OSError as error:
            raise TransportFault(f"{nick} cannot reach the IRC server: {error}") from error
        person = cls(reader, writer, nick)
        try:
            async with asyncio.timeout(_LOGIN_SECONDS):
                await person._register(nick, password)
        except BaseException as error:
            await person.leave()
            if isinstance(error, TimeoutError):
                raise TransportFault(
                    f"the IRC server did not answer {nick} in {_LOGIN_SECONDS:g} s"
                ) from error
            raise
        for room in rooms:
            person.join(room)
        return person

    async def _register(self, account: str, password: str | None) -> None:
        if password is not None:
            self._send("PASS", f"{account}:{password}")
        self._send("NICK", self.nick)
        self._send("USER", account, "0", "*", account)
        while line := await self._line():
            command = line[1]
            if command == _TAKEN:
                self.nick += "_"
                self._send("NICK", self.nick)
            elif command == _WRONG_PASSWORD:
                raise TransportFault(f"the IRC server refused {account}'s password")
            elif command in _READY:
                return
        raise TransportFault(f"the IRC server closed the connection of {account}")

    def say(self, to: str, text: str) -> None:
        """Say something in a room, or to a nick."""
        self._send("PRIVMSG", to, text)

    def join(self, room: str) -> None:
        """Enter a room."""
        self._send("JOIN", room)

    def rename(self, nick: str) -> None:
        """Ask for another nick."""
        self._send("NICK", nick)

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield what is said and what happens, until the connection ends."""
        while line := await self._line():
            nick, command, params = line
            if command == "NICK" and nick == self.nick and params:
                self.nick = params[0]
            event = event_of(nick, command, params)
            if event is not None:
                yield event

    async def leave(self) -> None:
        """Say goodbye and end the connection."""
        self._send("QUIT", "Bye")
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _line(self) -> tuple[str, str, list[str]] | None:
        """Return nick, command and parameters of the next line, PINGs answered; None at the end."""
        while True:
            try:
                raw = await self._reader.readline()
            except (OSError, ValueError):  # reset, or a line without end
                return None
            if not raw:
                return None
            nick, command, params = parse(raw.decode("utf-8", "replace").rstrip("\r\n"))
            if command != "PING":
                return nick, command, params
            self._send("PONG", *params[-1:])

    def _send(self, *words: str) -> None:
        *middle, last = ("".join(char for char in word if char not in "\r\n\0") for word in words)
        if not self._writer.is_closing():
            self._writer.write(" ".join([*middle, f":{last}"]).encode("utf-8", "replace") + b"\r\n")


def parse(text: str) -> tuple[str, str, list[str]]:
    """Return nick, command and parameters of a server's line; whatever is missing is empty."""
    if text.startswith("@"):
        text = text.partition(" ")[2].lstrip(" ")
    source = ""
    if text.startswith(":"):
        source, _, text = text[1:].partition(" ")
    head, colon, last = text.partition(" :")
    command, *params = head.split() or [""]
    return source.partition("!")[0], command.upper(), [*params, *([last] if colon else [])]


def event_of(nick: str, command: str, params: Sequence[str]) -> Event | None:
    """Return what a person wants to see of a server's line, None if that is nothing."""
    first, last = (params[0], params[-1]) if params else ("", "")
    if command in {"PRIVMSG", "NOTICE"} and len(params) > 1:
        return Said(nick, first, last)
    if command in _NEWS:
        return Happened(nick, _NEWS[command].format(first))
    if command.isdecimal() and int(command) in _ERRORS:
        return Happened("", " ".join(params[1:]))
    return None
