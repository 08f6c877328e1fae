"""What can be said to the bot: every loaded command, bound and found by its first one or two words."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from inspect import getdoc

from bot.coop import events
from bot.coop.events import Event
from bot.coop.nearest import nearest
from bot.coop.questions import Inquiry
from bot.core import confirm, converters
from bot.core.binding import Signature, bind, bind_check, bind_services
from bot.core.converters import BUILT_IN, Converter
from bot.core.limits import Limit
from bot.core.plugin import Command, Converting, Function, Listener, Plugin
from bot.core.rules import BY_NAME, Rule
from bot.errors import NotFound, PluginError
from bot.model import Actor, Place
from bot.ports import Declared, Report

_NAME = re.compile(r"[a-z][a-z0-9-]*( [a-z][a-z0-9-]*)?")


@dataclass(frozen=True, slots=True)
class Bound:
    """A command that is ready to be called; `check` is the signature of its check, where it has one."""

    declared: Command
    allow: Rule
    signature: Signature
    converter: Converter
    limit: Limit | None
    summary: str
    check: Signature | None = None

    @property
    def name(self) -> str:
        """One or two words, as people type them."""
        return self.declared.name

    @property
    def usage(self) -> str:
        """The name and what to type behind it, without the prefix."""
        return f"{self.name} {self.signature.usage}".rstrip()


@dataclass(frozen=True, slots=True)
class Override:
    """What an operator changes of a command, None where nothing: the name of a rule, a limit, places."""

    allow: str | None = None
    limit: str | None = None
    confirm: bool | None = None
    rooms: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """A bound listener or answerer, or a function that hears remarks."""

    plugin: str
    subject: type
    handler: Function
    signature: Signature


@dataclass(slots=True, repr=False)
class Registry:
    """Everything that the loaded plugins declared."""

    prefix: str = "!"
    commands: dict[str, Bound] = field(default_factory=dict)
    listeners: list[Heard] = field(default_factory=list)
    answerers: list[Heard] = field(default_factory=list)
    ears: Mapping[Place, tuple[Heard, ...]] = field(default_factory=dict)
    duties: dict[str, Heard] = field(default_factory=dict)
    ticks: tuple[Heard, ...] = ()
    declared: tuple[Declared, ...] = ()
    plugins: tuple[str, ...] = ()
    events: dict[str, type[Event]] = field(default_factory=dict)

    def become(self, other: "Registry") -> None:
        """Take over what another one has, at one instant for all who hold this one.

        Who still goes through the old commands or handlers, in a thread perhaps, goes through all of them;
        the mapping of events stays the same one, as the dispatch holds it.
        """
        self.commands, self.listeners, self.answerers = other.commands, other.listeners, other.answerers
        self.ears, self.duties, self.declared = other.ears, other.duties, other.declared
        self.ticks = other.ticks
        self.events.clear()
        self.events.update(other.events)

    def command(self, name: str) -> Bound:
        """Return a command that was there once; NotFound if a reload took it away."""
        bound = self.commands.get(name)
        if bound is None:
            raise NotFound(f"{self.prefix}{name} is not there any more.")
        return bound

    def find(self, line: str) -> tuple[Bound, str] | None:
        """Return the command that a line begins with, and the rest; two-word names win."""
        words = line.split(maxsplit=2)
        for count in (2, 1):
            bound = self.commands.get(" ".join(words[:count]).casefold())
            if bound is not None and len(words) >= count:
                return bound, line.lstrip().split(maxsplit=count)[count] if len(words) > count else ""
        return None

    def knows_first_word(self, line: str) -> bool:
        """Tell whether some command begins with the line's first word."""
        first = line.split(maxsplit=1)[0].casefold() if line.split() else ""
        return any(name.split()[0] == first for name in self.commands)

    def nearest(self, line: str, actor: Actor) -> Bound | None:
        """Return the command that was probably meant, of those that the actor may see."""
        names = [name for name, bound in self.commands.items() if bound.allow.may(actor)]
        words = line.casefold().split()
        for said in (" ".join(words[:2]), *words[:1]):
            if near := nearest(said, names):
                return self.commands[near]
        return None

    def group(self, first: str, actor: Actor) -> tuple[Bound, ...]:
        """Return the commands that begin with this word and that the actor may see."""
        return tuple(
            b for n, b in self.commands.items() if n.split()[0] == first.casefold() and b.allow.may(actor)
        )


