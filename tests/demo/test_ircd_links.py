"""Connections: their end, their limits, and what hostile ones cannot do."""

import asyncio
import logging
import random
import socket
from collections.abc import AsyncIterator

import pytest
from irc.client import Event, NickMask, ServerConnection

from bot.demo.ircd import Ircd, Limits
from bot.demo.ircd.realm import Realm
from bot.demo.ircd.server import COMMANDS
from bot.errors import SetupError
from tests.demo.conftest import ACCOUNTS, HandClock, World


@pytest.fixture
async def small(hand_clock: HandClock) -> AsyncIterator[World]:
    world = World(hand_clock, Limits(clients=3, burst=20, per_second=5, sendq=64 * 1024))
    world.port = await world.ircd.start()
    yield world
    await world.end()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "irc.example.org", "", "10.0.0.1"])  # noqa: S104 - refused
async def test_only_loopback_addresses_are_listened_on(hand_clock: HandClock, host: str) -> None:
    with pytest.raises(SetupError, match="loopback"):
        await Ircd(ACCOUNTS, clock=hand_clock).start(host)


async def test_a_taken_port_is_named_and_a_running_server_not_started_again(world: World) -> None:
    with pytest.raises(SetupError, match=str(world.port)):
        await Ircd(ACCOUNTS, clock=world.clock).start("localhost", world.port)
    with pytest.raises(SetupError, match="already"):
        await world.ircd.start()


async def test_severed_links_end_with_a_reset_and_nothing_is_remembered(world: World) -> None:
    ann = await world.guest("ann")
    await ann.ask("JOIN #ford")
    world.ircd.sever()
    assert world.ircd.clients == ()
    with pytest.raises(ConnectionResetError):
        await ann.line()
    again = await world.guest("ann")
    assert "@ann" in (await again.ask("JOIN #ford"))[1]


async def test_a_server_that_died_comes_back_on_the_same_port(world: World) -> None:
    ann = await world.guest("ann")
    world.ircd.stop_accepting()
    world.ircd.stop_accepting()
    with pytest.raises(ConnectionRefusedError):
        await world.stranger()
    assert await ann.ask() == []
    world.ircd.sever()
    assert await ann.rest() == []
    assert await world.ircd.start(port=world.port) == world.port
    await world.guest("ann")
    await world.ircd.close()
    assert await world.ircd.start(port=world.port) == world.port
    await world.guest("ann")


async def test_closing_says_goodbye(world: World) -> None:
    ann, stranger = await world.guest("ann"), await world.stranger()
    await stranger.ask()
    await world.ircd.close()
    assert await ann.rest() == await stranger.rest() == ["ERROR :Closing link: (The server is going down)"]
    await world.ircd.close()


async def test_a_killed_client_is_told_why(world: World) -> None:
    ann = await world.guest("ann")
    assert world.ircd.kill("ANN", "ghost")
    assert await ann.rest() == ["ERROR :Closing link: (ghost)"]
    assert not world.ircd.kill("ann")


async def test_the_silent_are_pinged_and_then_let_go(world: World) -> None:
    ann, bob = await world.guest("ann"), await world.guest("bob")
    await ann.ask("JOIN #ford")
    await bob.ask("JOIN #ford")
    await ann.ask()
    world.clock.move(91)
    assert await ann.line() == await bob.line() == "PING shipboard.demo"
    await bob.ask("PONG shipboard.demo")
    world.clock.move(61)
    assert await ann.rest() == ["ERROR :Closing link: (Ping timeout: 152 seconds)"]
    assert await bob.ask() == [":ann!ann@127.0.0.1 QUIT :Ping timeout: 152 seconds"]


async def test_too_many_clients_are_turned_away(small: World) -> None:
    people = [await small.guest(nick) for nick in ("ann", "bob", "cy")]
    late = await small.stranger()
    assert await late.rest() == ["ERROR :Closing link: (Too many connections)"]
    people[0].send("QUIT")
    await people[0].rest()
    await people[1].ask()
    await small.guest("dan")


