"""People with slixmpp clients, and a bot of ours under its supervisor, for tests on a real Prosody."""

import asyncio
import contextlib
import re
import ssl
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element

from slixmpp import ClientXMPP

from bot.config import XmppNetwork
from bot.coop.charts import Chart, Curve
from bot.model import Message, Place, Remark, Reply
from bot.ports import Clock, Draw, Report, Road
from bot.runtime.clock import SystemClock, SystemEntropy
from bot.runtime.supervisor import Supervisor
from bot.transports.xmpp.pictures import no_pictures
from bot.transports.xmpp.transport import XmppTransport
from tests.real.irc.people import NoIncidents, Who
from tests.real.xmpp.prosody import DOMAIN, TEAM, Prosody

PATIENCE = 20.0
_JOIN = (
    "<presence to='{room}/{nick}'><x xmlns='http://jabber.org/protocol/muc'>"
    "<history maxstanzas='0'/></x></presence>"
)


@dataclass(frozen=True)
class Got:
    """A message or presence as somebody received it."""

    kind: str
    sender: str
    body: str
    xml: Element


class Person:
    """Somebody with a client; everything that the server says is kept until it is looked at."""

    def __init__(self, name: str, server: Prosody) -> None:
        assert server.pki is not None
        self.name = name
        trusted = ssl.create_default_context(cafile=server.pki.ca)
        self.client: Any = ClientXMPP(f"{name}@{DOMAIN}/pc", f"{name}pw", ssl_context=trusted)
        self.client.use_aiodns = False
        self.client.enable_direct_tls = False
        self.client.add_filter("in", self._take)
        self.got: list[Got] = []
        self.seen: list[Got] = []
        self._news = asyncio.Event()
        self._server = server

    async def login(self) -> None:
        started = asyncio.Event()
        self.client.add_event_handler("session_start", lambda _: started.set())
        self.client.connect("127.0.0.1", self._server.port)
        await asyncio.wait_for(started.wait(), PATIENCE)
        self.client.send_presence()

    def _take(self, stanza: Any) -> Any:  # noqa: ANN401 - slixmpp's own type
        xml = stanza.xml
        kind = xml.tag.rpartition("}")[2] + ":" + xml.get("type", "")
        got = Got(kind, xml.get("from", ""), xml.findtext("{jabber:client}body") or "", xml)
        self.got.append(got)
        self.seen.append(got)
        self._news.set()
        return stanza

    async def join(self, nick: str | None = None, room: str = TEAM) -> None:
        nick = nick or self.name
        self.raw(_JOIN.format(room=room, nick=nick))
        await self.until(lambda got: got.kind == "presence:" and got.sender == f"{room}/{nick}", f"in {room}")

    def raw(self, text: str) -> None:
        self.client.send_raw(text)

    def say(self, text: str, to: str = TEAM) -> None:
        self.client.send_message(mto=to, mbody=text, mtype="groupchat")

    def tell(self, text: str, to: str = f"eddie@{DOMAIN}") -> None:
        self.client.send_message(mto=to, mbody=text, mtype="chat")

    async def until(self, wanted: Callable[[Got], bool], what: str, patience: float = PATIENCE) -> Got:
        """Wait for something, and take it and all before it out of what was got."""
        try:
            async with asyncio.timeout(patience):
                while True:
                    for number, got in enumerate(self.got):
                        if wanted(got):
                            del self.got[: number + 1]
                            return got
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            last = [(got.kind, got.sender, got.body) for got in self.seen[-12:]]
            raise AssertionError(f"{self.name} waited for {what}; last: {last}") from None

    async def saw(self, body: str, patience: float = PATIENCE) -> None:
        """Wait until somebody has said that, and take nothing out of what was got."""
        try:
            async with asyncio.timeout(patience):
                while all(got.body != body for got in self.seen):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"{self.name} saw no {body}") from None

    async def hears(
        self, pattern: str, sender: str = f"{TEAM}/Eddie", kind: str = "groupchat", patience: float = PATIENCE
    ) -> Got:
        """Wait for a message from somebody whose whole body matches."""
        return await self.until(
            lambda got: (
                got.kind == f"message:{kind}"
                and got.sender.startswith(sender)
                and bool(re.fullmatch(pattern, got.body, re.DOTALL))
            ),
            pattern,
            patience,
        )

    async def sees(self, sender: str, kind: str = "", patience: float = PATIENCE) -> Got:
        """Wait for a presence."""
        return await self.until(
            lambda got: got.kind == f"presence:{kind}" and got.sender == sender,
            f"{kind} of {sender}",
            patience,
        )

    async def fence(self) -> None:
        """Wait until the bot has read everything that we said in the room before."""
        mark = f"fence-{len(self.seen)}"
        self.say(f"!ping {mark}")
        await self.hears(f"pong {mark}", sender=TEAM)

    async def leave(self) -> None:
        if self.client.transport is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.client.disconnect(1.0), 5)
        filters = self.client._run_out_filters
        if filters is not None:
            filters.cancel()
            await asyncio.gather(filters, return_exceptions=True)


