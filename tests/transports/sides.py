"""A transport of each kind between the bot and a network that a test plays; both are used alike."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol
from xml.etree.ElementTree import Element, SubElement, fromstring

from bot.config import XmppNetwork
from bot.model import Identity, IdentityKind, Place
from bot.ports import Transport
from bot.transports.xmpp.stanzas import MESSAGE
from bot.transports.xmpp.transport import XmppTransport
from tests.transports.conftest import HandClock, Irc, Peer, StubIncidents, StubRoad, settle

EARLIER = "2026-11-22T10:00:00Z"


class Side(Protocol):
    """A transport, the room that it belongs in, somebody who is nowhere, and the network around it."""

    transport: Transport
    room: Place
    absent: Identity

    @property
    def road(self) -> StubRoad:
        """Who hears what is said there."""

    async def come_in(self) -> None:
        """Connect, and let the bot into its room."""

    async def speak(self, text: str, *, nick: str = "alice", earlier: bool = False) -> None:
        """Say something in the room, now or two hours ago; the bot's own nick makes it an echo."""

    async def said(self) -> list[str]:
        """Return what the bot has said in the room since the last time; nobody has confirmed it."""

    async def take(self) -> None:
        """Confirm all that was said, and answer what was asked."""

    async def leave(self) -> None:
        """End the transport."""


@dataclass
class IrcSide:
    """On IRC what was said is taken once the server has answered the PING behind it."""

    irc: Irc
    transport: Transport = field(init=False)
    room: Place = field(default=Place("oftc", "#ford"))
    absent: Identity = field(default=Identity("oftc", IdentityKind.IRC_ACCOUNT, "nobody"))
    _task: asyncio.Task[None] | None = None
    _peer: Peer | None = None
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.transport = self.irc.make(pace="off")

    @property
    def road(self) -> StubRoad:
        return self.irc.road

    @property
    def peer(self) -> Peer:
        assert self._peer is not None
        return self._peer

    async def come_in(self) -> None:
        self._task = asyncio.create_task(self.transport.serve(lambda: None))
        self._peer = await self.irc.server.accept()
        await self.peer.admit("message-tags server-time batch")
        await self.take()

    async def speak(self, text: str, *, nick: str = "alice", earlier: bool = False) -> None:
        self.peer.say(f"{nick}!u@h", "#ford", text, tags=f"time={EARLIER}" if earlier else "")
        await self.take()

    async def said(self) -> list[str]:
        self._open += await self.peer.pending()
        found = [line.partition(" :")[2] for line in self._open if line.startswith("PRIVMSG #ford ")]
        self._open = [line for line in self._open if not line.startswith("PRIVMSG #ford ")]
        return found

    async def take(self) -> None:
        lines = self._open
        while lines := [*lines, *await self.peer.pending()]:
            for line in lines:
                verb, _, rest = line.partition(" ")
                if verb == "PING":
                    self.peer.send(f":irc.test PONG irc.test {rest}")
                elif verb == "WHOIS":
                    self.peer.send(f":irc.test 318 Eddie {rest} :End of WHOIS")
            lines = []
        self._open = []

    async def leave(self) -> None:
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await self.peer.expect("QUIT .*")
            self.peer.close()
            await asyncio.gather(self._task, return_exceptions=True)


class Wire:
    """In the place of the stream: keeps what is sent."""

    acknowledges = True
    jid = "eddie@ford.test/shipboard"
    domain = "ford.test"

    def __init__(self, clock: HandClock, began: Callable[[], None]) -> None:
        self.clock, self.began = clock, began
        self.up = False
        self.sent: list[Element] = []
        self.closed: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    @property
    def flows(self) -> bool:
        return self.up

    @property
    def heard(self) -> float:
        return self.clock.monotonic()

    async def ready(self) -> None:
        assert self.up

    async def open(self) -> None:
        self.up = True
        self.began()

    def send(self, element: Element, *, confirmed: bool = False) -> bool:
        assert confirmed in {True, False}
        if self.up:
            self.sent.append(element)
        return self.up

    def lost(self, why: str) -> None:
        assert why
        self.up = False

    async def leave(self) -> None:
        self.up = False

    async def close(self) -> None:
        self.up = False


ROOM = "ford@rooms.test"


@dataclass
class XmppSide:
    """On Jabber what was said is taken once the room has shown it to the bot, too."""

    clock: HandClock
    road: StubRoad
    incidents: StubIncidents
    transport: Transport = field(init=False)
    room: Place = field(default=Place("jabber", ROOM))
    absent: Identity = field(default=Identity("jabber", IdentityKind.XMPP_JID, "nobody@ford.test"))
    pace: object = "off"
    _task: asyncio.Task[None] | None = None
    _open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        table = {"kind": "xmpp", "jid": "eddie@ford.test", "rooms": (ROOM,), "pace": self.pace}
        self._made = XmppTransport(
            "jabber",
            XmppNetwork.model_validate(table),
            nick="Eddie",
            prefix="!",
            road=self.road,
            clock=self.clock,
            password="sesame",  # noqa: S106 - there is no server
            room_lines=3,
            direct_lines=12,
            incidents=self.incidents,
        )
        self.transport = self._made
        self._wire = Wire(self.clock, self._made._on_begin)
        stream: Any = self._wire
        self._made.stream = stream

    async def come_in(self) -> None:
        self._task = asyncio.create_task(self.transport.serve(lambda: None))
        await settle()
        assert f"{ROOM}/Eddie" in [stanza.get("to") for stanza in self._wire.sent]
        self._made._on_presence(
            fromstring(
                f"<presence xmlns='jabber:client' from='{ROOM}/Eddie'>"
                "<x xmlns='http://jabber.org/protocol/muc#user'><item role='moderator'/>"
                "<status code='110'/></x></presence>"
            )
        )
        await settle()

    async def speak(self, text: str, *, nick: str = "alice", earlier: bool = False) -> None:
        made = Element(MESSAGE, {"from": f"{ROOM}/{nick}", "type": "groupchat", "id": "x"})
        SubElement(made, "{jabber:client}body").text = text
        if earlier:
            SubElement(made, "{urn:xmpp:delay}delay", {"stamp": EARLIER})
        self._made._on_message(made)
        await settle()

    async def said(self) -> list[str]:
        await settle()
        found = [one for one in self._wire.sent if (one.tag, one.get("to")) == (MESSAGE, ROOM)]
        self._wire.sent.clear()
        self._open += found
        bodies = [one.findtext("{jabber:client}body") or "" for one in found]
        return [line for body in bodies for line in body.split("\n")]

    async def take(self) -> None:
        while await self.said() or self._open:
            for stanza in self._open:
                stanza.set("from", f"{ROOM}/Eddie")
                self._made._on_message(stanza)
            self._open.clear()
            await settle()

    async def leave(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
