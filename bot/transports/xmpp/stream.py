"""The one place that touches the untyped `slixmpp`: one stream at a time, and a session that may outlive it.

It logs in, keeps the stream management of XEP-0198, and answers what others ask of any client. Messages and
presences are taken from it before it makes objects of them, and it never connects again by itself.
"""

import asyncio
import hashlib
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from slixmpp import ClientXMPP
from slixmpp.stanza import Iq, Message, Presence
from slixmpp.util.sasl.client import MECHANISMS, SASLFailed
from slixmpp.util.sasl.mechanisms import SCRAM
from slixmpp.xmlstream.tostring import tostring

from bot.config import XmppNetwork
from bot.errors import TransportFault
from bot.ports import Clock
from bot.transports.lines import clean
from bot.transports.pins import check_pins
from bot.transports.xmpp.acks import ASK, Acks
from bot.transports.xmpp.forms import NODE
from bot.transports.xmpp.stanzas import IQ, MESSAGE, PRESENCE, available, gated, unavailable
from bot.transports.xmpp.tls import context

PLUGINS: Mapping[str, Mapping[str, int]] = {"xep_0030": {}, "xep_0198": {"window": 50}, "xep_0199": {}}
"""Service discovery, stream management, and answers to pings. Where nobody waits for the server's word on
what it has, it is asked once for 50 stanzas."""

_LOGINS = frozenset({"PLAIN", *(name for name in MECHANISMS if name.startswith("SCRAM-"))})
_KINDS = {MESSAGE: Message, PRESENCE: Presence, IQ: Iq}
_WHY = 200
_MODULUS = 2**32  # of the stanza counts, XEP-0198, section 4


_MOST_ITERATIONS = 1_000_000


def _salted(mechanism: Any, text: bytes, salt: bytes, iterations: int) -> bytes:  # noqa: ANN401 - slixmpp's own type
    """Return SCRAM's Hi (RFC 5802, section 2.2), which is PBKDF2; no server makes us reckon for seconds."""
    if iterations > _MOST_ITERATIONS:
        raise SASLFailed(f"{iterations} iterations are too many")  # type: ignore[no-untyped-call]  # it has no types
    return hashlib.pbkdf2_hmac(mechanism.hash().name, text, salt, iterations)


SCRAM.Hi = _salted  # type: ignore[assignment,method-assign]  # its own is a loop in Python, ten times as slow


@dataclass(frozen=True, slots=True)
class Hooks:
    """Whom a stream calls: at a new session or one that goes on, with stanzas, with what should not happen.

    `iq` tells whether it has taken the answer to a question of ours.
    """

    began: Callable[[], None]
    resumed: Callable[[], None]
    message: Callable[[Element], None]
    presence: Callable[[Element], None]
    iq: Callable[[Element], bool]
    acknowledged: Callable[[str], None]
    error: Callable[[Exception], None]


class _Client(ClientXMPP):
    """Slixmpp's client, without its own ways to connect again and to hand out messages and presences."""

    stream: "Stream"

    def data_received(self, data: bytes | str) -> None:
        self.stream.heard = self.stream.clock.monotonic()
        super().data_received(data)

    def connection_made(self, transport: asyncio.BaseTransport, send_event: bool = True) -> None:  # noqa: FBT001, FBT002 - its own signature
        if self.stream.trusts(transport):
            super().connection_made(transport, send_event)

    def pause_writing(self) -> None:
        self.stream.writable.clear()

    def resume_writing(self) -> None:
        self.stream.writable.set()

    def reschedule_connection_attempt(self) -> None:
        self.stream.lost("")

    def _spawn_event(self, xml: Element) -> None:
        if not self.stream.take(xml):
            super()._spawn_event(xml)