async def test_a_flood_is_slowed_and_nobody_is_thrown_out(small: World) -> None:
    ann, bob = await small.guest("ann"), await small.guest("bob")
    ann.send(*(f"PRIVMSG bob :{number}" for number in range(40)))
    before = [await bob.line() for _ in range(18)]
    assert await bob.ask() == []
    small.clock.move(2)
    after = [await bob.line()]
    for _ in range(21):
        small.clock.move(0.2)
        after.append(await bob.line())
    assert [line.rpartition(" ")[2] for line in [*before, *after]] == [str(number) for number in range(40)]
    small.clock.move(10)
    assert await ann.ask() == []


async def test_a_client_that_does_not_read_is_dropped(hand_clock: HandClock) -> None:
    world = World(hand_clock, Limits(burst=1_000_000, sendq=64 * 1024))
    world.port = await world.ircd.start()
    try:
        deaf, ann = await world.guest("deaf"), await world.guest("ann")
        await deaf.ask("JOIN #ford")
        await ann.ask("JOIN #ford")
        deaf.stop_reading()
        lines: list[str] = []
        async with asyncio.timeout(30):
            while not any("SendQ exceeded" in line for line in lines):
                lines += await ann.ask(*[f"PRIVMSG deaf :{'x' * 450}"] * 50)
        assert [one.nick for one in world.ircd.clients] == ["ann"]
    finally:
        await world.end()


async def test_a_second_command_cannot_be_smuggled_through_a_message(world: World) -> None:
    ann, bob = await world.guest("ann"), await world.guest("bob")
    ann.send_bytes(b"PRIVMSG bob :one\0two\x10r\r\n")
    ann.send_bytes(b"PRIVMSG bob :three\rPRIVMSG bob :four\r\n")
    assert [await bob.line() for _ in range(3)] == [
        ":ann!ann@127.0.0.1 PRIVMSG bob onetwo\x10r",
        ":ann!ann@127.0.0.1 PRIVMSG bob three",
        ":ann!ann@127.0.0.1 PRIVMSG bob four",
    ]


async def test_bytes_of_another_encoding_harm_nobody(world: World) -> None:
    ann, bob = await world.guest("ann"), await world.guest("bob")
    ann.send_bytes(
        b"PRIVMSG bob :caf\xe9\r\nJOIN #caf\xe9\r\nNICK \xff\xfe\r\n\xff\xfe\r\nPRIVMSG \xff :x\r\n"
    )
    assert (await bob.line()).encode("utf-8", "surrogateescape").endswith(b" PRIVMSG bob caf\xe9")
    assert len([line for line in await ann.ask() if line.split()[1] in {"432", "421", "401"}]) == 3


async def test_lines_that_are_too_long_are_answered_and_forgotten(world: World) -> None:
    ann, bob = await world.guest("ann"), await world.guest("bob")
    assert " 417 ann " in (await ann.ask("PRIVMSG bob :" + "x" * 600))[0]
    assert [line.split()[1] for line in await ann.ask("x" * 1_000_000)] == ["417"]
    assert [line.split()[1] for line in await ann.ask(f"@+a={'x' * 5000} PRIVMSG bob :x")] == ["417"]
    assert await ann.ask(f"@+a={'x' * 4000} PRIVMSG bob :{'y' * 490}") == []
    (line,) = await bob.ask()
    assert len(line.encode()) == 510


