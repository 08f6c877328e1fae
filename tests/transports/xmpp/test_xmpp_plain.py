"""A server, or somebody between, that would have us go without TLS: nothing secret is ever sent."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.config import XmppNetwork
from bot.errors import TransportFault
from bot.model import Message, Reply
from bot.ports import Report
from bot.runtime.clock import SystemClock
from bot.testing import FakeIncidents, QuietRoad
from bot.transports.xmpp.transport import XmppTransport

PATIENCE = 20.0
SECRET = "sesame"  # noqa: S105 - it is to be seen nowhere
HEAD = (
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' id='1' version='1.0' from='ford.test' "
    "xmlns:stream='http://etherx.jabber.org/streams'><stream:features>{features}</stream:features>"
)
LOGINS = (
    "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism>"
    "<mechanism>SCRAM-SHA-1</mechanism><mechanism>DIGEST-MD5</mechanism></mechanisms>"
)
BIND = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
BOUND = (
    "<iq type='result' id='{id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
    "<jid>eddie@ford.test/x</jid></bind></iq>"
)


class Liar:
    """A server that offers what a test wants, in plain text, and keeps all that it is told."""

    def __init__(self) -> None:
        self.features = ""
        self.heard = ""
        self.port = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD.format(features=self.features).encode())
        while data := await reader.read(4096):
            self.heard += data.decode()
            if "urn:ietf:params:xml:ns:xmpp-bind" in data.decode():
                ident = data.decode().partition('id="')[2].partition('"')[0]
                writer.write(BOUND.format(id=ident).encode())
        writer.close()

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()


@pytest.fixture
async def liar() -> AsyncIterator[Liar]:
    made = Liar()
    await made.start()
    yield made
    await made.stop()


@pytest.mark.parametrize(
    ("features", "why"),
    [(LOGINS, "no way to log in that is safe"), (BIND, "did not offer TLS"), ("<x xmlns='y'/>", "")],
)
async def test_without_tls_nothing_is_told(liar: Liar, features: str, why: str) -> None:
    liar.features = features
    table = {
        "kind": "xmpp",
        "jid": "eddie@ford.test",
        "address": f"127.0.0.1:{liar.port}",
        "rooms": ("a@b.test",),
    }
    made = XmppTransport(
        "jabber",
        XmppNetwork.model_validate(table),
        nick="Eddie",
        prefix="!",
        road=Deaf(),
        clock=SystemClock(),
        password=SECRET,
        room_lines=3,
        direct_lines=12,
        incidents=FakeIncidents(),
    )
    serving = asyncio.ensure_future(made.serve(lambda: None))
    if why:
        with pytest.raises(TransportFault, match=why):
            await asyncio.wait_for(serving, PATIENCE)
        assert why in made.status().detail
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    for secret in (SECRET, "<auth", "<presence", "muc"):
        assert secret not in liar.heard


class Deaf(QuietRoad):
    async def handle(self, message: Message, report: Report) -> Reply:
        raise AssertionError((message, report))
