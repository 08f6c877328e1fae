import asyncio
import sys
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot import (
    Actor,
    Event,
    Hypervisor,
    HypervisorFault,
    Machine,
    Member,
    Notice,
    Outcome,
    Plugin,
    Refusal,
    Store,
    anyone,
    members,
)
from bot.core.invoke import Hands, contained, name_of, within
from bot.errors import Fault, StoreFault
from bot.testing import Chat, FakeClock
from tests.conftest import until
from tests.core.conftest import Probe, book


def wrong() -> Plugin:
    """A plugin whose every command goes wrong in its own way."""
    plugin = Plugin("wrong")
    raising(plugin)
    returning(plugin)
    return plugin


def raising(plugin: Plugin) -> None:

    @plugin.command("raise", allow=members)
    async def raise_() -> None:
        """Raise."""
        raise ValueError("the disk is on fire")

    @plugin.command("exit", allow=members)
    async def exit_() -> None:
        """Leave."""
        sys.exit(3)

    @plugin.command("exit plainly", allow=members)
    def exit_plainly() -> None:
        """Leave from a thread."""
        sys.exit(3)

    @plugin.command("interrupt", allow=members)
    async def interrupt() -> None:
        """Interrupt."""
        raise KeyboardInterrupt

    @plugin.command("stop", allow=members)
    def stop() -> None:
        """Stop iterating, in a thread."""
        raise StopIteration

    @plugin.command("cancelled", allow=members)
    async def cancelled() -> None:
        """Be cancelled by itself."""
        raise asyncio.CancelledError


def returning(plugin: Plugin) -> None:
    @plugin.command("number", allow=members)
    async def number() -> int:
        """Return what is no answer."""
        return 7

    @plugin.command("generate", allow=members)
    async def generate() -> object:
        """Yield instead of returning."""
        yield "one"

    @plugin.command("hang", allow=members)
    async def hang() -> None:
        """Never end."""
        await asyncio.Event().wait()

    @plugin.command("refuse", allow=members)
    async def refuse(*, why: str = "") -> None:
        """Refuse."""
        raise Refusal(why)

    @plugin.command("tell", allow=members)
    async def tell() -> Outcome:
        """Tell what cannot be told."""
        return Outcome(notices=(Notice("team", (7,)),))  # type: ignore[arg-type]  # what is tested


@pytest.fixture
async def bad(tmp_path: Path) -> AsyncIterator[Chat]:
    async with Chat.open(tmp_path, [wrong()]) as chat:
        yield chat


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("raise", "ValueError: the disk is on fire"),
        ("exit", "Fault: raising.<locals>.exit_ tried to end the bot: SystemExit"),
        ("exit plainly", "Fault: raising.<locals>.exit_plainly tried to end the bot: SystemExit"),
        ("interrupt", "Fault: raising.<locals>.interrupt tried to end the bot: KeyboardInterrupt"),
        ("stop", "RuntimeError: coroutine raised StopIteration"),
        ("cancelled", "Fault: raising.<locals>.cancelled was cancelled from within"),
        ("number", "AttributeError: 'int' object has no attribute 'splitlines'"),
        ("generate", "AttributeError: 'async_generator' object has no attribute 'splitlines'"),
        ("tell", "AttributeError: 'int' object has no attribute 'isascii'"),
    ],
)
async def test_a_fault_is_a_number_for_the_room_and_a_cause_for_the_admins(
    bad: Chat, line: str, cause: str
) -> None:
    assert await bad.say("alice", f"!{line}") == "That went wrong; the admins can look up 0001."
    ((error, during, private),) = bad.incidents.reported
    assert f"{type(error).__name__}: {error}" == cause
    assert (during, private) == (f"{line} at net/#team", False)
    assert [row.split(" | ")[0] for row in await book(bad)] == ["asked", "failed"]
    assert await bad.say("alice", "!refuse gladly") == "gladly"
    assert bad.crew.pipeline.speakers.queues == {}


async def test_one_that_waits_for_ever_is_ended(bad: Chat) -> None:
    task = asyncio.create_task(bad.say("alice", "!hang"))
    await until(lambda: bad.clock.sleepers)
    assert await bad.say("bob", "!refuse now") == "now"
    await bad.clock.advance(30)
    await task
    assert str(bad.incidents.reported[0][0]) == "hang did not end within 30 s"
    assert await bad.say("alice", "!refuse now") == "now"


async def test_even_a_refusal_without_a_word_is_answered(bad: Chat) -> None:
    assert await bad.say("alice", "!refuse") == "No."
    assert await book(bad) == ["asked | refuse", "refused | refuse"]


async def test_what_raises_before_the_command_is_a_fault_too(bad: Chat) -> None:
    await bad.store.write(lambda tx: tx.db.execute("ALTER TABLE identities RENAME TO elsewhere"))
    assert await bad.say("alice", "!refuse x") == "That went wrong; the admins can look up 0001."
    assert await bad.say("alice", "frob", direct=True) == "That went wrong; the admins can look up 0002."
    assert [type(cause) for cause, _, _ in bad.incidents.reported] == [StoreFault, StoreFault]
    assert bad.incidents.reported[1][1] == "an unknown command at net/alice"


async def test_nothing_runs_that_cannot_be_written_down(talk: Chat, probe: Probe) -> None:
    await talk.store.write(lambda tx: tx.db.execute("ALTER TABLE chain_heads RENAME TO elsewhere"))
    assert await talk.say("alice", "!note x") == "That went wrong; the admins can look up 0001."
    assert probe.runs == []
    await talk.store.write(lambda tx: tx.db.execute("ALTER TABLE elsewhere RENAME TO chain_heads"))


