import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.masking import MASK
from bot.runtime.clock import SystemEntropy
from bot.runtime.incidents import IncidentLog
from bot.testing import Chat
from tests.conftest import until
from tests.core.conftest import Probe, book, message

SECRET = "xyzzy"  # noqa: S105 - a word of a test
"""What must never be found."""


def found_on_disk(folder: Path) -> list[str]:
    return [
        path.name for path in folder.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()
    ]


@pytest.fixture
async def chat(tmp_path: Path, probe: Probe) -> AsyncIterator[Chat]:
    """A conversation whose incidents are logged, and told to the admins, as in the real bot."""
    async with Chat.open(tmp_path, [probe.plugin]) as chat:
        chat.crew.pipeline.incidents = IncidentLog(chat.clock, SystemEntropy(), chat.store)
        yield chat


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (f"!vote 9 {SECRET}", f"recorded {SECRET}"),
        (f"!vote 1 {SECRET}", f"{SECRET} is closed"),
        (f"!vote 2 {SECRET}", "That went wrong; the admins can look up "),
        (f"!vote 4 {SECRET}", "That went wrong; the admins can look up "),
        (f"!vote {SECRET}", f"number is a whole number, not “{SECRET}”."),
        (f"!vote {SECRET} 9", f"number is a whole number, not “{SECRET}”."),
        (f"!vote 9 {SECRET} {SECRET}", f"“{SECRET}” is more than I expected."),
        (f"!vote 9 yes {SECRET}", f"“{SECRET}” is more than I expected."),
        (f'!vote "{SECRET} {SECRET}" {SECRET}', "number is a whole number, not "),
        (f"!can bob vote 9 {SECRET}", "bob may vote 9 "),
        (f"!bury garden {SECRET}", "Bury it in garden? It needs another admin's yes"),
        (f"!vot 9 {SECRET}", ""),
        (f"Eddie: vot 9 {SECRET}", "I know no “vot 9”; did you mean !vote?"),
    ],
)
async def test_private_words_are_nowhere(
    chat: Chat, tmp_path: Path, caplog: pytest.LogCaptureFixture, line: str, answer: str
) -> None:
    caplog.set_level(logging.DEBUG)
    for who in ("alice", "zed"):
        said = await chat.say(who, line)
        assert said.startswith(answer) or (who == "zed" and (said.startswith("Only members") or answer))
    rows = await book(chat)
    await asyncio.gather(*chat.crew.pipeline.incidents.bulletin.tasks)  # type: ignore[attr-defined]  # the log's own
    assert not any(SECRET in row for row in rows)
    assert not any(SECRET in line for _, line in await chat.told())
    assert SECRET not in caplog.text
    assert found_on_disk(tmp_path) == []


async def test_the_public_words_beside_them_are_there(chat: Chat) -> None:
    await chat.say("alice", f"!vote 9 {SECRET}")
    await chat.say("alice", f"!vote 2 {SECRET}")
    await chat.say("alice", f"!vote {SECRET} 9")
    assert await book(chat) == [
        f"asked | vote | 9 {MASK}",
        f"done | vote | 9 {MASK}",
        f"asked | vote | 2 {MASK}",
        f"failed | vote | 2 {MASK} | RuntimeError",
        f"refused | vote | {MASK}",
    ]


async def test_a_late_private_answer_is_said_at_once_or_never(
    chat: Chat, probe: Probe, tmp_path: Path
) -> None:
    late, gone = (asyncio.create_task(chat.say(who, f"!vote 3 {SECRET}")) for who in ("alice", "bob"))
    await probe.has_begun("the vote")
    await until(lambda: len(probe.runs) >= 4)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    await chat.clock.advance(11)
    probe.let("the vote")
    assert await late == f"recorded {SECRET}"
    await until(lambda: not chat.crew.pipeline.tasks)
    assert await chat.told() == []
    assert found_on_disk(tmp_path) == []


async def test_a_question_a_job_and_a_no_do_not_show_them(
    chat: Chat, probe: Probe, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await chat.say("ann", f"!bury garden {SECRET}")
    assert await chat.say("ann", "!no 1") == f"Left undone: bury garden {MASK}."
    await chat.say("ann", f"!bury garden {SECRET}")
    assert await chat.say("abe", "!yes 2", direct=True) == f"Done with abe's yes: bury garden {MASK}."
    assert await chat.told() == [("room net/#team", f"ann: Done with abe's yes: bury garden {MASK}.")]
    await chat.say("ann", f"!bury garden {SECRET}")
    assert await chat.say("abe", "!yes 3") == f"Done with abe's yes: bury garden {MASK}."
    assert probe.runs == ["bury garden"] * 2
    assert (await chat.book.verify()).whole
    assert SECRET not in caplog.text
    assert found_on_disk(tmp_path) == []


async def test_a_job_with_private_words_shows_and_cancels_without_them(
    chat: Chat, probe: Probe, tmp_path: Path
) -> None:
    digging, going = asyncio.Event(), asyncio.Event()

    async def slowly(part: float, text: str) -> None:  # noqa: ARG001 - a Report
        digging.set()
        await going.wait()

    await chat.say("ann", f"!bury garden {SECRET}")
    yes = asyncio.create_task(chat.crew.pipeline.handle(message(chat, "abe", "yes 1"), slowly))
    await digging.wait()
    assert await chat.say("bob", "!jobs") == f"1 bury garden {MASK} for ann: 50% digging"
    assert await chat.say("ann", "!cancel 1") == f"Cancelled: bury garden {MASK}."
    assert (await yes).lines == (f"Not done in spite of abe's yes: bury garden {MASK}.",)
    going.set()
    assert probe.runs == []
    assert found_on_disk(tmp_path) == []
