"""A co-op that talks about its votes: quick rules, and the words that many tests need."""

import re
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from bot import (
    Plugin,
)
from bot.paths import share
from bot.store.registrar import SqlRegistrar
from bot.testing import Chat, FakeClock
from plugins.members import plugin as roster
from plugins.policy import plugin as policy
from plugins.posts import plugin as posts
from plugins.votes import plugin

PLUGINS: list[Plugin] = [plugin, policy, posts, roster]
ROOM = "room net/#team"
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
WEEK = 7 * DAY
CHAIN = re.compile(r" \[chain [0-9a-f]{12}\]$")
QUICK = {"min_tenure_days": 0, "discussion_hours": 0, "answer_hours": 0}
SERVICES = SqlRegistrar({"net": "irc", "jabber": "xmpp"})


def rules(folder: Path, numbers: Mapping[str, int]) -> Path:
    """A copy of the policies, in which each line with such a key has that number."""
    made = folder / "rules"
    if not made.exists():
        shutil.copytree(share("policies"), made)
    for file in made.glob("*.md"):
        text = file.read_text("utf-8")
        for key, value in numbers.items():
            text = re.sub(rf"(?m)^{key} = \d+", f"{key} = {value}", text)
        file.write_text(text, "utf-8")
    return made


@asynccontextmanager
async def opened(folder: Path, clock: FakeClock | None = None, **numbers: int) -> AsyncIterator[Chat]:
    """A co-op whose rules are quick but for these numbers."""
    policies = rules(folder, {**QUICK, **numbers})
    async with Chat.open(folder, PLUGINS, policies=policies, clock=clock) as chat:
        yield chat
        assert chat.incidents.reported == []


async def team(chat: Chat) -> list[str]:
    """What the team has heard since."""
    return [line for to, line in await chat.told() if to == ROOM]


async def on_ballot(chat: Chat, line: str = "policy Buy 8 GiB RAM | As we swap.", *seconds: str) -> None:
    """Bring alice's motion to its ballot."""
    assert (await chat.say("alice", f"!propose {line}")).startswith("Motion ")
    for name in seconds or ("bob",):
        await chat.say(name, "!second")
    await chat.told()


async def later(chat: Chat, seconds: float) -> None:
    """Let time pass at one go, but for its last minutes."""
    last = 11 * MINUTE
    chat.clock.put(seconds - last)
    await chat.clock.advance(last)


async def vote(chat: Chat, **words: str) -> list[str]:
    """Let members vote directly; return what they were answered."""
    return [await chat.say(name, f"!vote {word}", direct=True) for name, word in words.items()]
