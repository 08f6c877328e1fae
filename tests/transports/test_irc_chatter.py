"""What people say to each other: heard where somebody listens, and said elsewhere behind everything else."""

import pytest

from bot.errors import TransportFault
from bot.model import Place, Relayed, Remark
from bot.transports.chatter import MOST
from bot.transports.irc.transport import IrcTransport
from tests.transports.conftest import FULL, Irc, Peer, settle

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


# --- what is heard


def heard(irc: Irc, *rooms: str) -> list[Remark]:
    irc.road.ears = {Place("oftc", room) for room in rooms or ("#ford",)}
    return irc.road.remarks


async def in_two_rooms(irc: Irc) -> Peer:
    irc.serve(irc.make(rooms=("#ford", "#Other")))
    peer = await irc.server.accept()
    await peer.negotiate(FULL)
    await peer.expect("CAP END")
    await peer.welcome()
    await peer.expect("JOIN #ford,#Other")
    peer.join("#ford")
    peer.join("#Other")
    return peer


async def test_talk_is_heard_where_somebody_listens(irc: Irc) -> None:
    remarks = heard(irc)
    peer = await in_two_rooms(irc)
    peer.say("alice!a@h", "#FORD", "hi\x02 all")
    peer.say("bob!b@h", "#ford", "\x01ACTION waves \x01")
    peer.say("bob!b@h", "#ford", "\x01ACTION is cut")
    peer.say("alice!a@h", "#other", "not here")
    await peer.pending()
    assert remarks == [
        Remark(ROOM, "alice", "hi all"),
        Remark(ROOM, "bob", "waves", action=True),
        Remark(ROOM, "bob", "is cut", action=True),
    ]


async def test_who_is_named_is_known_from_the_room(irc: Irc) -> None:
    remarks = heard(irc)
    peer = await in_two_rooms(irc)
    peer.send(":irc.test 353 Eddie = #ford :@alice +Bob!b@h Eddie", ":irc.test 353 Eddie = #other :carol")
    peer.say("joe!j@h", "#ford", "ALICE, ask @bob (or carol): bob? trillian alice")
    await peer.pending()
    assert remarks == [
        Remark(
            ROOM, "joe", "ALICE, ask @bob (or carol): bob? trillian alice", named=("ALICE", "bob", "alice")
        )
    ]


async def test_what_is_no_talk_is_not_heard(irc: Irc) -> None:
    remarks = heard(irc)
    transport, peer = await irc.admitted()
    for text in (
        "!vm stop ford-3",
        "Eddie: hello",
        "eddie, you",
        "\x01VERSION\x01",
        "\x01ACTION \x01",
        " ",
        "",
    ):
        peer.say("alice!a@h", "#ford", text)
    peer.say("Eddie!eddie@bot.host", "#ford", "my own words")
    peer.say("robot!r@h", "#ford", "beep", tags="bot")
    peer.say("irc.test", "#ford", "a server's words")
    peer.say("alice!a@h", "@#ford", "to the operators alone")
    peer.say("alice!a@h", "Eddie", "\x01ACTION whispers\x01")
    peer.say("alice!a@h", "#elsewhere", "where we are not")
    peer.say("alice!a@h", "#ford", "history", tags="time=2026-11-22T11:00:00.000Z")
    peer.send(":irc.test BATCH +1 chathistory #ford")
    peer.say("alice!a@h", "#ford", "played back", tags="batch=1")
    peer.send(":alice!a@h NOTICE #ford :notices are for machines", ":irc.test BATCH -1")
    peer.say("alice!a@h", "#ford", "talk")
    await peer.pending()
    assert remarks == [Remark(ROOM, "alice", "talk")]
    assert transport.conversation.chatter > 3


async def test_nobody_present_is_called_by_what_is_relayed(irc: Irc) -> None:
    transport, peer = await irc.admitted()
    peer.send(":irc.test 353 Eddie = #ford :alice bob")
    await peer.pending()
    line = "<alice@jabber> bob: ask carol, see https://bob.example/alice"
    transport.pass_on(Relayed(ROOM, line, hushed=("alice", "carol")))
    transport.pass_on(Relayed(ROOM, line, hushed=("ALICE", "bob")))
    await peer.expect("PRIVMSG #ford :<a\u200blice@jabber> bob: ask carol, see https://bob.example/alice")
    await peer.expect(
        "PRIVMSG #ford :<a\u200blice@jabber> b\u200bob: ask carol, see https://bob.example/alice"
    )
