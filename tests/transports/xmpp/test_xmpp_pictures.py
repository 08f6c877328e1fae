"""Pictures follow their text, in their order, and hold up nothing."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import fromstring

import pytest

from bot.coop.charts import Chart
from bot.model import Message, Reply
from bot.ports import Report
from bot.transports.xmpp.pictures import MOST, Pictures
from bot.transports.xmpp.stanzas import BODY
from bot.transports.xmpp.upload import NoUpload, Upload
from tests.transports.conftest import Irc, settle
from tests.transports.sides import ROOM, XmppSide

CHART = Chart(title="load", unit="", start=0, step=60, zone="UTC", curves=())


@dataclass
class Easel:
    """Draws when it is told to: `asked` are the charts that wait."""

    asked: list[tuple[Chart, asyncio.Future[bytes | None]]] = field(default_factory=list)

    async def draw(self, chart: Chart) -> bytes | None:
        made: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self.asked.append((chart, made))
        return await made

    async def give(self, picture: bytes | None) -> None:
        self.asked.pop(0)[1].set_result(picture)
        await settle()


@dataclass
class Store:
    """The server's file store: `closed` says why it takes nothing."""

    closed: str = ""
    put: list[bytes] = field(default_factory=list)

    async def ready(self) -> str:
        if self.closed:
            raise NoUpload(self.closed)
        return "upload.test"

    async def take(self, data: bytes) -> str:
        self.put.append(data)
        return f"https://x.test/{len(self.put)}.png"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    made = Store()
    monkeypatch.setattr(Upload, "ready", lambda _: made.ready())
    monkeypatch.setattr(Upload, "put", lambda _, name, data, kind: made.take(data) if name and kind else None)
    return made


@dataclass
class Room:
    """A room in which `!load` is answered with a chart."""

    side: XmppSide
    easel: Easel

    async def said(self) -> list[str]:
        return [line for line in await self.side.said() if line]


@pytest.fixture
async def room(irc: Irc, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Room]:
    async def handle(message: Message, report: Report) -> Reply:
        assert callable(report)
        word = message.text.split()[0]
        if word == "photo":
            return Reply(("here",), picture=b"PNG")
        if word == "mine":
            return Reply(("for you",), private=True, picture=CHART)
        return Reply((f"{message.text} of {message.nick}",), picture=CHART if word == "load" else None)

    monkeypatch.setattr(irc.road, "handle", handle)
    side, easel = XmppSide(irc.clock, irc.road, irc.incidents), Easel()
    side._made.conversation.pictures = Pictures(easel.draw)
    await side.come_in()
    await side.said()
    yield Room(side, easel)
    await side.leave()


async def test_the_text_waits_for_no_picture_and_nor_does_the_next_command(room: Room, store: Store) -> None:
    await room.side.speak("!load")
    await room.side.speak("!uptime")
    assert await room.said() == ["load of alice", "uptime of alice"]
    assert [chart for chart, _ in room.easel.asked] == [CHART]
    await room.easel.give(b"PNG")
    assert await room.said() == ["https://x.test/1.png"]
    assert store.put == [b"PNG"]


async def test_pictures_come_in_the_order_of_their_texts(room: Room, store: Store) -> None:
    await room.side.speak("!load")
    await room.side.speak("!photo", nick="bob")
    assert await room.said() == ["load of alice", "here"]
    assert store.put == []
    await room.easel.give(b"ONE")
    assert store.put == [b"ONE", b"PNG"]
    assert await room.said() == ["https://x.test/1.png", "https://x.test/2.png"]


async def test_what_is_private_is_shown_to_its_reader_alone(room: Room, store: Store) -> None:
    room.side._made._on_presence(
        fromstring(
            f"<presence xmlns='jabber:client' from='{ROOM}/alice'><x xmlns='http://jabber.org/protocol/muc#user'>"
            "<item jid='alice@ford.test/pc'/></x></presence>"
        )
    )
    await room.side.speak("!mine")
    await room.easel.give(b"PNG")
    sent = [(one.get("to"), one.findtext(BODY)) for one in room.side._wire.sent if one.findtext(BODY)]
    assert sent == [
        ("alice@ford.test", "for you"),
        (ROOM, "alice: answered in a direct message."),
        ("alice@ford.test", "https://x.test/1.png"),
    ]
    assert store.put == [b"PNG"]


async def test_nothing_is_drawn_for_who_cannot_be_reached_alone(room: Room, store: Store) -> None:
    await room.side.speak("!mine")
    assert await room.said() == ["alice: I cannot reach you alone; ask me directly."]
    assert room.easel.asked == []
    assert store.put == []


async def test_what_is_not_drawn_has_its_text(room: Room, store: Store) -> None:
    await room.side.speak("!load")
    assert await room.said() == ["load of alice"]
    await room.easel.give(None)
    assert await room.said() == []
    assert store.put == []


async def test_nothing_is_drawn_for_a_server_that_stores_no_files(
    room: Room, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    store.closed = "the server stores no files"
    with caplog.at_level(logging.INFO, "shipboard.xmpp"):
        await room.side.speak("!load")
    assert await room.said() == ["load of alice"]
    assert room.easel.asked == []
    assert "A picture was not shown: the server stores no files." in caplog.text


async def test_many_pictures_are_bounded(room: Room, store: Store) -> None:
    for number in range(MOST + 5):
        await room.side.speak("!load", nick=f"guest{number}")
    assert len(await room.said()) == MOST + 5
    for _ in range(MOST):
        await room.easel.give(b"PNG")
    assert room.easel.asked == []
    assert len(store.put) == MOST
    await room.side.speak("!load")
    await room.easel.give(b"PNG")
    assert len(store.put) == MOST + 1


async def test_who_has_left_is_shown_nothing(room: Room, store: Store) -> None:
    await room.side.speak("!load")
    await room.said()
    room.side._made._session = None
    await room.easel.give(b"PNG")
    assert store.put == []


async def test_without_what_draws_nothing_is_drawn() -> None:
    assert await Pictures().draw(CHART) is None
