"""Puts the road together from its parts; the same for the real bot and for conversations in tests."""

import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps

from pydantic import BaseModel, ValidationError
from sqlite_utils import Database, Migrations

from bot.config import NAME, explain
from bot.coop.about import About
from bot.coop.quotes import quoted
from bot.core import builtin, registry
from bot.core.duties import Duties, bind_duties, declared
from bot.core.ears import Ears
from bot.core.explain import Explainer
from bot.core.hearing import bind_ears
from bot.core.hub import Hub
from bot.core.invoke import Hands
from bot.core.jobs import Jobs, create_jobs
from bot.core.pipeline import CALL_SERVICES, Pipeline
from bot.core.plugin import Migration, Plugin
from bot.core.pulse import Pulse, bind_ticks
from bot.core.questions import Questions
from bot.core.registry import Override, Registry
from bot.core.reload import Code, Reloader
from bot.core.sentry import Sentry
from bot.core.speakers import Speakers
from bot.errors import Conflict, NotFound, PluginError, SetupError
from bot.ports import (
    Agenda,
    Alarms,
    Ask,
    Book,
    Clock,
    Entropy,
    History,
    Hypervisor,
    Incidents,
    Links,
    Loudspeaker,
    Meter,
    Outgoing,
    Policies,
    Registrar,
    Roster,
    Samples,
    Schedule,
    Store,
)

RESERVED = frozenset({"core", "days", "heartbeat", "policies", "schedule", "shipboard"})
"""Whose tables are the ship's own."""

