"""Relayed lines on IRC: behind everything else, a line each, bounded, and counted where they are dropped."""

import pytest

from bot.errors import TransportFault
from bot.model import Place, Relayed
from bot.transports.irc.chatter import MOST
from bot.transports.irc.transport import IrcTransport
from tests.transports.conftest import Irc, settle

ROOM = Place("oftc", "#ford")


def relay(transport: IrcTransport, *lines: str) -> list[bool]:
    return [transport.pass_on(Relayed(ROOM, line)) for line in lines]


async def test_a_relayed_line_is_said_in_its_room(irc: Irc) -> None:
    transport, peer = await irc.admitted()
    assert relay(transport, "<alice@jabber> hi\x02 there") == [True]
    await peer.expect("PRIVMSG #ford :<alice@jabber> hi there")
    assert transport.chatter.dropped == 0


async def test_a_line_that_is_too_long_is_cut_as_its_end_would_have_no_mark(irc: Irc) -> None:
    transport, peer = await irc.admitted()
    relay(transport, "<alice@jabber> " + "ü" * 400, "<alice@jabber> next")
    said = await peer.expect("PRIVMSG #ford :(<alice@jabber> ü+…)")
    assert 480 < len(said[0].encode()) <= 510
    await peer.expect("PRIVMSG #ford :<alice@jabber> next")


async def test_relayed_lines_leave_room_for_what_the_bot_says(irc: Irc) -> None:
    transport, peer = await irc.admitted()
    relay(transport, *(f"<a@jabber> {number}" for number in range(10)))
    await settle()
    assert len(await peer.pending()) == 3  # of a burst of five
    peer.say("bob!b@h", "#ford", "!ping now")
    peer.say("eve!e@h", "#ford", "!ping too")
    peer.say("joe!j@h", "#ford", "!ping three")
    assert await peer.pending() == ["PRIVMSG #ford :pong now", "PRIVMSG #ford :pong too"]
    await irc.clock.advance(0.5)
    assert await peer.pending() == ["PRIVMSG #ford :pong three"]
    await irc.clock.advance(1)
    assert await peer.pending() == []
    await irc.clock.advance(0.5)
    assert await peer.pending() == ["PRIVMSG #ford :<a@jabber> 3"]
    await irc.clock.advance(3)
    assert await peer.pending() == [f"PRIVMSG #ford :<a@jabber> {number}" for number in range(4, 10)]


async def test_no_more_than_some_wait(irc: Irc) -> None:
    transport, peer = await irc.admitted()
    said = relay(transport, *(f"<a@jabber> {number}" for number in range(MOST + 20)))
    assert said == [True] * MOST + [False] * 20
    assert transport.chatter.dropped == 20
    assert len(await peer.pending()) == 3
    assert relay(transport, "<a@jabber> again") == [True]


@pytest.mark.parametrize(
    "place", [Place("oftc", "#other"), Place("jabber", "#ford"), Place("oftc", "alice", direct=True)]
)
async def test_where_we_are_not_nothing_is_said(irc: Irc, place: Place) -> None:
    transport, peer = await irc.admitted()
    assert not transport.pass_on(Relayed(place, "<a@jabber> hi"))
    assert transport.chatter.dropped == 1
    assert await peer.pending() == []


async def test_what_waits_when_the_link_is_lost_is_not_said_later(irc: Irc) -> None:
    transport, peer = await irc.admitted()
    relay(transport, *(f"<a@jabber> {number}" for number in range(10)))
    assert len(await peer.pending()) == 3
    peer.close()
    with pytest.raises(TransportFault):
        await irc.tasks[0]
    assert transport.chatter.dropped == 7
    assert relay(transport, "<a@jabber> now") == [False]
    irc.serve(transport)
    again = await irc.server.accept()
    await again.admit()
    assert await again.pending() == []
    assert relay(transport, "<a@jabber> back") == [True]
    await again.expect("PRIVMSG #ford :<a@jabber> back")


async def test_without_pace_relayed_lines_go_at_once(irc: Irc) -> None:
    transport, peer = await irc.admitted(pace="off")
    relay(transport, *(f"<a@jabber> {number}" for number in range(MOST)))
    assert len(await peer.pending()) == MOST
