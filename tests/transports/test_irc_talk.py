"""Commands in, replies out: who is believed, what the room hears, and what goes only to whom."""

import asyncio
from datetime import timedelta

import pytest

from bot.model import Identity, IdentityKind, Message, Place, Reply
from bot.ports import Report
from bot.transports.irc import conversation
from bot.transports.irc.transport import IrcTransport
from tests.transports.conftest import FULL, HandClock, Irc, Peer, settle

ROOM = Place("oftc", "#ford")
ALICE = Identity("oftc", IdentityKind.IRC_ACCOUNT, "alice")
NO_TAG = FULL.replace("account-tag ", "").replace("account-notify ", "")


def long(count: int) -> Reply:
    return Reply(tuple(f"line {number}" for number in range(1, count + 1)))


async def test_a_command_is_answered_in_its_room(irc: Irc) -> None:
    _, peer = await irc.admitted()
    peer.say(
        "alice!a@h",
        "#FORD",
        "!ping hello\x02 you",
        tags="msgid=m1;account=Alice;time=2026-11-22T12:00:00.000Z",
    )
    await peer.expect("PRIVMSG #ford :pong hello you")
    (message,) = irc.road.heard
    assert message == Message(ROOM, "alice", "ping hello you", irc.clock.now(), ALICE, "m1")


@pytest.mark.parametrize(
    ("tags", "text"),
    [
        ("account=*", "!ping"),
        ("account=", "!ping"),
        ("", "!ping"),
        ("+account=alice;accounts=alice;draft/account=alice", "!ping"),
    ],
)
async def test_without_the_tag_of_that_message_nobody_is_anybody(irc: Irc, tags: str, text: str) -> None:
    _, peer = await irc.admitted()
    peer.send(":alice!a@h JOIN #ford alice :Alice")
    peer.say("alice!a@h", "#ford", text, tags=tags)
    await peer.expect("PRIVMSG #ford :pong ")
    assert irc.road.heard[0].identity is None


async def test_chatter_and_machines_are_left_alone(irc: Irc) -> None:
    transport, peer = await irc.admitted()
    for text in ("hello", "!", "!!!", "\x01VERSION\x01", "\x01ACTION !ping\x01", "Eddie is nice", ""):
        peer.say("alice!a@h", "#ford", text)
    peer.say("alice!a@h", "Eddie", "\x01DCC CHAT x 1 2\x01")
    peer.say("robot!r@h", "#ford", "!ping", tags="bot")
    peer.say("irc.test", "Eddie", "ping")
    peer.say("Eddie!eddie@bot.host", "#ford", "!ping echo")
    peer.send(":alice!a@h NOTICE #ford :!ping", ":alice!a@h NOTICE Eddie :ping", ":alice!a@h TAGMSG #ford")
    assert await peer.pending() == []
    assert irc.road.heard == []
    assert (transport.conversation.chatter, transport.conversation.ignored) == (8, 2)


async def test_direct_and_named_commands(irc: Irc) -> None:
    _, peer = await irc.admitted()
    peer.say("alice!a@h", "eddie", "ping one", tags="account=alice")
    await peer.expect("PRIVMSG alice :pong one")
    peer.say("bob!b@h", "#ford", "eddie, ping two")
    await peer.expect("PRIVMSG #ford :pong two")
    peer.say("carol!c@h", "@#ford", "!ping three")
    await peer.expect("PRIVMSG carol :pong three")
    peer.say("carol!c@h", "@#ford", "psst, ops")
    assert await peer.pending() == []
    assert [(one.place, one.named) for one in irc.road.heard] == [
        (Place("oftc", "alice", direct=True), True),
        (ROOM, True),
        (Place("oftc", "carol", direct=True), False),
    ]