async def test_garbage_of_every_kind_leaves_the_server_whole(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    chance = random.Random(7)  # noqa: S311 - the same garbage each time
    words = [*sorted(COMMANDS.keys() - {"PASS", "QUIT"}), "LS", "REQ", "END", "PLAIN"]
    odd = [
        "",
        ":",
        " ",
        "#a",
        "#a,#b",
        "ann",
        "+o-v",
        "%tcnuhaf,42",
        "\0",
        "\x01",
        "ü",
        "302",
        "*",
        "0",
        "@+a=b",
        "x" * 99,
    ]
    bystander = await world.guest("zaphod")
    for round_ in range(6):
        person = await (world.guest(f"n{round_}") if round_ % 2 else world.stranger())
        for _ in range(150):
            chosen = [
                chance.choice(odd if chance.random() < 0.7 else words) for _ in range(chance.randrange(5))
            ]
            person.send(" ".join([chance.choice([*words, *odd]), *chosen]))
            person.send_bytes(chance.randbytes(chance.randrange(40)) + b"\n")
        await person.ask()
        await person.close()
    assert await bystander.ask() == []
    assert caplog.records == []


async def test_a_fault_of_ours_costs_one_client_only(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ann, bob = await world.guest("ann"), await world.guest("bob")

    def broken(_realm: Realm, _nick: str) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(Realm, "find", broken)
    ann.send("WHOIS bob")
    assert await ann.rest() == ["ERROR :Closing link: (Internal error)"]
    assert await bob.ask() == []
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    caplog.clear()


async def test_what_ended_the_watch_is_told_at_the_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = await world.guest("ann")

    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(world.ircd, "_look", broken)
    world.clock.move(5)
    await ann.ask()
    with pytest.raises(RuntimeError, match="broken"):
        await world.ircd.close()


async def test_a_client_that_resets_is_seen_to_leave(world: World) -> None:
    ann, bob = await world.guest("ann"), await world.guest("bob")
    await ann.ask("JOIN #ford")
    await bob.ask("JOIN #ford")
    await ann.ask()
    bob.reset()
    assert (await ann.line()).endswith(" QUIT :Connection reset by peer")


async def test_a_killed_client_that_does_not_read_is_not_waited_for(world: World) -> None:
    deaf, ann = await world.guest("deaf"), await world.guest("ann")
    deaf.stop_reading()
    (connection,) = [link for client, link in world.ircd._connections.items() if client.nick == "deaf"]
    while not connection._writer.transport.get_write_buffer_size():
        await ann.ask(*[f"PRIVMSG deaf :{'x' * 450}"] * 50)
    assert world.ircd.kill("deaf")
    await connection.gone()
    assert [one.nick for one in world.ircd.clients] == ["ann"]


async def test_a_connection_made_while_the_server_closes_ends_too(world: World) -> None:
    with socket.create_connection(("127.0.0.1", world.port), timeout=5) as raw:
        await asyncio.sleep(0)
        await world.ircd.close()
        await asyncio.sleep(0)
        assert await asyncio.to_thread(_last_words, raw) in {
            b"",
            b"ERROR :Closing link: (The server is going down)\r\n",
        }
    assert world.ircd.clients == ()


def _last_words(raw: socket.socket) -> bytes:
    try:
        return raw.recv(4096)
    except ConnectionResetError:
        return b""


async def test_the_irc_package_reads_what_the_server_says(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[Event] = []
    stock = ServerConnection(None)
    stock.real_server_name, stock.real_nickname = "shipboard.demo", "eddie"
    monkeypatch.setattr(stock, "_handle_event", events.append)
    monkeypatch.setattr(stock, "connected", True)
    bot = await world.guest("eddie", caps="account-tag server-time message-tags extended-join")
    alice = await world.member("alice")
    await bot.ask("JOIN #ford")
    await alice.ask("JOIN #ford", "PRIVMSG #ford :hello there")
    for line in await bot.ask("WHO #ford %tcnuhaf,7", "WHOIS alice"):
        stock._process_line(line)
    found = {event.type: event for event in events if event.type != "all_raw_messages"}
    assert found["pubmsg"].arguments == ["hello there"]
    assert {"key": "account", "value": "alice"} in found["pubmsg"].tags
    assert NickMask(found["join"].source).nick == "alice"
    assert found["join"].arguments == ["alice", "A member"]
    assert found["whospcrpl"].arguments[-1] == "alice"
    assert found["whoisaccount"].arguments[:2] == ["alice", "alice"]


async def test_message_ids_are_long_and_never_the_same(world: World) -> None:
    person = await world.guest("ann", caps="echo-message message-tags")
    lines = await person.ask(*["PRIVMSG ann :x"] * 50)
    ids = {line.partition("msgid=")[2].split()[0] for line in lines}
    assert len(ids) == 50
    assert all(len(one) >= 16 for one in ids)
