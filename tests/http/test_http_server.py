"""What serves the metrics, and those who mean it no good."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus

import pytest

from bot.http.server import LONGEST, MOST, Page, Server
from bot.testing import settle

PATIENCE = 60.0
GET = b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:9464\r\n\r\n"


@dataclass
class Told:
    """Takes what the admins are told."""

    faults: list[str] = field(default_factory=list)

    def report(self, cause: BaseException, *, during: str, private: bool = False) -> str:
        assert not private
        self.faults.append(f"{during}: {cause}")
        return "0000"


@dataclass
class Waiting:
    """A page that is made only once it may."""

    go: asyncio.Event = field(default_factory=asyncio.Event)
    count: int = 0

    async def page(self) -> Page:
        self.count += 1
        await self.go.wait()
        return Page(b"late\n")


@dataclass
class House:
    """A server that runs."""

    server: Server
    port: int
    told: Told
    waiting: Waiting

    async def asks(self, request: bytes) -> bytes:
        """Send something and return all that comes back; nothing where it was cut off."""
        async with self.door() as (reader, writer):
            with suppress(ConnectionError):
                writer.write(request)
                return await asyncio.wait_for(reader.read(), PATIENCE)
            return b""

    @asynccontextmanager
    async def door(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def until(self, so: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not so():  # noqa: ASYNC110 - nothing tells of a connection
                await asyncio.sleep(0.005)


async def metrics() -> Page:
    return Page(b"up 1\n", "text/x")


async def broken() -> Page:
    raise ValueError("out of cheese")


async def large() -> Page:
    return Page(bytes(1 << 25))


@asynccontextmanager
async def running(seconds: float = PATIENCE) -> AsyncIterator[House]:
    told, waiting = Told(), Waiting()
    pages = {"/metrics": metrics, "/broken": broken, "/large": large, "/waits": waiting.page}
    server = Server("127.0.0.1", 0, pages, told, seconds=seconds)
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(server.run(ready.set_result))
    try:
        yield House(server, await ready, told, waiting)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with running() as made:
        yield made


def head(
    method: str = "GET", target: str = "/metrics", host: str | None = "localhost", version: str = "1.1"
) -> bytes:
    field = "" if host is None else f"Host: {host}\r\n"
    return f"{method} {target} HTTP/{version}\r\n{field}\r\n".encode("latin-1")


async def test_a_page_is_served_with_all_that_a_client_wants_to_know(house: House) -> None:
    assert await house.asks(GET) == (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/x\r\nContent-Length: 5\r\nCache-Control: no-store\r\n"
        b"Connection: close\r\n\r\nup 1\n"
    )
    assert (await house.asks(head("HEAD"))).endswith(
        b"Content-Length: 5\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    assert (await house.asks(head(target="/metrics?x=1"))).endswith(b"up 1\n")
    assert (house.server.open, house.server.dropped, house.told.faults) == (0, 0, [])


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (head(target="/"), HTTPStatus.NOT_FOUND),
        (head(target="/../etc/passwd"), HTTPStatus.NOT_FOUND),
        (head("POST"), HTTPStatus.METHOD_NOT_ALLOWED),
        (head("x" * 100), HTTPStatus.METHOD_NOT_ALLOWED),
        (head(version="2"), HTTPStatus.BAD_REQUEST),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", HTTPStatus.BAD_REQUEST),
        (b"\r\n\r\n", HTTPStatus.BAD_REQUEST),
        (b"GET\r\n\r\n", HTTPStatus.BAD_REQUEST),
        (head(host="evil.example"), HTTPStatus.MISDIRECTED_REQUEST),
        (head(host="127.0.0.1.evil.example:9464"), HTTPStatus.MISDIRECTED_REQUEST),
        (head(host="10.0.0.1"), HTTPStatus.MISDIRECTED_REQUEST),
        (head(host=""), HTTPStatus.MISDIRECTED_REQUEST),
        (head(host="localhost\r\nHost: evil.example"), HTTPStatus.MISDIRECTED_REQUEST),
        (head(host="[::1]:9464"), HTTPStatus.OK),
        (head(host="127.0.0.2"), HTTPStatus.OK),
        (head(host=None, version="1.0"), HTTPStatus.OK),
        (
            b"GET /metrics HTTP/1.1\r\n" + b"x: " + b"y" * LONGEST + b"\r\n\r\n",
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        ),
    ],
)
async def test_what_is_asked_wrongly_is_told_so(house: House, request_: bytes, status: HTTPStatus) -> None:
    answer = await house.asks(request_)
    assert answer.startswith(f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode())
    assert house.told.faults == []


async def test_a_fault_is_the_admins_not_the_clients(house: House) -> None:
    answer = await house.asks(head(target="/broken"))
    assert b"500 Internal Server Error" in answer
    assert b"cheese" not in answer
    assert house.told.faults == ["answering /broken: out of cheese"]


async def test_who_asks_is_answered_beside_many_that_do_not(house: House) -> None:
    idle = [await asyncio.open_connection("127.0.0.1", house.port) for _ in range(300)]
    await house.until(lambda: house.server.open == MOST and house.server.dropped == 300 - MOST)
    assert (await house.asks(GET)).endswith(b"up 1\n")
    for _, writer in idle:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    await house.until(lambda: house.server.open == 0)
    assert house.server.dropped == 300


async def test_more_than_a_few_that_have_asked_are_closed_at_once(house: House) -> None:
    asked = [await asyncio.open_connection("127.0.0.1", house.port) for _ in range(MOST)]
    for _, writer in asked:
        writer.write(head(target="/waits"))
    await house.until(lambda: house.waiting.count == MOST)
    for _ in range(200):
        assert await house.asks(GET) == b""
    assert (house.server.open, house.server.dropped) == (MOST, 200)
    house.waiting.go.set()
    for reader, writer in asked:
        assert (await asyncio.wait_for(reader.read(), PATIENCE)).endswith(b"late\n")
        writer.close()
        await writer.wait_closed()
    await house.until(lambda: house.server.open == 0)
    assert (await house.asks(GET)).endswith(b"up 1\n")


@pytest.mark.parametrize("half", [b"", b"G", GET[:-2], b"GET /metrics HTTP/1.1\r\n" * 10])
async def test_half_a_request_is_waited_for_only_so_long(half: bytes) -> None:
    async with running(0.05) as house, house.door() as (reader, writer):
        writer.write(half)
        with suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
        assert (house.server.open, house.server.dropped) == (0, 1)


async def test_who_does_not_take_the_answer_is_let_go() -> None:
    async with running(0.05) as house, house.door() as (_, writer):
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport can
        writer.write(head(target="/large"))
        await house.until(lambda: house.server.dropped == 1)
        assert house.server.open == 0


async def test_who_hangs_up_in_between_costs_nothing(house: House) -> None:
    for request in (b"", GET[:9], head(target="/large")):
        _, writer = await asyncio.open_connection("127.0.0.1", house.port)
        writer.write(request)
        await settle()
        writer.transport.abort()
    await house.until(lambda: house.server.open == 0)
    assert (await house.asks(GET)).endswith(b"up 1\n")


async def test_a_flood_of_words_is_read_no_further_than_a_request_is_long(house: House) -> None:
    async with house.door() as (reader, writer):
        with suppress(ConnectionError):
            for _ in range(1000):
                writer.write(b"x" * 65536)
                await asyncio.wait_for(writer.drain(), PATIENCE)
        with suppress(ConnectionError):
            await asyncio.wait_for(reader.read(), PATIENCE)
    await house.until(lambda: house.server.open == 0)
    assert (await house.asks(GET)).endswith(b"up 1\n")


async def test_a_port_that_is_taken_is_an_error(house: House) -> None:
    second = Server("127.0.0.1", house.port, {}, Told())
    with pytest.raises(OSError, match="address already in use"):
        await second.run()
