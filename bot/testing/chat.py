"""Conversations: a whole bot without networks, its world fake and its store real."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Self

from bot.coop.about import About
from bot.coop.events import Event
from bot.coop.machines import Machine
from bot.coop.people import Role
from bot.coop.samples import Tick
from bot.coop.shares import Share
from bot.core import builtin, duties
from bot.core.address import addressed
from bot.core.crew import Crew, Orders, World, assemble, keep_in_step, migrations
from bot.core.plugin import Plugin
from bot.core.registry import Override
from bot.hypervisors.fake import FakeHypervisor
from bot.hypervisors.fleet import Fleet
from bot.meters.fake import FakeMeter
from bot.model import Group, Identity, IdentityKind, Message, Place, Remark, Reply
from bot.paths import share
from bot.ports import Agenda, Book, Clock, Declared, Tx
from bot.runtime import rulebook
from bot.runtime.rulebook import Rulebook
from bot.runtime.sampler import TICK_SECONDS, Sampler
from bot.runtime.scheduler import Scheduler
from bot.store import times
from bot.store.agenda import SqlAgenda
from bot.store.audit import AuditBook
from bot.store.database import SqliteStore
from bot.store.events import Dispatcher
from bot.store.history import SqlHistory
from bot.store.outbox import Outbox
from bot.store.registrar import SqlRegistrar
from bot.store.roster import SqlRoster, row_of
from bot.testing.clock import FakeClock, HastyClock
from bot.testing.fakes import NETWORK, TEAM, FakeCode, FakeEntropy, FakeIncidents, FakeLinks, FakeLoudspeaker

PEOPLE = {"alice": Role.MEMBER, "bob": Role.MEMBER, "ann": Role.ADMIN, "abe": Role.ADMIN}
"""The members of every conversation; anybody else who speaks is a guest."""

MACHINES = (
    Machine("ford-1", "ford", "bob", Share.HALF, 32),
    Machine("ford-3", "ford", "alice"),
    Machine("ford-9", "ford", None),
)
"""The machines of every conversation: one of bob's, one of alice's, one of the co-op's."""


@dataclass(slots=True, repr=False)
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
    loudspeaker: FakeLoudspeaker
    schedule: Agenda
    sampler: Sampler
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
        policies: Path | None = None,
        clock: FakeClock | None = None,
    ) -> AsyncIterator[Self]:
        """Start a bot with these plugins, four members and three machines, its database in the folder.

        `tables` are the plugins' own in the config, `overrides` the operator's by command. People may talk as
        fast as they like unless it is `paced`. `policies` is their folder, ours if left out. Opened again on
        the same folder, it is the same bot restarted. What is due comes as the `clock` is advanced.
        """
        clock, incidents = clock or FakeClock(), FakeIncidents()
        store = await SqliteStore.open(folder / "shipboard.db", clock, rooms_of=_rooms)
        book = AuditBook(store, clock, incidents=incidents)
        hypervisor, meter = FakeHypervisor("ford", clock), FakeMeter(("ford",), clock)
        loudspeaker, code = FakeLoudspeaker(), FakeCode({plugin.name: plugin for plugin in plugins})
        rules = Rulebook(policies or share("policies"), store, writable=policies is not None)
        world = _world(
            store,
            book=book,
            clock=clock,
            incidents=incidents,
            fleet=Fleet({"ford": hypervisor}),
            meter=meter,
            code=code,
            rules=rules,
            loudspeaker=loudspeaker,
        )
        crew = assemble(plugins, world, _orders(clock, tables or {}, overrides or {}, paced=paced))
        await _embark(world, plugins, rules)
        clock.alarm = await _on_time(world, crew)
        await crew.pipeline.jobs.tell_interrupted(world.roster)
        fakes = (hypervisor, meter, incidents, _dispatcher(store, crew, incidents), code, loudspeaker)
        try:
            yield cls(crew, store, book, clock, *fakes, world.schedule, Sampler.of(world, crew.pulse))
        finally:
            clock.alarm = None
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

    async def remark(
        self, who: str, text: str, *, place: Place = TEAM, action: bool = False, named: tuple[str, ...] = ()
    ) -> list[tuple[str, str]]:
        """Let something be said to others in a room, where somebody listens; return what is relayed at once.

        That is (place, line) each. What comes too fast is told of after a pause: see `relayed`.
        """
        if addressed(text, nick="Eddie", prefix="!", direct=False) is None and self.listens(place):
            self.crew.pipeline.overhear(Remark(place, who, text, action, named))
        return await self.relayed()

    def listens(self, place: Place) -> bool:
        """Tell whether somebody hears what is said in a room."""
        return self.crew.pipeline.listens(place)

    async def relayed(self, seconds: float = 0.0) -> list[tuple[str, str]]:
        """Let time pass, and return what was relayed since: (place, line); it is emptied."""
        await self.clock.advance(seconds)
        lines = [(str(line.to), line.line) for line in self.loudspeaker.relayed]
        self.loudspeaker.relayed.clear()
        return lines

    async def ticks(self, count: int = 1, every: float = TICK_SECONDS) -> Tick:
        """Let that many ticks come, at least one, after so many seconds each; return the last."""
        for _ in range(count - 1):
            await self.clock.advance(every)
            await self.sampler.tick()
        await self.clock.advance(every)
        return await self.sampler.tick()

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


