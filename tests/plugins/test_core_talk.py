"""The commands of the road itself: yes, no, jobs, cancel, can."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot import Plugin, Report, members
from bot.runtime import loader
from bot.testing import Chat
from tests.plugins.conftest import ELSEWHERE, GUEST, HOSTILE, rows


async def test_yes_and_no_without_a_question(chat: Chat) -> None:
    assert await chat.say("alice", "!yes") == "Nothing waits for your yes."
    assert await chat.say("alice", "!no") == "Nothing waits for your no."
    assert await chat.say("eve", "!yes 7", proven=False) == "There is no question 7."
    assert await chat.say("eve", "!no 7", proven=False) == "There is no question 7."


async def test_no_leaves_it_undone(chat: Chat) -> None:
    await chat.say("alice", "!vm start")
    await chat.say("alice", "!vm stop ford-3")
    assert await chat.say("alice", "!no") == "Left undone: vm stop ford-3."
    assert await chat.say("alice", "!yes") == "Nothing waits for your yes."
    assert "ford-3 running" in await chat.say("alice", "!vm show")


@pytest.mark.parametrize("answer", ["!yes", "!no"])
@pytest.mark.parametrize("word", ["one", "-1", "1.0", *HOSTILE[:6], HOSTILE[15], HOSTILE[16]])
async def test_a_slip_in_an_answer_is_told_and_the_question_waits_on(
    chat: Chat, answer: str, word: str
) -> None:
    await chat.say("alice", "!vm start")
    await chat.say("alice", "!vm stop")
    assert "Usage: " in await chat.say("alice", f"{answer} {word}")
    assert await chat.say("alice", "!no") == "Left undone: vm stop."


async def test_only_the_asker_in_the_same_place_in_time(chat: Chat) -> None:
    await chat.say("alice", "!vm start")
    await chat.say("alice", "!vm stop")
    assert await chat.say("bob", "!yes") == "Nothing waits for your yes."
    assert await chat.say("bob", "!yes 1") == "Question 1 waits for alice, there."
    assert await chat.say("alice", "!yes", place=ELSEWHERE) == "Nothing waits for your yes."
    assert await chat.say("alice", "!yes", proven=False) == "Nothing waits for your yes."
    assert await chat.say("bob", "!no 1") == "Only alice or admins may answer question 1."
    await chat.clock.advance(61)
    assert await chat.say("alice", "!yes") == "Question 1 has expired; ask again."
    assert "running" in await chat.say("alice", "!vm show")


async def test_a_second_admin_must_say_the_number(chat: Chat) -> None:
    await chat.say("alice", "!vm start")
    assert await chat.say("ann", "!vm kill ford-3") == (
        "Kill ford-3 of alice on ford, whatever is lost? It needs another admin's yes: !yes 1 within 10 min."
    )
    assert await chat.say("ann", "!yes") == "Nothing waits for your yes."
    assert await chat.say("ann", "!yes 1") == "Question 1 waits for another admin's yes, not yours."
    assert await chat.say("alice", "!yes 1") == "Question 1 waits for the yes of another admin."
    assert await chat.say("abe", "!yes 1") == "ford-3 is dead. !vm start ford-3"
    assert await chat.say("abe", "!yes 1") == "There is no question 1."


@dataclass(slots=True)
class Slow:
    """A conversation with a command that becomes a job, and lasts until its end is let."""

    chat: Chat
    begun: asyncio.Event
    end: asyncio.Event

    async def began(self, who: str, text: str) -> asyncio.Task[str]:
        self.begun.clear()
        task = asyncio.create_task(self.chat.say(who, text))
        await self.begun.wait()
        return task


@pytest.fixture
async def slow(tmp_path: Path) -> AsyncIterator[Slow]:
    plugin, begun, end = Plugin("slow"), asyncio.Event(), asyncio.Event()

    @plugin.command("dig", allow=members)
    async def dig(report: Report, *, where: str) -> str:
        """Dig until told to stop."""
        await report(0.25, "digging")
        begun.set()
        await end.wait()
        return f"dug {where}"

    ours = [loaded.plugin for loaded in loader.load(None, ()).loaded]
    async with Chat.open(tmp_path, [*ours, plugin]) as chat:
        yield Slow(chat, begun, end)


async def test_jobs_are_listed_and_end(slow: Slow) -> None:
    chat = slow.chat
    assert await chat.say("alice", "!jobs") == "No job runs."
    digging = await slow.began("alice", "!dig a hole")
    assert await chat.say("bob", "!jobs") == "1 dig a hole for alice: 25% digging"
    assert await chat.say("eve", "!jobs") == f"Only members may jobs, and {GUEST}"
    slow.end.set()
    assert await digging == "dug a hole"
    assert await chat.say("alice", "!jobs") == "No job runs."


async def test_a_job_is_cancelled_by_its_owner_or_an_admin(slow: Slow) -> None:
    chat = slow.chat
    digging = await slow.began("alice", "!dig here")
    assert await chat.say("bob", "!cancel 1") == "Only alice or admins may cancel job 1."
    assert await chat.say("eve", "!cancel 1") == f"Only members may cancel, and {GUEST}"
    assert await chat.say("alice", "!cancel") == "number is missing. Usage: !cancel NUMBER"
    assert await chat.say("alice", "!cancel 9") == "There is no job 9."
    assert await chat.say("alice", "!cancel one") == (
        "number is a whole number, not “one”. Usage: !cancel NUMBER"
    )
    assert await chat.say("alice", "!cancel 1") == "Cancelled: dig here."
    assert await digging == "dig here was cancelled by alice."
    again = await slow.began("bob", "!dig there")
    assert await chat.say("ann", "!cancel 2") == "Cancelled: dig there."
    assert await again == "dig there was cancelled by ann."
    assert [entry.kind for entry in await rows(chat) if entry.command == "dig"] == ["refused", "asked"] * 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("ann vm stop ford-3", "ann may vm stop ford-3: the owner of the machine or admins may."),
        ("alice vm stop ford-3", "alice may vm stop ford-3: the owner of the machine or admins may."),
        ("bob vm stop ford-3", "bob may not vm stop ford-3: only the owner of the machine or admins may."),
        ("ann vm run ford-3 id", "ann may not vm run ford-3 id: only the owner of the machine may."),
        ("bob audit", "bob may not audit: only admins may; bob is a member."),
        ("bob vm start", "bob may vm start as far as this holds: the owner of the machine or admins."),
        ("zaphod vm start", "There is no member “zaphod”; !member list names them."),
        ("bob fly", "I know no “fly”; !help tells what there is."),
        ("bob", "command is missing. Usage: !can MEMBER COMMAND…"),
        ("", "member is missing. Usage: !can MEMBER COMMAND…"),
    ],
)
async def test_can_explains_beforehand(chat: Chat, words: str, said: str) -> None:
    assert await chat.say("alice", f"!can {words}".strip()) == said


async def test_can_is_not_for_guests_and_hostile_words_break_nothing(chat: Chat) -> None:
    assert await chat.say("eve", "!can ann vm stop ford-3") == f"Only members may can, and {GUEST}"
    for word in HOSTILE:
        assert await chat.say("alice", f"!can {word} {word}")
        assert await chat.say("alice", f"!can ann vm stop {word}")
        assert await chat.say("alice", f"!can ann {word}")
        assert await chat.say("alice", f"!cancel {word}")
    assert chat.incidents.reported == []
