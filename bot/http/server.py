"""Answers GET on one loopback address; who asks slowly, too long or too often is let go.

One request a connection (RFC 9112, section 9.6), its head read and its body not; nothing waits for anybody.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus

from bot.config import is_loopback
from bot.ports import Incidents

MOST = 16
"""Connections at a time; for one more, the oldest that has not asked yet is closed, else that one."""

LONGEST = 8192
"""Bytes of a request's head at most."""

SECONDS = 5.0
"""How long a client may take for its request, and for taking the answer."""

TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Page:
    """An answer."""

    body: bytes
    kind: str = TEXT
    status: HTTPStatus = HTTPStatus.OK


Make = Callable[[], Awaitable[Page]]


@dataclass(slots=True)
class Server:
    """Serves `pages` by path. `open` counts the connections, `dropped` those that were not answered."""

    host: str
    port: int
    pages: Mapping[str, Make]
    incidents: Incidents
    seconds: float = SECONDS
    open: int = 0
    dropped: int = 0
    _idle: dict[asyncio.StreamWriter, None] = field(default_factory=dict)

    async def run(self, ready: Callable[[int], None] = lambda _: None) -> None:
        """Answer until cancelled; `ready` hears the port once it is open. OSError where it cannot be."""
        server = await asyncio.start_server(self._take, self.host, self.port, limit=LONGEST, backlog=MOST)
        async with server:
            ready(server.sockets[0].getsockname()[1])
            await server.serve_forever()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.open >= MOST and not self._makes_room():
            self.dropped += 1
            writer.transport.abort()
            return
        self.open += 1
        self._idle[writer] = None
        try:
            async with asyncio.timeout(self.seconds):
                head = await _head(reader)
                self._idle.pop(writer, None)
                writer.write(await self._answer(head))
                await writer.drain()
                writer.close()
                await writer.wait_closed()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            self.dropped += 1
            with suppress(OSError):
                writer.transport.abort()
        finally:
            self._idle.pop(writer, None)
            self.open -= 1

    def _makes_room(self) -> bool:
        """Let the oldest go that has not asked yet; tell whether there was one."""
        oldest = next(iter(self._idle), None)
        if oldest is None:
            return False
        del self._idle[oldest]
        oldest.transport.abort()
        return True

    async def _answer(self, head: bytes | None) -> bytes:
        if head is None:
            return _written(_failure(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE))
        line, *fields = head[:-4].decode("latin-1").split("\r\n")
        method, _, rest = line.partition(" ")
        target, _, version = rest.partition(" ")
        if not version.startswith("HTTP/1."):
            return _written(_failure(HTTPStatus.BAD_REQUEST))
        if not _is_ours(fields):
            return _written(_failure(HTTPStatus.MISDIRECTED_REQUEST))
        if method not in {"GET", "HEAD"}:
            return _written(_failure(HTTPStatus.METHOD_NOT_ALLOWED), "Allow: GET, HEAD\r\n")
        page = await self._page(target.partition("?")[0])
        return _written(page, whole=method == "GET")

    async def _page(self, path: str) -> Page:
        make = self.pages.get(path)
        if make is None:
            return _failure(HTTPStatus.NOT_FOUND)
        try:
            return await make()
        except Exception as error:  # noqa: BLE001 - whatever it is, who asked is answered and the admins are told
            self.incidents.report(error, during=f"answering {path}")
            return _failure(HTTPStatus.INTERNAL_SERVER_ERROR)


async def _head(reader: asyncio.StreamReader) -> bytes | None:
    """Return a request's head; None if it is too long."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        return None


def _is_ours(fields: list[str]) -> bool:
    """Tell whether a request names this machine: a page of the web could call us its own (DNS rebinding)."""
    hosts = [
        value.strip().lower()
        for name, _, value in (field.partition(":") for field in fields)
        if name.lower() == "host"
    ]
    names = [host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host for host in hosts]
    return all(is_loopback(name.strip("[]")) for name in names)


def _failure(status: HTTPStatus) -> Page:
    return Page(f"{status.phrase}\n".encode(), TEXT, status)


def _written(page: Page, fields: str = "", *, whole: bool = True) -> bytes:
    head = (
        f"HTTP/1.1 {page.status.value} {page.status.phrase}\r\n{fields}Content-Type: {page.kind}\r\n"
        f"Content-Length: {len(page.body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode("latin-1") + (page.body if whole else b"")
