"""The composition root: the only place where the parts meet; `bot.wiring` makes them."""

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bot import wiring
from bot.config import Config
from bot.coop.events import MachineChanged
from bot.coop.machines import MachineEvent
from bot.core.crew import Crew, World, assemble, migrations
from bot.hypervisors.fleet import Fleet
from bot.model import Notice
from bot.ports import LinkStatus, Transport, Tx
from bot.runtime import days, loader
from bot.runtime.clock import SystemClock, SystemEntropy
from bot.runtime.incidents import IncidentLog
from bot.runtime.keeper import keep
from bot.runtime.lookout import Lookout
from bot.runtime.supervisor import Supervisor
from bot.runtime.watchdog import Watchdog, judge
from bot.store import database, lock
from bot.store.audit import AuditBook
from bot.store.database import SqliteStore
from bot.store.events import Dispatcher
from bot.store.outbox import Outbox
from bot.store.registrar import SqlRegistrar
from bot.store.roster import SqlRoster

_LOG = logging.getLogger("shipboard")
LAST_CALL = 12.0
"""Seconds that everything has to end in after SIGTERM."""


@dataclass(slots=True)
class AllLinks:
    """Every network connection; filled once they exist."""

    transports: list[Transport] = field(default_factory=list)

    def status(self) -> tuple[LinkStatus, ...]:
        """Return what each connection is like now."""
        return tuple(transport.status() for transport in self.transports)


@dataclass(frozen=True, slots=True)
class Ship:
    """A bot that is put together; `sail` runs it."""

    config: Config
    world: World
    crew: Crew
    store: SqliteStore
    book: AuditBook
    transports: tuple[Transport, ...]
    fleet: Fleet
    watchdog: Watchdog

    async def sail(self) -> None:
        """Run every part until cancelled; what one of them raises ends all."""
        world, crew = self.world, self.crew
        outbox = Outbox(self.store, self.transports, world.clock, world.roster, incidents=world.incidents)
        dispatcher = Dispatcher(
            store=self.store,
            dispatch=crew.hub.dispatch,
            classes=crew.registry.events,
            clock=world.clock,
            incidents=world.incidents,
        )
        self.store.after_commit(outbox.wake)
        self.store.after_commit(dispatcher.poke)
        await crew.pipeline.jobs.tell_interrupted(world.roster)
        parts: dict[str, Callable[[], Awaitable[object]]] = {
            "the watchdog": self.watchdog.run,
            "the audit book": self.book.run,
            "the outbox": outbox.run,
            "the dispatch of events": dispatcher.run,
            "the watch over machines": self._watch_machines,
            "the lookout": Lookout(world.links.status, self.store, world.clock).run,
            "the calendar": days.Days(self.store, world.clock).run,
        }
        for transport in self.transports:
            supervisor = Supervisor(transport, world.clock, world.entropy, world.incidents, outbox.poke)
            parts[f"network {transport.network}"] = supervisor.run
        async with asyncio.TaskGroup() as tasks:
            for name, run in parts.items():
                tasks.create_task(keep(name, run, world.clock, world.incidents), name=name)

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


async def build(config: Config, stack: AsyncExitStack) -> Ship:
    """Put a bot together; what must be let go of again is left to the stack."""
    stack.enter_context(lock.hold(config.bot.state))
    clock, entropy = SystemClock(), SystemEntropy()
    found = wiring.find_plugins(config)
    if judge(config.bot.state / wiring.OFF, found.paths):
        found = wiring.find_plugins(config)
    plugins = [loaded.plugin for loaded in found.loaded]
    path = config.bot.state / database.FILE
    store = await SqliteStore.open(path, clock, rooms_of=lambda group: wiring.rooms(config, group))
    stack.push_async_callback(store.close)
    for steps in (days.migrations, *migrations(plugins)):
        await store.migrate(steps)
    incidents = IncidentLog(clock, entropy, store)
    book = AuditBook(store, clock, incidents=incidents)
    stack.push_async_callback(book.close)
    machines, links, code = wiring.fleet(config, clock), AllLinks(), loader.Code.of(found)
    stack.push_async_callback(machines.close)
    world = World(
        store=store,
        book=book,
        clock=clock,
        entropy=entropy,
        incidents=incidents,
        roster=SqlRoster(store, clock),
        registrar=SqlRegistrar({name: net.kind for name, net in config.networks.items()}),
        hypervisor=machines,
        meter=wiring.meter(config, clock),
        links=links,
        code=code,
        migrate=store.migrate,
    )
    crew = assemble(plugins, world, wiring.orders(config, wiring.about(config, clock), found))
    stack.push_async_callback(crew.pipeline.close)
    links.transports += wiring.transports(config, crew.pipeline, world)
    await _tell_switched_off(store, found.off, config.bot.state / wiring.OFF)
    watchdog = Watchdog(config.bot.state / wiring.OFF, code.paths)
    return Ship(config, world, crew, store, book, tuple(links.transports), machines, watchdog)


async def _tell_switched_off(store: SqliteStore, off: Sequence[tuple[str, str]], folder: Path) -> None:
    for name, reason in off:
        text = f"Plugin {name} is off: {reason}. Mend it, remove {folder / name}, and start me again."
        await store.write(lambda tx, text=text: tx.notice(Notice("admins", (text,), key=text)))  # type: ignore[misc]  # mypy#12557


async def sail(config: Config, stop: asyncio.Event) -> None:
    """Run a bot until `stop` is set; guests go on."""
    async with AsyncExitStack() as stack:
        ship = await build(config, stack)
        sailing = asyncio.ensure_future(ship.sail())
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait({sailing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        sailing.cancel()
        try:
            await sailing
        except asyncio.CancelledError:
            _LOG.info("Good-bye.")


def run(config: Config) -> int:
    """Run a bot in the foreground until SIGTERM or SIGINT; return the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    asyncio.run(_until_signal(config))
    return os.EX_OK


async def _until_signal(config: Config) -> None:
    stop = asyncio.Event()

    def end() -> None:
        _end_at_last()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end)
    await sail(config, stop)


def _end_at_last() -> None:
    """End the process in LAST_CALL seconds, should a plugin not let itself be cancelled."""

    def end() -> None:
        _LOG.warning("Something did not end within %.0f s; the bot ends without it.", LAST_CALL)
        os._exit(os.EX_OK)

    timer = threading.Timer(LAST_CALL, end)
    timer.daemon = True
    timer.start()