async def test_a_converter_that_waits_for_ever_or_leaves_is_ended(tmp_path: Path) -> None:
    plugin = Plugin("odd")

    class Odd:
        pass

    @plugin.converter(Odd)
    async def to_odd(word: str) -> Odd:
        if word == "exit":
            sys.exit(3)
        await asyncio.Event().wait()
        return Odd()

    async def handler(thing: Odd) -> None:
        """Look at a thing."""

    handler.__annotations__["thing"] = Odd
    plugin.command("odd", allow=anyone)(handler)
    async with Chat.open(tmp_path, [plugin]) as chat:
        assert (await chat.say("zed", "!odd exit")).startswith("That went wrong")
        task = asyncio.create_task(chat.say("zed", "!odd hang"))
        await until(lambda: chat.clock.sleepers)
        await chat.clock.advance(10)
        assert (await task).startswith("That went wrong")
        assert [str(cause) for cause, _, _ in chat.incidents.reported] == [
            "the words of odd tried to end the bot: SystemExit",
            "the words of odd did not end within 10 s",
        ]


async def test_a_hypervisors_fault_is_a_number_and_its_refusal_an_answer(tmp_path: Path) -> None:
    plugin = Plugin("power")

    @plugin.command("power", allow=members)
    async def power(hypervisor: Hypervisor, machine: Machine) -> str:
        """Start a machine."""
        if machine.name == "ford-9":
            raise HypervisorFault("no such device")
        await hypervisor.start(machine)
        return "up"

    async with Chat.open(tmp_path, [plugin]) as chat:
        assert await chat.say("alice", "!power ford-3") == "up"
        assert "up already" in await chat.say("alice", "!power ford-3")
        assert await chat.say("alice", "!power ford-9") == "That went wrong; the admins can look up 0001."


async def test_blocking_handlers_of_one_plugin_hold_up_only_itself(tmp_path: Path) -> None:
    mule, other, going = Plugin("mule"), Plugin("other"), threading.Event()

    @mule.command("block", allow=anyone)
    def block() -> str:
        """Block until it is let."""
        going.wait(30)
        return "done"

    @other.command("quick", allow=anyone)
    def quick() -> str:
        """Answer."""
        return threading.current_thread().name

    async with Chat.open(tmp_path, [mule, other]) as chat:
        tasks = [asyncio.create_task(chat.say(f"guest{n}", "!block", proven=False)) for n in range(6)]
        assert await chat.say("zed", "!quick") == "handler of other"
        assert sum(thread.name == "handler of mule" for thread in threading.enumerate()) == 4
        assert all(thread.daemon for thread in threading.enumerate() if thread.name == "handler of mule")
        going.set()
        assert await asyncio.gather(*tasks) == ["done"] * 6


async def test_a_blocking_handler_that_ends_too_late_is_nobodys() -> None:
    hands, clock, going = Hands(threads=1), FakeClock(), threading.Event()
    work = asyncio.create_task(within(clock, 5, hands.invoke("mule", going.wait, {"timeout": 30}), "mule"))
    await until(lambda: clock.sleepers)
    await clock.advance(5)
    with pytest.raises(Fault, match="mule did not end within 5 s"):
        await work
    going.set()
    assert await hands.invoke("mule", threading.Event, {}) is not None
    assert not hands.free["mule"].locked()


def test_a_thread_that_outlives_the_loop_ends_quietly() -> None:
    going, ended = threading.Event(), threading.Event()

    def block() -> None:
        going.wait(30)
        ended.set()

    async def leave() -> None:
        task = asyncio.create_task(Hands().invoke("outliving", block, {}))
        await until(lambda: any(thread.name == "handler of outliving" for thread in threading.enumerate()))
        task.cancel()

    asyncio.run(leave())
    thread = next(thread for thread in threading.enumerate() if thread.name == "handler of outliving")
    going.set()
    thread.join(30)
    assert ended.is_set()
    assert not thread.is_alive()


async def test_a_real_cancellation_is_not_mistaken_for_a_plugins() -> None:
    task = asyncio.create_task(contained(asyncio.Event().wait(), "x"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_every_handler_has_a_name() -> None:
    class Callable:
        def __call__(self) -> None: ...

    assert name_of(test_every_handler_has_a_name) == "test_every_handler_has_a_name"
    assert name_of(Callable()).endswith("Callable")


async def test_news_and_events_of_a_command_are_written_with_it(tmp_path: Path) -> None:
    plugin = Plugin("news")

    @plugin.command("announce", allow=members)
    async def announce(actor: Actor, store: Store, *, text: str) -> Outcome:
        """Announce something."""
        await store.write(lambda tx: tx.notice(Notice("admins", ("written",))))
        return Outcome(notices=(Notice("team", (f"[{actor}] {text}",)),), events=(Announced(text=text),))

    @plugin.event
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Announced(Event):
        text: str

    @plugin.command("poke", allow=members, confirm="Poke {member}?")
    async def poke(member: Member) -> Outcome:
        """Poke a member."""
        return Outcome(notices=(Notice(member, ("poke",)),))

    async with Chat.open(tmp_path, [plugin]) as chat:
        assert await chat.say("alice", "!announce pizza") == ""
        assert await chat.told() == [("room net/#admins", "written"), ("room net/#team", "[alice] pizza")]
        await chat.say("alice", "!poke bob")
        await chat.say("alice", "!yes")
        assert await chat.told() == [("member bob", "poke")]
        assert chat.incidents.reported == []
