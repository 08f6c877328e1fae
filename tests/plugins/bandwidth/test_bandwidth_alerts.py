"""What a member is told of their own accord, and nobody else is."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.testing import PEOPLE, Chat
from plugins import alerts, bandwidth
from tests.plugins.bandwidth.conftest import joined, measured, unix


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    """A conversation in which alerts go by the month's transfer."""
    async with Chat.open(tmp_path, [alerts.plugin, bandwidth.plugin]) as chat:
        await joined(chat, "2020-01-01T00:00:00", *PEOPLE)
        yield chat


async def told(chat: Chat, minutes: int) -> list[str]:
    """Return what alice is told while so many minutes pass; nobody else is told anything."""
    await chat.ticks(minutes, 60)
    said = await chat.told()
    assert {to for to, _ in said} <= {"member alice"}
    return [line for _, line in said]


async def test_a_member_hears_of_their_transfer_and_of_its_end_with_the_month(chat: Chat) -> None:
    await measured(chat, "2026-11-01", "2026-11-22", ford_3=5.25)
    assert await told(chat, 3) == []
    await measured(chat, "2026-11-21T22:00", "2026-11-21T23:00", ford_3=11)
    (warned,) = await told(chat, 3)
    assert warned.startswith("A1 WARN alice ")
    assert " 81 % (limit 80 %)" in warned
    await measured(chat, "2026-11-22T08:00", "2026-11-22T09:00", ford_3=30)
    (full,) = await told(chat, 3)  # the rest cannot be used up any more
    assert full.startswith("A2 WARN alice ")
    assert " 101 % (limit 100 %)" in full
    await chat.clock.advance(unix("2026-12-01") - chat.clock.now().timestamp())
    ends = sorted(await told(chat, 6))
    assert [end.split(" alice")[0] for end in ends] == ["A1 over:", "A2 over:"]
    assert all(" 0 % " in end for end in ends)


async def test_a_member_hears_how_soon_it_is_gone_at_the_pace_of_the_last_hour(chat: Chat) -> None:
    await measured(chat, "2026-11-20", "2026-11-22", ford_3=3)
    await measured(chat, "2026-11-22T11:30", "2026-11-22T12:00", ford_3=3, step=600)
    (line,) = await told(chat, 8)
    assert line.startswith("A1 WARN alice ")
    assert " 15" in line
    (end,) = await told(chat, 60)
    assert end.startswith("A1 over: alice ")