class Stream:
    """The stream to one server; `client` is for what else the package can do, once made it stays the same.

    `heard` is when, by the monotonic clock, the server last sent anything.
    """

    def __init__(self, settings: XmppNetwork, password: str, hooks: Hooks, clock: Clock) -> None:
        self.clock = clock
        self.heard = clock.monotonic()
        self._ready = asyncio.Event()
        self.writable = asyncio.Event()
        self.writable.set()
        self.closed: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._opened: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._settings = settings
        self._hooks = hooks
        self._why = ""
        self.client: Any = _Client(
            f"{settings.jid}/{settings.resource}", password, ssl_context=context(settings)
        )
        self.client.stream = self
        self.client.max_redirects = -1
        self.client.use_aiodns = settings.address is None
        self.client.enable_direct_tls = settings.direct_tls
        self.client.enable_starttls = not settings.direct_tls
        self.client.enable_plaintext = False
        for name, options in PLUGINS.items():
            self.client.register_plugin(name, dict(options))
        self._acks = Acks(self._acknowledge, asyncio.get_running_loop().call_later)
        self.client.plugin["xep_0030"].add_feature(NODE)
        self.client.add_filter("out", self._gate)
        for event, handler in self._events.items():
            self.client.add_event_handler(event, handler)

    @property
    def up(self) -> bool:
        """Whether there is a session, with its stream."""
        return self._ready.is_set()

    @property
    def _events(self) -> dict[str, Callable[[Any], None]]:
        return {
            "session_start": self._on_start,
            "session_resumed": self._on_resumed,
            "connection_failed": self._on_unreachable,
            "ssl_invalid_chain": self._on_unreachable,
            "failed_auth": self._on_refused,
            "no_auth": lambda _: self.lost("the server offers no way to log in that is safe"),
            "stream_error": self._on_error,
            "disconnected": self._on_disconnected,
            "stanza_acked": lambda stanza: self._hooks.acknowledged(stanza.xml.get("id", "")),
        }

    @property
    def acknowledges(self) -> bool:
        """Whether the server tells which stanzas it has."""
        return bool(self.client.plugin["xep_0198"].enabled_out)

    @property
    def jid(self) -> str:
        """Our own full address."""
        return str(self.client.boundjid.full)

    @property
    def domain(self) -> str:
        """The server's own address."""
        return self._settings.jid.partition("@")[2].lower()

    @property
    def flows(self) -> bool:
        """Whether the stream is there, and the server takes more."""
        return self._ready.is_set() and self.writable.is_set()

    async def ready(self) -> None:
        """Wait until the stream is there, and the server takes more."""
        await self._ready.wait()
        await self.writable.wait()

    async def open(self) -> None:
        """Connect, log in, and begin a session or go on with the last one; TransportFault if that fails."""
        if self.client.transport is not None:
            gone = self.client.disconnected
            self.client.abort()
            await gone
        loop = asyncio.get_running_loop()
        self.closed, self._opened, self._why = loop.create_future(), loop.create_future(), ""
        self.writable.set()
        logins = self.client.plugin["feature_mechanisms"]
        logins.use_mechs, logins.attempted_mechs = set(_LOGINS), set()
        host, _, port = (self._settings.address or "").rpartition(":")
        self.client.connect(host.strip("[]") or None, int(port) if port else None)
        try:
            await asyncio.wait((self._opened, self.closed), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self.lost("it took too long")
            raise
        if self.closed.done():
            raise TransportFault(str(self.closed.result()))

    def send(self, element: Element, *, confirmed: bool = False) -> bool:
        """Send a stanza; False while the stream is lost. `confirmed`: the server is to say that it has it.

        It goes at once: the package's queue would forget what waits in it when the stream is lost, and takes
        a turn of the loop.
        """
        if not self.up:
            return False
        kind: Any = _KINDS[element.tag]
        self._flush()
        self._write(kind(self.client, xml=element), new=True)
        if confirmed:
            self.client.plugin["xep_0198"].request_ack()
        return True

    def _write(self, stanza: Any, *, new: bool) -> None:  # noqa: ANN401 - slixmpp's own type
        if new:
            gated(stanza.xml)
            # kept until the server has it, else said again when the stream goes on
            self.client.plugin["xep_0198"]._handle_outgoing(stanza)  # noqa: SLF001 - as its own filter
        self.client.send_raw(tostring(stanza.xml, xmlns=self.client.default_ns, stream=self.client))

    def _flush(self) -> None:
        """Write what waits in the package's queue: stanzas are counted in the order of their keeping."""
        waiting = self.client.waiting_queue
        while not waiting.empty():
            data, new = waiting.get_nowait()
            if isinstance(data, str | bytes):
                self.client.send_raw(data)
            else:
                self._write(data, new=new)
            waiting.task_done()

    def lost(self, why: str) -> None:
        """Note that this stream is over, and give up its socket."""
        self._ready.clear()
        self._acks.forget()
        self.writable.set()
        if not self.closed.done():
            self.closed.set_result(why or self._why or "the server closed the connection")
        self.client.cancel_connection_attempt()
        self.client.abort()

    async def leave(self) -> None:
        """Say good-bye; the session ends with it."""
        self._acks.tell()  # else the server holds what we have for lost
        self.send(unavailable())
        await self.client.disconnect(1.0)

    async def close(self) -> None:
        """Let go of everything; nothing can be opened after it."""
        self.lost("left")
        filters = self.client._run_out_filters  # noqa: SLF001 - it has no other end
        if filters is not None:
            filters.cancel()
            await asyncio.gather(filters, return_exceptions=True)

    def trusts(self, transport: asyncio.BaseTransport) -> bool:
        """Compare a server's certificate with the pinned ones; the first bytes over TLS wait for this."""
        session: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        try:
            if session is not None:
                check_pins(session.getpeercert(binary_form=True), self._settings.tls_fingerprints)
        except TransportFault as fault:
            self.lost(str(fault))
            if isinstance(transport, asyncio.Transport):
                transport.abort()
            return False
        return True

    def take(self, xml: Element) -> bool:
        """Take a stanza that is ours to read; what is wrong with it never ends the stream."""
        if self.up and xml.tag == ASK:
            self._acks.asked()
            return True
        if not self.up or xml.tag not in _KINDS:
            return False
        try:
            if xml.tag == MESSAGE:
                self._hooks.message(xml)
            elif xml.tag == PRESENCE:
                self._hooks.presence(xml)
            elif not self._hooks.iq(xml):
                return False
        except Exception as error:  # noqa: BLE001 - one stanza must not cost the stream
            self._hooks.error(error)
        management = self.client.plugin["xep_0198"]
        if management.enabled_in:
            management.handled = (management.handled + 1) % _MODULUS
        return True

    def _acknowledge(self) -> None:
        management = self.client.plugin["xep_0198"]
        if management.enabled_in:
            management.send_ack()

    def _gate(self, stanza: Any) -> Any:  # noqa: ANN401 - slixmpp's own type
        gated(stanza.xml)
        return stanza

    def _on_start(self, _: object) -> None:
        if self._in_session():
            self.send(available())
            self._hooks.began()

    def _on_resumed(self, _: object) -> None:
        self._flush()  # what is said again, before anything new
        if self._in_session():
            self._hooks.resumed()

    def _in_session(self) -> bool:
        if self.client.transport.get_extra_info("ssl_object") is None:
            self.lost("the server did not offer TLS")
            return False
        self._ready.set()
        if not self._opened.done():
            self._opened.set_result(None)
        return True

    def _on_unreachable(self, error: object) -> None:
        where = self._settings.address or self._settings.jid.partition("@")[2]
        if isinstance(error, ssl.SSLCertVerificationError):
            self.lost(f"{where}: its certificate is not to be trusted: {error.verify_message}")
        elif isinstance(error, ssl.SSLError):
            self.lost(f"{where}: no TLS: {error.reason or error}")
        self._why = f"{where} cannot be reached: {error}"

    def _on_refused(self, stanza: Any) -> None:  # noqa: ANN401 - slixmpp's own type
        self.lost(f"the server does not let {self._settings.jid} in: {clean(stanza['condition'])}")

    def _on_error(self, stanza: Any) -> None:  # noqa: ANN401 - slixmpp's own type
        self._why = clean(f"the server ended it: {stanza['condition']} {stanza['text']}").strip()[:_WHY]

    def _on_disconnected(self, reason: object) -> None:
        if isinstance(reason, ssl.SSLError):
            self._on_unreachable(reason)
        self.lost(self._why or (clean(str(reason))[:_WHY] if reason else ""))
