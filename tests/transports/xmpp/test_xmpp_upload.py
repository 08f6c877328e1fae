import asyncio
import http.client
import ssl
from typing import Any, ClassVar
from xml.etree.ElementTree import Element, fromstring

import pytest

from bot.testing import settle
from bot.transports.xmpp import upload
from bot.transports.xmpp.asked import PATIENCE, Asked
from bot.transports.xmpp.upload import NoUpload, Slot, Upload, read_slot

ITEMS = (
    "<query xmlns='http://jabber.org/protocol/disco#items'>"
    "<item jid='rooms.x.test'/><item/><item jid='upload.x.test'/></query>"
)
FEATURE = (
    "<query xmlns='http://jabber.org/protocol/disco#info'><feature var='urn:xmpp:http:upload:0'/></query>"
)
SLOT = (
    "<slot xmlns='urn:xmpp:http:upload:0'><put url='https://x.test:5281/a/b?c=d'>"
    "<header name='Authorization'>Basic&#10;x</header><header name='Host'>evil</header></put>"
    "<get url='https://x.test/a/b'/></slot>"
)


class Server:
    """Answers what is asked; `answers` by address."""

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers = answers
        self.asked = Asked("p", self._asked, lambda: self.now)
        self.now = 0.0
        self.heard: list[str] = []

    def _asked(self, stanza: Element) -> None:
        to = stanza.get("to", "")
        self.heard.append(to)
        key = "slot" if stanza.find("{urn:xmpp:http:upload:0}request") is not None else to
        kind, text = ("result", self.answers[key]) if key in self.answers else ("error", "")
        self.late = fromstring(
            f"<iq xmlns='jabber:client' type='{kind}' id='{stanza.get('id')}' from='{to}'>{text}</iq>"
        )
        if key != "silent":
            self.asked.answer(self.late)


class Link:
    """Takes the place of an HTTPS connection."""

    status = 201
    got: ClassVar[dict[str, Any]] = {}

    def __init__(self, host: str, port: int | None, **_: object) -> None:
        type(self).got = {"host": host, "port": port}

    def request(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> None:
        type(self).got |= {"method": method, "path": path, "body": body, "headers": headers}

    def getresponse(self) -> "Link":
        return self

    def close(self) -> None:
        pass


def made(server: Server) -> Upload:
    return Upload(server.asked, "x.test", ssl.create_default_context)


async def test_a_picture_is_put_where_the_server_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http.client, "HTTPSConnection", Link)
    server = Server({"x.test": ITEMS, "upload.x.test": FEATURE, "rooms.x.test": "<query/>", "slot": SLOT})
    store = made(server)
    assert await store.put("a.png", b"png", "image/png") == "https://x.test/a/b"
    assert Link.got == {
        "host": "x.test",
        "port": 5281,
        "method": "PUT",
        "path": "/a/b?c=d",
        "body": b"png",
        "headers": {"Content-Type": "image/png", "Authorization": "Basicx"},
    }
    asked = len(server.heard)
    await store.put("b.png", b"png", "image/png")
    assert server.heard[asked:] == ["upload.x.test"]


async def test_why_there_is_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http.client, "HTTPSConnection", Link)
    there = {"x.test": ITEMS, "upload.x.test": FEATURE}
    with pytest.raises(NoUpload, match="stores no files"):
        await made(Server({"x.test": ITEMS})).put("a", b"x", "image/png")
    with pytest.raises(NoUpload, match="gives no place"):
        await made(Server(there)).put("a", b"x", "image/png")
    with pytest.raises(NoUpload, match="more than"):
        await made(Server(there)).put("a", b"x" * (upload.LARGEST + 1), "image/png")
    monkeypatch.setattr(Link, "status", 413)
    with pytest.raises(NoUpload, match="answered 413"):
        await made(Server(there | {"slot": SLOT})).put("a", b"x", "image/png")

    def refused(*_: object) -> None:
        raise ConnectionRefusedError("refused")

    monkeypatch.setattr(Link, "getresponse", refused)
    with pytest.raises(NoUpload, match="cannot be reached: refused"):
        await made(Server(there | {"slot": SLOT})).put("a", b"x", "image/png")


@pytest.mark.parametrize(
    "url", ["http://x.test/a", "https:///a", "https://x.test/a b", "https://[x/", "ftp://x", ""]
)
def test_a_place_that_is_not_to_be_trusted(url: str) -> None:
    stanza = fromstring(f"<iq>{SLOT.replace('https://x.test/a/b', url)}</iq>")
    with pytest.raises(NoUpload, match="not behind HTTPS"):
        read_slot(stanza)
    assert read_slot(fromstring(f"<iq>{SLOT}</iq>")) == Slot(
        "https://x.test:5281/a/b?c=d", "https://x.test/a/b", (("Authorization", "Basicx"),)
    )


async def test_a_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server({})
    monkeypatch.setattr(server.asked, "send", lambda _: None)
    coming = asyncio.ensure_future(server.asked.fetch(lambda ident: Element("iq", {"id": ident}), "x.test"))
    await settle()
    server.asked.tick(PATIENCE + 1)
    assert await coming is None