async def test_history_is_marked(irc: Irc) -> None:
    _, peer = await irc.admitted()
    peer.send(":irc.test BATCH +h chathistory #ford", ":irc.test BATCH +l labeled-response")
    peer.say("alice!a@h", "#ford", "!ping 1", tags="batch=h;account=alice")
    peer.say("alice!a@h", "#ford", "!ping 2", tags="batch=l;account=alice")
    peer.say("alice!a@h", "#ford", "!ping 3", tags="time=2026-11-22T11:59:00.000Z;account=alice")
    peer.send("@time=2026-11-22T11:59:10.000Z :irc.test PONG irc.test :x")
    peer.say("alice!a@h", "#ford", "!ping 4", tags="time=2026-11-22T11:59:00.000Z;account=alice")
    await peer.expect("PRIVMSG #ford :pong 4")
    assert [one.replayed for one in irc.road.heard] == [True, False, True, False]
    assert irc.road.heard[-1].at == irc.clock.now() - timedelta(seconds=10)


async def whois(peer: Peer, nick: str, account: str | None, host: str = "a@h") -> None:
    await peer.expect(f"WHOIS {nick}")
    user, _, name = host.partition("@")
    peer.send(f":irc.test 311 Eddie {nick} {user} {name} * :Real")
    if account:
        peer.send(f":irc.test 330 Eddie {nick} {account} :is logged in as")
    peer.send(f":irc.test 318 Eddie {nick} :End of WHOIS")


async def test_without_account_tag_the_server_is_asked_at_that_moment(irc: Irc) -> None:
    _, peer = await irc.admitted(NO_TAG)
    peer.say("alice!a@h", "#ford", "!ping 1", tags="account=mallory")
    await whois(peer, "alice", "Alice")
    await peer.expect("PRIVMSG #ford :pong 1")
    peer.say("alice!a@h", "#ford", "!ping 2")
    await whois(peer, "alice", None)
    await peer.expect("PRIVMSG #ford :pong 2")
    assert [one.identity for one in irc.road.heard] == [ALICE, None]


async def test_an_answer_counts_only_for_whom_and_when_it_was_asked(irc: Irc) -> None:
    _, peer = await irc.admitted(NO_TAG)
    peer.say("alice!a@h", "#ford", "!ping other-host")
    await whois(peer, "alice", "alice", "real@elsewhere")
    await peer.expect("PRIVMSG #ford :pong other-host")
    peer.say("alice!a@h", "#ford", "!ping renamed")
    await peer.expect("WHOIS alice")
    peer.send(":alice!a@h NICK mallory", ":carol!a@h NICK alice")
    peer.send(
        ":irc.test 311 Eddie alice a h * :A",
        ":irc.test 330 Eddie alice alice :is",
        ":irc.test 318 Eddie alice :",
    )
    await peer.expect("PRIVMSG #ford :pong renamed")
    peer.say("alice!a@h", "#ford", "!ping silent")
    await peer.expect("WHOIS alice")
    peer.send(":irc.test 330 Eddie bob alice :is logged in as", ":irc.test 318 Eddie bob :End")
    await peer.pending()
    await irc.clock.advance(6)
    await peer.expect("PRIVMSG #ford :pong silent")
    assert [one.identity for one in irc.road.heard] == [None, None, None]


async def test_one_whois_serves_what_was_said_before_it_and_keeps_the_order(irc: Irc) -> None:
    _, peer = await irc.admitted(NO_TAG)
    peer.say("alice!a@h", "#ford", "!ping 0")
    await peer.expect("WHOIS alice")
    peer.say("alice!a@h", "#ford", "!ping 1")
    peer.say("alice!a@h", "#ford", "!ping 2")
    peer.send(":irc.test 311 Eddie alice a h * :A", ":irc.test 318 Eddie alice :End")
    await whois(peer, "alice", "alice")
    for number in range(3):
        await peer.expect(f"PRIVMSG #ford :pong {number}")
    heard = [(one.text, one.identity) for one in irc.road.heard]
    assert heard == [("ping 0", None), ("ping 1", ALICE), ("ping 2", ALICE)]
    assert not [line for line in await peer.pending() if line.startswith("WHOIS")]


