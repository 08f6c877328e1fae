"""Conversations for tests, of plugin authors too: a whole bot whose world is fake and whose store is real.

async def test_stopping_asks_first(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, [plugin]) as chat:
        assert await chat.say("alice", "!vm stop ford-3") == "Stop ford-3 on ford? Say !yes within 60 s."
"""

import asyncio
import heapq
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Self

from bot.coop.about import About
from bot.coop.events import Event
from bot.coop.machines import Machine
from bot.coop.people import Role
from bot.coop.shares import Share
from bot.core.address import addressed
from bot.core.crew import Crew, Orders, World, assemble, migrations
from bot.core.plugin import Plugin
from bot.core.registry import Override
from bot.core.reload import Fresh
from bot.hypervisors.fake import FakeHypervisor
from bot.hypervisors.fleet import Fleet
from bot.meters.fake import FakeMeter
from bot.model import Group, Identity, IdentityKind, Message, Place, Reply
from bot.ports import Book, Clock, LinkStatus, Tx
from bot.store import times
from bot.store.audit import AuditBook
from bot.store.database import SqliteStore
from bot.store.events import Dispatcher
from bot.store.registrar import SqlRegistrar
from bot.store.roster import SqlRoster, row_of

__all__ = ["Chat", "FakeClock", "FakeCode", "FakeEntropy", "FakeHypervisor", "FakeIncidents", "FakeMeter"]

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NETWORK = "net"
TEAM = Place(NETWORK, "#team")
PEOPLE = {"alice": Role.MEMBER, "bob": Role.MEMBER, "ann": Role.ADMIN, "abe": Role.ADMIN}
"""The members of every conversation; anybody else who speaks is a guest."""

MACHINES = (
    Machine("ford-1", "ford", "bob", Share.HALF, 32),
    Machine("ford-3", "ford", "alice"),
    Machine("ford-9", "ford", None),
)
"""The machines of every conversation: one of bob's, one of alice's, one of the co-op's."""


class FakeClock:
    """A Clock that goes only when told to."""

    def __init__(self, start: datetime = START) -> None:
        self._start, self._passed, self._count = start, 0.0, count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """Return the fake instant."""
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        """Return the seconds that have passed."""
        return self._passed

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was advanced so far."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._passed + seconds, next(self._count), woken))
        await woken

    @property
    def sleepers(self) -> int:
        """How many wait for this clock now."""
        return sum(not woken.done() for _, _, woken in self._sleepers)

    async def advance(self, seconds: float) -> None:
        """Let time pass, waking every sleeper at its own instant, and let them do their work."""
        end = self._passed + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, woken = heapq.heappop(self._sleepers)
            self._passed = max(self._passed, due)
            if not woken.done():
                woken.set_result(None)
            await settle()
        self._passed = end


async def settle(turns: int = 20) -> None:
    """Let tasks that can go on do so."""
    for _ in range(turns):
        await asyncio.sleep(0)


class _Hasty(FakeClock):
    """A clock for what waits only before it tries again."""

    async def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        await self.advance(seconds)


class FakeEntropy:
    """An Entropy that counts."""

    def __init__(self) -> None:
        self._count = count(1)

    def token(self, bits: int) -> str:
        """Return a text of that many bits at four a character, different each time."""
        return f"{next(self._count):0{bits // 4}x}"

    def uniform(self, low: float, high: float) -> float:  # noqa: ARG002 - always the same end
        """Return the lower end."""
        return low


@dataclass(slots=True)
class FakeIncidents:
    """Incidents that are only kept."""

    reported: list[tuple[BaseException, str, bool]] = field(default_factory=list)

    def report(self, cause: BaseException, *, during: str, private: bool = False) -> str:
        """Keep a fault and return its number."""
        self.reported.append((cause, during, private))
        return f"{len(self.reported):04x}"


@dataclass(frozen=True, slots=True)
class FakeLinks:
    """One network that is up."""

    def status(self) -> tuple[LinkStatus, ...]:
        """Return its status."""
        return (LinkStatus(NETWORK, up=True, nick="Eddie", account="eddie", rooms=(TEAM.name,)),)


@dataclass(frozen=True, slots=True)
class FakeCode:
    """Plugins that a test writes anew: what is reloaded is what stands in `written`; `kept` is what was."""

    written: dict[str, Plugin]
    kept: list[str] = field(default_factory=list)

    def fresh(self, name: str) -> Fresh:
        """Return what was written."""
        return Fresh(self.written[name], lambda: self.kept.append(name))