def build(
    plugins: Sequence[Plugin],
    services: frozenset[type],
    *,
    per_call: frozenset[type] = frozenset(),
    overrides: Mapping[str, Override] | None = None,
    prefix: str = "!",
) -> Registry:
    """Bind all that the plugins declare; PluginError names the first thing that is wrong.

    `services` can be injected everywhere, `per_call` only into commands and, but for reports, into their
    converters and checks.
    """
    registry, declared_events = Registry(prefix), _events_of_the_coop()
    known = converters.by_target((*BUILT_IN, *(c for p in plugins for c in p.converters)))
    for plugin in plugins:
        for declared in plugin.commands:
            bound = _bind_command(declared, services | per_call, known, prefix)
            if bound.name in registry.commands:
                other = registry.commands[bound.name].declared.plugin
                raise PluginError(
                    f"plugin {plugin.name}: {prefix}{bound.name} is already a command of plugin {other}"
                )
            registry.commands[bound.name] = bound
        for kind in plugin.events:
            if not issubclass(kind, Event):
                raise PluginError(f"plugin {plugin.name}: {kind.__name__} is no Event")
            declared_events.append(kind)
        registry.listeners += [_bind_listener(listener, services, Event) for listener in plugin.listeners]
        registry.answerers += [_bind_listener(answerer, services, Inquiry) for answerer in plugin.answerers]
    registry.events |= by_name((*declared_events, *(heard.subject for heard in registry.listeners)))
    for name, override in (overrides or {}).items():
        if name not in registry.commands:
            raise PluginError(f'commands."{name}": no loaded plugin has this command')
        registry.commands[name] = _overridden(registry.commands[name], override)
    return registry


def by_name(kinds: Iterable[type[Event]]) -> dict[str, type[Event]]:
    """Make the register of events by the names they are stored under; PluginError where two share one."""
    register: dict[str, type[Event]] = {}
    for kind in kinds:
        if register.setdefault(kind.__name__, kind) is not kind:
            other = register[kind.__name__].__module__
            raise PluginError(f"event {kind.__name__}: both {other} and {kind.__module__} define it")
    return register


def _events_of_the_coop() -> list[type[Event]]:
    return [kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event)]


def _bind_command(
    declared: Command, services: frozenset[type], known: Mapping[type, Converting], prefix: str
) -> Bound:
    where = f"plugin {declared.plugin}: {prefix}{declared.name}"
    if not _NAME.fullmatch(declared.name):
        raise PluginError(f"{where}: a command's name is one or two lower-case words")
    if declared.allow is None:
        raise PluginError(
            f"{where}: it says nobody may use it: add allow=members, admins, owner_of(…) or anyone"
        )
    signature = bind(declared.handler, services, known, where=where)
    _check(declared, declared.allow, signature, where)
    summary = (getdoc(declared.handler) or "").split("\n", 1)[0]
    if not summary:
        raise PluginError(f"{where}: the handler has no docstring, which is its help")
    usage = f"{prefix}{declared.name} {signature.usage}".rstrip()
    converter = converters.make(usage, signature, services - {Report}, where=where)
    limit = _limit(declared.limit, where) if declared.limit else None
    check = _bind_check(declared, signature, services - {Report}, where)
    return Bound(declared, declared.allow, signature, converter, limit, summary, check)


def _bind_check(
    declared: Command, signature: Signature, services: frozenset[type], where: str
) -> Signature | None:
    if declared.check is None:
        return None
    if declared.confirm is None:
        raise PluginError(f"{where}: check needs confirm: it refuses what is not even asked")
    return bind_check(declared.check, signature, services, where=f"{where}: check")


def _check(declared: Command, allow: Rule, signature: Signature, where: str) -> None:
    """Raise PluginError unless the parts of a declaration fit each other."""
    names = {p.name for p in signature.words}
    second = declared.second.parameters if declared.second else frozenset[str]()
    for wanted, what in ((allow.parameters, "allow"), (declared.private, "private"), (second, "second")):
        if unknown := wanted - names:
            raise PluginError(f"{where}: {what} names {', '.join(sorted(unknown))}, which is no parameter")
    if declared.timeout <= 0:
        raise PluginError(f"{where}: a timeout is more than 0 seconds")
    if declared.confirm is None:
        if declared.second:
            raise PluginError(f"{where}: second needs confirm: it says what the other admin is asked")
        return
    confirm.check(declared.confirm, signature, where)
    if shown := confirm.parameters(declared.confirm) & declared.private:
        raise PluginError(f"{where}: confirm shows {', '.join(sorted(shown))}, which is private")


def _limit(text: str, where: str) -> Limit:
    try:
        return Limit.parse(text)
    except ValueError as error:
        raise PluginError(f"{where}: {error}") from error


def _bind_listener(listener: Listener, services: frozenset[type], base: type) -> Heard:
    where = f"plugin {listener.plugin}: {listener.handler.__name__}"
    subject: object = listener.subject
    if not (isinstance(subject, type) and issubclass(subject, base)):
        raise PluginError(f"{where}: {listener.subject!r} is no {base.__name__}")
    signature = bind_services(listener.handler, services | {listener.subject}, where=where)
    return Heard(listener.plugin, listener.subject, listener.handler, signature)


def _overridden(bound: Bound, override: Override) -> Bound:
    declared = bound.declared
    where = f'commands."{declared.name}"'
    if override.confirm is False:
        declared = replace(declared, confirm=None, second=None)
    if override.confirm is True and declared.confirm is None:
        declared = replace(declared, confirm=f"Really {declared.name}?")
    if override.rooms is not None:
        declared = replace(declared, rooms=override.rooms)
    if override.allow not in {None, *BY_NAME}:
        raise PluginError(f"{where}.allow: write {', '.join(BY_NAME)}, not {override.allow}")
    allow = bound.allow if override.allow is None else BY_NAME[override.allow]
    limit = bound.limit if override.limit is None else _limit(override.limit, f"{where}.limit")
    return replace(bound, declared=declared, allow=allow, limit=limit)
