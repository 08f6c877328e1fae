"""Puts the road together from its parts; the same for the real bot and for conversations in tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel, ValidationError
from sqlite_utils import Migrations

from bot.config import explain
from bot.coop.about import About
from bot.core import builtin, registry
from bot.core.explain import Explainer
from bot.core.hub import Hub
from bot.core.jobs import Jobs, create_jobs
from bot.core.pipeline import CALL_SERVICES, Pipeline
from bot.core.plugin import Plugin
from bot.core.questions import Questions
from bot.core.registry import Override, Registry
from bot.core.speakers import Speakers
from bot.errors import PluginError
from bot.ports import (
    Ask,
    Book,
    Clock,
    Entropy,
    Hypervisor,
    Incidents,
    Links,
    Meter,
    Registrar,
    Roster,
    Store,
)

OF_THE_CREW = frozenset[type]({Registry, Questions, Jobs, Explainer, Ask, About})
OF_THE_WORLD = frozenset[type]({Store, Book, Clock, Entropy, Roster, Registrar, Hypervisor, Meter, Links})


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The parts that touch the world, real or fake."""

    store: Store
    book: Book
    clock: Clock
    entropy: Entropy
    incidents: Incidents
    roster: Roster
    registrar: Registrar
    hypervisor: Hypervisor
    meter: Meter
    links: Links

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
            Links: self.links,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What the config says about the road; `tables` are the plugins' own, `unpaced` networks have no pace."""

    about: About
    overrides: Mapping[str, Override] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    hints: Mapping[str, str] = field(default_factory=dict)
    unpaced: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Crew:
    """The road, ready for messages, events and questions."""

    registry: Registry
    pipeline: Pipeline
    hub: Hub


def bind(plugins: Sequence[Plugin], orders: Orders) -> tuple[Registry, dict[type, object]]:
    """Bind all declarations, and read the plugins' tables of the config into their settings; PluginError."""
    settings = _settings(plugins, orders.tables)
    types = OF_THE_CREW | OF_THE_WORLD | CALL_SERVICES | frozenset(settings)
    bound = registry.build(
        [builtin.plugin, *plugins], types, overrides=orders.overrides, prefix=orders.about.prefix
    )
    return bound, settings


def assemble(plugins: Sequence[Plugin], world: World, orders: Orders) -> Crew:
    """Put the road together; PluginError names what is wrong with a plugin."""
    bound, settings = bind(plugins, orders)
    services: dict[type, object] = {**world.services(), **settings, About: orders.about, Registry: bound}
    hub = Hub(bound, services, world.store, world.clock, world.incidents)
    questions, jobs = Questions(), Jobs(world.clock, world.store)
    services |= {Ask: hub, Questions: questions, Jobs: jobs, Explainer: Explainer(bound, services)}
    pipeline = Pipeline(
        bound,
        services,
        world.clock,
        world.roster,
        world.store,
        world.book,
        world.incidents,
        Speakers(world.clock, unpaced=orders.unpaced),
        questions,
        jobs,
        hints=dict(orders.hints),
    )
    return Crew(bound, pipeline, hub)


def migrations(plugins: Sequence[Plugin]) -> tuple[Migrations, ...]:
    """Return every plugin's migrations as a set of its own, the road's own first."""
    own = Plugin("core")
    own.migrations.append(create_jobs)
    sets = []
    for plugin in (own, *plugins):
        steps = Migrations(plugin.name)
        for step in plugin.migrations:
            steps()(step)
        sets.append(steps)
    return tuple(sets)


def _settings(plugins: Sequence[Plugin], tables: Mapping[str, Mapping[str, object]]) -> dict[type, object]:
    known = {plugin.name: plugin.settings for plugin in plugins}
    for name in tables:
        if known.get(name) is None:
            what = "takes no settings" if name in known else "is not loaded"
            raise PluginError(f"plugins.{name}: plugin {name} {what}; remove the table")
    return {kind: _read(name, kind, tables.get(name, {})) for name, kind in known.items() if kind is not None}


def _read(name: str, kind: type[BaseModel], table: Mapping[str, object]) -> BaseModel:
    try:
        return kind.model_validate(dict(table))
    except ValidationError as error:
        raise PluginError(f"plugins.{name}.{explain(error)}") from error
