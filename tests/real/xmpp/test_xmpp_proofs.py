"""Who is believed on a real Prosody: real addresses alone, and nothing that a stanza claims about itself."""

import asyncio

import pytest

from tests.real.xmpp.people import Got, People, Person, at_sea
from tests.real.xmpp.prosody import DOMAIN, TEAM, Prosody

pytestmark = pytest.mark.real

ADMIN = (
    "<iq type='set' to='{room}' id='a1'><query xmlns='http://jabber.org/protocol/muc#admin'>"
    "<item {what}/></query></iq>"
)


async def direct(person: Person, text: str) -> Got:
    """Say something to the bot directly, and return its answer."""
    person.tell(text)
    return await person.hears(".*", sender=f"eddie@{DOMAIN}", kind="chat")


async def test_a_nick_taken_over_proves_nothing(prosody: Prosody, people: People) -> None:
    await prosody.start()
    alice = await people(prosody, "alice")
    bob = await people(prosody, "bob")
    async with at_sea(prosody) as ship:
        await ship.until("coming in", rooms=(TEAM,))
        alice.say("!who")
        await bob.hears(f"you are alice@{DOMAIN}")
        alice.raw(f"<presence to='{TEAM}/alice' type='unavailable'/>")
        await bob.sees(f"{TEAM}/alice", "unavailable")
        bob.raw(f"<presence to='{TEAM}/alice'/>")
        await bob.sees(f"{TEAM}/alice")
        bob.say("!who")
        await bob.hears(f"you are bob@{DOMAIN}")
        bob.tell("who", to=f"{TEAM}/Eddie")
        await bob.hears(f"you are bob@{DOMAIN}", kind="chat")
    spoke = [message.identity.subject for message in ship.road.heard if message.identity]
    assert spoke == [f"alice@{DOMAIN}", f"bob@{DOMAIN}", f"bob@{DOMAIN}"]


async def test_a_room_that_hides_people_proves_nobody_until_it_makes_us_an_admin(
    prosody: Prosody, people: People
) -> None:
    prosody.shown = False
    await prosody.start()
    owner = await people(prosody, "owner")
    alice = await people(prosody, "alice")
    async with at_sea(prosody) as ship:
        await ship.until("coming in", rooms=(TEAM,))
        assert "make eddie@xmpp.test" in ship.transport.status().detail
        alice.say("!who")
        await alice.hears("you are nobody")
        alice.tell("who", to=f"{TEAM}/Eddie")
        await alice.hears("you are nobody", kind="chat")
        assert (await direct(alice, "who")).body == f"you are alice@{DOMAIN}"
        owner.raw(ADMIN.format(room=TEAM, what=f"affiliation='admin' jid='eddie@{DOMAIN}'"))
        await ship.until("becoming an admin", detail="", rooms=(TEAM,))
        session = ship.transport._session
        assert session is not None
        async with asyncio.timeout(20):
            while not session.muc.real(TEAM, "alice"):  # noqa: ASYNC110 - nothing tells that it knows who that is
                await asyncio.sleep(0.01)
        alice.say("!who")
        await alice.hears(f"you are alice@{DOMAIN}")
        owner.raw(ADMIN.format(room=TEAM, what=f"affiliation='none' jid='eddie@{DOMAIN}'"))
        await ship.until_told("make eddie@xmpp.test")


MARKS = {
    "delay": "<delay xmlns='urn:xmpp:delay' from='xmpp.test' stamp='2020-01-01T00:00:00Z'/>",
    "one of the days before": "<x xmlns='jabber:x:delay' stamp='20200101T00:00:00'/>",
}


@pytest.mark.parametrize("mark", MARKS)
async def test_what_claims_to_be_old_is_not_run(prosody: Prosody, people: People, mark: str) -> None:
    await prosody.start()
    bob = await people(prosody, "bob")
    async with at_sea(prosody) as ship:
        await ship.until("coming in", rooms=(TEAM,))
        delay = MARKS[mark]
        bob.raw(f"<message to='{TEAM}' type='groupchat'><body>!ping room</body>{delay}</message>")
        bob.raw(f"<message to='eddie@{DOMAIN}' type='chat'><body>!ping direct</body>{delay}</message>")
        assert (await direct(bob, "ping fence")).body == "pong fence"
        await bob.fence()
    replayed = [
        message.replayed for message in ship.road.heard if message.text in {"ping room", "ping direct"}
    ]
    assert replayed == [True, True]


