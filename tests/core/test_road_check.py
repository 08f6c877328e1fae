"""What a command's own check refuses: before the question, and again after its yes."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from bot import Actor, Call, Clock, Conflict, Machine, Plugin, Refusal, Reply, admins, members, owner_of
from bot.core.registry import Override
from bot.testing import Chat
from tests.conftest import until
from tests.core.conftest import book

NOTHING = "Nothing waits for your yes."
How = Literal["gently", "at-once"]


@dataclass(slots=True)
class Ship:
    """What the checks go by: they refuse for the reason that stands here, or do what is put in its place."""

    plugin: Plugin = field(default_factory=lambda: Plugin("ship"))
    refused: str = ""
    checks: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    instead: Callable[[], object] | None = None

    def look(self, what: str) -> None:
        self.checks.append(what)
        if self.instead is not None:
            self.instead()
        if self.refused:
            raise Conflict(self.refused)


def declare(ship: Ship) -> None:
    async def may_sink(actor: Actor, clock: Clock, machine: Machine) -> None:
        ship.look(f"{actor} {machine} {clock.now():%H:%M}")

    @ship.plugin.command(
        "sink",
        allow=owner_of("machine") | admins,
        confirm="Sink {machine.name} {how}?",
        check=may_sink,
        second=~owner_of("machine"),
        limit="9/10m",
    )
    async def sink(machine: Machine, how: How = "gently") -> str:
        """Sink a machine."""
        ship.runs.append(f"{machine} {how}")
        return f"{machine} is sunk."

    def may_moor(call: Call, how: How) -> None:
        ship.look(f"{threading.current_thread().name} {call.actor} {how}")

    @ship.plugin.command("moor", allow=members, confirm="Moor?", check=may_moor, private=("code",))
    async def moor(code: str, how: How = "gently") -> Reply:
        """Moor the ship."""
        ship.runs.append(f"{code} {how}")
        return Reply(("Moored.",), private=True)


def declare_wrong(ship: Ship) -> None:
    async def hang() -> None:
        ship.look("hang")
        await asyncio.Event().wait()

    async def answer() -> bool:
        return False

    for name, check in (("hang", hang), ("answer", answer)):

        @ship.plugin.command(name, allow=members, confirm="Do it?", check=check)
        async def do() -> str:
            """Do it."""
            ship.runs.append("do")
            return "done"


@pytest.fixture
def ship() -> Ship:
    ship = Ship()
    declare(ship)
    declare_wrong(ship)
    return ship


@pytest.fixture
async def deck(tmp_path: Path, ship: Ship) -> AsyncIterator[Chat]:
    async with Chat.open(tmp_path, [ship.plugin]) as chat:
        yield chat


async def test_what_cannot_be_done_is_refused_and_not_asked(deck: Chat, ship: Ship) -> None:
    ship.refused = "It is at sea."
    assert await deck.say("alice", "!sink ford-3") == "It is at sea."
    assert await deck.say("alice", "!yes") == NOTHING
    assert deck.crew.pipeline.questions.count == 0
    assert (ship.checks, ship.runs) == (["alice ford-3 12:00"], [])
    assert await book(deck) == [
        "refused | sink | ford-3 | It is at sea.",
        "asked | yes",
        "refused | yes |  | Nothing waits for your yes.",
    ]


async def test_what_can_be_done_is_asked_checked_again_and_done(deck: Chat, ship: Ship) -> None:
    assert await deck.say("alice", "!sink") == "Sink ford-3 gently? Say !yes within 60 s."
    assert await deck.say("alice", "!yes") == "ford-3 is sunk."
    assert (ship.checks, ship.runs) == (["alice ford-3 12:00"] * 2, ["ford-3 gently"])


async def test_what_changed_before_the_yes_is_refused_as_by_the_command(deck: Chat, ship: Ship) -> None:
    await deck.say("alice", "!sink")
    ship.refused = "It is at sea by now."
    assert await deck.say("alice", "!yes") == "It is at sea by now."
    assert await deck.say("alice", "!yes") == NOTHING
    assert (ship.checks, ship.runs) == (["alice ford-3 12:00"] * 2, [])
    assert await book(deck) == [
        "question | sink | ford-3 | 1: Sink ford-3 gently?",
        "asked | yes",
        "done | yes |  | answered",
        "asked | sink | ford-3 | yes of alice",
        "refused | sink | ford-3 | It is at sea by now.",
        "asked | yes",
        "refused | yes |  | Nothing waits for your yes.",
    ]
    rows = {row.seq: row.entry for row in await deck.book.recent(9)}
    (refused,) = [entry for entry in rows.values() if entry.outcome == "It is at sea by now."]
    assert refused.ref is not None
    assert rows[refused.ref].outcome == "yes of alice"


async def test_after_a_second_admins_yes_both_are_told(deck: Chat, ship: Ship) -> None:
    await deck.say("ann", "!sink ford-3")
    ship.refused = "It is at sea by now."
    assert await deck.say("abe", "!yes 1", direct=True) == "It is at sea by now."
    assert await deck.told() == [("room net/#team", "ann: It is at sea by now.")]
    assert (ship.checks, ship.runs) == (["ann ford-3 12:00"] * 2, [])


async def test_who_may_not_is_refused_before_anything_is_checked(deck: Chat, ship: Ship) -> None:
    ship.refused = "It is at sea."
    assert await deck.say("bob", "!sink ford-3") == "Only the owner of the machine or admins may sink."
    assert (await deck.say("eve", "!sink ford-3")).startswith("Only the owner of the machine or admins")
    assert "is more than I expected" in await deck.say("alice", "!sink ford-3 gently now")
    for _ in range(9):
        assert await deck.say("alice", "!sink") == "It is at sea."
    assert (await deck.say("alice", "!sink")).startswith("sink may be used 9/10m")
    assert ship.checks == ["alice ford-3 12:00"] * 9


async def test_one_that_blocks_has_a_thread_and_what_is_private_stays_so(deck: Chat, ship: Ship) -> None:
    ship.refused = "Not with s3cret."
    assert await deck.say("alice", "!moor s3cret at-once") == "Not with s3cret."
    ship.refused = ""
    await deck.say("alice", "!moor s3cret at-once")
    ship.refused = "Not with s3cret."
    assert await deck.say("alice", "!yes") == "Not with s3cret."
    assert (ship.checks, ship.runs) == (["handler of ship alice at-once"] * 3, [])
    assert not [row for row in await book(deck) if "s3cret" in row]


def leave() -> None:
    sys.exit(3)


def stop() -> None:
    raise KeyboardInterrupt


def fail() -> None:
    raise ValueError("no chart")


def cancel() -> None:
    raise asyncio.CancelledError


@pytest.mark.parametrize("line", ["sink", "moor x"])
@pytest.mark.parametrize(
    ("instead", "cause"),
    [
        (fail, "ValueError: no chart"),
        (leave, "tried to end the bot: SystemExit"),
        (stop, "tried to end the bot: KeyboardInterrupt"),
        (cancel, "was cancelled from within"),
    ],
)
async def test_one_that_goes_wrong_is_a_number_and_asks_nothing(
    deck: Chat, ship: Ship, line: str, instead: Callable[[], object], cause: str
) -> None:
    ship.instead = instead
    assert await deck.say("alice", f"!{line}") == "That went wrong; the admins can look up 0001."
    assert await deck.say("alice", "!yes") == NOTHING
    ship.instead = None
    await deck.say("alice", f"!{line}")
    ship.instead = instead
    assert await deck.say("alice", "!yes") == "That went wrong; the admins can look up 0002."
    assert [row.split(" | ")[0] for row in await book(deck)][-2:] == ["asked", "failed"]
    told = [f"{type(error).__name__}: {error}" for error, _, _ in deck.incidents.reported]
    assert all(cause in text for text in told)
    assert len(told) == 2
    assert ship.runs == []


async def test_one_that_waits_for_ever_is_ended_and_asks_nothing(deck: Chat, ship: Ship) -> None:
    task = asyncio.create_task(deck.say("alice", "!hang"))
    await until(lambda: deck.clock.sleepers)
    await deck.clock.advance(10)
    assert (await task).startswith("That went wrong; ")
    assert await deck.say("alice", "!yes") == NOTHING
    assert [str(error) for error, _, _ in deck.incidents.reported] == [
        "the check of hang did not end within 10 s"
    ]
    assert (ship.checks, ship.runs) == (["hang"], [])


async def test_one_that_answers_instead_of_refusing_is_a_fault(deck: Chat, ship: Ship) -> None:
    assert (await deck.say("alice", "!answer")).startswith("That went wrong; ")
    assert [str(error) for error, _, _ in deck.incidents.reported] == [
        "the check of answer returned a bool: it raises a Refusal, or returns nothing"
    ]
    assert ship.runs == []


async def test_a_refusal_without_a_word_is_answered(deck: Chat, ship: Ship) -> None:
    def refuse() -> None:
        raise Refusal

    ship.instead = refuse
    assert await deck.say("alice", "!sink") == "No."
    assert await deck.say("alice", "!yes") == NOTHING


async def test_where_an_operator_wants_no_question_the_command_alone_decides(
    tmp_path: Path, ship: Ship
) -> None:
    ship.refused = "It is at sea."
    async with Chat.open(tmp_path, [ship.plugin], overrides={"sink": Override(confirm=False)}) as chat:
        assert await chat.say("alice", "!sink") == "ford-3 is sunk."
        assert (ship.checks, ship.runs) == ([], ["ford-3 gently"])