@dataclass(slots=True)
class Chat:
    """A bot without networks: what people say goes straight to the road. Made by `open`."""

    crew: Crew
    store: SqliteStore
    book: Book
    clock: FakeClock
    hypervisor: FakeHypervisor
    meter: FakeMeter
    incidents: FakeIncidents
    dispatcher: Dispatcher
    code: FakeCode
    progress: list[str] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        folder: Path,
        plugins: Sequence[Plugin],
        tables: Mapping[str, Mapping[str, object]] | None = None,
        *,
        overrides: Mapping[str, Override] | None = None,
        paced: bool = False,
    ) -> AsyncIterator[Self]:
        """Start a bot with these plugins, four members and three machines, its database in the folder.

        `tables` are the plugins' own in the config, `overrides` the operator's by command. People may talk as
        fast as they like unless it is `paced`. Opened again on the same folder, it is the same bot restarted.
        """
        clock, incidents = FakeClock(), FakeIncidents()
        store = await SqliteStore.open(folder / "shipboard.db", clock, rooms_of=_rooms)
        book = AuditBook(store, clock, incidents=incidents)
        hypervisor, meter = FakeHypervisor("ford", clock), FakeMeter(("ford",), clock)
        code = FakeCode({plugin.name: plugin for plugin in plugins})
        world = _world(store, book, clock, incidents, Fleet({"ford": hypervisor}), meter, code)
        orders = Orders(
            about=About("Eddie", "!", clock.now()),
            tables=tables or {},
            overrides=overrides or {},
            unpaced=frozenset() if paced else frozenset({NETWORK}),
        )
        crew = assemble(plugins, world, orders)
        for migration in migrations(plugins):
            await store.migrate(migration)
        await store.write(_populate)
        dispatcher = Dispatcher(
            store=store,
            dispatch=crew.hub.dispatch,
            classes=crew.registry.events,
            clock=_Hasty(),
            incidents=incidents,
        )
        await crew.pipeline.jobs.tell_interrupted(world.roster)
        try:
            yield cls(crew, store, book, clock, hypervisor, meter, incidents, dispatcher, code)
        finally:
            await crew.pipeline.close()
            await book.close()
            await store.close()

    async def say(
        self, who: str, text: str, *, place: Place = TEAM, direct: bool = False, proven: bool = True
    ) -> str:
        """Return what the bot answers to a line, "" for silence; a private answer begins with "(to WHO) ".

        It is said in the team's room, in another place, or directly to the bot.
        """
        there = Place(NETWORK, who, direct=True) if direct else place
        reply = await self.hear(who, text, place=there, proven=proven)
        lines = "\n".join(reply.lines)
        return f"(to {who}) {lines}" if reply.private and lines else lines

    async def hear(
        self,
        who: str,
        text: str,
        *,
        place: Place = TEAM,
        proven: bool = True,
        identity: Identity | None = None,
        stamp: str | None = None,
        replayed: bool = False,
    ) -> Reply:
        """Return the whole reply to a line; who is `proven` has an account of that name, or `identity`."""
        said = addressed(text, nick="Eddie", prefix="!", direct=place.direct)
        if said is None:
            return Reply()
        if identity is None and proven:
            identity = Identity(NETWORK, IdentityKind.IRC_ACCOUNT, who)
        message = Message(
            place,
            who,
            said.text,
            self.clock.now(),
            identity,
            stamp=stamp,
            replayed=replayed,
            named=said.named,
        )
        return await self.crew.pipeline.handle(message, self._report)

    async def told(self) -> list[tuple[str, str]]:
        """Dispatch what has happened, and return what waits in the outbox: (to whom, line); it is emptied."""
        await self.dispatcher.drain()

        def take(tx: Tx) -> list[tuple[str, str]]:
            rows = list(tx.db.query("SELECT destination, lines FROM outbox ORDER BY id"))
            tx.db.execute("DELETE FROM outbox")
            return [(row["destination"], line) for row in rows for line in json.loads(row["lines"])]

        return await self.store.write(take)

    async def happen(self, event: Event) -> None:
        """Let an event have happened, and have it handled."""
        await self.store.write(lambda tx: tx.event(event))
        await self.dispatcher.drain()

    async def _report(self, part: float, text: str) -> None:
        self.progress.append(f"{part:.0%} {text}")


def _rooms(group: str | Group) -> Sequence[Place]:
    return {"team": (TEAM,), "admins": (Place(NETWORK, "#admins"),), "alerts": (Place(NETWORK, "#admins"),)}[
        group
    ]


def _world(
    store: SqliteStore,
    book: Book,
    clock: Clock,
    incidents: FakeIncidents,
    fleet: Fleet,
    meter: FakeMeter,
    code: FakeCode,
) -> World:
    return World(
        store=store,
        book=book,
        clock=clock,
        entropy=FakeEntropy(),
        incidents=incidents,
        roster=SqlRoster(store, clock),
        registrar=SqlRegistrar({NETWORK: "irc", "jabber": "xmpp"}),
        hypervisor=fleet,
        meter=meter,
        links=FakeLinks(),
        code=code,
        migrate=store.migrate,
    )


def _populate(tx: Tx) -> None:
    at = times.text(tx.at)
    if tx.db.table("members").count:
        return
    for name, role in PEOPLE.items():
        share = Share.HALF if name == "bob" else Share.FULL
        row = {"name": name, "role": role.value, "share": share.value, "standing": "good", "joined": at}
        tx.db.table("members").insert(row)
        identity = {"network": NETWORK, "kind": IdentityKind.IRC_ACCOUNT.value, "subject": name}
        tx.db.table("identities").insert({**identity, "member": name, "bound": at, "seen": at})
    for machine in MACHINES:
        tx.db.table("machines").insert(row_of(machine))
