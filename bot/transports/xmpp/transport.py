"""An XMPP network as a Transport: one stream at a time, what is said on it, and what we say."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from bot.config import XmppNetwork
from bot.errors import TransportFault
from bot.model import Identity, IdentityKind, Place, Relayed, Reply
from bot.ports import Clock, Draw, Incidents, LinkStatus, Road
from bot.transports.chatter import Chatter
from bot.transports.lines import cap, hush
from bot.transports.manner import Manner
from bot.transports.pace import CHATTER
from bot.transports.race import first, within
from bot.transports.xmpp.adhoc import AdHoc, Asker
from bot.transports.xmpp.conversation import Conversation
from bot.transports.xmpp.delivery import Target, pieces
from bot.transports.xmpp.pictures import Pictures, no_pictures
from bot.transports.xmpp.session import Session
from bot.transports.xmpp.stanzas import parted

if TYPE_CHECKING:
    from bot.transports.xmpp.stream import Stream

CONNECT = 60.0
"""Seconds that connecting may take, TLS and the login included."""

PARTING = 3.0
"""Seconds that the server has to end the stream after our good-bye."""

_REPORTED = 5


class XmppTransport:
    """Implements `bot.ports.Transport` for one `[networks.NAME]` of kind "xmpp".

    A stream that is lost is gone on with at the next `serve`, where the server still knows its session.
    """

    def __init__(  # noqa: PLR0913 - the composition root names them all
        self,
        name: str,
        settings: XmppNetwork,
        *,
        nick: str,
        prefix: str,
        road: Road,
        clock: Clock,
        password: str,
        room_lines: int,
        direct_lines: int,
        incidents: Incidents,
        draw: Draw = no_pictures,
    ) -> None:
        self._name = name
        self._settings = settings
        self._nick = nick
        self._clock = clock
        self._password = password
        self._direct_lines = direct_lines
        self._incidents = incidents
        self._errors = 0
        self._down = "not connected yet"
        self._shown = ""
        self._told: Callable[[], None] = lambda: None
        self._session: Session | None = None
        self.stream: Stream | None = None
        self.chatter = Chatter[Target]()
        manner, shown = Manner(prefix, room_lines, direct_lines), Pictures(draw)
        self.conversation = Conversation(road, manner, clock, incidents, lambda: self._session, shown)
        self.adhoc = AdHoc(
            network=name,
            road=road,
            clock=clock,
            own=lambda: self.stream.jid if self.stream else "",
            send=self._send,
            tell=self._tell_later,
            spawn=self.conversation.queues.spawn,
        )

    @property
    def network(self) -> str:
        """The name of the network in the config."""
        return self._name

    async def serve(self, up: Callable[[], None]) -> None:
        """Hold one stream until it is lost, see `bot.ports.Transport`."""
        self._told = up
        try:
            await self._hold()
        except TransportFault as fault:
            self._down = str(fault)
            raise
        except asyncio.CancelledError:
            self._down = "left"
            await self.conversation.close()
            await self._leave()
            raise

    async def _hold(self) -> None:
        if self.stream is None:
            from bot.transports.xmpp.stream import Hooks, Stream  # noqa: PLC0415 - 150 ms, while others connect

            hooks = Hooks(
                began=self._on_begin,
                resumed=self._on_resume,
                message=self._on_message,
                presence=self._on_presence,
                iq=self._on_iq,
                acknowledged=self._on_acknowledged,
                error=self._on_error,
            )
            self.stream = Stream(self._settings, self._password, hooks, self._clock)
        stream = self.stream
        try:
            await within(self._clock, CONNECT, stream.open())
        except TimeoutError:
            raise TransportFault(f"the server did not let us in within {CONNECT:.0f} s") from None
        session = self._session
        assert session is not None  # noqa: S101 - the stream is open: it has called one of the two hooks
        try:
            await first(
                session.watch(lambda: stream.heard),
                session.turns.run(),
                self.chatter.run(partial(_say_one, session)),
                _until_lost(stream),
            )
        except asyncio.CancelledError:
            raise
        except BaseException:
            stream.lost("we gave it up")
            raise

    async def say(self, place: Place, lines: Sequence[str]) -> bool:
        """Deliver lines to a room that we are in, or to a person; True once they have surely arrived."""
        session = self._up()
        if session is None or place.network != self._name:
            return False
        target = self._directly(session, place.name) if place.direct else session.room(place.name)
        return target is not None and await self._confirm(session, target, lines)

    async def tell(self, identity: Identity, lines: Sequence[str]) -> bool:
        """Deliver lines to who holds the address, if they are seen to be there; False if they are not."""
        session = self._up()
        if session is None or not self._is_ours(identity):
            return False
        bare = identity.subject
        if session.people.is_there(bare):
            return await self._confirm(session, Target(bare), lines)
        seen = session.muc.addresses_of(bare)
        return bool(seen) and await self._confirm(session, Target(seen[0]), lines)

    async def leave_word(self, identity: Identity, lines: Sequence[str]) -> bool:
        """Leave lines with the holder's server, which keeps them; True once ours has taken them."""
        session = self._up()
        if session is None or not self._is_ours(identity):
            return False
        return await self._confirm(session, Target(identity.subject), lines)

    def pass_on(self, relayed: Relayed) -> bool:
        """Say a relayed line if that can be done soon, see `bot.ports.Transport`."""
        session, place = self._up(), relayed.to
        target = None
        if session is not None and place.network == self._name and not place.direct:
            target = session.room(place.name)
        if session is None or target is None:
            return self.chatter.drop()
        here = [nick for nick in relayed.hushed if session.muc.has(place.name.lower(), nick)]
        return self.chatter.put(target, hush(relayed.line, here))

    def show(self, text: str) -> None:
        """Show how the ship is in our presence, also to the rooms."""
        changed, self._shown = self._shown != text, text
        session = self._up()
        if session is not None and changed:
            session.show(text)

    def status(self) -> LinkStatus:
        """Return what this connection is like now."""
        session, dropped = self._up(), self.chatter.dropped
        if session is None:
            return LinkStatus(self._name, up=False, detail=self._down, dropped=dropped)
        return replace(session.status(), dropped=dropped)

    def _up(self) -> Session | None:
        return self._session if self.stream is not None and self.stream.up else None

    def _is_ours(self, identity: Identity) -> bool:
        return identity.network == self._name and identity.kind is IdentityKind.XMPP_JID

    def _directly(self, session: Session, name: str) -> Target | None:
        bare, resource = parted(name)
        return session.occupant(bare, resource) if bare in session.places else Target(name)

    async def _confirm(self, session: Session, target: Target, lines: Sequence[str]) -> bool:
        return await session.delivery.confirm(target, cap(pieces(lines), self._direct_lines))

    async def _leave(self) -> None:
        if self.stream is None:
            return
        if self.stream.up:
            with contextlib.suppress(TimeoutError):
                await within(self._clock, PARTING, self.stream.leave())
        await self.stream.close()
        if self._session is not None:
            self._session.close()

    def _on_begin(self) -> None:
        assert self.stream is not None  # noqa: S101 - it is what calls
        if self._session is not None:
            self._session.close()
        self._session = Session(self._name, self._settings, self._nick, self.stream, self._clock)
        self._session.receipts.returned = self._on_return
        self._session.show(self._shown)
        self._session.begin()
        self._told()

    def _on_resume(self) -> None:
        if self._session is not None:
            self._session.go_on()
        self._told()

    def _on_message(self, stanza: Element) -> None:
        if self._session is not None:
            self.conversation.hear(self._session, stanza)

    def _on_presence(self, stanza: Element) -> None:
        if self._session is not None:
            self._session.take_presence(stanza)

    def _on_iq(self, stanza: Element) -> bool:
        session = self._session
        if session is None:
            return False
        return session.asked.answer(stanza) or self.adhoc.take(stanza, self._asker(session, stanza))

    def _asker(self, session: Session, stanza: Element) -> Asker:
        sender = stanza.get("from", "")
        bare, resource = parted(sender)
        if bare not in session.places:
            return Asker(sender, bare or sender, session.identity(bare))
        real, nicked = parted(session.muc.real(bare, resource))[0], session.occupant(bare, resource)

        def still() -> bool:
            return session is self._up() and nicked is not None and nicked.still()

        return Asker(sender, real or sender, session.identity(real), still)

    def _send(self, stanza: Element) -> bool:
        return self.stream is not None and self.stream.send(stanza)

    async def _tell_later(self, asker: Asker, reply: Reply) -> None:
        """Say by message how a form's command ended, which its client did not wait for.

        Who asked from a nick in a room hears it at their own address, or, if that is hidden, at that nick
        while it is theirs.
        """
        session = self._up()
        if session is None:
            return
        target = Target(asker.address)
        if parted(asker.address)[0] in session.places:
            hidden = asker.bare == asker.address
            target = Target(asker.address, occupant=True, still=asker.still) if hidden else Target(asker.bare)
        lines = cap(pieces(reply.lines), self._direct_lines)
        await session.delivery.deliver(target, lines, f"to {asker.address}")

    def _on_acknowledged(self, ident: str) -> None:
        if self._session is not None:
            self._session.receipts.acknowledged(ident)

    def _on_return(self, to: str, why: str) -> None:
        lost = TransportFault(f"a message to {to} was not delivered after all: {why}")
        self._incidents.report(lost, during=f"delivery on {self._name}")

    def _on_error(self, error: Exception) -> None:
        self._errors += 1
        if self._errors <= _REPORTED:
            self._incidents.report(error, during=f"a stanza from {self._name}")


async def _until_lost(stream: "Stream") -> None:
    raise TransportFault(str(await asyncio.shield(stream.closed)))


async def _say_one(session: Session, target: Target, line: str) -> bool:
    return await session.delivery.deliver(target, pieces((line,))[:1], CHATTER)