async def test_a_long_answer_is_shared_out(irc: Irc) -> None:
    irc.road.answers["list"] = long(6)
    _, peer = await irc.admitted(pace="off")
    peer.send(":alice!a@h JOIN #ford alice :A")
    peer.say("alice!a@h", "#ford", "!list", tags="account=alice")
    assert [await peer.line() for _ in range(7)] == [
        "PRIVMSG #ford :line 1",
        "PRIVMSG #ford :line 2",
        "PRIVMSG #ford :(4 more lines sent to you directly)",
        *(f"PRIVMSG alice :line {number}" for number in range(3, 7)),
    ]


async def test_a_direct_answer_is_capped(irc: Irc) -> None:
    irc.road.answers["list"] = long(30)
    _, peer = await irc.admitted(pace="off")
    peer.say("bob!b@h", "Eddie", "list")
    lines = [await peer.line() for _ in range(12)]
    assert lines[-2:] == ["PRIVMSG bob :line 11", "PRIVMSG bob :(19 more lines were cut)"]


async def test_a_very_long_line_is_split_to_what_the_prefix_leaves(irc: Irc) -> None:
    irc.road.answers["cat"] = Reply(("ä" * 300,))
    _, peer = await irc.admitted(pace="off")
    peer.say("bob!b@h", "#ford", "!cat")
    pieces = [(await peer.expect("PRIVMSG #ford :(ä+)"))[1] for _ in range(2)]
    assert "".join(pieces) == "ä" * 300
    assert len(f":Eddie!eddie@bot.host PRIVMSG #ford :{pieces[0]}\r\n".encode()) in {511, 512}


async def test_a_private_answer_goes_only_to_who_is_proven(irc: Irc) -> None:
    irc.road.answers["secret"] = Reply(("4711",), private=True)
    _, peer = await irc.admitted()
    peer.send(":alice!a@h JOIN #ford alice :A")
    peer.say("alice!a@h", "#ford", "!secret", tags="account=alice")
    assert await peer.line() == "PRIVMSG alice :4711"
    assert await peer.line() == "PRIVMSG #ford :alice: answered in a direct message."


async def test_a_private_answer_to_an_unseen_nick_is_asked_for_first(irc: Irc) -> None:
    irc.road.answers["secret"] = Reply(("4711",), private=True)
    _, peer = await irc.admitted()
    peer.say("alice!a@h", "Eddie", "secret", tags="account=alice")
    await whois(peer, "alice", "alice")
    await peer.expect("PRIVMSG alice :4711")
    peer.say("alice!a@h", "Eddie", "secret", tags="account=alice")
    await whois(peer, "alice", None)
    assert await peer.pending() == []


async def opened(irc: Irc, gate: asyncio.Event, verb: str) -> None:
    async def wait(_: Message, __: Report) -> None:
        await gate.wait()

    irc.road.gates[verb] = wait


@pytest.mark.parametrize(
    "theft",
    [
        (":alice!a@h NICK gone", ":mallory!m@h NICK alice"),
        (":alice!a@h QUIT :irc.test irc2.test", ":alice!m@h JOIN #ford * :M"),
        (":alice!a@h ACCOUNT *",),
        (":alice!a@h ACCOUNT mallory",),
        (":op!o@h KICK #ford alice :out", ":alice!m@h JOIN #ford mallory :M"),
    ],
)
async def test_a_private_answer_never_reaches_who_took_the_nick(irc: Irc, theft: tuple[str, ...]) -> None:
    gate = asyncio.Event()
    irc.road.answers["secret"] = Reply(("4711",), private=True)
    await opened(irc, gate, "secret")
    _, peer = await irc.admitted()
    peer.send(":alice!a@h JOIN #ford alice :A", ":mallory!m@h JOIN #ford mallory :M")
    peer.say("alice!a@h", "#ford", "!secret", tags="account=alice")
    await peer.pending()
    peer.send(*theft)
    await peer.pending()
    gate.set()
    line = await peer.line()
    if line == "WHOIS alice":
        peer.send(":irc.test 311 Eddie alice m h * :M", ":irc.test 318 Eddie alice :End")
        line = await peer.line()
    assert line == "PRIVMSG #ford :alice: I could not prove that it is still you; ask me directly."
    assert not any("4711" in line for line in peer.seen + await peer.pending())


