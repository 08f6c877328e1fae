"""What counts as delivered, where our own server's word is not the last one."""

import asyncio
from collections.abc import Callable

import pytest

from bot.transports.xmpp.receipts import CONFIRMED, MOST, REACHED, SETTLED, Receipts
from tests.transports.conftest import HandClock, settle

NEAR, FAR = "bob@ford.test", "bob@elsewhere.test"


@pytest.fixture
def returned() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def receipts(clock: HandClock, returned: list[tuple[str, str]]) -> Receipts:
    return Receipts(clock, "ford.test", lambda to, why: returned.append((to, why)))


@pytest.fixture
def send(receipts: Receipts) -> Callable[..., "asyncio.Task[bool]"]:
    def made(ident: str, to: str, **kind: bool) -> "asyncio.Task[bool]":
        arrived = receipts.open(ident, to, room=kind.get("room", False), occupant=kind.get("occupant", False))
        return asyncio.create_task(receipts.wait(ident, arrived))

    return made


Send = Callable[..., "asyncio.Task[bool]"]


async def acknowledged(receipts: Receipts, ident: str) -> None:
    await settle()
    receipts.acknowledged(ident)
    await settle()


async def test_our_own_servers_word_is_enough_for_its_people_and_its_rooms(
    receipts: Receipts, send: Send
) -> None:
    one, aside = send("1", NEAR), send("2", "ford@rooms.test/bob", occupant=True)
    await acknowledged(receipts, "1")
    await acknowledged(receipts, "2")
    assert await one
    assert await aside


async def test_an_error_from_another_server_comes_after_our_own_ones_word(
    receipts: Receipts, send: Send, clock: HandClock, returned: list[tuple[str, str]]
) -> None:
    sent = send("1", f"{FAR}/pc")
    await acknowledged(receipts, "1")
    await clock.advance(SETTLED - 1)
    assert not sent.done()
    receipts.failed("1", "mallory@elsewhere.test", "gone")
    receipts.failed("2", FAR, "gone")
    assert not sent.done()
    receipts.failed("1", FAR, "remote-server-not-found")
    receipts.failed("1", FAR, "remote-server-not-found")
    assert not await sent
    assert returned == []  # whoever waited was told, and tries another way


async def test_a_server_that_was_reached_is_not_waited_for_again(
    receipts: Receipts, send: Send, clock: HandClock
) -> None:
    for ident, waits in (("1", True), ("2", False), ("3", True)):
        sent = send(ident, FAR)
        await acknowledged(receipts, ident)
        assert sent.done() is not waits
        await clock.advance(SETTLED)
        assert await sent
        if ident == "2":
            await clock.advance(REACHED)


async def test_what_comes_back_too_late_is_told_once_and_its_server_is_doubted(
    receipts: Receipts, send: Send, clock: HandClock, returned: list[tuple[str, str]]
) -> None:
    sent = send("1", FAR)
    await acknowledged(receipts, "1")
    await clock.advance(SETTLED)
    assert await sent
    for sender in ("mallory@elsewhere.test", FAR, FAR):
        receipts.failed("1", sender, "remote-server-timeout")
    assert returned == [(FAR, "remote-server-timeout")]
    again = send("2", FAR)
    await acknowledged(receipts, "2")
    assert not again.done()
    receipts.close()  # the session ends: nobody will tell any more
    await clock.advance(SETTLED)
    assert await again


async def test_without_any_word_it_did_not_arrive(send: Send, clock: HandClock) -> None:
    sent = send("1", FAR)
    await settle()
    await clock.advance(CONFIRMED)
    assert not await sent


async def test_no_more_is_remembered_than_fits(receipts: Receipts, send: Send) -> None:
    for number in range(MOST + 2):
        sent = send(f"{number}", NEAR)
        await acknowledged(receipts, f"{number}")
        assert await sent
    assert len(receipts._arrived) == MOST
