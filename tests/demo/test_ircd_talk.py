import re

import pytest

from tests.demo.conftest import World

ALL = "account-tag message-tags server-time echo-message account-notify"


async def test_a_proven_speaker_is_tagged_for_those_who_asked(world: World) -> None:
    bot, old = (
        await world.guest("eddie", caps="account-tag message-tags server-time"),
        await world.guest("old"),
    )
    alice, mallory = await world.member("alice"), await world.guest("mallory")
    for person in (bot, old, alice, mallory):
        await person.ask("JOIN #ford")
    await bot.ask()
    await old.ask()
    alice.send("@+typing=active;account=root;time=never;msgid=1 PRIVMSG #ford :!vm list")
    line = await bot.line()
    tags = dict(tag.partition("=")[::2] for tag in line[1:].partition(" ")[0].split(";"))
    assert tags.pop("msgid") not in {"", "1"}
    assert tags == {"+typing": "active", "account": "alice", "time": "2026-11-20T18:00:00.000Z"}
    assert line.endswith(" :alice!x@127.0.0.1 PRIVMSG #ford :!vm list")
    mallory.send("@account=alice PRIVMSG #ford :!vm list")
    assert "account" not in await bot.line()
    assert await old.ask() == [
        ":alice!x@127.0.0.1 PRIVMSG #ford :!vm list",
        ":mallory!mallory@127.0.0.1 PRIVMSG #ford :!vm list",
    ]


async def test_a_nick_taken_after_its_owner_left_it_proves_nothing(world: World) -> None:
    bot = await world.guest("eddie", caps="account-tag")
    alice, mallory = await world.member("alice", caps="account-tag"), await world.guest("mallory")
    for person in (bot, alice, mallory):
        await person.ask("JOIN #ford")
    await alice.ask("NICK away")
    mallory.send("NICK alice", "PRIVMSG #ford :it is me")
    alice.send("PRIVMSG #ford :no, me")
    assert await bot.expect("it is me") == ":alice!mallory@127.0.0.1 PRIVMSG #ford :it is me"
    assert await bot.expect("no, me") == "@account=alice :away!x@127.0.0.1 PRIVMSG #ford :no, me"
    assert not [line for line in await bot.ask("WHOIS alice") if " 330 " in line]


async def test_echo_is_the_same_message_that_others_get(world: World) -> None:
    bot, ann = await world.guest("eddie", caps=ALL), await world.guest("ann", caps=ALL)
    await bot.ask("JOIN #ford")
    await ann.ask("JOIN #ford")
    bot.send("PRIVMSG #FORD :hello", "NOTICE ann :psst", "@+react=x TAGMSG #ford", "TAGMSG #ford")
    echoes = (await bot.ask())[1:]
    assert echoes == [line for line in await ann.ask() if "eddie!" in line]
    assert [line.split(" ", 2)[2] for line in echoes] == [
        "PRIVMSG #ford hello",
        "NOTICE ann psst",
        "TAGMSG #ford",
        "TAGMSG #ford",
    ]
    assert len({re.findall(r"msgid=([^; ]+)", line)[0] for line in echoes}) == 4
    assert "+react=x" in echoes[2]


async def test_tagmsg_goes_only_to_those_who_read_tags(world: World) -> None:
    ann, old = await world.guest("ann", caps="message-tags"), await world.guest("old")
    ann.send("TAGMSG old", "PRIVMSG old :after")
    await ann.ask()
    assert await old.ask() == [":ann!ann@127.0.0.1 PRIVMSG old after"]


async def test_account_notify_when_someone_identifies_later(world: World) -> None:
    watcher, old = await world.guest("ann", caps="account-notify extended-join"), await world.guest("old")
    stranger, far = await world.guest("alice"), await world.guest("far", caps="account-notify")
    for person in (watcher, old, stranger):
        await person.ask("JOIN #ford")
    await watcher.ask()
    await old.ask()
    lines = await stranger.ask("PRIVMSG nickserv :identify correct")
    assert lines == [
        ":NickServ!NickServ@shipboard.demo NOTICE alice :Wrong account or password for alice.",
    ]
    stranger.send("CAP REQ sasl", "AUTHENTICATE PLAIN", "AUTHENTICATE AGFsaWNlAGNvcnJlY3QgaG9yc2U=")
    await stranger.expect(" 903 ")
    assert await watcher.ask() == [":alice!alice@127.0.0.1 ACCOUNT alice"]
    assert "You have been logged out." in (await stranger.ask("PRIVMSG NickServ LOGOUT"))[-1]
    assert await watcher.ask() == [":alice!alice@127.0.0.1 ACCOUNT *"]
    assert "identified for Bob" in (await stranger.ask("PRIVMSG NickServ :IDENTIFY bob battery:staple"))[-1]
    assert await watcher.ask() == [":alice!alice@127.0.0.1 ACCOUNT Bob"]
    assert "I understand" in (await stranger.ask("PRIVMSG NickServ :HELP"))[-1]
    assert await old.ask() == await far.ask() == []


