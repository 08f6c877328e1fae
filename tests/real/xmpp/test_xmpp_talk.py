"""What is said on a real Prosody, and who is believed to have said it."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator

import pytest

from bot.model import Identity, IdentityKind, Place, Relayed, Remark
from tests.real.xmpp.people import People, at_sea
from tests.real.xmpp.prosody import DOMAIN, TEAM, Prosody

pytestmark = pytest.mark.real

ALICE = Identity("jabber", IdentityKind.XMPP_JID, f"alice@{DOMAIN}")
ROOM = Place("jabber", TEAM)


@pytest.mark.parametrize("direct", [False, True])
async def test_it_answers_in_the_room_directly_and_aside(
    prosody: Prosody, people: People, *, direct: bool
) -> None:
    await prosody.start()
    alice = await people(prosody, "alice")
    port = prosody.tls_port if direct else prosody.port
    async with at_sea(prosody, direct_tls=direct, address=f"127.0.0.1:{port}") as ship:
        await ship.until(
            "coming in", rooms=(TEAM,), up=True, nick="Eddie", account=f"eddie@{DOMAIN}", detail=""
        )
        alice.say("!who")
        await alice.hears(f"you are alice@{DOMAIN}")
        alice.tell("who")
        await alice.hears(f"you are alice@{DOMAIN}", sender=f"eddie@{DOMAIN}", kind="chat")
        alice.tell("who", to=f"{TEAM}/Eddie")
        got = await alice.hears(f"you are alice@{DOMAIN}", kind="chat")
        assert got.xml.find("{http://jabber.org/protocol/muc#user}x") is not None
    in_room, directly, aside = ship.road.heard
    assert in_room.place == ROOM
    assert in_room.nick == directly.nick == aside.nick == "alice"
    assert directly.place == Place("jabber", f"alice@{DOMAIN}", direct=True)
    assert aside.place == Place("jabber", f"{TEAM}/alice", direct=True)
    assert len({message.stamp for message in ship.road.heard} - {None}) == 3
    assert [message.named for message in ship.road.heard] == [False, True, True]
    await alice.sees(f"{TEAM}/Eddie", "unavailable")


async def test_delivery_is_told_by_the_server_itself(prosody: Prosody, people: People) -> None:
    await prosody.start()
    alice = await people(prosody, "alice")
    async with at_sea(prosody) as ship:
        await ship.until("coming in", rooms=(TEAM,))
        said = ship.transport
        assert await said.say(ROOM, ["one", "two"])
        await alice.hears("one\ntwo")
        assert not await said.say(Place("jabber", f"other@conference.{DOMAIN}"), ["no"])
        assert await said.say(Place("jabber", f"alice@{DOMAIN}", direct=True), ["hi"])
        await alice.hears("hi", sender=f"eddie@{DOMAIN}", kind="chat")
        assert not await said.say(Place("jabber", f"nobody@{DOMAIN}", direct=True), ["hi"])
        assert await said.tell(ALICE, ["by the room"])
        await alice.hears("by the room", sender=f"eddie@{DOMAIN}", kind="chat")
        bob = Identity("jabber", IdentityKind.XMPP_JID, f"bob@{DOMAIN}")
        assert not await said.tell(bob, ["you are not there"])
        assert await said.leave_word(bob, ["for later"])
        came = await people(prosody, "bob", room=None)
        await came.hears("for later", sender=f"eddie@{DOMAIN}", kind="chat")
        came.tell("ping me")
        await came.hears("pong me", sender=f"eddie@{DOMAIN}", kind="chat")
        assert await said.tell(bob, ["now you are"])
        assert not await said.leave_word(Identity("jabber", IdentityKind.XMPP_JID, f"nobody@{DOMAIN}"), ["x"])


@contextlib.asynccontextmanager
async def dumb_server(address: str) -> AsyncIterator[tuple[asyncio.Event, asyncio.Event]]:
    """Listen where servers look for others, and say nothing; the events are that one came, and to hang up."""
    came, go = asyncio.Event(), asyncio.Event()

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.set()
        await go.wait()
        writer.close()

    server = await asyncio.start_server(accept, address, 5269)
    try:
        yield came, go
    finally:
        go.set()
        server.close()


async def test_what_is_not_delivered_after_all_does_not_count_as_said(
    prosody: Prosody, people: People
) -> None:
    prosody.without = ("offline", "mam")
    await prosody.start()
    alice, loopback = await people(prosody, "alice"), f"127.{os.getpid() % 250 + 1}.77.1"
    away = Identity("jabber", IdentityKind.XMPP_JID, f"bob@{DOMAIN}")
    elsewhere = Identity("jabber", IdentityKind.XMPP_JID, f"bob@[{loopback}]")
    async with at_sea(prosody) as ship, dumb_server(loopback) as (came, go):
        await ship.until("coming in", rooms=(TEAM,))
        assert not await ship.transport.leave_word(away, ["nothing keeps this"])
        leaving = asyncio.create_task(ship.transport.leave_word(elsewhere, ["our server takes this"]))
        await asyncio.wait_for(came.wait(), 20)
        assert await ship.transport.say(Place("jabber", f"{TEAM}/alice", direct=True), ["aside"])
        await alice.hears("aside", sender=f"{TEAM}/Eddie", kind="chat")
        assert not leaving.done()  # it has our server's word by now, as what was said later has
        go.set()
        assert not await leaving


async def test_what_was_answered_is_not_said_again_at_the_next_start(
    prosody: Prosody, people: People
) -> None:
    await prosody.start()
    alice = await people(prosody, "alice")
    async with at_sea(prosody) as ship:
        await ship.until("coming in", rooms=(TEAM,))
        alice.tell("ping 1")
        await alice.hears("pong 1", sender="eddie@", kind="chat")
    async with at_sea(prosody) as ship:  # what the server holds for lost comes right after the login
        await ship.until("coming in", rooms=(TEAM,))
        await alice.fence()
        assert [message.text[:10] for message in ship.road.heard] == ["ping fence"]


async def test_who_lets_it_see_presence_is_told_directly(prosody: Prosody, people: People) -> None:
    await prosody.start()
    carol = await people(prosody, "carol", room=None)
    async with at_sea(prosody) as ship:
        await ship.until("coming in", rooms=(TEAM,))
        carol.client.send_presence_subscription(f"eddie@{DOMAIN}")
        await carol.sees(f"eddie@{DOMAIN}", "subscribe")
        carol.client.send_presence_subscription(f"eddie@{DOMAIN}", ptype="subscribed")
        await carol.sees(f"eddie@{DOMAIN}/shipboard")
        me = Identity("jabber", IdentityKind.XMPP_JID, f"carol@{DOMAIN}")
        carol.tell("ping fence")
        await carol.hears("pong fence", sender=f"eddie@{DOMAIN}", kind="chat")
        assert await ship.transport.tell(me, ["hello"])
        await carol.hears("hello", sender=f"eddie@{DOMAIN}", kind="chat")


async def test_long_and_private_answers_go_where_they_belong(prosody: Prosody, people: People) -> None:
    await prosody.start()
    alice = await people(prosody, "alice")
    async with at_sea(prosody) as ship:
        await ship.until("coming in", rooms=(TEAM,))
        alice.say("!long 5")
        rest = await alice.hears("line 2.*", sender=f"eddie@{DOMAIN}", kind="chat")
        assert rest.body == "line 2\nline 3\nline 4"
        await alice.hears("line 0\nline 1\n\\(3 more lines sent to you directly\\)")
        alice.tell("long 100")
        got = await alice.hears("line 0.*", sender=f"eddie@{DOMAIN}", kind="chat")
        assert got.body.endswith("line 10\n(89 more lines were cut)")
        alice.say("!secret")
        await alice.hears("for you alone", sender=f"eddie@{DOMAIN}", kind="chat")
        await alice.hears("alice: answered in a direct message.")


async def test_progress_is_one_message_corrected(prosody: Prosody, people: People) -> None:
    await prosody.start()
    alice = await people(prosody, "alice")
    async with at_sea(prosody) as ship:
        await ship.until("coming in", rooms=(TEAM,))
        alice.say("!slow")
        first = await alice.hears("alice: 50% half of it")
        ship.road.go.set()
        last = await alice.hears("all of it")
    replaced = last.xml.find("{urn:xmpp:message-correct:0}replace")
    assert replaced is not None
    assert replaced.get("id") == first.xml.get("id")


async def test_what_is_relayed_is_said_and_what_others_say_is_overheard(
    prosody: Prosody, people: People
) -> None:
    await prosody.start()
    alice = await people(prosody, "alice")
    async with at_sea(prosody) as ship:
        await ship.until("coming in", rooms=(TEAM,))
        assert ship.transport.pass_on(Relayed(ROOM, "<bob@irc> !who is alice", hushed=("alice", "bob")))
        await alice.hears("<bob@irc> !who is a\u200blice")
        alice.say("/me waves")
        alice.say("hello Eddie\nthere")
        await alice.fence()
    assert ship.road.remarks == [
        Remark(ROOM, "alice", "waves", action=True),
        Remark(ROOM, "alice", "hello Eddie", named=("Eddie",)),
        Remark(ROOM, "alice", "there"),
    ]
    assert [message.text for message in ship.road.heard][:-1] == []