async def test_lines_that_wait_for_their_turn_are_not_sent_to_a_new_holder(irc: Irc) -> None:
    irc.road.answers["list"] = Reply(long(12).lines, private=True)
    _, peer = await irc.admitted()
    peer.send(":alice!a@h JOIN #ford alice :A")
    peer.say("alice!a@h", "Eddie", "list", tags="account=alice")
    for number in range(1, 6):
        await peer.expect(f"PRIVMSG alice :line {number}")
    peer.send(":alice!a@h QUIT :bye", ":alice!m@h JOIN #ford mallory :M")
    assert await peer.pending() == []
    await irc.clock.advance(10)
    assert await peer.pending() == []


async def test_a_guest_gets_a_private_answer_where_it_was_asked_for(irc: Irc) -> None:
    irc.road.answers["hint"] = Reply(("do this",), private=True)
    _, peer = await irc.admitted()
    peer.say("guest!g@h", "#ford", "!hint")
    assert [await peer.line(), await peer.line()] == [
        "PRIVMSG guest :do this",
        "PRIVMSG #ford :guest: answered in a direct message.",
    ]


async def test_the_rest_of_an_answer_stays_here_if_the_nick_is_doubtful(irc: Irc) -> None:
    gate = asyncio.Event()
    irc.road.answers["list"] = long(5)
    await opened(irc, gate, "list")
    _, peer = await irc.admitted()
    peer.send(":alice!a@h JOIN #ford alice :A")
    peer.say("alice!a@h", "#ford", "!list", tags="account=alice")
    await peer.pending()
    peer.send(":alice!a@h ACCOUNT *")
    await peer.pending()
    gate.set()
    await peer.expect("PRIVMSG #ford :line 2")
    assert await peer.line() == "PRIVMSG #ford :(3 more lines to have, ask me directly)"
    assert await peer.pending() == []


async def test_progress_is_told_sparsely(irc: Irc) -> None:
    async def work(_: Message, report: Report) -> None:
        for step in range(30):
            await report(step / 30, "unpacking")
            await irc.clock.sleep(1)

    irc.road.gates["ping"] = work
    _, peer = await irc.admitted()
    peer.say("alice!a@h", "#ford", "!ping", tags="account=alice")
    await peer.expect("PRIVMSG #ford :alice: 0% unpacking")
    peer.say("bob!b@h", "Eddie", "ping")
    await peer.expect("PRIVMSG bob :0% unpacking")
    await irc.clock.advance(31)
    told = [line for line in await peer.pending() if line.startswith("PRIVMSG #ford")]
    assert told == [
        "PRIVMSG #ford :alice: 33% unpacking",
        "PRIVMSG #ford :alice: 67% unpacking",
        "PRIVMSG #ford :pong ",
    ]


async def test_an_answer_survives_a_reconnect_but_not_to_an_unproven_nick(irc: Irc) -> None:
    gate = asyncio.Event()
    await opened(irc, gate, "ping")
    transport, peer = await irc.admitted()
    peer.say("alice!a@h", "#ford", "!ping room", tags="account=alice")
    peer.say("guest!a@h", "Eddie", "ping direct")
    await peer.pending()
    peer.close()
    await asyncio.gather(*irc.tasks, return_exceptions=True)
    irc.serve(transport)
    again = await irc.server.accept()
    await again.admit()
    gate.set()
    await again.expect("PRIVMSG #ford :pong room")
    assert await again.pending() == []
    assert transport.conversation.dropped == 1


