"""The server itself: connections, their pace and their end."""

import asyncio
import contextlib
import ipaddress
import logging
import re
import socket
import struct
from collections.abc import Callable, Mapping, Sequence

from bot.demo.ircd import login, lookup, rooms, talk
from bot.demo.ircd.realm import Client, Command, Limits, Realm
from bot.demo.ircd.wire import Line, LineBuffer, fold, parse
from bot.errors import SetupError
from bot.ports import Clock

_log = logging.getLogger(__name__)
_ACCOUNT = re.compile(r"[A-Za-z0-9._-]{1,30}")
COMMANDS: Mapping[str, Command] = {**login.COMMANDS, **lookup.COMMANDS, **rooms.COMMANDS, **talk.COMMANDS}
_CHUNK = 4096  # bytes read at once
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no time: the close is an RST (socket(7))


def obey(realm: Realm, client: Client, text: str | None) -> None:
    """Do what one line of a client asks; None is a line that was too long."""
    if text is None:
        realm.reply(client, "417", "Input line was too long")
        return
    line = parse(text)
    command = COMMANDS.get(line.command)
    if not line.command:
        return
    if not client.registered and not (command and command.early):
        realm.reply(client, "451", "You have not registered")
    elif command is None:
        realm.reply(client, "421", line.command[:32], "Unknown command")
    elif len(line.params) < command.params:
        realm.reply(client, "461", line.command, "Not enough parameters")
    else:
        command.run(realm, client, line)


class Connection:
    """One client's connection: its send queue, its pace, and when it last said something."""

    def __init__(self, writer: asyncio.StreamWriter, clock: Clock, limits: Limits) -> None:
        self._writer = writer
        self._clock = clock
        self._limits = limits
        self.ended = False
        self.heard = self._at = clock.monotonic()
        self._lines = float(limits.burst)
        self.pinged: float | None = None
        self.choked: Callable[[], None] = self.reset

    def write(self, data: bytes) -> None:
        """Send these bytes; a client that leaves too many of them unread is given up, a moment later."""
        if self.ended:
            return
        self._writer.write(data)
        if self._writer.transport.get_write_buffer_size() > self._limits.sendq:
            self.reset()
            asyncio.get_running_loop().call_soon(self.choked)

    def close(self) -> None:
        """End it; what the kernel does not take at once is lost, so that nobody has to wait for the peer."""
        if not self.ended:
            self.ended = True
            if self._writer.transport.get_write_buffer_size():
                self._writer.transport.abort()
            else:
                self._writer.close()

    def reset(self) -> None:
        """End it at once with an RST, whatever is lost."""
        if not self.ended:
            self.ended = True
            with contextlib.suppress(OSError):  # the peer was faster
                self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._writer.transport.abort()

    async def heard_line(self) -> None:
        """Note that a line came, and wait if too many did: unread bytes then hold the flooder back."""
        now = self._clock.monotonic()
        rate = self._limits.per_second
        self._lines = min(float(self._limits.burst), self._lines + (now - self._at) * rate) - 1
        self.heard = self._at = now
        self.pinged = None
        if self._lines < 0:
            await self._clock.sleep(-self._lines / rate)

    async def gone(self) -> None:
        """Wait until the connection has ended."""
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


