"""What holds for every plugin and every command, whoever wrote it."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import Actor, Call, Identity, IdentityKind, Machine, Message, Place, Registrar, Usage, detail
from bot.core.registry import Bound
from bot.runtime import loader
from bot.store.registrar import SqlRegistrar
from bot.testing import Chat
from bot.transports.lines import payload
from tests.house.test_house_readme import commands

COMMANDS = commands()
MASK = "Eddie-the-bot!~eddie@some-quite-long.host.name.example.org"
LINE = payload(MASK, "#a-room-with-a-long-name")
"""Bytes of one IRC line of the bot's."""

USAGE = 100
"""Characters of the longest usage that people still read."""


@pytest.fixture(params=sorted(COMMANDS))
def command(request: pytest.FixtureRequest) -> Bound:
    bound: Bound = COMMANDS[request.param]
    return bound


def test_every_plugin_of_ours_is_loaded() -> None:
    assert {"audit", "help", "hosts", "members", "relay", "vms", "votes"} <= set(loader.own_names())
    silent = {"relay"}  # has no command
    assert {bound.declared.plugin for bound in COMMANDS.values()} == {"core", *loader.own_names()} - silent


def test_the_summary_is_one_sentence(command: Bound) -> None:
    assert command.summary.endswith(".")
    assert command.summary[0].isupper()
    assert "\n" not in command.summary


def test_the_rule_says_who_may(command: Bound) -> None:
    assert str(command.allow)
    assert command.declared.allow is command.allow


def test_the_usage_can_be_read(command: Bound) -> None:
    assert len(f"!{command.usage}") <= USAGE


def test_each_line_of_the_help_fits_a_line_of_irc(command: Bound) -> None:
    for line in detail(command, "!"):
        assert len(line.encode()) <= LINE, line


def test_whatever_asks_changes_something(command: Bound) -> None:
    assert not (command.declared.confirm and command.declared.reads)


async def test_each_example_parses_with_its_commands_own_signature(chat: Chat) -> None:
    alice = await chat.crew.pipeline.roster.member("alice")
    assert alice is not None
    identity = Identity("oftc", IdentityKind.IRC_ACCOUNT, "alice")
    registrar = SqlRegistrar({"oftc": "irc"})
    await chat.store.write(lambda tx: registrar.bind(tx, alice, identity, "a test"))
    for command in COMMANDS.values():
        await parse_the_example(command, chat, Actor(alice, alice.role), identity, registrar)


async def parse_the_example(
    command: Bound, chat: Chat, actor: Actor, identity: Identity, registrar: SqlRegistrar
) -> None:
    line = detail(command, "!")[1].split("Example: !")[1]
    found = chat.crew.registry.find(line)
    assert found is not None
    bound, words = found
    assert bound.name == command.name
    message = Message(Place("oftc", "#team"), "alice", line, chat.clock.now(), identity)
    own = {Message: message, Actor: actor, Call: Call(message, actor), Registrar: registrar}
    try:
        values = await bound.converter.convert(words, {**chat.crew.pipeline.services, **own})
    except Usage as usage:
        pytest.fail(f"!{line}: {usage}")
    assert set(values) == {parameter.name for parameter in bound.signature.words}


# --- any words from anybody

WORDS = (
    *("ford-1", "ford-3", "ford-9", "alice", "bob", "ann", "net", "net:bob", "oftc:x", "mine", "ford"),
    *("admin", "member", "full", "half", "suspended", "good", "role", "share", "standing", "zone", "UTC"),
    *("1", "2", "0", "#1", "99999999999", "-", "off", "vm stop", "echo", "!", '"', '"a b"', "{machine.name}"),
    *("%s", "isn't", "vm", "list", "yes", "no"),
)
GUESTS = ("eve", "ann's ghost")
PEOPLE = (*GUESTS, "alice", "bob", "ann", "abe")
MOST_LINES, LONGEST = 80, 2000

words = st.lists(st.sampled_from(WORDS) | st.text(max_size=40), max_size=5).map(" ".join)
lines = st.tuples(st.sampled_from(sorted(COMMANDS)), words).map(lambda said: f"!{said[0]} {said[1]}")
said = st.tuples(st.sampled_from(PEOPLE), lines, st.booleans())


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


async def state(chat: Chat) -> list[str]:
    """All that a command could change: the roster, and what the machines do."""
    tables = ("members", "identities", "machines", "link_codes")
    found = await chat.store.read(lambda db: [repr(list(db.table(name).rows)) for name in tables])
    machines = [Machine(name, "ford") for name in ("ford-1", "ford-3", "ford-9")]
    return [*found, *[repr(await chat.hypervisor.inspect(machine)) for machine in machines]]


async def hear_all(talk: list[tuple[str, str, bool]]) -> None:
    plugins = [loaded.plugin for loaded in loader.load(None, ()).loaded]
    with tempfile.TemporaryDirectory() as folder:
        async with Chat.open(Path(folder), plugins) as chat:
            before = None
            for who, line, direct in talk:
                before = (before or await state(chat)) if who in GUESTS else None
                place = Place("net", who, direct=True) if direct else Place("net", "#team")
                reply = await chat.hear(who, line, place=place, proven=who != GUESTS[1])
                assert len(reply.lines) <= MOST_LINES
                assert all(len(answer) <= LONGEST for answer in reply.lines)
                assert reply.lines, "every command is answered somehow"
                assert before is None or await state(chat) == before
            await chat.dispatcher.drain()
            assert chat.incidents.reported == []
            assert (await chat.book.verify()).whole


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(talk=st.lists(said, min_size=1, max_size=12))
def test_any_words_from_anybody(loop: asyncio.AbstractEventLoop, talk: list[tuple[str, str, bool]]) -> None:
    loop.run_until_complete(hear_all(talk))


@pytest.mark.parametrize("who", PEOPLE)
def test_every_command_from_everybody_with_every_word(loop: asyncio.AbstractEventLoop, who: str) -> None:
    talk = [
        (who, f"!{name} {word}", index % 2 == 0)
        for name in sorted(COMMANDS)
        for index, word in enumerate(("", *WORDS))
    ]
    loop.run_until_complete(hear_all(talk))
