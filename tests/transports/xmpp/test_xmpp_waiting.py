from collections.abc import AsyncIterator

import pytest

from tests.transports.conftest import Irc
from tests.transports.sides import XmppSide


@pytest.fixture
async def side(irc: Irc) -> AsyncIterator[XmppSide]:
    made = XmppSide(irc.clock, irc.road, irc.incidents, pace={"burst": 5, "per_second": 1})
    yield made
    await made.leave()


async def test_each_command_of_a_flood_is_answered_or_counted(side: XmppSide) -> None:
    await side.come_in()
    for number in range(300):
        await side.speak(f"!ping {number}")
    dropped = side._made.conversation.dropped
    assert 300 - 256 - 5 <= dropped < 300 - 256
    said = await side.said()
    for _ in range(30):
        await side.clock.advance(10)
        said += await side.said()
    assert side._made.conversation.dropped == dropped
    assert sum(line.startswith("pong ") for line in said) == 300 - dropped
    assert sum("Slowly" in line for line in said) == 1