class Ircd:
    """An IRC server on a loopback address, with accounts that it was given.

    `accounts` maps names (letters, digits, `.`, `_`, `-`; at most 30) to passwords. All time-outs, the
    `server-time` tag and the slowing of a flood go by `clock`. Raises SetupError for an impossible account.
    """

    def __init__(
        self,
        accounts: Mapping[str, str],
        *,
        clock: Clock,
        name: str = "shipboard.demo",
        motd: Sequence[str] = (),
        limits: Limits | None = None,
    ) -> None:
        for account, password in accounts.items():
            if not _ACCOUNT.fullmatch(account) or not password:
                raise SetupError(f"{account!r} cannot be an account of the IRC server, or has no password")
        self._clock = clock
        self._limits = limits or Limits()
        known = {fold(account): (account, password) for account, password in accounts.items()}
        self._realm = Realm(name, tuple(motd), known, clock, self._limits)
        self._connections: dict[Client, Connection] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._watcher: asyncio.Task[None] | None = None
        self._server: asyncio.Server | None = None

    @property
    def clients(self) -> tuple[Client, ...]:
        """All registered clients, the oldest connection first."""
        return tuple(client for client in self._realm.clients if client.registered)

    @property
    def services(self) -> bool:
        """Whether the accounts can be used; set, it comes and goes with CAP NEW and CAP DEL of `sasl`."""
        return self._realm.services

    @services.setter
    def services(self, up: bool) -> None:
        if up != self._realm.services:
            self._realm.services = up
            login.tell_sasl(self._realm)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen, and return the port; 0 takes a free one. Works again after `stop_accepting` and `close`.

        Raises SetupError for an address that others could reach, and where the port is taken.
        """
        if self._server is not None:
            raise SetupError("the IRC server is listening already")
        address = "127.0.0.1" if host == "localhost" else host
        try:
            loopback = ipaddress.ip_address(address).is_loopback
        except ValueError:
            loopback = False
        if not loopback:
            raise SetupError(f"the IRC server listens on loopback addresses only, not on {host}")
        try:
            self._server = await asyncio.start_server(self._accept, address, port, limit=_CHUNK)
        except OSError as error:
            raise SetupError(f"the IRC server cannot listen on {host} port {port}: {error}") from error
        self._watcher = self._watcher or asyncio.create_task(self._watch())
        return int(self._server.sockets[0].getsockname()[1])

    def stop_accepting(self) -> None:
        """Refuse new connections, and keep those that there are."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def sever(self) -> None:
        """Reset all connections at once, as a server does that dies; who and what there was is forgotten."""
        self._realm.forget()
        for connection in self._connections.values():
            connection.reset()

    def kill(self, nick: str, reason: str = "Killed") -> bool:
        """End the connection of whoever has that nick; False if nobody has."""
        client = self._realm.find(nick)
        if client:
            self._realm.leave(client, reason)
        return client is not None

    async def close(self) -> None:
        """Say goodbye to all, and stop; raises what the watch over silent clients died of, if it did."""
        self.stop_accepting()
        for client in tuple(self._realm.clients):
            self._realm.leave(client, "The server is going down")
        tasks = [*self._tasks, *([self._watcher] if self._watcher else [])]
        self._watcher = None
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(writer, self._clock, self._limits)
        if self._server is None:  # it was accepted while the server stopped
            connection.reset()
            return
        host = (writer.get_extra_info("peername") or ("unknown",))[0]
        client = Client(connection, f"0{host}" if host.startswith(":") else host, self._clock.monotonic())
        connection.choked = lambda: self._realm.leave(client, "SendQ exceeded")
        self._connections[client] = connection
        self._realm.clients[client] = None
        if len(self._connections) > self._limits.clients:
            self._realm.leave(client, "Too many connections")
        task = asyncio.create_task(self._serve(reader, client, connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: self._connections.pop(client))

    async def _serve(self, reader: asyncio.StreamReader, client: Client, connection: Connection) -> None:
        reason = "Connection closed"
        try:
            await self._listen(reader, client, connection)
        except OSError as error:
            reason = error.strerror or "Connection lost"
        except Exception:  # noqa: BLE001 - a fault of ours costs one client, not the server
            _log.exception("the IRC server dropped %s", client.nick or client.host)
            reason = "Internal error"
        finally:
            self._realm.leave(client, reason)
            await connection.gone()

    async def _listen(self, reader: asyncio.StreamReader, client: Client, connection: Connection) -> None:
        lines = LineBuffer()
        while data := await reader.read(_CHUNK):
            for text in lines.feed(data):
                await connection.heard_line()
                if connection.ended:
                    return
                obey(self._realm, client, text)

    async def _watch(self) -> None:
        while True:
            await self._clock.sleep(self._limits.look_every)
            now = self._clock.monotonic()
            for client, connection in tuple(self._connections.items()):
                self._look(client, connection, now)

    def _look(self, client: Client, connection: Connection, now: float) -> None:
        if not client.registered:
            if now - client.since > self._limits.register_within:
                self._realm.leave(client, "Registration timed out")
        elif connection.pinged is not None:
            if now - connection.pinged > self._limits.pong_within:
                self._realm.leave(client, f"Ping timeout: {now - connection.heard:.0f} seconds")
        elif now - connection.heard > self._limits.ping_after:
            connection.pinged = now
            client.send(Line("PING", (self._realm.name,)))