async def test_a_flood_of_one_is_bounded_and_others_are_served(irc: Irc) -> None:
    irc.road.answers["list"] = long(12)
    transport, peer = await irc.admitted()
    for _ in range(1000):
        peer.say("flood!f@h", "Eddie", "list")
    peer.say("bob!b@h", "#ford", "!ping bob", tags="account=bob")
    await peer.pending()
    assert transport.conversation.dropped == 1000 - 256
    await irc.clock.advance(6)
    told = await peer.pending()
    assert "PRIVMSG #ford :pong bob" in peer.seen + told
    await irc.clock.advance(30)
    assert 55 <= len(await peer.pending()) <= 61


async def test_who_is_left_out_is_told_so_once(irc: Irc) -> None:
    transport, peer = await irc.admitted()
    for number in range(300):
        peer.say("flood!f@h", "#ford", f"!ping {number}")
    said = await peer.pending()
    text = "PRIVMSG #ford :flood: Slowly: too many commands wait, I leave out what comes now."
    await irc.clock.advance(4)
    said += await peer.pending()
    assert said.count(text) == 1
    assert transport.conversation.dropped == 300 - 256 - 5  # a burst was answered
    for _ in range(20):
        await irc.clock.advance(10)
        said += await peer.pending()
    assert [line for line in said if "pong" in line] == [f"PRIVMSG #ford :pong {n}" for n in range(256 + 5)]
    peer.say("flood!f@h", "#ford", "!ping again")
    assert "PRIVMSG #ford :pong again" in await peer.pending()


async def test_the_many_of_a_few_shut_nobody_out(irc: Irc) -> None:
    transport, peer = await irc.admitted()
    for number in range(9 * 256):
        peer.say(f"f{number % 9}!f@h", "#ford", f"!ping {number}")
    peer.say("bob!b@h", "#ford", "!ping bob", tags="account=bob")
    said = await peer.pending()
    assert 200 < transport.conversation.dropped <= 256
    await irc.clock.advance(12)
    assert "PRIVMSG #ford :pong bob" in said + await peer.pending()


@pytest.mark.parametrize("caps", [FULL, "multi-prefix"])
async def test_without_pace_nothing_is_dropped_and_the_order_is_kept(irc: Irc, caps: str) -> None:
    transport, peer = await irc.admitted(caps, pace="off")

    async def feed() -> None:
        for number in range(20_000):
            peer.say(f"n{number % 7}!x@h", "#ford", f"!ping {number}")
            if not number % 100:
                await peer.writer.drain()

    feeding = asyncio.create_task(feed())
    last = dict.fromkeys(range(7), -1)
    answers = 0
    while answers < 20_000:
        line = await peer.line()
        if line.startswith("WHOIS"):
            nick = line.split()[1]
            peer.send(f":irc.test 311 Eddie {nick} x h * :x", f":irc.test 318 Eddie {nick} :End")
            continue
        number = int(line.rpartition(" ")[2])
        assert last[number % 7] < number
        last[number % 7] = number
        answers += 1
    await feeding
    assert transport.conversation.dropped == transport.conversation.queues.total == 0


async def test_a_long_command_lets_its_speakers_next_begin(irc: Irc) -> None:
    gate = asyncio.Event()

    async def work(_: Message, report: Report) -> None:
        await report(0.1, "unpacking")
        await report(0.2, "unpacking")
        await gate.wait()

    irc.road.gates["work"] = work
    irc.road.answers["work"] = Reply(("done",))
    _, peer = await irc.admitted(pace="off")
    for text in ("!work", "!ping one", "!ping two"):
        peer.say("alice!a@h", "#ford", text)
    said = await peer.pending()
    assert [line for line in said if "pong" in line] == [f"PRIVMSG #ford :pong {n}" for n in ("one", "two")]
    gate.set()
    await peer.expect("PRIVMSG #ford :done")
    peer.say("alice!a@h", "#ford", "!ping three")
    await peer.expect("PRIVMSG #ford :pong three")


async def test_a_server_that_reads_slowly_is_waited_for(irc: Irc) -> None:
    irc.road.answers["list"] = Reply(("x" * 400,))
    transport, peer = await irc.admitted(pace="off")
    for _ in range(20_000):
        peer.say("alice!a@h", "#ford", "!list")
    await settle()
    assert transport.status().up
    for _ in range(20_000):
        await peer.expect("PRIVMSG #ford :x+")
    assert transport.status().up


