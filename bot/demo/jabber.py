"""A small Jabber client, with which the tour's people are in the demo's room (RFC 6120, XEP-0045)."""

import asyncio
import base64
import contextlib
import ssl
from collections import deque
from collections.abc import AsyncGenerator, Iterator
from html import escape
from typing import cast
from xml.etree.ElementTree import Element, XMLPullParser

from bot.demo.client import Event, Happened, Said
from bot.demo.coop import BOT
from bot.demo.prosody import DOMAIN, Prosody
from bot.errors import TransportFault
from bot.transports.xmpp.stanzas import BODY, IQ, MESSAGE, PRESENCE, error, parted, presence, said

_CHUNK = 64 * 1024
_LOGIN_SECONDS = 15.0
_HEADER = (
    f"<stream:stream to='{DOMAIN}' version='1.0' xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams'>"
)
_SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
_BIND = "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq><presence/>"
_JOIN = "<presence to='{}'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>"
_COMMANDS = "http://jabber.org/protocol/commands"  # XEP-0050
_NOTE = f"{{{_COMMANDS}}}note"


class Person:
    """One connection; made by `enter`. Its nick is its account's name; first it hears who is there."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, nick: str, room: str
    ) -> None:
        self._reader, self._writer = reader, writer
        self._begin()
        self.nick, self.room = nick, room

    @classmethod
    async def enter(cls, server: Prosody, nick: str, password: str, room: str) -> "Person":
        """Connect, log in and come into the room; TransportFault, which says why, if that fails."""
        trusted = ssl.create_default_context(cafile=server.ca)
        try:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", server.tls_port, limit=_CHUNK, ssl=trusted, server_hostname=DOMAIN
            )
        except OSError as reason:
            raise TransportFault(f"{nick} cannot reach the Jabber server: {reason}") from reason
        person = cls(reader, writer, nick, room)
        try:
            async with asyncio.timeout(_LOGIN_SECONDS):
                await person._register(password)
        except BaseException as reason:
            await person.leave()
            if isinstance(reason, TimeoutError):
                raise TransportFault(
                    f"the Jabber server did not let {nick} in within {_LOGIN_SECONDS:g} s"
                ) from reason
            raise
        return person

    async def _register(self, password: str) -> None:
        plain = base64.b64encode(f"\0{self.nick}\0{password}".encode()).decode()
        self._send(_HEADER)
        await self._expect("features")
        self._send(f"<auth xmlns='{_SASL}' mechanism='PLAIN'>{plain}</auth>")
        await self._expect("success")
        self._begin()
        self._send(_HEADER)
        await self._expect("features")
        self._send(_BIND)
        self._send(_JOIN.format(escape(f"{self.room}/{self.nick}")))
        others = []
        while (stanza := await self._stanza()) is not None:
            others.append(stanza)
            if stanza.tag == PRESENCE and stanza.get("from") == f"{self.room}/{self.nick}":
                if stanza.get("type") != "error":
                    self._stanzas.extendleft(reversed(others))
                    return
                raise TransportFault(f"{self.nick} may not come into {self.room}: {error(stanza)[0]}")
        raise TransportFault(f"the Jabber server closed the connection of {self.nick}")

    async def _expect(self, name: str) -> None:
        stanza = await self._stanza()
        if stanza is None or stanza.tag.rpartition("}")[2] != name:
            raise TransportFault(f"the Jabber server refused {self.nick}'s password")

    def say(self, to: str, text: str) -> None:
        """Say something in the room, or to an address."""
        kind = "groupchat" if to == self.room else "chat"
        self._send(f"<message to='{escape(to)}' type='{kind}'><body>{escape(text)}</body></message>")

    def fill(self, command: str) -> None:
        """Ask the bot for a command's form, which for what needs no words is its answer already."""
        words = f"xmlns='{_COMMANDS}' node='{escape(command)}' action='execute'"
        to = f"{BOT.lower()}@{DOMAIN}/shipboard"
        self._send(f"<iq type='set' to='{to}' id='form'><command {words}/></iq>")

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield what is said and what happens, until the connection ends."""
        while (stanza := await self._stanza()) is not None:
            for event in events_of(stanza, self.nick):
                yield event

    async def raw(self) -> AsyncGenerator[bytes, None]:
        """Yield what comes as it comes, in the place of `events`."""
        with contextlib.suppress(OSError):
            while data := await self._reader.read(_CHUNK):
                yield data

    async def leave(self) -> None:
        """Say goodbye and end the connection."""
        self._send("<presence type='unavailable'/></stream:stream>")
        self._writer.transport.abort()  # close() would wait for the server to say goodbye over TLS
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    def _begin(self) -> None:
        self._parser: XMLPullParser[Element] = XMLPullParser(("start", "end"))
        self._open: list[Element] = []
        self._stanzas: deque[Element] = deque()

    async def _stanza(self) -> Element | None:
        """Return the next stanza; None at the end."""
        while not self._stanzas:
            try:
                data = await self._reader.read(_CHUNK)
            except OSError:  # reset
                return None
            if not data:
                return None
            self._parser.feed(data)
            for event, element in cast("Iterator[tuple[str, Element]]", self._parser.read_events()):
                self._take(event, element)
        return self._stanzas.popleft()

    def _take(self, event: str, element: Element) -> None:
        if event == "start":
            self._open.append(element)
            return
        self._open.pop()
        if len(self._open) == 1:
            self._open[0].remove(element)
            self._stanzas.append(element)

    def _send(self, text: str) -> None:
        if not self._writer.is_closing():
            self._writer.write(text.encode("utf-8", "replace"))


def events_of(stanza: Element, own: str) -> Iterator[Event]:
    """Yield what a person wants to see of a stanza, line by line; what was said before they came is not."""
    bare, resource = parted(stanza.get("from", ""))
    kind, text = stanza.get("type", ""), stanza.findtext(BODY) or ""
    if kind == "error":
        yield Happened("", " ".join(error(stanza)).strip())
    elif stanza.tag == MESSAGE and not said(stanza).delayed:
        name = bare.partition("@")[0]
        nick = resource if kind == "groupchat" else BOT if name == BOT.lower() else name
        to = bare if kind == "groupchat" else own
        yield from (Said(nick, to, line) for line in text.splitlines())
    elif stanza.tag == IQ:
        for note in stanza.iter(_NOTE):
            yield from (Said(BOT, own, line) for line in (note.text or "").splitlines())
    elif stanza.tag == PRESENCE and resource:
        seen = presence(stanza)
        yield Happened(resource, f"is in {bare}" if seen.kind == "available" else f"left {bare}")
