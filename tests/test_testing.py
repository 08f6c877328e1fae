import asyncio
from pathlib import Path

import pytest

from bot import Entropy, Links, Plugin, Role, Tx, anyone
from bot.model import Place
from bot.testing import Chat, FakeClock, FakeEntropy


def hello() -> Plugin:
    plugin = Plugin("hello")

    @plugin.command("hello", allow=anyone)
    async def greet(links: Links, entropy: Entropy) -> str:
        """Greet."""
        (link,) = links.status()
        return f"hello on {link.network}, {entropy.token(16)} {entropy.uniform(0.5, 2)}"

    return plugin


async def test_a_conversation_is_with_a_whole_bot(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, [hello()]) as chat:
        assert await chat.say("zed", "!hello") == "hello on net, 0001 0.5"
        assert await chat.say("zed", "Eddie: hello") == "hello on net, 0002 0.5"
        assert await chat.say("zed", "hello", direct=True) == "hello on net, 0003 0.5"
        assert await chat.say("zed", "hello") == ""
        assert await chat.say("zed", "!hello", place=Place("net", "#other")) == "hello on net, 0004 0.5"
        assert (await chat.hear("zed", "hello")).lines == ()


async def test_it_has_four_members_and_three_machines(chat: Chat) -> None:
    said = await chat.say("alice", "!member list")
    assert said == "4 members: abe (admin), alice, ann (admin), bob."
    assert await chat.say("alice", "!vm list") == (
        "ford: ford-1 stopped (bob) · ford-3 stopped (alice) · ford-9 stopped (the co-op)"
    )
    assert "you are a guest" in await chat.say("zed", "!member list")


async def test_people_talk_as_fast_as_they_like(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, [hello()]) as chat:
        for _ in range(40):
            assert (await chat.say("zed", "!hello")).startswith("hello")


async def test_opened_again_it_is_the_same_bot_restarted(tmp_path: Path) -> None:
    for role in (Role.MEMBER, Role.ADMIN):
        async with Chat.open(tmp_path, [hello()]) as chat:
            found = await chat.store.read(
                lambda db: [row["role"] for row in db.query("SELECT * FROM members")]
            )
            assert found.count("admin") == (2 if role is Role.MEMBER else 3)
            await chat.store.write(promote_bob)


def promote_bob(tx: Tx) -> None:
    tx.db.execute("UPDATE members SET role = 'admin' WHERE name = 'bob'")


async def test_the_clock_goes_when_it_is_told_to_and_wakes_sleepers_in_their_order() -> None:
    clock, woken = FakeClock(), []

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((seconds, clock.monotonic()))

    tasks = [asyncio.create_task(sleep(seconds)) for seconds in (3, 1, 2, 9)]
    await asyncio.sleep(0)
    assert clock.sleepers == 4
    tasks[2].cancel()
    await clock.advance(5)
    assert woken == [(1, 1.0), (3, 3.0)]
    assert clock.sleepers == 1
    assert (clock.monotonic(), clock.now().isoformat()) == (5.0, "2026-11-22T12:00:05+00:00")
    tasks[3].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[3]


def test_tokens_count() -> None:
    entropy = FakeEntropy()
    assert [entropy.token(64), entropy.token(8)] == ["0000000000000001", "02"]
