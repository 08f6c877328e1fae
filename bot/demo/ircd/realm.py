"""Who is here and in which rooms, and how a line gets to them. No input or output but through `Link`."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Protocol

from bot.demo.ircd.wire import Line, fold
from bot.ports import Clock

_TAG_CAPS = {"time": "server-time", "account": "account-tag", "msgid": "message-tags"}
TALK = frozenset({"PRIVMSG", "NOTICE", "TAGMSG"})


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may use up.

    Times are seconds, `sendq` is bytes; a client may send `burst` lines at once, then `per_second`.
    """

    clients: int = 64
    rooms: int = 20
    targets: int = 4
    tries: int = 5
    burst: int = 60
    per_second: float = 10.0
    sendq: int = 256 * 1024
    register_within: float = 60.0
    ping_after: float = 90.0
    pong_within: float = 60.0
    look_every: float = 5.0


class Link(Protocol):
    """A client's connection; neither method ever raises or changes the realm."""

    def write(self, data: bytes) -> None:
        """Send these bytes, or nothing if the connection has ended."""
        ...

    def close(self) -> None:
        """End the connection after what was written."""
        ...


@dataclass(slots=True, eq=False)
class Client:
    """One connection and who speaks on it. The account belongs to the connection, never to the nick."""

    link: Link
    host: str
    since: float
    nick: str = ""
    user: str = ""
    realname: str = ""
    account: str | None = None
    away: str = ""
    registered: bool = False
    caps: set[str] = field(default_factory=set)
    cap_302: bool = False
    negotiating: bool = False
    password: str = ""
    sasl: str | None = None
    tries: int = 0

    @property
    def mask(self) -> str:
        """Return nick!user@host, with "*" for what is not known yet."""
        return f"{self.nick or '*'}!{self.user or '*'}@{self.host}"

    def send(self, line: Line) -> None:
        """Send a line with the tags that this client asked for."""
        self.link.write(
            line.render([tag for tag in line.tags if _TAG_CAPS.get(tag, "message-tags") in self.caps])
        )


@dataclass(slots=True, eq=False)
class Room:
    """A channel: its members with their modes (of "o" and "v"), and its own (of "m", "n" and "t")."""

    name: str
    made: int
    members: dict[Client, set[str]] = field(default_factory=dict)
    modes: set[str] = field(default_factory=lambda: {"n", "t"})
    topic: str = ""
    topic_by: str = ""
    topic_at: int = 0

    def prefix(self, member: Client, *, every: bool) -> str:
        """Return "@" and "+" as they stand before a member's nick: the highest, or with multi-prefix each."""
        symbols = "".join(symbol for mode, symbol in (("o", "@"), ("v", "+")) if mode in self.members[member])
        return symbols if every else symbols[:1]


@dataclass(slots=True, eq=False)
class Realm:
    """All clients and rooms of the server. `accounts` maps the folded name to its spelling and password."""

    name: str
    motd: tuple[str, ...]
    accounts: Mapping[str, tuple[str, str]]
    clock: Clock
    limits: Limits
    services: bool = True
    clients: dict[Client, None] = field(default_factory=dict)
    nicks: dict[str, Client] = field(default_factory=dict)
    rooms: dict[str, Room] = field(default_factory=dict)

    def find(self, nick: str) -> Client | None:
        """Return the registered client of that nick, in any case."""
        client = self.nicks.get(fold(nick))
        return client if client and client.registered else None

    def rooms_of(self, client: Client) -> Iterator[Room]:
        """Yield the rooms in which a client is."""
        return (room for room in self.rooms.values() if client in room.members)

    def neighbours(self, client: Client) -> list[Client]:
        """Return, each once, all who share a room with a client, but not the client."""
        found = dict.fromkeys(member for room in self.rooms_of(client) for member in room.members)
        return [member for member in found if member is not client]

    def reply(self, client: Client, code: str, *params: str) -> None:
        """Send a numeric reply, or a command, whose first parameter is the client's own nick."""
        self.send(client, code, client.nick or "*", *params)

    def send(self, client: Client, command: str, *params: str) -> None:
        """Send a line from the server itself."""
        client.send(Line(command, params, self.name, {"time": self._time()}))

    def relay(
        self,
        source: Client,
        to: Iterable[Client],
        command: str,
        *params: str,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Send a line from one client to others, with what the server vouches for about its source."""
        stamped = {**(tags or {}), "time": self._time()}
        if source.account:
            stamped["account"] = source.account
        if command in TALK:
            stamped["msgid"] = token_urlsafe(12)
        line = Line(command, params, source.mask, stamped)
        for client in to:
            client.send(line)

    def remove(self, client: Client, room: Room) -> None:
        """Take a client out of a room; the last one takes the room along."""
        room.members.pop(client, None)
        if not room.members:
            self.rooms.pop(fold(room.name), None)

    def leave(self, client: Client, reason: str) -> None:
        """End a client's connection and tell those who saw it; the second time nothing happens."""
        if client not in self.clients:
            return
        del self.clients[client]
        client.send(Line("ERROR", (f"Closing link: ({reason})",)))
        client.link.close()
        self.relay(client, self.neighbours(client), "QUIT", reason)
        for room in tuple(self.rooms_of(client)):
            self.remove(client, room)
        if self.nicks.get(fold(client.nick)) is client:
            del self.nicks[fold(client.nick)]

    def forget(self) -> None:
        """Lose every client and room without a word, as a server does that dies."""
        self.clients.clear()
        self.nicks.clear()
        self.rooms.clear()

    def _time(self) -> str:
        return self.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Command:
    """What a client may ask: how many parameters it needs at least, and whether before registration."""

    run: Callable[[Realm, Client, Line], None]
    params: int = 0
    early: bool = False
