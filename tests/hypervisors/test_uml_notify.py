import asyncio
import socket
import struct
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.hypervisors.uml.mconsole import MAGIC
from bot.hypervisors.uml.notify import NoticeGate, Notification, NotifyKind, NotifySocket, parse
from bot.testing import FakeClock


def packet(kind: int, text: bytes, length: int | None = None) -> bytes:
    return struct.pack("=IIiI", MAGIC, 1, kind, len(text) if length is None else length) + text


def test_the_kernels_datagrams_are_read() -> None:
    assert parse(packet(0, b"/run/x/mconsole\0")) == Notification(NotifyKind.SOCKET, "/run/x/mconsole")
    assert parse(packet(1, b"sysrq triggered crash\n")) == Notification(
        NotifyKind.PANIC, "sysrq triggered crash"
    )
    assert parse(packet(3, b"hi\nthere\x1b[31m\0junk")) == Notification(NotifyKind.USER, "hi there")


@pytest.mark.parametrize(
    "junk", [b"", b"x" * 15, struct.pack("=IIiI", 1, 1, 0, 0), packet(4, b""), packet(-1, b"")]
)
def test_what_is_none_of_the_kernels_is_passed_over(junk: bytes) -> None:
    assert parse(junk) is None


@given(st.binary(), st.integers(0, 2**32 - 1))
def test_no_text_raises_or_is_long(text: bytes, length: int) -> None:
    notification = parse(packet(3, text, length))
    assert notification is not None
    assert len(notification.text) <= 200


async def test_a_flood_of_notices_is_thinned_out(fake_clock: FakeClock) -> None:
    gate = NoticeGate(fake_clock)
    passed = [text for text in (gate.admit(f"n{number}") for number in range(1000)) if text]
    assert passed == ["n0", "n1", "n2", "n3", "n4"]
    await fake_clock.advance(20)
    assert gate.admit("later") == "later (995 more were dropped)"
    assert gate.admit("at once") is None


async def test_the_socket_hears_another_bots_leftover_is_replaced(short: Path) -> None:
    path = short / "s"
    path.write_text("left over")
    heard: list[Notification] = []
    came = asyncio.Event()

    def hear(notification: Notification) -> None:
        heard.append(notification)
        came.set()

    notify = NotifySocket(path, hear, shared=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as guest:
        guest.sendto(b"junk", str(path))
        guest.sendto(packet(3, b"hello"), str(path))
    async with asyncio.timeout(60):
        await came.wait()
    assert heard == [Notification(NotifyKind.USER, "hello")]
    assert path.stat().st_mode & 0o777 == 0o666
    notify.close()
    assert not path.exists()


async def test_a_flood_does_not_keep_the_bot_from_its_work(short: Path) -> None:
    heard: list[Notification] = []
    notify = NotifySocket(short / "s", heard.append, shared=False)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as guest:
        guest.setblocking(False)  # noqa: FBT003 - the socket's own way
        end = time.monotonic() + 0.4
        while time.monotonic() < end:
            try:
                guest.sendto(packet(3, b"flood"), str(short / "s"))
            except BlockingIOError:
                await asyncio.sleep(0)
    assert 0 < len(heard) <= 16 * 12
    notify.drain()
    notify.close()
