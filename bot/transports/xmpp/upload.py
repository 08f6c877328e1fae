"""Pictures by HTTP upload (XEP-0363): find the server's store, ask for a slot, put the file there.

The file goes over HTTPS with the same authorities as the stream: a co-op's own are not the system's.
"""

import asyncio
import http.client
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, SubElement

from bot.transports.xmpp.asked import Asked
from bot.transports.xmpp.forms import INFO, ITEMS
from bot.transports.xmpp.stanzas import IQ

UPLOAD = "urn:xmpp:http:upload:0"
SECONDS = 20.0
"""How long one step of the transfer may take."""

LARGEST = 2 * 1024 * 1024
"""Bytes of a picture at most."""

_HEADERS = frozenset({"authorization", "cookie", "expires"})
_STORES = 20


class NoUpload(Exception):  # noqa: N818 - it is what the caller says instead of a picture
    """The picture cannot be shown; the text says why."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a file is put, with which headers, and where others get it."""

    put: str
    get: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Upload:
    """The file store of one session's server; `context` makes the TLS context for it."""

    asked: Asked
    domain: str
    context: Callable[[], ssl.SSLContext]
    _store: str | None = field(default=None)

    async def put(self, name: str, data: bytes, kind: str) -> str:
        """Store a file and return its address; NoUpload says why that cannot be done."""
        if len(data) > LARGEST:
            raise NoUpload(f"the picture has {len(data)} bytes, more than {LARGEST}")
        store = await self.ready()
        answer = await self.asked.fetch(lambda ident: _request(ident, store, name, len(data), kind), store)
        slot = read_slot(answer)
        try:
            status = await asyncio.to_thread(_put, slot, data, kind, self.context())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NoUpload(f"the file store cannot be reached: {error}") from error
        if status not in {200, 201, 204}:
            raise NoUpload(f"the file store answered {status}")
        return slot.get

    async def ready(self) -> str:
        """Return the address of what stores files; NoUpload where nothing does."""
        if self._store is None:
            self._store = await self._find()
        return self._store

    async def _find(self) -> str:
        """Return the address of the part of the server that stores files (XEP-0030)."""
        items = await self.asked.fetch(lambda ident: _disco(ident, self.domain, ITEMS), self.domain)
        found = [] if items is None else items.findall(f"{{{ITEMS}}}query/{{{ITEMS}}}item")
        for jid in (self.domain, *(item.get("jid", "") for item in found[:_STORES])):
            if jid and await self._stores(jid):
                return jid
        raise NoUpload("the server stores no files")

    async def _stores(self, jid: str) -> bool:
        info = await self.asked.fetch(lambda ident: _disco(ident, jid, INFO), jid)
        features = [] if info is None else info.findall(f"{{{INFO}}}query/{{{INFO}}}feature")
        return any(feature.get("var") == UPLOAD for feature in features)


def read_slot(stanza: Element | None) -> Slot:
    """Read where to put a file; NoUpload for a refusal, and for an address that is not HTTPS."""
    slot = None if stanza is None else stanza.find(f"{{{UPLOAD}}}slot")
    put = None if slot is None else slot.find(f"{{{UPLOAD}}}put")
    get = None if slot is None else slot.find(f"{{{UPLOAD}}}get")
    if put is None or get is None:
        raise NoUpload("the file store gives no place for it")
    headers = tuple(
        (header.get("name", ""), (header.text or "").replace("\n", "").replace("\r", ""))
        for header in put.findall(f"{{{UPLOAD}}}header")
        if header.get("name", "").lower() in _HEADERS
    )
    made = Slot(put.get("url", ""), get.get("url", ""), headers)
    if not all(_is_https(url) for url in (made.put, made.get)):
        raise NoUpload("the file store is not behind HTTPS")
    return made


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme == "https" and bool(parts.hostname) and url.isascii() and not set(url) & set(" \r\n")
        )
    except ValueError:
        return False


def _put(slot: Slot, data: bytes, kind: str, context: ssl.SSLContext) -> int:
    parts = urlsplit(slot.put)
    link = http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=SECONDS, context=context)
    try:
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        link.request("PUT", path, body=data, headers={"Content-Type": kind, **dict(slot.headers)})
        return link.getresponse().status
    finally:
        link.close()


def _disco(ident: str, to: str, kind: str) -> Element:
    made = Element(IQ, {"to": to, "type": "get", "id": ident})
    SubElement(made, f"{{{kind}}}query")
    return made


def _request(ident: str, to: str, name: str, size: int, kind: str) -> Element:
    made = Element(IQ, {"to": to, "type": "get", "id": ident})
    SubElement(made, f"{{{UPLOAD}}}request", {"filename": name, "size": str(size), "content-type": kind})
    return made