class People:
    """Everybody whom a test lets in; all leave at its end."""

    def __init__(self) -> None:
        self._all: list[Person] = []

    async def __call__(
        self, server: Prosody, name: str, *, room: str | None = TEAM, nick: str = ""
    ) -> Person:
        person = Person(name, server)
        self._all.append(person)
        await person.login()
        if room:
            await person.join(nick or name, room)
        return person

    async def leave(self) -> None:
        await asyncio.gather(*(person.leave() for person in self._all))


def _chart(values: tuple[float, ...]) -> Chart:
    curves = (Curve("load", values),)
    return Chart(title="load", unit="load", start=0, step=3600, zone="UTC", curves=curves)


class Listening(Who):
    """A road that also overhears everything, and answers `long N` and `secret` and `slow`."""

    def __init__(self) -> None:
        super().__init__()
        self.remarks: list[Remark] = []
        self.ears = True
        self.go = asyncio.Event()

    def listens(self, place: Place) -> bool:
        return self.ears and not place.direct

    def overhear(self, remark: Remark) -> None:
        self.remarks.append(remark)

    async def handle(self, message: Message, report: Report) -> Reply:
        if message.replayed:
            self.heard.append(message)
            return Reply()
        verb, _, rest = message.text.partition(" ")
        if verb == "long":
            self.heard.append(message)
            return Reply(tuple(f"line {number}" for number in range(int(rest))))
        if verb == "chart":
            self.heard.append(message)
            values = tuple(map(float, rest.split()))
            return Reply((rest,), picture=_chart(values))
        if verb == "secret":
            self.heard.append(message)
            return Reply(("for you alone",), private=True)
        if verb == "slow":
            self.heard.append(message)
            await report(0.5, "half of it")
            await self.go.wait()
            return Reply(("all of it",))
        return await super().handle(message, report)


@dataclass
class Ship:
    """A transport under its supervisor."""

    transport: XmppTransport
    supervisor: Supervisor
    road: Listening
    ups: list[float] = field(default_factory=list)

    @property
    def attempts(self) -> int:
        return self.supervisor.status.count

    async def until(self, what: str, patience: float = PATIENCE, **wanted: Any) -> float:  # noqa: ANN401 - any field of LinkStatus
        """Wait until the status is like that; return after how many seconds."""
        began = time.monotonic()
        while any(getattr(self.transport.status(), name) != value for name, value in wanted.items()):
            waited = time.monotonic() - began
            assert waited < patience, f"{what} took more than {patience} s: {self.transport.status()}"
            await asyncio.sleep(0.01)
        return time.monotonic() - began

    async def until_told(self, fragment: str) -> None:
        """Wait until the status says that."""
        try:
            async with asyncio.timeout(PATIENCE):
                while fragment not in self.transport.status().detail:  # noqa: ASYNC110 - nothing tells of a status
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"{fragment!r} is not in {self.transport.status()}") from None


@contextlib.asynccontextmanager
async def at_sea(
    server: Prosody,
    clock: Clock | None = None,
    road: Road | None = None,
    draw: Draw = no_pictures,
    **settings: Any,  # noqa: ANN401 - any key of the config
) -> AsyncIterator[Ship]:
    """Run a bot on that server until the block ends."""
    assert server.pki is not None
    table = {
        "kind": "xmpp",
        "jid": f"eddie@{DOMAIN}",
        "address": f"127.0.0.1:{server.port}",
        "tls_ca_file": server.pki.ca,
        "rooms": (TEAM,),
        **settings,
    }
    password = table.pop("password", "eddiepw")
    clock, listening = clock or SystemClock(), Listening()
    made = XmppTransport(
        "jabber",
        XmppNetwork.model_validate(table),
        nick="Eddie",
        prefix="!",
        road=road or listening,
        clock=clock,
        password=password,
        room_lines=3,
        direct_lines=12,
        incidents=NoIncidents(),
        draw=draw,
    )
    ups: list[float] = []
    supervisor = Supervisor(made, clock, SystemEntropy(), NoIncidents(), lambda: ups.append(time.monotonic()))
    task = asyncio.create_task(supervisor.run())
    try:
        yield Ship(made, supervisor, listening, ups)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