OF_THE_CREW = frozenset[type]({Registry, Questions, Jobs, Explainer, Reloader, Ask, About})
OF_THE_WORLD = frozenset[type](
    {Store, Book, Clock, Entropy, Roster, Registrar, Hypervisor, Meter, Samples, Links, Outgoing, Policies}
    | {Schedule}
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class World:
    """The parts that touch the world, real or fake; `migrate` brings a plugin's tables up to date."""

    store: Store
    book: Book
    clock: Clock
    entropy: Entropy
    incidents: Incidents
    alarms: Alarms
    outgoing: Outgoing
    roster: Roster
    registrar: Registrar
    hypervisor: Hypervisor
    meter: Meter
    samples: History
    links: Links
    loudspeaker: Loudspeaker
    policies: Policies
    schedule: Agenda
    code: Code
    migrate: Callable[[Migrations], Awaitable[None]]

    def services(self) -> dict[type, object]:
        """Return what handlers can ask for, by the port's class."""
        return {
            Store: self.store,
            Book: self.book,
            Clock: self.clock,
            Entropy: self.entropy,
            Roster: self.roster,
            Registrar: self.registrar,
            Hypervisor: self.hypervisor,
            Meter: self.meter,
            Samples: self.samples,
            Links: self.links,
            Outgoing: self.outgoing,
            Policies: self.policies,
            Schedule: self.schedule,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What the config says about the road.

    `tables` are the plugins' own; `unpaced` networks have no pace; `off` are the plugins that the watchdog
    switched off: what the config says about them and their commands does not count. `rooms` are those that
    plugins can hear, as network/room; None for any. `zone` is the bot's own, an IANA name.
    """

    about: About
    overrides: Mapping[str, Override] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    hints: Mapping[str, str] = field(default_factory=dict)
    unpaced: frozenset[str] = frozenset()
    off: frozenset[str] = frozenset()
    rooms: frozenset[str] | None = None
    zone: str = "UTC"


@dataclass(frozen=True, slots=True, repr=False)
class Crew:
    """The road, ready for messages, events and questions."""

    registry: Registry
    pipeline: Pipeline
    hub: Hub
    duties: Duties
    pulse: Pulse


@dataclass(slots=True, repr=False)
class Shipyard:
    """Refits the running road, as the Reloader of commands; `services` is what the whole road is given."""

    plugins: dict[str, Plugin]
    world: World
    orders: Orders
    registry: Registry
    services: dict[type, object]
    under_way: str = ""

    def loaded(self) -> tuple[str, ...]:
        """Return the names of the loaded plugins."""
        return tuple(sorted(self.plugins))

    def off(self) -> tuple[str, ...]:
        """Return the names of the plugins that are switched off."""
        return tuple(sorted(self.orders.off))

    async def reload(self, name: str) -> str:
        """Load a plugin anew, one at a time; see Reloader."""
        if name not in self.plugins:
            loaded = ", ".join(self.loaded()) or "none"
            raise NotFound(f"There is no plugin {quoted(name)} to reload; loaded are: {loaded}.")
        if self.under_way:
            raise Conflict(f"Plugin {self.under_way} is being reloaded; say it again in a moment.")
        self.under_way = name
        try:
            return await self._refit(name)
        except SetupError as error:
            why = " ".join(str(error).split())
            raise Conflict(f"Not reloaded, the old one goes on: {why}") from error
        finally:
            self.under_way = ""

    async def _refit(self, name: str) -> str:
        """Check everything, then put the new plugin in place without a pause in which others could run."""
        fresh = self.world.code.fresh(name)
        plugins = {**self.plugins, name: fresh.plugin}
        bound, settings = bind(list(plugins.values()), self.orders)
        await self.world.migrate(_steps(fresh.plugin))
        await keep_in_step(self.world, bound, [name])
        fresh.keep()
        kind = fresh.plugin.settings
        if kind is not None:
            self.services[kind] = settings[kind]  # the old kind stays: commands under way may still want it
        before, self.plugins = set(self.registry.commands), plugins
        self.registry.become(bound)
        return f"Plugin {name} is reloaded.{self._changes(before)}"

    def _changes(self, before: set[str]) -> str:
        after, prefix = set(self.registry.commands), self.registry.prefix
        changes = (("New", after - before), ("Gone", before - after))
        return "".join(
            f" {what}: {', '.join(f'{prefix}{name}' for name in sorted(names))}."
            for what, names in changes
            if names
        )


def bind(plugins: Sequence[Plugin], orders: Orders) -> tuple[Registry, dict[type, object]]:
    """Bind all declarations, and read the plugins' tables of the config into their settings; PluginError."""
    _check_names(plugins)
    tables = {name: table for name, table in orders.tables.items() if name not in orders.off}
    settings = _settings(plugins, tables)
    names = {command.name for plugin in (builtin.plugin, *plugins) for command in plugin.commands}
    bound = registry.build(
        [builtin.plugin, *plugins],
        OF_THE_CREW | OF_THE_WORLD | frozenset(settings),
        per_call=CALL_SERVICES,
        overrides={name: o for name, o in orders.overrides.items() if name in names or not orders.off},
        prefix=orders.about.prefix,
    )
    everywhere = OF_THE_CREW | OF_THE_WORLD | frozenset(settings)
    bound.plugins = tuple(plugin.name for plugin in (builtin.plugin, *plugins))
    bound.duties = bind_duties((builtin.plugin, *plugins), everywhere)
    bound.declared = declared((builtin.plugin, *plugins), settings, orders.zone)
    bound.ears = bind_ears(plugins, settings, everywhere, orders.rooms)
    bound.ticks = bind_ticks(plugins, everywhere)
    return bound, settings


def assemble(plugins: Sequence[Plugin], world: World, orders: Orders) -> Crew:
    """Put the road together; PluginError names what is wrong with a plugin."""
    bound, settings = bind(plugins, orders)
    services: dict[type, object] = {**world.services(), **settings, About: orders.about, Registry: bound}
    hands = Hands()
    hub = Hub(bound, services, world.store, world.clock, world.incidents, hands)
    questions, jobs = Questions(), Jobs(world.clock, world.store)
    services |= {Ask: hub, Questions: questions, Jobs: jobs, Explainer: Explainer(bound, services)}
    services[Reloader] = Shipyard({plugin.name: plugin for plugin in plugins}, world, orders, bound, services)
    pipeline = Pipeline(
        registry=bound,
        services=services,
        clock=world.clock,
        roster=world.roster,
        store=world.store,
        book=world.book,
        incidents=world.incidents,
        speakers=Speakers(world.clock, unpaced=orders.unpaced),
        questions=questions,
        jobs=jobs,
        sentry=Sentry(world.roster, world.alarms),
        hands=hands,
        ears=Ears(bound, services, world.clock, world.incidents, hands, world.loudspeaker),
        hints=dict(orders.hints),
    )
    pulse = Pulse(bound, services, world.store, world.clock, world.incidents, hands)
    return Crew(bound, pipeline, hub, Duties(bound, services, world.clock, hands), pulse)


async def keep_in_step(world: World, bound: Registry, plugins: Collection[str]) -> None:
    """Let the schedule hold what these plugins declare."""
    plans = [one for one in bound.declared if one.plan.plugin in plugins]
    await world.store.write(lambda tx: world.schedule.keep_in_step(tx, plans, plugins))


def migrations(plugins: Sequence[Plugin]) -> tuple[Migrations, ...]:
    """Return every plugin's migrations as a set of its own, the road's own first; PluginError."""
    own = Plugin("core")
    own.migrations.append(create_jobs)
    return tuple(_steps(plugin) for plugin in (own, *plugins))


def _steps(plugin: Plugin) -> Migrations:
    steps = Migrations(plugin.name)
    for step in plugin.migrations:
        try:
            steps()(_named(step, plugin.name))
        except ValueError as error:
            raise PluginError(f"plugin {plugin.name}: two migrations are called {step.__name__}") from error
    return steps


def _named(step: Migration, plugin: str) -> Migration:
    """Let a migration that fails say whose it is."""

    @wraps(step)
    def run(db: Database) -> None:
        try:
            step(db)
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            raise PluginError(f"plugin {plugin}: migration {step.__name__} failed: {what}") from error

    return run


def _check_names(plugins: Sequence[Plugin]) -> None:
    seen: set[str] = set()
    for name in (plugin.name for plugin in plugins):
        if not re.fullmatch(NAME, name) or name in RESERVED:
            raise PluginError(f"plugin {name!r}: a plugin cannot be called so")
        if name in seen:
            raise PluginError(f"plugin {name}: two plugins have this name")
        seen.add(name)


def _settings(plugins: Sequence[Plugin], tables: Mapping[str, Mapping[str, object]]) -> dict[type, object]:
    known = {plugin.name: plugin.settings for plugin in plugins}
    for name in tables:
        if known.get(name) is None:
            what = "takes no settings" if name in known else "is not loaded"
            raise PluginError(f"plugins.{name}: plugin {name} {what}; remove the table")
    settings: dict[type, object] = {}
    for name, kind in known.items():
        if kind in settings:
            raise PluginError(f"plugin {name}: its settings are another plugin's {kind.__name__}")
        if kind is not None:
            settings[kind] = _read(name, kind, tables.get(name, {}))
    return settings


def _read(name: str, kind: type[BaseModel], table: Mapping[str, object]) -> BaseModel:
    try:
        return kind.model_validate(dict(table))
    except ValidationError as error:
        raise PluginError(explain(error, kind, f"plugins.{name}")) from error