async def test_nothing_wrapped_or_retracted_runs(prosody: Prosody, people: People) -> None:
    await prosody.start()
    bob = await people(prosody, "bob")
    body = "<body>!ping forged</body>"
    inner = f"<message xmlns='jabber:client' from='alice@{DOMAIN}/pc' type='chat'>{body}</message>"
    wrapped = f"<forwarded xmlns='urn:xmpp:forward:0'>{inner}</forwarded>"
    forged = [
        f"<received xmlns='urn:xmpp:carbons:2'>{wrapped}</received>",
        f"<sent xmlns='urn:xmpp:carbons:2'>{wrapped}</sent>",
        wrapped,
        f"<result xmlns='urn:xmpp:mam:2' id='1'>{wrapped}</result>",
        "<retract xmlns='urn:xmpp:message-retract:1' id='x1'/>",
        "<apply-to xmlns='urn:xmpp:fasten:0' id='x1'/>",
    ]
    async with at_sea(prosody) as ship:
        await ship.until("coming in", rooms=(TEAM,))
        for mark in forged:
            for text in ("", body):
                bob.raw(f"<message to='eddie@{DOMAIN}' type='chat'>{text}{mark}</message>")
                bob.raw(f"<message to='{TEAM}' type='groupchat'>{text}{mark}</message>")
        bob.raw(f"<message to='eddie@{DOMAIN}' type='error' id='1'>{body}</message>")
        bob.raw(f"<message to='eddie@{DOMAIN}' type='headline'>{body}</message>")
        assert (await direct(bob, "ping fence")).body == "pong fence"
        await bob.fence()
    assert [message.text for message in ship.road.heard if "forged" in message.text] == []


async def test_what_is_corrected_or_taken_back_ran_once_and_a_correction_is_refused_aloud(
    prosody: Prosody, people: People
) -> None:
    await prosody.start()
    bob = await people(prosody, "bob")
    corrected = "<replace xmlns='urn:xmpp:message-correct:0' id='x1'/>"
    retracted = "<retract xmlns='urn:xmpp:message-retract:1' id='x1'/>"
    async with at_sea(prosody) as ship:
        await ship.until("coming in", rooms=(TEAM,))
        for to, kind, sender, said in (
            (TEAM, "groupchat", f"{TEAM}/Eddie", "!ping once"),
            (f"eddie@{DOMAIN}", "chat", f"eddie@{DOMAIN}/shipboard", "ping once"),
        ):
            bob.raw(f"<message to='{to}' type='{kind}' id='x1'><body>{said}</body></message>")
            await bob.hears("pong once", sender=sender, kind=kind)
            for _ in range(3):
                bob.raw(f"<message to='{to}' type='{kind}' id='x2'><body>{said}</body>{corrected}</message>")
            await bob.hears(r"(bob: )?A correction runs nothing: .*", sender=sender, kind=kind)
            bob.raw(f"<message to='{to}' type='{kind}' id='x3'><body>{said}</body>{retracted}</message>")
        bob.tell("ping fence")
        await bob.hears("pong fence", sender=f"eddie@{DOMAIN}", kind="chat")
        await bob.fence()
    assert [message.text for message in ship.road.heard].count("ping once") == 2


async def test_only_the_room_and_our_server_give_a_message_its_id(prosody: Prosody, people: People) -> None:
    await prosody.start()
    bob = await people(prosody, "bob")
    sids = "".join(
        f"<stanza-id xmlns='urn:xmpp:sid:0' id='forged' by='{by}'/>"
        for by in (TEAM, f"eddie@{DOMAIN}", f"bob@{DOMAIN}", "", f"{TEAM}/bob")
    )
    async with at_sea(prosody) as ship:
        await ship.until("coming in", rooms=(TEAM,))
        bob.raw(f"<message to='{TEAM}' type='groupchat' id='forged'><body>!ping one</body>{sids}</message>")
        bob.raw(
            f"<message to='eddie@{DOMAIN}' type='chat' id='forged'><body>!ping two</body>{sids}</message>"
        )
        await bob.hears("pong two", sender=f"eddie@{DOMAIN}", kind="chat")
        await bob.fence()
    stamps = [message.stamp for message in ship.road.heard[:2]]
    assert None not in stamps
    assert "forged" not in stamps


async def test_an_address_that_looks_alike_is_another(prosody: Prosody, people: People) -> None:
    alike = "\N{CYRILLIC SMALL LETTER A}lice"
    await prosody.start()
    folder = prosody.folder / "data" / "xmpp%2etest" / "accounts"
    name = "".join(f"%{byte:02x}" for byte in alike[0].encode()) + alike[1:]
    (folder / f"{name}.dat").write_text(f'return {{ ["password"] = "{alike}pw"; }};\n')
    other = await people(prosody, alike, nick="alice")
    async with at_sea(prosody) as ship:
        await ship.until("coming in", rooms=(TEAM,))
        other.say("!who")
        await other.hears(f"you are {alike}@{DOMAIN}")
        assert (await direct(other, "who")).body == f"you are {alike}@{DOMAIN}"
    assert f"{alike}@{DOMAIN}" != f"alice@{DOMAIN}"


async def test_history_and_its_own_words_are_no_commands(prosody: Prosody, people: People) -> None:
    await prosody.start()
    bob = await people(prosody, "bob")
    for number in range(20):
        bob.say(f"!ping old {number}")
    await bob.until(lambda got: got.body == "!ping old 19", "the reflection of the last")
    async with at_sea(prosody) as ship:
        await ship.until("coming in", rooms=(TEAM,))
        bob.say("!say !ping loop")
        await bob.hears("!ping loop")
        await bob.fence()
    assert [message.text for message in ship.road.heard][:1] == ["say !ping loop"]
    assert len(ship.road.heard) == 2
