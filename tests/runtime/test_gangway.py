import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.model import Identity, Message, Offer, Place, Remark, Reply
from bot.ports import Report
from bot.runtime.gangway import Gangway

ROOM = Place("oftc", "#ford")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
REMARK = Remark(ROOM, "alice", "so long")


@dataclass
class Road:
    """Answers with what was asked."""

    taken: list[str] = field(default_factory=list)
    heard: list[Remark] = field(default_factory=list)

    async def handle(self, message: Message, report: Report) -> Reply:
        await report(1.0, message.text)
        self.taken.append(message.text)
        return Reply.of(message.text)

    def listens(self, place: Place) -> bool:
        return place == ROOM

    def overhear(self, remark: Remark) -> None:
        self.heard.append(remark)

    async def offers(self, identity: Identity | None) -> tuple[Offer, ...]:
        return (Offer(f"ping {identity}", "Say pong."),)


def said(text: str) -> Message:
    return Message(ROOM, "alice", text, NOW)


async def mute(part: float, text: str) -> None:
    """Tell nobody."""


async def test_who_comes_early_waits_and_goes_on_in_order() -> None:
    gangway, road = Gangway(), Road()
    early = [asyncio.create_task(gangway.handle(said(str(n)), mute)) for n in range(3)]
    offered = asyncio.create_task(gangway.offers(None))
    done, _ = await asyncio.wait(early, timeout=0)
    assert (done, road.taken) == (set(), [])
    gangway.lead_to(road)
    assert [(await task).lines for task in early] == [("0",), ("1",), ("2",)]
    assert road.taken == ["0", "1", "2"]
    assert [offer.command for offer in await offered] == ["ping None"]


async def test_who_comes_later_does_not_wait() -> None:
    gangway, road = Gangway(), Road()
    gangway.lead_to(road)
    assert (await gangway.handle(said("now"), mute)).lines == ("now",)
    assert await gangway.offers(None) == (Offer("ping None", "Say pong."),)


async def test_nobody_listens_before_there_is_a_road() -> None:
    gangway, road = Gangway(), Road()
    gangway.overhear(REMARK)
    assert not gangway.listens(ROOM)
    gangway.lead_to(road)
    assert gangway.listens(ROOM)
    gangway.overhear(REMARK)
    assert road.heard == [REMARK]