async def test_the_pace_is_a_burst_and_then_two_a_second(irc: Irc) -> None:
    _, peer = await irc.admitted()
    for number in range(15):
        peer.say(f"n{number}!x@h", "#ford", f"!ping {number}")
    await settle()
    assert len(await peer.pending()) == 5
    await irc.clock.advance(5)
    assert len(await peer.pending()) == 10


async def say(transport: IrcTransport, *lines: str) -> asyncio.Task[bool]:
    task = asyncio.create_task(transport.say(ROOM, lines))
    await settle()
    return task


async def test_what_is_said_is_delivered_when_it_is_echoed(irc: Irc) -> None:
    transport, peer = await irc.admitted()
    task = await say(transport, "A17 CRIT", "second")
    await peer.expect("PRIVMSG #ford :second")
    token = (await peer.expect("PING (.*)"))[1]
    assert not task.done()
    peer.say("Eddie!eddie@bot.host", "#ford", "A17 CRIT")
    peer.say("Eddie!eddie@bot.host", "#ford", "(changed by the server)")
    assert await asyncio.wait_for(task, 60)
    peer.send(f":irc.test PONG irc.test :{token}")
    assert await peer.pending() == []


async def test_with_echoes_a_pong_without_echo_says_no(irc: Irc) -> None:
    transport, peer = await irc.admitted()
    task = await say(transport, "lost")
    token = (await peer.expect("PING (.*)"))[1]
    peer.send(f":irc.test PONG irc.test :{token}")
    assert await asyncio.wait_for(task, 60) is False


@pytest.mark.parametrize("token_is_repeated", [True, False])
async def test_without_echoes_the_pong_counts(irc: Irc, *, token_is_repeated: bool) -> None:
    transport, peer = await irc.admitted("")
    task = await say(transport, "hello")
    token = (await peer.expect("PING (.*)"))[1]
    peer.send(f":irc.test PONG irc.test :{token if token_is_repeated else 'irc.test'}")
    assert await asyncio.wait_for(task, 60) is True


@pytest.mark.parametrize("code", ["401", "403", "404", "442"])
async def test_an_error_for_the_target_says_no(irc: Irc, code: str) -> None:
    transport, peer = await irc.admitted("")
    task = await say(transport, "hello")
    token = (await peer.expect("PING (.*)"))[1]
    peer.send(f":irc.test {code} Eddie #other :Cannot send", f":irc.test {code} Eddie #FORD :Cannot send")
    peer.send(f":irc.test PONG irc.test :{token}")
    assert await asyncio.wait_for(task, 60) is False


async def test_no_confirmation_in_time_says_no(irc: Irc) -> None:
    transport, peer = await irc.admitted()
    task = await say(transport, "hello")
    await peer.expect("PING .*")
    await irc.clock.advance(31)
    assert await asyncio.wait_for(task, 60) is False


async def test_a_lost_link_says_no_to_all_who_wait(irc: Irc) -> None:
    transport, peer = await irc.admitted()
    tasks = [await say(transport, f"{number}") for number in range(9)]
    await peer.expect("PING .*")
    peer.close()
    assert await asyncio.wait_for(asyncio.gather(*tasks), 60) == [False] * 9


async def test_nothing_is_said_where_we_are_not(irc: Irc) -> None:
    transport, peer = await irc.admitted()
    places = [Place("oftc", "#other"), Place("jabber", "#ford"), Place("oftc", "a b", direct=True)]
    places += [
        Place("oftc", "x\r\nQUIT", direct=True),
        Place("oftc", ":x", direct=True),
        Place("oftc", "", direct=True),
    ]
    assert [await transport.say(place, ["x"]) for place in places] == [False] * 6
    assert await peer.pending() == []