def _world(  # noqa: PLR0913 - all parts that a conversation holds on to
    store: SqliteStore,
    *,
    book: Book,
    clock: Clock,
    incidents: FakeIncidents,
    fleet: Fleet,
    meter: FakeMeter,
    code: FakeCode,
    rules: Rulebook,
    loudspeaker: FakeLoudspeaker,
) -> World:
    return World(
        store=store,
        book=book,
        clock=clock,
        entropy=FakeEntropy(),
        incidents=incidents,
        alarms=incidents,
        outgoing=Outbox(store, (), clock, SqlRoster(store, clock), incidents=incidents),
        roster=SqlRoster(store, clock),
        registrar=SqlRegistrar({NETWORK: "irc", "jabber": "xmpp"}),
        hypervisor=fleet,
        meter=meter,
        samples=SqlHistory(store),
        links=FakeLinks(),
        loudspeaker=loudspeaker,
        policies=rules,
        schedule=SqlAgenda(store, clock),
        code=code,
        migrate=store.migrate,
    )


def _dispatcher(store: SqliteStore, crew: Crew, incidents: FakeIncidents) -> Dispatcher:
    return Dispatcher(
        store=store,
        dispatch=crew.hub.dispatch,
        classes=crew.registry.events,
        clock=HastyClock(),
        incidents=incidents,
    )


def _orders(
    clock: Clock,
    tables: Mapping[str, Mapping[str, object]],
    overrides: Mapping[str, Override],
    *,
    paced: bool,
) -> Orders:
    about = About("Eddie", "!", clock.now())
    unpaced = frozenset() if paced else frozenset({NETWORK})
    return Orders(about=about, tables=tables, overrides=overrides, unpaced=unpaced)


async def _embark(world: World, plugins: Sequence[Plugin], rules: Rulebook) -> None:
    """Make the tables, and let there be people and machines; a fresh bot begins in the middle of a day."""
    for migration in (rulebook.migrations, *migrations(plugins)):
        await world.migrate(migration)
    if await world.store.write(_populate):
        await world.store.write(partial(_begin_day, world.schedule))
    await rules.look(world.book)


async def _on_time(world: World, crew: Crew) -> Scheduler:
    """Let come what the schedule has missed."""
    await keep_in_step(world, crew.registry, crew.registry.plugins)
    scheduler = Scheduler(
        agenda=world.schedule,
        store=world.store,
        handlers=crew.duties,
        clock=world.clock,
        incidents=world.incidents,
    )
    await scheduler.turn()
    return scheduler


def _begin_day(schedule: Agenda, tx: Tx) -> None:
    """Let the ship's own jobs be no news to it, so that none comes at once."""
    own = [Declared(plan.plan) for plan in duties.declared((builtin.plugin,), {}, "UTC")]
    schedule.keep_in_step(tx, own, ["core"])


def _populate(tx: Tx) -> bool:
    """Let there be members and machines, unless there are already; whether there were none."""
    at = times.text(tx.at)
    if tx.db.table("members").count:
        return False
    for name, role in PEOPLE.items():
        share = Share.HALF if name == "bob" else Share.FULL
        row = {"name": name, "role": role.value, "share": share.value, "standing": "good", "joined": at}
        tx.db.table("members").insert(row)
        identity = {"network": NETWORK, "kind": IdentityKind.IRC_ACCOUNT.value, "subject": name}
        tx.db.table("identities").insert({**identity, "member": name, "bound": at, "seen": at})
    for machine in MACHINES:
        tx.db.table("machines").insert(row_of(machine))
    return True
