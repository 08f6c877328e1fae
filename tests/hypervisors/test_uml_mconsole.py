import asyncio
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.hypervisors.uml.mconsole import (
    MAGIC,
    GuestGarbled,
    GuestGone,
    GuestRefused,
    GuestSilent,
    ask,
)

Answer = Callable[[bytes], list[bytes]]


class Console:
    """The kernel's end: answers each request with the packets that `answer` makes of it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir()
        self.path = path
        self.asked: list[tuple[int, int, str]] = []
        self.answer: Answer = lambda request: [packet(request)]
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.sock.bind(str(path))

    def serve(self) -> None:
        request, peer = self.sock.recvfrom(4096)
        magic, version, length = struct.unpack_from("=III", request)
        words = request[12 : 12 + length]
        self.asked.append((magic, version, words.decode()))
        for answer in self.answer(words):
            self.sock.sendto(answer, peer)


def packet(text: bytes, error: int = 0, more: int = 0) -> bytes:
    data = text + b"\0"
    return struct.pack("=iII", error, more, len(data)) + data


@pytest.fixture
def console(short: Path) -> Iterator[Console]:
    console = Console(short / "umid" / "mconsole")
    yield console
    console.sock.close()


async def asked(console: Console, line: str = "version", patience: float = 5.0) -> str:
    loop = asyncio.get_running_loop()
    loop.add_reader(console.sock, console.serve)
    try:
        return await ask(console.path, line, patience)
    finally:
        loop.remove_reader(console.sock)


async def test_a_request_has_the_kernels_form(console: Console) -> None:
    assert await asked(console, "version") == "version"
    assert console.asked == [(MAGIC, 2, "version")]


async def test_an_answer_of_several_packets_is_one(console: Console) -> None:
    console.answer = lambda _: [packet(b"\n", more=1), packet(b"one ", more=1), packet(b"two")]
    assert await asked(console) == "\none two"


@pytest.mark.parametrize("error", [1, -2, -19, -22])
async def test_the_kernel_refuses(console: Console, error: int) -> None:
    console.answer = lambda _: [packet(b"No such \x1b[1mthing", error)]
    with pytest.raises(GuestRefused, match=r"^No such thing$"):
        await asked(console)


async def test_a_refusal_without_words_has_its_number(console: Console) -> None:
    console.answer = lambda _: [packet(b"", -19)]
    with pytest.raises(GuestRefused, match="error -19"):
        await asked(console)


async def test_nobody_answers(console: Console) -> None:
    with pytest.raises(GuestSilent, match="no answer to 'version'"):
        await ask(console.path, "version", 0.05)


async def test_an_answer_that_is_never_whole(console: Console) -> None:
    console.answer = lambda _: [packet(b"part", more=1)]
    with pytest.raises(GuestSilent):
        await asked(console, patience=0.05)


async def test_no_folder_no_socket_a_stale_socket(console: Console, short: Path) -> None:
    with pytest.raises(GuestGone):
        await ask(short / "nowhere" / "mconsole", "version")
    with pytest.raises(GuestGone):
        await ask(console.path.parent / "other", "version")
    console.sock.close()
    with pytest.raises(GuestGone, match="refused"):
        await ask(console.path, "version")


async def test_a_packet_without_a_head(console: Console) -> None:
    console.answer = lambda _: [b"short"]
    with pytest.raises(GuestGarbled, match="5 bytes"):
        await asked(console)


async def test_an_answer_without_end_is_cut_off(console: Console) -> None:
    flood = asyncio.Event()

    def serve() -> None:
        _, peer = console.sock.recvfrom(4096)
        console.sock.setblocking(True)  # noqa: FBT003 - the socket's own way
        pump = asyncio.get_running_loop().run_in_executor(None, pour, peer)
        pump.add_done_callback(lambda _: flood.set())

    def pour(peer: str) -> None:
        try:
            while True:
                console.sock.sendto(packet(b"x" * 500, more=1), peer)
        except OSError:
            return

    loop = asyncio.get_running_loop()
    loop.add_reader(console.sock, serve)
    with pytest.raises(GuestGarbled, match="more than 65536"):
        await ask(console.path, "version", 20)
    loop.remove_reader(console.sock)
    async with asyncio.timeout(60):
        await flood.wait()


async def test_no_link_is_followed_to_another_guests_socket(console: Console, short: Path) -> None:
    (short / "link").symlink_to(console.path.parent)
    (short / "mine").mkdir()
    (short / "mine" / "mconsole").symlink_to(console.path)
    (short / "mine" / "file").touch()
    for path in (short / "link" / "mconsole", short / "mine" / "mconsole", short / "mine" / "file"):
        with pytest.raises(GuestGone):
            await ask(path, "halt", 0.2)
    assert console.asked == []


async def test_a_command_that_is_too_long(console: Console) -> None:
    with pytest.raises(ValueError, match="511"):
        await ask(console.path, "x" * 512)


@pytest.mark.parametrize("data", [b"", b"\0" * 12, struct.pack("=iII", 0, 0, 2**32 - 1) + b"text\xff\0"])
async def test_odd_answers_raise_nothing_unexpected(console: Console, data: bytes) -> None:
    console.answer = lambda _: [data]
    try:
        assert len(await asked(console)) < 10
    except GuestGarbled as fault:
        assert "0 bytes" in str(fault)  # noqa: PT017 - one of the odd ones is refused, the others are short
