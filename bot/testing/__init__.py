"""Conversations for tests, of plugin authors too: a whole bot whose world is fake and whose store is real.

async def test_stopping_asks_first(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, [plugin]) as chat:
        assert await chat.say("alice", "!vm stop ford-3") == "Stop ford-3 on ford? Say !yes within 60 s."
"""

from bot.hypervisors.fake import FakeHypervisor
from bot.meters.fake import FakeMeter
from bot.testing.chat import MACHINES, PEOPLE, Chat
from bot.testing.clock import START, FakeClock, settle
from bot.testing.fakes import (
    NETWORK,
    TEAM,
    FakeCode,
    FakeEntropy,
    FakeIncidents,
    FakeLinks,
    FakeLoudspeaker,
    QuietRoad,
)

__all__ = [
    "MACHINES",
    "NETWORK",
    "PEOPLE",
    "START",
    "TEAM",
    "Chat",
    "FakeClock",
    "FakeCode",
    "FakeEntropy",
    "FakeHypervisor",
    "FakeIncidents",
    "FakeLinks",
    "FakeLoudspeaker",
    "FakeMeter",
    "QuietRoad",
    "settle",
]
