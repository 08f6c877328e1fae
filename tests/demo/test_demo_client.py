"""The small IRC client of the seat and the tour, on the embedded server and on servers that misbehave."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.demo import client
from bot.demo.client import Event, Happened, Person, Said, event_of, parse
from bot.demo.ircd import Ircd
from bot.errors import TransportFault
from bot.runtime.clock import SystemClock

ACCOUNTS = {"alice": "correct horse", "bob": "battery:staple"}
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
async def port() -> AsyncIterator[int]:
    ircd = Ircd(ACCOUNTS, clock=SystemClock())
    yield await ircd.start()
    await ircd.close()


@asynccontextmanager
async def server(serve: Serve, *, wait: bool = True) -> AsyncIterator[int]:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await serve(reader, writer)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        served.set()

    served = asyncio.Event()
    made = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield made.sockets[0].getsockname()[1]
    finally:
        made.close()
        if wait:
            async with asyncio.timeout(60):
                await served.wait()


async def until(person: Person, wanted: Event) -> list[Event]:
    """Return what a person sees up to what is wanted."""
    seen: list[Event] = []
    async with asyncio.timeout(60):
        async for event in person.events():
            seen.append(event)
            if event == wanted:
                return seen
    raise AssertionError(f"{wanted} did not come; instead {seen}")


async def test_people_come_talk_rename_and_go(port: int) -> None:
    alice = await Person.enter(port, "alice", ACCOUNTS["alice"], ["#a"])
    await until(alice, Happened("alice", "is in #a"))
    bob = await Person.enter(port, "bob", ACCOUNTS["bob"], ["#a"])
    bob.say("#a", "hello: all")
    bob.say("alice", "psst")
    bob.rename("robert")
    await until(alice, Happened("bob", "is robert now"))
    await until(bob, Happened("bob", "is robert now"))
    assert bob.nick == "robert"
    await bob.leave()
    seen = await until(alice, Happened("robert", "is gone (Quit: Bye)"))
    assert seen == [Happened("robert", "is gone (Quit: Bye)")]
    await alice.leave()


async def test_room_and_direct_words_are_told_apart_and_carry_no_second_line(port: int) -> None:
    alice = await Person.enter(port, "alice", ACCOUNTS["alice"], ["#a"])
    await until(alice, Happened("alice", "is in #a"))
    bob = await Person.enter(port, "bob", None, ["#a"])
    bob.say("#a", "one\r\nQUIT :two\0")
    bob.say("alice", "psst")
    seen = await until(alice, Said("bob", "alice", "psst"))
    assert Said("bob", "#a", "oneQUIT :two") in seen
    for person in (alice, bob):
        await person.leave()


async def test_a_taken_nick_gets_an_underscore_and_a_wrong_word_of_the_server_is_seen(port: int) -> None:
    first = await Person.enter(port, "alice", ACCOUNTS["alice"], [])
    second = await Person.enter(port, "alice", ACCOUNTS["alice"], [])
    assert (first.nick, second.nick) == ("alice", "alice_")
    second.say("nobody", "hello")
    async with asyncio.timeout(60):
        event = await anext(second.events())
    assert isinstance(event, Happened)
    assert event.nick == ""
    assert event.text == "nobody Cannot send to that"
    for person in (first, second):
        await person.leave()


async def test_a_wrong_password_is_a_fault(port: int) -> None:
    with pytest.raises(TransportFault, match="refused alice's password"):
        await Person.enter(port, "alice", "wrong", [])


async def test_a_server_that_is_not_there_is_a_fault() -> None:
    async with server(lambda _, __: asyncio.sleep(0), wait=False) as port:
        pass
    with pytest.raises(TransportFault, match="alice cannot reach the IRC server"):
        await Person.enter(port, "alice", None, [])


async def test_a_silent_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_LOGIN_SECONDS", 0.05)

    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with server(silent) as port:
        with pytest.raises(TransportFault, match="did not answer alice"):
            await Person.enter(port, "alice", None, [])


@pytest.mark.parametrize("data", [b"", b"x" * 200_000])
async def test_a_server_that_ends_or_sends_a_line_without_end_is_a_fault(data: bytes) -> None:
    async def rude(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    async with server(rude) as port:
        with pytest.raises(TransportFault, match="closed the connection of alice"):
            await Person.enter(port, "alice", None, [])


async def test_a_ping_is_answered() -> None:
    answered = asyncio.get_running_loop().create_future()

    async def ping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"PING :are you there\r\n:x 376 alice :End\r\n")
        while line := await reader.readline():
            if line.startswith(b"PONG"):
                answered.set_result(line)
                return

    async with server(ping) as port:
        person = await Person.enter(port, "alice", None, [])
        async with asyncio.timeout(60):
            assert await answered == b"PONG :are you there\r\n"
        assert [event async for event in person.events()] == []
        await person.leave()


@pytest.mark.parametrize(
    ("line", "parsed"),
    [
        ("@time=1;account=a :a!b@c PRIVMSG #x :hi : there", ("a", "PRIVMSG", ["#x", "hi : there"])),
        (":irc.test 001 alice", ("irc.test", "001", ["alice"])),
        ("ping x", ("", "PING", ["x"])),
        ("@only-tags", ("", "", [])),
        (":only-source", ("only-source", "", [])),
        ("", ("", "", [])),
        ("PRIVMSG #x :", ("", "PRIVMSG", ["#x", ""])),
    ],
)
def test_lines_are_read_and_what_is_missing_is_empty(line: str, parsed: tuple[str, str, list[str]]) -> None:
    assert parse(line) == parsed


@given(st.text(alphabet=st.sampled_from("@: #aPRIVMSG433\x01;={}"), max_size=60))
def test_no_line_makes_the_client_stumble(line: str) -> None:
    event = event_of(*parse(line))
    assert event is None or isinstance(event, Said | Happened)


@pytest.mark.parametrize(
    ("line", "event"),
    [
        (":a!b@c PART #x :bye", Happened("a", "left #x")),
        (":a!b@c QUIT", Happened("a", "is gone ()")),
        (":a!b@c NOTICE alice :psst", Said("a", "alice", "psst")),
        (":a!b@c PRIVMSG alice", None),
        (":irc.test 433 * alice :is taken", Happened("", "alice is taken")),
        (":irc.test 353 alice = #x :@alice", None),
        (":a!b@c MODE #x +o alice", None),
    ],
)
def test_what_a_person_wants_to_see(line: str, event: Event | None) -> None:
    assert event_of(*parse(line)) == event
