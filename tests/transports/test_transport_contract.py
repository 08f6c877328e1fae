"""What every transport keeps to, whatever its network is like."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.model import Identity, Place, Relayed
from tests.transports.conftest import Irc, settle
from tests.transports.sides import IrcSide, Side, XmppSide


@pytest.fixture(params=["irc", "xmpp"])
async def side(request: pytest.FixtureRequest, irc: Irc) -> AsyncIterator[Side]:
    made: Side = IrcSide(irc) if request.param == "irc" else XmppSide(irc.clock, irc.road, irc.incidents)
    yield made
    await made.leave()


async def test_it_is_down_until_it_serves_and_after_it_left(side: Side) -> None:
    status = side.transport.status()
    assert (status.network, status.up, status.rooms) == (side.room.network, False, ())
    assert status.detail
    assert not await side.transport.say(side.room, ["too early"])
    assert not await side.transport.tell(side.absent, ["too early"])
    await side.come_in()
    status = side.transport.status()
    assert (status.up, status.nick, status.rooms) == (True, "Eddie", (side.room.name,))
    await side.leave()
    assert not side.transport.status().up
    assert side.transport.status().detail == "left"
    assert not await side.transport.say(side.room, ["too late"])


async def test_what_is_said_counts_only_once_the_network_took_it(side: Side) -> None:
    await side.come_in()
    saying = asyncio.create_task(side.transport.say(side.room, ["one", "two"]))
    await settle()
    assert await side.said() == ["one", "two"]
    assert not saying.done()
    await side.take()
    assert await saying is True


async def test_what_nobody_takes_was_not_said(side: Side, irc: Irc) -> None:
    await side.come_in()
    saying = asyncio.create_task(side.transport.say(side.room, ["into the void"]))
    await settle()
    assert await side.said() == ["into the void"]
    await irc.clock.advance(29)
    assert not saying.done()
    await irc.clock.advance(2)
    assert await saying is False


async def test_only_our_rooms_on_our_network_are_spoken_to(side: Side) -> None:
    await side.come_in()
    assert not await side.transport.say(Place(side.room.network, f"{side.room.name}x"), ["no"])
    assert not await side.transport.say(Place("elsewhere", side.room.name), ["no"])
    assert await side.said() == []


async def test_who_is_nowhere_is_told_nothing(side: Side) -> None:
    await side.come_in()
    stranger = Identity("elsewhere", side.absent.kind, side.absent.subject)
    assert not await side.transport.tell(stranger, ["hello"])
    telling = asyncio.create_task(side.transport.tell(side.absent, ["hello"]))
    await settle()
    await side.take()
    assert await telling is False


async def test_its_own_words_are_never_heard(side: Side) -> None:
    side.road.ears.add(side.room)
    await side.come_in()
    await side.speak("!ping mine", nick="Eddie")
    await side.speak("just words", nick="Eddie")
    await side.speak("!ping yours")
    assert [message.text for message in side.road.heard] == ["ping yours"]
    assert side.road.remarks == []


async def test_history_is_marked_as_such_and_never_overheard(side: Side) -> None:
    side.road.ears.add(side.room)
    await side.come_in()
    await side.speak("!ping then", earlier=True)
    await side.speak("words of then", earlier=True)
    await side.speak("!ping now")
    await side.speak("words of now")
    assert [(message.text, message.replayed) for message in side.road.heard] == [
        ("ping then", True),
        ("ping now", False),
    ]
    assert [remark.text for remark in side.road.remarks] == ["words of now"]


async def test_what_is_passed_on_waits_for_nobody_and_is_counted_when_dropped(side: Side) -> None:
    def pass_on(place: Place) -> bool:
        return side.transport.pass_on(Relayed(place, "<alice> hi"))

    assert not pass_on(side.room)
    await side.come_in()
    assert not pass_on(Place(side.room.network, f"{side.room.name}x"))
    assert not pass_on(Place("elsewhere", side.room.name))
    assert side.transport.status().dropped == 3
    taken = [pass_on(side.room) for _ in range(500)]
    assert taken[0]
    assert 0 < taken.count(False) < 500
    assert side.transport.status().dropped == 3 + taken.count(False)
    await settle()
    assert await side.said() == ["<alice> hi"] * taken.count(True)
    assert side.transport.status().dropped == 3 + taken.count(False)
