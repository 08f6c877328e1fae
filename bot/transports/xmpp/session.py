"""One session with the server, which a lost stream need not end: its rooms, its people, its receipts."""

import secrets
from collections.abc import Callable
from xml.etree.ElementTree import Element

from bot.config import XmppNetwork
from bot.errors import TransportFault
from bot.model import Identity, IdentityKind, Place
from bot.ports import Clock, LinkStatus
from bot.transports.lines import clean
from bot.transports.pace import Turns
from bot.transports.xmpp.asked import Asked
from bot.transports.xmpp.delivery import Delivery, Target
from bot.transports.xmpp.muc import Muc
from bot.transports.xmpp.people import People
from bot.transports.xmpp.receipts import Receipts
from bot.transports.xmpp.stanzas import Presence, available, directed, parted, presence
from bot.transports.xmpp.tls import https
from bot.transports.xmpp.upload import Upload
from bot.transports.xmpp.wire import Wire

QUIET, DEAD = 60.0, 120.0
"""Seconds of silence after which the server is asked for a sign of life, and after which it is given up."""

TICK = 1.0
"""Seconds between two looks at what is due."""


class Session:
    """The parts of one session, from the server's welcome until it has forgotten us."""

    def __init__(self, network: str, settings: XmppNetwork, nick: str, wire: Wire, clock: Clock) -> None:
        prefix = secrets.token_hex(6)
        self.network = network
        self.wire = wire
        self.own = settings.jid.lower()
        self.clock = clock
        self.asked = Asked(prefix, wire.send, clock.monotonic)
        self.muc = Muc(settings.rooms, clean(nick), settings.jid, wire.send, self.asked)
        self.people = People()
        self.receipts = Receipts(clock, wire.domain)
        self.turns = Turns(clock, None if settings.pace == "off" else settings.pace)
        upload = Upload(self.asked, wire.domain, lambda: https(settings))
        self.delivery = Delivery(wire, clock, self.turns, self.receipts, self.asked, prefix, upload)
        self.places = {bare: Place(network, room.name) for bare, room in self.muc.rooms.items()}

    def show(self, text: str) -> None:
        """Show a text in our presence: to who sees it, and to each room that we are in."""
        self.muc.shown = clean(text)
        self.wire.send(available(self.muc.shown))
        self.muc.show()

    def begin(self) -> None:
        """Ask to be let into the rooms."""
        self.muc.tick(self.clock.monotonic())

    def go_on(self) -> None:
        """Go on after the stream was lost: the rooms may have thrown us out meanwhile."""
        self.muc.doubt(self.clock.monotonic())

    def close(self) -> None:
        """Let everybody go who waits for something: the server has forgotten us."""
        self.turns.close()
        self.receipts.close()
        self.asked.close()

    async def watch(self, heard: Callable[[], float]) -> None:
        """See to what is due, for ever; TransportFault once the server has been silent for too long."""
        pinged = False
        while True:
            await self.clock.sleep(TICK)
            now = self.clock.monotonic()
            silence = now - heard()
            if silence >= DEAD:
                raise TransportFault(f"the server was silent for {DEAD:.0f} s")
            if silence >= QUIET and not pinged:
                self.asked.ping(self.wire.domain, lambda _: None)
            pinged = silence >= QUIET
            self.asked.tick(now)
            self.muc.tick(now)

    def take_presence(self, stanza: Element) -> None:
        """Take a presence, of a room or of a person."""
        seen = presence(stanza)
        if seen.bare in self.muc.rooms:
            self.muc.presence(seen, self.clock.monotonic())
        elif seen.bare != self.own:
            self._person(seen)

    def identity(self, bare: str) -> Identity | None:
        """Return who that bare JID is; None for none."""
        return Identity(self.network, IdentityKind.XMPP_JID, bare) if bare else None

    def room(self, name: str) -> Target | None:
        """Return a room that we are in."""
        return Target(name, "groupchat") if self.muc.inside(name.lower()) else None

    def occupant(self, room: str, nick: str) -> Target | None:
        """Return a nick in a room, for as long as it is the same person's; None if nobody is called so."""
        bare = room.lower()
        if not self.muc.inside(bare) or not self.muc.has(bare, nick):
            return None
        real = parted(self.muc.real(bare, nick))[0]
        return Target(
            f"{room}/{nick}",
            occupant=True,
            still=lambda: self.muc.has(bare, nick) and parted(self.muc.real(bare, nick))[0] == real,
        )

    def status(self) -> LinkStatus:
        """Return what this session is like now."""
        inside = tuple(room.name for room in self.muc.rooms.values() if room.inside)
        nick = next((room.nicks.current for room in self.muc.rooms.values() if room.inside), self.muc.nick)
        return LinkStatus(
            network=self.network,
            up=self.wire.up,
            nick=nick,
            account=self.own,
            rooms=inside,
            detail="; ".join(self.muc.problems()),
        )

    def _person(self, seen: Presence) -> None:
        match seen.kind:
            case "available":
                self.people.came(seen.bare, seen.resource)
            case "unavailable" | "error":
                self.people.went(seen.bare, seen.resource)
            case "subscribe":
                # whoever shows us presence is told things only as the holder of that address, so anybody may
                self.wire.send(directed(seen.bare, "subscribed"))
                self.wire.send(directed(seen.bare, "subscribe"))
            case _:
                pass
