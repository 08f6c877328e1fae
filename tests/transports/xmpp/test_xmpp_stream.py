"""A stream between slixmpp's client and a socket that only keeps what is written."""

import asyncio
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from slixmpp.stanza import Message

from bot.config import XmppNetwork
from bot.transports.xmpp.stanzas import message, ping
from bot.transports.xmpp.stream import Hooks, Stream
from tests.transports.conftest import HandClock


class Socket(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []

    def write(self, data: Any) -> None:  # noqa: ANN401 - any bytes
        self.written.append(bytes(data).decode())

    def get_extra_info(self, name: str, default: object = None) -> object:
        return object() if name == "ssl_object" else default

    def close(self) -> None:
        pass

    def abort(self) -> None:
        pass


class World:
    """The stream, what it acknowledged, and what its owner does when it goes on."""

    def __init__(self) -> None:
        self.acknowledged: list[str] = []
        hooks = Hooks(
            began=lambda: None,
            resumed=lambda: self.ping("again"),
            message=lambda _: None,
            presence=lambda _: None,
            iq=lambda _: True,
            acknowledged=self.acknowledged.append,
            error=self.fail,
        )
        table = {"kind": "xmpp", "jid": "eddie@ford.test", "address": "127.0.0.1:1", "rooms": ("a@b.test",)}
        self.stream = Stream(XmppNetwork.model_validate(table), "sesame", hooks, HandClock())
        self.client = self.stream.client
        self.socket = self.client.transport = Socket()
        self.client.event("session_start", {})
        self.wire()
        self.management = self.client.plugin["xep_0198"]
        self.management.enabled_out = True

    def fail(self, error: Exception) -> None:
        raise error

    def ping(self, ident: str) -> None:
        assert self.stream.send(ping("ford@b.test", ident))

    def say(self, ident: str) -> bool:
        return self.stream.send(message("ford@b.test", ident, kind="groupchat", ident=ident))

    def wire(self) -> list[str]:
        """Return the ids of the stanzas that were written since the last time, in their order."""
        found = [fromstring(one).get("id") or fromstring(one).tag for one in self.socket.written]
        self.socket.written.clear()
        return found

    def kept(self) -> list[str]:
        return [stanza.xml.get("id") for _, stanza in self.management.unacked_queue]

    async def close(self) -> None:
        await self.stream.close()


@pytest.fixture
async def world() -> Any:  # noqa: ANN401 - a World, until the test's end
    made = World()
    yield made
    await made.close()


async def test_what_is_said_again_goes_before_what_is_new(world: World) -> None:
    assert world.say("one")
    assert world.say("two")
    world.wire()
    world.client.event("disconnected", "")
    assert not world.say("three")
    world.management.enabled_out = True
    for _, stanza in world.management.unacked_queue:
        world.client.send(stanza, use_filters=False)  # as the package does then
    world.client.event("session_resumed", {})
    assert world.wire() == ["one", "two", "again"]
    assert world.kept() == ["one", "two", "again"]


async def test_what_the_package_says_itself_is_counted_in_its_turn(world: World) -> None:
    made: Any = Message
    world.client.send(made(world.client, xml=message("ford@b.test", "hi", kind="chat", ident="own")))
    world.client.send("<r xmlns='urn:xmpp:sm:3'/>")
    assert world.say("ours")
    assert world.wire() == ["own", "{urn:xmpp:sm:3}r", "ours"]
    assert world.kept() == ["own", "ours"]
    assert world.client.waiting_queue.empty()