async def test_a_member_is_told_by_the_nick_that_holds_the_account(irc: Irc) -> None:
    transport, peer = await irc.admitted()
    peer.send(":other!a@h JOIN #ford alice :A", ":bob!b@h JOIN #ford bob :B")
    peer.say("alice_!a@h", "#ford", "hello", tags="account=alice")
    await peer.pending()
    task = asyncio.create_task(transport.tell(ALICE, ["psst"]))
    await peer.expect("PRIVMSG other :psst")
    peer.say("Eddie!eddie@bot.host", "other", "psst")
    assert await asyncio.wait_for(task, 60) is True


async def test_a_member_is_told_by_the_last_nick_if_it_is_proven(irc: Irc, clock: HandClock) -> None:
    transport, peer = await irc.admitted(NO_TAG, pace="off")
    peer.say("Arthur!a@h", "#ford", "!ping", tags="")
    await whois(peer, "Arthur", "alice")
    await peer.expect("PRIVMSG #ford :pong ")
    task = asyncio.create_task(transport.tell(ALICE, ["psst"]))
    await whois(peer, "Arthur", "alice")
    await peer.expect("PRIVMSG Arthur :psst")
    peer.say("Eddie!eddie@bot.host", "Arthur", "psst")
    assert await asyncio.wait_for(task, 60) is True
    task = asyncio.create_task(transport.tell(ALICE, ["psst"]))
    await whois(peer, "Arthur", "mallory")
    await peer.expect("WHOIS alice")
    peer.send(":irc.test 401 Eddie alice :No such nick", ":irc.test 318 Eddie alice :End")
    assert await asyncio.wait_for(task, 60) is False
    assert clock.now() is not None


async def test_nobody_else_is_told(irc: Irc) -> None:
    transport, peer = await irc.admitted()
    others = [
        Identity("jabber", IdentityKind.IRC_ACCOUNT, "alice"),
        Identity("oftc", IdentityKind.XMPP_JID, "alice"),
        Identity("oftc", IdentityKind.IRC_ACCOUNT, "a b"),
        Identity("oftc", IdentityKind.IRC_ACCOUNT, ""),
    ]
    assert [await transport.tell(one, ["x"]) for one in others] == [False] * 4
    assert await peer.pending() == []
    peer.close()
    await asyncio.gather(*irc.tasks, return_exceptions=True)
    assert await transport.tell(ALICE, ["x"]) is False


async def test_only_the_latest_speakers_are_remembered(irc: Irc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "REMEMBERED", 2)
    transport, peer = await irc.admitted(pace="off")
    for name in ("alice", "bob", "alice", "carol"):
        peer.say(f"{name}!x@h", "#ford", "!ping", tags=f"account={name}")
    await peer.pending()
    assert list(transport.conversation.nicks) == ["alice", "carol"]


async def test_a_proof_that_never_holds_when_its_turn_comes_sends_nothing(irc: Irc) -> None:
    transport, peer = await irc.admitted(NO_TAG, pace={"burst": 1, "per_second": 0.05})
    task = asyncio.create_task(transport.tell(ALICE, ["psst"]))
    for _ in range(3):
        await whois(peer, "alice", "alice")
        await peer.pending()
        await irc.clock.advance(20.5)
        await irc.clock.advance(20)
    assert await asyncio.wait_for(task, 60) is False
    assert not [line for line in peer.seen if "psst" in line]


async def test_accounts_that_are_no_longer_followed_are_asked_for(irc: Irc) -> None:
    transport, peer = await irc.admitted()
    peer.send(
        ":alice!a@h JOIN #ford alice :A", ":irc.test 353 Eddie = #ford :@+alice!a@h bob", ":x!y@z NICK w"
    )
    peer.send(":irc.test 354 Eddie 152 bob bob", ":irc.test 354 Eddie 999 alice mallory")
    peer.send(":irc.test CAP Eddie DEL :account-notify")
    await peer.pending()
    task = asyncio.create_task(transport.tell(ALICE, ["psst"]))
    await whois(peer, "alice", "alice")
    await peer.expect("PRIVMSG alice :psst")
    task.cancel()
