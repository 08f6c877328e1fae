"""The composition root: the only place where the parts meet; `bot.wiring` makes them."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bot import networks, wiring
from bot.config import Config, XmppNetwork
from bot.coop.about import About
from bot.coop.events import MachineChanged
from bot.coop.machines import MachineEvent
from bot.core.crew import Crew, World, assemble, keep_in_step, migrations
from bot.core.plugin import Plugin
from bot.http.vitals import Vitals
from bot.hypervisors.fleet import Fleet
from bot.model import Notice, Urgency
from bot.networks import Networks
from bot.ports import Clock, Tx
from bot.runtime import health, loader, rulebook
from bot.runtime.doorbell import Doorbell
from bot.runtime.health import Health
from bot.runtime.herald import Herald
from bot.runtime.keeper import keep
from bot.runtime.lookout import Lookout
from bot.runtime.sampler import TICK_SECONDS, Sampler
from bot.runtime.scheduler import Scheduler
from bot.runtime.systemd import Notifier
from bot.runtime.watchdog import Watchdog, judge
from bot.store import database
from bot.store.agenda import SqlAgenda
from bot.store.audit import AuditBook
from bot.store.database import SqliteStore
from bot.store.events import Dispatcher
from bot.store.history import SqlHistory
from bot.store.outbox import Outbox
from bot.store.registrar import SqlRegistrar
from bot.store.roster import SqlRoster


@dataclass(frozen=True, slots=True, repr=False)
class Ship:
    """A bot that is put together; `sail` runs it, and measures everything `every` so many seconds."""

    config: Config
    world: World
    crew: Crew
    store: SqliteStore
    outbox: Outbox
    book: AuditBook
    networks: Networks
    fleet: Fleet
    watchdog: Watchdog
    health: Health
    every: float = TICK_SECONDS

    async def sail(self) -> None:
        """Run every part until cancelled; what one of them raises ends all."""
        world, crew = self.world, self.crew
        outbox, sampler = self.outbox, Sampler.of(world, crew.pulse, self.every)
        dispatcher = Dispatcher(
            store=self.store,
            dispatch=crew.hub.dispatch,
            classes=crew.registry.events,
            clock=world.clock,
            incidents=world.incidents,
        )
        self.store.after_commit(outbox.wake)
        self.store.after_commit(dispatcher.poke)
        self.networks.ups.append(outbox.poke)
        await crew.pipeline.jobs.tell_interrupted(world.roster)
        self.networks.gangway.lead_to(crew.pipeline)
        parts: dict[str, Callable[[], Awaitable[object]]] = {
            "the watchdog": self.watchdog.run,
            "the audit book": self.book.run,
            "the outbox": outbox.run,
            "the dispatch of events": dispatcher.run,
            "the lookout": Lookout(world.links.status, world.alarms, world.clock).run,
            "the news for the admins": self.networks.incidents.run,
            "the schedule": self._keep_time,
            "the sampler": sampler.run,
            "the health": self.health.run,
            "the doorbell": Doorbell(self.config.bot.state, self.health.answer).run,
        }
        if any(isinstance(net, XmppNetwork) for net in self.config.networks.values()):
            shown = self.networks.transports  # only Jabber has a status line, and asking every plugin costs
            parts["the status line"] = Herald(crew.hub, world.links.status, shown, world.clock).run
        if self.config.http is not None:
            parts["the HTTP server"] = wiring.http(
                self.config.http, self._vitals(sampler), self.health, crew.pipeline
            ).run
        if self.config.hosts:
            parts["the watch over machines"] = self._watch_machines
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.networks.run(), name="the networks")
            for name, run in parts.items():
                tasks.create_task(keep(name, run, world.clock, world.incidents), name=name)

    async def _keep_time(self) -> None:
        """Bring what the schedule holds on time."""
        from bot.runtime.timer import Timer  # noqa: PLC0415 - 25 ms, which the networks need not wait for

        world = self.world
        scheduler = Scheduler(
            agenda=world.schedule,
            store=self.store,
            handlers=self.crew.duties,
            clock=world.clock,
            incidents=world.incidents,
        )
        world.schedule.on_change(scheduler.poke)
        timer = Timer(scheduler.poke)
        with timer.running():
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(scheduler.run(timer), name="what is due")
                tasks.create_task(scheduler.beat(timer), name="the schedule's beat")

    def _vitals(self, sampler: Sampler) -> Vitals:
        """Say whom the metrics ask."""
        world, health, duties = self.world, self.health, self.crew.duties
        return Vitals(
            version=health.about.version,
            clock=world.clock,
            links=world.links.status,
            outgoing=world.outgoing,
            ticks=sampler,
            lag=lambda: health.pulse.worst,
            noted=lambda: self.book.lag,
            due=lambda: world.schedule.soonest(duties.kinds, ()),
            well=lambda: not health.answer()["faults"],
        )

    async def _watch_machines(self) -> None:
        """Adopt what runs already, and put what hypervisors report where it is dispatched from."""
        await self.fleet.adopt(await self.world.roster.machines())
        async for event in self.fleet.events():
            await self.store.write(partial(_report, event))


def _report(event: MachineEvent, tx: Tx) -> None:
    changed = MachineChanged(
        machine=event.machine,
        host=event.host,
        kind=event.kind,
        at=event.at,
        asked=event.asked,
        text=event.text,
        tail=event.tail,
    )
    tx.event(changed)


async def build(config: Config, stack: AsyncExitStack, links: Networks | None = None) -> Ship:
    """Put a bot together; what must be let go of again is left to the stack.

    `links` are the networks where they are being joined already; without them `sail` begins to.
    """
    links = links or networks.prepare(config, stack)
    clock, entropy, incidents = links.clock, links.entropy, links.incidents
    found = _found(config)
    plugins = [loaded.plugin for loaded in found.loaded]
    store = await _store(config, stack, clock, plugins)
    incidents.store = store
    book = AuditBook(store, clock, incidents=incidents)
    stack.push_async_callback(book.close)
    rules = wiring.policies(config, store)
    machines, code = wiring.fleet(config, clock), loader.Code.of(found)
    stack.push_async_callback(machines.close)
    world = World(
        store=store,
        book=book,
        clock=clock,
        entropy=entropy,
        incidents=incidents,
        alarms=incidents,
        outgoing=(outbox := _outbox(config, store, links)),
        roster=SqlRoster(store, clock),
        registrar=SqlRegistrar({name: net.kind for name, net in config.networks.items()}),
        hypervisor=machines,
        meter=wiring.meter(config, clock),
        samples=SqlHistory(store),
        links=links,
        loudspeaker=links,
        policies=rules,
        schedule=SqlAgenda(store, clock),
        code=code,
        migrate=store.migrate,
    )
    about = wiring.about(config, clock)
    crew = assemble(plugins, world, wiring.orders(config, about, found))
    await keep_in_step(world, crew.registry, crew.registry.plugins)
    stack.push_async_callback(crew.pipeline.close)
    await rules.look(book)
    await _tell_switched_off(store, found.off, config.bot.state / wiring.OFF)
    watchdog, vitals = Watchdog(config.bot.state / wiring.OFF, code.paths), _health(world, links, about)
    return Ship(config, world, crew, store, outbox, book, links, machines, watchdog, vitals)


def _outbox(config: Config, store: SqliteStore, links: Networks) -> Outbox:
    return Outbox(
        store,
        links.transports,
        links.clock,
        SqlRoster(store, links.clock),
        incidents=links.incidents,
        most=config.bot.outbox_digest,
        zone=config.bot.timezone,
    )


def _health(world: World, links: Networks, about: About) -> Health:
    return Health(
        notifier=Notifier.of(os.environ),
        about=about,
        clock=world.clock,
        store=world.store,
        roster=world.roster,
        outgoing=world.outgoing,
        links=links.status,
        supervisors=lambda: links.supervisors,
    )


def _found(config: Config) -> loader.Found:
    """Return the plugins without one that held up the last run."""
    found = wiring.find_plugins(config)
    return wiring.find_plugins(config) if judge(config.bot.state / wiring.OFF, found.paths) else found


async def _store(
    config: Config, stack: AsyncExitStack, clock: Clock, plugins: Sequence[Plugin]
) -> SqliteStore:
    """Open the database, with everybody's tables up to date."""
    path = config.bot.state / database.FILE
    store = await SqliteStore.open(path, clock, rooms_of=lambda group: wiring.rooms(config, group))
    stack.push_async_callback(store.close)
    for steps in (rulebook.migrations, health.migrations, *migrations(plugins)):
        await store.migrate(steps)
    return store


async def _tell_switched_off(store: SqliteStore, off: Sequence[tuple[str, str]], folder: Path) -> None:
    for name, reason in off:
        text = f"Plugin {name} is off: {reason}. Mend it, remove {folder / name}, and start me again."
        await store.write(lambda tx, text=text: tx.notice(Notice("admins", (text,), Urgency.ALERT, text)))  # type: ignore[misc]  # mypy#12557
