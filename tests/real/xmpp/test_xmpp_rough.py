"""Servers that die, links that break or fall silent, rooms that shut us out: we are back, and answer."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.model import Place
from tests.real.irc.people import FastClock
from tests.real.irc.servers import Proxy
from tests.real.xmpp.people import Got, People, Person, Ship, at_sea
from tests.real.xmpp.prosody import DOMAIN, MUC, TEAM, Prosody

pytestmark = pytest.mark.real

ROOM = Place("jabber", TEAM)
OTHER = f"zaphod@{MUC}"
ADMIN = (
    "<iq type='set' to='{room}' id='a1'><query xmlns='http://jabber.org/protocol/muc#admin'>"
    "<item {what}/></query></iq>"
)
OWNER = "<iq type='set' to='{room}' id='o1'><query xmlns='http://jabber.org/protocol/muc#owner'>{what}</query></iq>"
FORM = (
    "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>"
    "<value>http://jabber.org/protocol/muc#roomconfig</value></field>{fields}</x>"
)


@contextlib.asynccontextmanager
async def behind(proxy: Proxy, server: Prosody, speed: float = 1.0) -> AsyncIterator[Ship]:
    """Run a bot that reaches the server through the proxy, and is in its room."""
    proxy.target = server.port
    await proxy.start()
    async with at_sea(server, FastClock(speed), address=f"127.0.0.1:{proxy.port}") as ship:
        await ship.until("coming in", rooms=(TEAM,))
        yield ship


async def answered(person: Person, text: str, answer: str) -> None:
    """Say something in the room until the bot, by whatever nick, gives that answer there."""
    async with asyncio.timeout(30):
        while True:
            person.say(text)
            with contextlib.suppress(AssertionError):
                await person.hears(answer, sender=TEAM, patience=1.0)
                return


async def done(person: Person, stanza: str) -> None:
    """Ask the server for something, and wait until it has done it."""
    person.raw(stanza)
    got = await person.until(
        lambda got: got.kind in {"iq:result", "iq:error"} and bool(got.xml.get("id", "")[1:] == "1"), stanza
    )
    assert got.kind == "iq:result", got


async def test_a_killed_server_sees_us_again_when_it_is_back(prosody: Prosody, people: People) -> None:
    await prosody.start()
    async with at_sea(prosody, rooms=(TEAM, OTHER)) as ship:
        await ship.until("coming in", rooms=(TEAM, OTHER))
        prosody.kill()
        await ship.until("noticing", up=False)
        assert ship.transport.status().detail
        await prosody.start()
        back = time.monotonic()
        await ship.until("rejoining", rooms=(TEAM, OTHER), patience=30)
        watcher = await people(prosody, "bob")
        await answered(watcher, "!ping back", "pong back")
        assert time.monotonic() - back < 30
        assert len(ship.ups) == 2


async def test_a_reset_link_goes_on_where_it_was(prosody: Prosody, proxy: Proxy, people: People) -> None:
    await prosody.start()
    bob = await people(prosody, "bob")
    async with behind(proxy, prosody) as ship:
        session = ship.transport._session
        proxy.cut()
        cut = time.monotonic()
        await ship.until("noticing", up=False)
        bob.tell("ping away")
        bob.say("!ping away")
        await ship.until("coming back", up=True, rooms=(TEAM,))
        await bob.fence()
        assert time.monotonic() - cut < 20
        assert ship.transport._session is session  # the server knew us: nobody has seen us go
        assert proxy.most == 1
        assert proxy.accepted == ship.attempts == 2
        gone = [
            got for got in bob.seen if got.kind == "presence:unavailable" and got.sender.endswith("/Eddie")
        ]
        assert gone == []
    away = [message for message in ship.road.heard if message.text == "ping away"]
    assert [message.replayed for message in away] == [True, True]


async def test_what_is_said_in_a_broken_link_is_said_once(
    prosody: Prosody, proxy: Proxy, people: People
) -> None:
    await prosody.start()
    bob = await people(prosody, "bob")
    async with behind(proxy, prosody) as ship:
        proxy.stall()
        saying = [asyncio.ensure_future(ship.transport.say(ROOM, [f"news {number}"])) for number in range(5)]
        aside = Place("jabber", f"bob@{DOMAIN}", direct=True)
        saying.append(asyncio.ensure_future(ship.transport.say(aside, ["direct news"])))
        await asyncio.sleep(0.1)  # into the stalled link
        proxy.cut()
        proxy.heal()
        assert await asyncio.gather(*saying) == [True] * 6
        await bob.fence()
        heard = [got.body for got in bob.seen if "news" in got.body]
    assert sorted(heard) == ["direct news", *(f"news {number}" for number in range(5))]


async def test_a_stalled_link_is_noticed_within_240_s(prosody: Prosody, proxy: Proxy, people: People) -> None:
    await prosody.start()
    bob = await people(prosody, "bob")
    async with behind(proxy, prosody, speed=40) as ship:
        proxy.stall()
        stalled = time.monotonic()
        await ship.until("noticing", up=False, patience=240 / 40)
        assert (time.monotonic() - stalled) * 40 < 240
        assert "silent" in ship.transport.status().detail
        proxy.cut()
        proxy.heal()
        await ship.until("coming back", up=True, rooms=(TEAM,))
        await answered(bob, "!ping back", "pong back")


async def test_a_session_that_the_server_has_forgotten_begins_anew(
    prosody: Prosody, proxy: Proxy, people: People
) -> None:
    prosody.hibernation = 1
    await prosody.start()
    bob = await people(prosody, "bob")
    async with behind(proxy, prosody) as ship:
        proxy.stall()
        proxy.cut()
        await bob.sees(f"{TEAM}/Eddie", "unavailable")
        before = ship.transport._session
        proxy.heal()
        await ship.until("coming back", up=True, rooms=(TEAM,))
        await bob.fence()
        assert ship.transport._session is not before


async def test_its_nick_is_another_until_the_own_is_free(prosody: Prosody, people: People) -> None:
    await prosody.start()
    bob = await people(prosody, "bob", nick="Eddie")
    async with at_sea(prosody) as ship:
        await ship.until("coming in", rooms=(TEAM,), nick="Eddie_")
        assert "the nick Eddie is taken" in ship.transport.status().detail
        await bob.sees(f"{TEAM}/Eddie_")
        bob.say("Eddie_: ping me")
        await bob.hears("pong me", sender=f"{TEAM}/Eddie_")
        bob.raw(f"<presence to='{TEAM}/bob'/>")
        await ship.until("regaining the nick", nick="Eddie", detail="", rooms=(TEAM,))
        await bob.fence()
        assert len(ship.ups) == 1


async def test_kicked_it_says_so_and_comes_back(prosody: Prosody, people: People) -> None:
    await prosody.start()
    owner = await people(prosody, "owner")
    async with at_sea(prosody, FastClock(20)) as ship:
        await ship.until("coming in", rooms=(TEAM,))
        await done(owner, ADMIN.format(room=TEAM, what="nick='Eddie' role='none'"))
        await ship.until_told("we were kicked")
        assert ship.transport.status().up
        await ship.until("coming back", rooms=(TEAM,), detail="")
        await done(owner, OWNER.format(room=TEAM, what="<destroy/>"))
        await ship.until_told("the room was destroyed")
        await ship.until_told("it was destroyed")  # Prosody keeps the name back for a while


async def test_a_room_that_does_not_let_us_in_is_named_and_keeps_us_from_no_other(
    prosody: Prosody, people: People
) -> None:
    await prosody.start()
    rooms = {name: f"{name}@{MUC}" for name in ("banned", "members", "secret")}
    owner = await people(prosody, "owner", room=rooms["banned"])
    for name in ("members", "secret"):
        await owner.join(room=rooms[name])
    await done(owner, ADMIN.format(room=rooms["banned"], what=f"affiliation='outcast' jid='eddie@{DOMAIN}'"))
    only = "<field var='muc#roomconfig_membersonly'><value>1</value></field>"
    await done(owner, OWNER.format(room=rooms["members"], what=FORM.format(fields=only)))
    word = "<field var='muc#roomconfig_roomsecret'><value>x</value></field>"
    await done(owner, OWNER.format(room=rooms["secret"], what=FORM.format(fields=word)))
    async with at_sea(prosody, FastClock(5), rooms=(*rooms.values(), TEAM)) as ship:
        await ship.until("coming in", rooms=(TEAM,))
        for what in ("we are banned", "make eddie@xmpp.test a member", "wants a password"):
            await ship.until_told(what)
        await done(
            owner, ADMIN.format(room=rooms["members"], what=f"affiliation='member' jid='eddie@{DOMAIN}'")
        )
        await ship.until("being let in", rooms=(rooms["members"], TEAM))


async def test_a_locked_room_is_named_and_our_own_is_opened(prosody: Prosody, people: People) -> None:
    prosody.locking = True
    await prosody.start()
    bob = await people(prosody, "bob", room=None)
    await bob.join(room=OTHER)  # made, and never configured
    async with at_sea(prosody, rooms=(TEAM, OTHER)) as ship:
        await ship.until("coming in", rooms=(TEAM,))
        await ship.until_told(f"{OTHER}: it is locked")
        async with asyncio.timeout(20):  # the server may not have opened it yet
            while (await entered(bob)).kind != "presence:":
                pass
        await bob.fence()
        assert ship.transport.status().rooms == (TEAM,)


async def entered(person: Person) -> Got:
    """Try to get into the room, and return what came of that."""
    person.raw(f"<presence to='{TEAM}/{person.name}'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
    return await person.until(
        lambda got: (
            got.kind in {"presence:", "presence:error"} and got.sender.startswith(f"{TEAM}/{person.name}")
        ),
        "an answer of the room",
    )


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"password": "wrong"}, "the server does not let eddie@xmpp.test in: not-authorized"),
        ({"tls_ca_file": None}, "its certificate is not to be trusted"),
        ({"tls_ca_file": None, "direct_tls": True}, "its certificate is not to be trusted"),
        ({"tls_fingerprints": ("0" * 64,)}, "the server's certificate is not a pinned one: sha256:"),
        ({"jid": "eddie@elsewhere.test"}, "the server ended it: host-unknown"),
        ({"address": "127.0.0.1:1"}, "127.0.0.1:1 cannot be reached"),
    ],
)
async def test_what_cannot_work_is_told_at_once(
    prosody: Prosody, settings: dict[str, Any], told: str
) -> None:
    await prosody.start()
    if settings.get("direct_tls"):
        settings = {**settings, "address": f"127.0.0.1:{prosody.tls_port}"}
    async with at_sea(prosody, **settings) as ship:
        await ship.until_told(told)
        assert not ship.transport.status().up
        assert not await ship.transport.say(ROOM, ["x"])


async def test_a_pinned_certificate_needs_no_authority(prosody: Prosody) -> None:
    await prosody.start()
    assert prosody.pki is not None
    pins = (prosody.pki.fingerprint("xmpp"),)
    async with at_sea(prosody, tls_ca_file=None, tls_fingerprints=pins) as ship:
        await ship.until("coming in", rooms=(TEAM,))
        assert ship.attempts == 1


async def test_every_sign_goes_out_as_one_message_and_breaks_nothing(
    prosody: Prosody, people: People
) -> None:
    await prosody.start()
    bob = await people(prosody, "bob")
    signs = [
        chr(code) for code in (*range(0x100), 0x2028, 0x2029, 0x202E, 0xD800, 0xDFFF, 0xFFFE, 0xFFFF, 0x1F600)
    ]
    async with at_sea(prosody) as ship:
        await ship.until("coming in", rooms=(TEAM,))
        assert await ship.transport.say(ROOM, [f"a{sign}b" for sign in signs])
        for sign in ("\x00", "\x1b[31m", "\x07", "\ufffe", "\ud800", "]]>", "<x/>", "&#0;"):
            assert await ship.transport.say(ROOM, [f"a{sign}b"])
            assert not await ship.transport.say(Place("jabber", f"x{sign}@{DOMAIN}/\x00", direct=True), ["x"])
        bob.say("!say \u202eback")
        await bob.hears("back")
        assert len(ship.ups) == 1


async def test_many_lines_through_a_slow_server(prosody: Prosody, people: People) -> None:
    prosody.rate = "30kb/s"
    await prosody.start()
    bob = await people(prosody, "bob")
    async with at_sea(prosody, pace="off") as ship:
        await ship.until("coming in", rooms=(TEAM,))
        said = await asyncio.gather(*(ship.transport.say(ROOM, [f"{n} {'x' * 50}"]) for n in range(100)))
        assert all(said)
        await bob.hears("99 .*")
        assert [got.body.split()[0] for got in bob.seen if "xxx" in got.body] == [str(n) for n in range(100)]
        assert len(ship.ups) == 1
