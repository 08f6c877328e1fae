"""The terminal's seat, on a pseudo-terminal: what is typed is said, what is said is shown."""

import asyncio
import os
import pty
import signal
import termios
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from bot.demo.client import Event, Happened, Said
from bot.demo.screen import Screen, Tint
from bot.demo.seat import Seat, show
from bot.demo.stage import Stage
from tests.demo.played.conftest import DEADLINE, Paper


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """The person's end of a terminal, and the program's."""
    person, program = pty.openpty()
    yield person, program
    for end in (person, program):
        try:
            os.close(end)
        except OSError:
            continue  # the test closed it


@asynccontextmanager
async def sitting(stage: Stage, screen: Screen, program: int) -> AsyncIterator[None]:
    seat = await Seat.take(stage, screen)
    task = asyncio.create_task(seat.sit(program))
    try:
        yield
        async with asyncio.timeout(DEADLINE):
            await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_is_typed_is_said_and_answered_and_the_terminal_is_as_before(
    played: Stage, screen: Screen, paper: Paper, terminal: tuple[int, int]
) -> None:
    person, program = terminal
    before = termios.tcgetattr(program)
    async with sitting(played, screen, program):
        await paper.expect("<alice> ")
        os.write(person, b"!ping hello\n\n  \n")
        await paper.expect("<alice> !ping hello\n", "<Eddie> pong hello\n")
        os.write(person, b"//slashed\n")
        bob = await played.seat("bob")
        bob.say("#ford", "\x1b[31mred\x1b[0m words")
        await paper.expect("<bob> red words\n")
        bob.say("#ford", "\x01ACTION waves\x01")
        await paper.expect("* bob waves\n")
        assert termios.tcgetattr(program) != before
        os.write(person, b"/quit\n")
    assert termios.tcgetattr(program) == before


async def test_another_seat_is_taken_and_the_first_still_hears_direct_words(
    played: Stage, screen: Screen, paper: Paper, terminal: tuple[int, int]
) -> None:
    person, program = terminal
    async with sitting(played, screen, program):
        os.write(person, b"/as Bob\n!whoami\n")
        await paper.expect("* you are bob now, in #ford", "<bob> !whoami", "<Eddie> You are bob, member")
        os.write(person, b"/msg Eddie ping one\n")
        await paper.expect("* to Eddie alone: ping one", "<Eddie → bob> pong one")
        os.write(person, b"/as alice\n/msg bob psst\n")
        await paper.expect("<alice → bob> psst")
        os.write(person, b"/as nobody\n")
        await paper.expect("nobody is called nobody: there is alice, trillian")
        os.write(person, b"\x04")


async def test_rooms_and_nicks_change_and_a_wrong_word_gets_help(
    played: Stage, screen: Screen, paper: Paper, terminal: tuple[int, int]
) -> None:
    person, program = terminal
    async with sitting(played, screen, program):
        os.write(person, b"/join #mice\nhello\n")
        await paper.expect("* what you type goes to #mice now", "#mice <alice> hello\n")
        os.write(person, b"/nick ally\n")
        await paper.expect("#mice <ally> ")
        os.write(person, b"/dance\n/msg\n/\n")
        await paper.expect("* /as NAME", times=3)
        os.write(person, b"/quit\n")


async def test_a_member_who_cannot_enter_is_said_so(
    played: Stage, screen: Screen, paper: Paper, terminal: tuple[int, int]
) -> None:
    person, program = terminal
    assert isinstance(played.passwords, dict)
    played.passwords["bob"] = "wrong"
    async with sitting(played, screen, program):
        os.write(person, b"/as bob\n")
        await paper.expect("the IRC server refused bob's password")
        os.write(person, b"/quit\n")


async def test_the_prompt_comes_back_after_the_shell_had_the_terminal(
    played: Stage, screen: Screen, paper: Paper, terminal: tuple[int, int]
) -> None:
    person, program = terminal
    async with sitting(played, screen, program):
        await paper.expect("<alice> ")
        ours = termios.tcgetattr(program)
        theirs = [*ours]
        theirs[3] |= termios.ICANON | termios.ECHO
        termios.tcsetattr(program, termios.TCSANOW, theirs)
        prompts = paper.getvalue().count("<alice> ")
        os.kill(os.getpid(), signal.SIGCONT)
        async with asyncio.timeout(DEADLINE):  # whoever speaks meanwhile brings the prompt back too
            while termios.tcgetattr(program)[3] != ours[3]:  # noqa: ASYNC110 - a terminal tells nobody
                await asyncio.sleep(0)
        assert paper.getvalue().count("<alice> ") > prompts
        os.write(person, b"/quit\n")


async def test_a_terminal_that_hangs_up_ends_the_seat(
    played: Stage, screen: Screen, paper: Paper, terminal: tuple[int, int]
) -> None:
    person, program = terminal
    async with sitting(played, screen, program):
        await paper.expect("<alice> ")
        os.close(person)


async def test_the_end_of_the_server_ends_the_seat(
    played: Stage, screen: Screen, paper: Paper, terminal: tuple[int, int]
) -> None:
    _, program = terminal
    async with sitting(played, screen, program):
        await paper.expect("<alice> ")
        alice = await played.seat("alice")
        await alice.leave()
    assert "the IRC server has ended" in paper.getvalue()


@pytest.mark.parametrize(
    ("event", "current", "shown"),
    [
        (Said("Eddie", "#ford", "hi"), True, ("hi", "<Eddie>", Tint.BOT)),
        (Said("bob", "#FORD", "hi"), True, ("hi", "<bob>", Tint.PERSON)),
        (Said("bob", "#mice", "hi"), True, ("hi", "#mice <bob>", Tint.PERSON)),
        (Said("bob", "#ford", "hi"), False, None),
        (Said("bob", "alice", "hi"), False, ("hi", "<bob → alice>", Tint.DIRECT)),
        (Said("bob", "#ford", "\x01ACTION waves\x01"), True, ("bob waves\x01", "*", Tint.PERSON)),
        (Said("bob", "#ford", "\x01ACTION waves\x01"), False, None),
        (Happened("", "no such nick"), False, ("no such nick", "!", Tint.LOUD)),
        (Happened("bob", "is in #ford"), True, ("bob is in #ford", "*", Tint.QUIET)),
        (Happened("bob", "is in #ford"), False, None),
        (Happened("alice", "is in #ford"), True, None),
    ],
)
def test_what_is_shown_of_what_happens(
    event: Event, *, current: bool, shown: tuple[str, str, Tint] | None
) -> None:
    assert show(event, "alice", "#ford", current=current) == shown