async def test_nickserv_gives_nobody_endless_tries(world: World) -> None:
    ann = await world.guest("ann")
    ann.send(*["PRIVMSG NickServ :IDENTIFY alice guess"] * 9)
    lines = await ann.rest()
    assert len(lines) == 6
    assert lines[-1].startswith("ERROR ")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("PRIVMSG", "411"),
        ("PRIVMSG , :x", "411"),
        ("PRIVMSG ann", "412"),
        ("PRIVMSG ann :", "412"),
        ("PRIVMSG a,b,c,d,e :x", "407"),
        ("PRIVMSG nobody :x", "401"),
        ("PRIVMSG #nowhere :x", "403"),
        ("PRIVMSG #ford :x", "404"),
        ("TAGMSG", "411"),
    ],
)
async def test_what_cannot_be_said_is_answered_but_never_for_a_notice(
    world: World, line: str, code: str
) -> None:
    ann, bob = await world.guest("ann"), await world.guest("bob")
    await bob.ask("JOIN #ford")
    (answer,) = await ann.ask(line)
    assert answer.split()[1] == code
    assert await ann.ask(line.replace("PRIVMSG", "NOTICE").replace("TAGMSG", "NOTICE")) == []


async def test_away_is_told_to_who_writes(world: World) -> None:
    ann, bob = await world.guest("ann"), await world.guest("bob")
    assert " 306 " in (await ann.ask("AWAY :at sea"))[0]
    assert await bob.ask("PRIVMSG ANN :hi") == [":shipboard.demo 301 bob ann :at sea"]
    assert any(" 301 bob ann :at sea" in line for line in await bob.ask("WHOIS ann"))
    assert (await bob.ask("USERHOST ann nobody bob"))[0].endswith(" :ann=-ann@127.0.0.1 bob=+bob@127.0.0.1")
    assert " 305 " in (await ann.ask("AWAY"))[-1]
    assert await bob.ask("PRIVMSG ann :hi") == []


async def test_quits_reach_each_neighbour_once(world: World) -> None:
    ann, bob = await world.guest("ann"), await world.guest("bob")
    await ann.ask("JOIN #a,#b")
    await bob.ask("JOIN #a,#b")
    await ann.ask()
    bob.send("QUIT")
    await bob.rest()
    assert await ann.ask() == [":bob!bob@127.0.0.1 QUIT Quit"]


async def test_whois_names_the_account_and_shared_rooms(world: World) -> None:
    ann, alice = await world.guest("ann"), await world.member("alice", nick="al")
    await alice.ask("JOIN #ford,#secret")
    await ann.ask("JOIN #FORD")
    lines = await ann.ask("WHOIS shipboard.demo AL")
    assert [line.removeprefix(":shipboard.demo ") for line in lines] == [
        "311 ann al x 127.0.0.1 * :A member",
        "319 ann al @#ford",
        "312 ann al shipboard.demo :A server for one machine",
        "330 ann al alice :is logged in as",
        "318 ann AL :End of WHOIS list",
    ]
    assert [line.split()[1] for line in await ann.ask("WHOIS nobody")] == ["401", "318"]


async def test_who_and_whox(world: World) -> None:
    ann, alice = await world.guest("ann", caps="multi-prefix"), await world.member("alice")
    await alice.ask("JOIN #ford", "MODE #ford +v alice", "AWAY :x")
    await ann.ask("JOIN #ford")
    assert await ann.ask("WHO #FORD %tcnuhaf,42") == [
        ":shipboard.demo 354 ann 42 #ford x 127.0.0.1 alice G@+ alice",
        ":shipboard.demo 354 ann 42 #ford ann 127.0.0.1 ann H 0",
        ":shipboard.demo 315 ann #FORD :End of WHO list",
    ]
    assert (await ann.ask("WHO alice %nra"))[0] == ":shipboard.demo 354 ann alice alice :A member"
    assert (await ann.ask("WHO #ford"))[0] == (
        ":shipboard.demo 352 ann #ford x 127.0.0.1 shipboard.demo alice G@+ :0 A member"
    )
    assert len(await ann.ask("WHO")) == len(await ann.ask("WHO * %tisdlo")) == 3
    assert (await ann.ask("WHO alice nonsense"))[0].split()[1] == "352"
    assert len(await ann.ask("WHO nobody")) == 1


async def test_small_questions(world: World) -> None:
    ann = await world.guest("ann")
    assert await ann.ask("ISON ANN :nobody ann") == [":shipboard.demo 303 ann :ann ann"]
    assert [line.split()[1] for line in await ann.ask("LUSERS")] == ["251", "254", "255"]
    assert [line.split()[1] for line in await ann.ask("MOTD")] == ["375", "372", "376"]
    ann.send("PING :a token")
    assert await ann.line() == ":shipboard.demo PONG shipboard.demo :a token"
