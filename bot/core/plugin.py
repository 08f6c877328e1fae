"""What a plugin declares. A plugin is a module with one `plugin = Plugin("name")` and decorated functions."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from bot.core.rules import Rule
from bot.ports import CatchUp, Target

if TYPE_CHECKING:
    from pydantic import BaseModel
    from sqlite_utils import Database

Handler = TypeVar("Handler", bound=Callable[..., Any])
Kind = TypeVar("Kind", bound=type)
Function = Callable[..., Any]
Migration = Callable[["Database"], None]


@dataclass(frozen=True, slots=True)
class Command:
    """A command as it was declared; see `Plugin.command`."""

    plugin: str
    name: str
    handler: Function
    allow: Rule | None
    confirm: str | None = None
    check: Function | None = None
    second: Rule | None = None
    reads: bool = False
    private: frozenset[str] = frozenset()
    limit: str | None = None
    timeout: float = 30.0
    exclusive: bool = True
    example: str | None = None
    rooms: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Listener:
    """A function for events or questions of one class."""

    plugin: str
    subject: type
    handler: Function


@dataclass(frozen=True, slots=True)
class Hearing:
    """A function for what people say to each other in some rooms; see `Plugin.hears`."""

    plugin: str
    rooms: Function
    handler: Function


@dataclass(frozen=True, slots=True)
class Converting:
    """How a word becomes a value of `target`; see `Plugin.converter`."""

    target: type
    convert: Function
    candidates: Function | None = None
    example: str | None = None
    every: Function | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A plugin's own work at its times, as it was declared; see `Plugin.job`."""

    plugin: str
    name: str
    handler: Function
    when: str
    where: tuple[Target, ...] = ()
    catch_up: CatchUp = CatchUp.ONCE
    most: int = 5
    grace: float = 60.0
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class DueHandler:
    """A function for the schedule's entries of one kind."""

    plugin: str
    kind: str
    handler: Function


@dataclass(slots=True)
class Plugin:
    """A plugin's declarations, collected by its decorators and bound at load.

    `settings` is a pydantic model for the plugin's own table of the config; handlers get it by annotation.
    """

    name: str
    settings: "type[BaseModel] | None" = None
    commands: list[Command] = field(default_factory=list)
    listeners: list[Listener] = field(default_factory=list)
    answerers: list[Listener] = field(default_factory=list)
    hearings: list[Hearing] = field(default_factory=list)
    converters: list[Converting] = field(default_factory=list)
    migrations: list[Migration] = field(default_factory=list)
    events: list[type] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    due_handlers: list[DueHandler] = field(default_factory=list)
    planners: list[Function] = field(default_factory=list)
    tick_handlers: list[Function] = field(default_factory=list)
    exporter: Function | None = None
    verifier: Function | None = None
    checker: Function | None = None

    def command(  # noqa: PLR0913 - a declaration in one place; all but the name by keyword
        self,
        name: str,
        *,
        allow: Rule | None = None,
        confirm: str | None = None,
        check: Function | None = None,
        second: Rule | None = None,
        reads: bool = False,
        private: Sequence[str] = (),
        limit: str | None = None,
        timeout: float = 30.0,
        exclusive: bool = True,
        example: str | None = None,
    ) -> Callable[[Handler], Handler]:
        """Declare a command of one or two words; a command without `allow` does not load.

        confirm: a question such as "Stop {machine.name}?", asked first; check: a function of some of the
        command's words, by their names, and of services, that raises a Refusal where the thing cannot be done
        now, before the question and again after its yes; second: when this rule allows the speaker, another
        member who is an admin must say yes; reads: changes nothing, so its audit rows
        may be batched; private: parameters whose words appear in no audit row, log or outbox; limit: uses per
        speaker and time, like "3/10m"; timeout: seconds until the handler counts as failed, or, after its
        first report, minutes; exclusive: not while another command changes the same machine; example: the
        words behind the name that !help shows; left out: made from the parameters.
        """

        def declare(handler: Handler) -> Handler:
            self.commands.append(
                Command(
                    self.name,
                    name,
                    handler,
                    allow,
                    confirm=confirm,
                    check=check,
                    second=second,
                    reads=reads,
                    private=frozenset(private),
                    limit=limit,
                    timeout=timeout,
                    exclusive=exclusive,
                    example=example,
                )
            )
            return handler

        return declare

    def event(self, kind: Kind) -> Kind:
        """Declare an event class of this plugin's own, so that it can be stored even if nobody listens."""
        self.events.append(kind)
        return kind

    def on(self, event: type) -> Callable[[Handler], Handler]:
        """Handle events of this class (and of those derived from it); must be idempotent."""
        return self._listen(self.listeners, event)

    def answers(self, question: type) -> Callable[[Handler], Handler]:
        """Answer questions of this class."""
        return self._listen(self.answerers, question)

    def hears(self, rooms: Callable[[Any], Iterable[str]]) -> Callable[[Handler], Handler]:
        """Hear what people say to each other, not to the bot, in rooms named by a function of the settings.

        The function gets services and, by annotation, Remark, and returns Relayed, several of them or None.
        Rooms are written as in the config, network/room. Who talks too fast is heard in part, see Remark.
        """

        def declare(handler: Handler) -> Handler:
            self.hearings.append(Hearing(self.name, rooms, handler))
            return handler

        return declare

    def converter(
        self,
        target: type,
        *,
        candidates: Function | None = None,
        example: str | None = None,
        every: Function | None = None,
    ) -> Callable[[Handler], Handler]:
        """Make a value of `target` from one word: the function's first parameter, the rest is injected.

        `candidates` returns the values that a left-out word can mean for this speaker; exactly one is taken.
        `example` is a word for the help. `every` returns all values that there are, for forms, which else
        show the candidates; the text of a value is the word for it.
        """

        def declare(convert: Handler) -> Handler:
            self.converters.append(Converting(target, convert, candidates, example, every))
            return convert

        return declare

    def job(
        self,
        *,
        when: str,
        where: Target | tuple[Target, ...] = (),
        catch_up: CatchUp | Literal["skip", "once", "each"] = CatchUp.ONCE,
        most: int = 5,
        grace: float = 60.0,
        at_once: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Do this at its times, such as "every day 03:00", in the bot's zone if none stands at the end.

        The function gets services and, by annotation, Scheduled and Due; a text that it returns is said at
        each of `where`. `catch_up`, `most` and `grace` are as in Plan. With `at_once` a bot that never ran it
        before runs it at its start, for the last date before that.
        """

        def declare(handler: Handler) -> Handler:
            places = where if isinstance(where, tuple) else (where,)
            name = handler.__name__
            job = Job(self.name, name, handler, when, places, CatchUp(catch_up), most, grace, at_once)
            self.jobs.append(job)
            return handler

        return declare

    def due(self, kind: str) -> Callable[[Handler], Handler]:
        """Handle the entries of this kind that the plugin puts into the schedule, each time one is due.

        The function gets services and, by annotation, Scheduled and Due, and returns what a command does.
        """

        def declare(handler: Handler) -> Handler:
            self.due_handlers.append(DueHandler(self.name, kind, handler))
            return handler

        return declare

    def plans(self, planner: Handler) -> Handler:
        """Keep the schedule in step with the plans that this plain function of the plugin's settings returns.

        Each has a `name` of its own. It is called at the start and at a reload.
        """
        self.planners.append(planner)
        return planner

    def ticks(self, handler: Handler) -> Handler:
        """Call this every 10 s with what was measured of hosts and machines, a Tick, by annotation.

        A tick that comes late is left out. The function gets services, and returns an Outcome or None.
        """
        self.tick_handlers.append(handler)
        return handler

    def exports(self, exporter: Handler) -> Handler:
        """Let the command line write something of this plugin's into files, also while the bot runs.

        The function gets a read-only sqlite_utils Database and a word that says what, and returns each file's
        text by its name. What must not be known outside yet, it refuses.
        """
        self.exporter = exporter
        return exporter

    def verifies(self, verifier: Handler) -> Handler:
        """Let `shipboard verify` prove more of this plugin's tables than that their chains are whole.

        The function gets a read-only sqlite_utils Database, when they are, and returns a line for each fault.
        """
        self.verifier = verifier
        return verifier

    def checks(self, checker: Handler) -> Handler:
        """Let `shipboard check` hold this plugin's settings against the policies.

        The function gets the settings and a PolicyBook, and returns a line for each fault.
        """
        self.checker = checker
        return checker

    def migration(self, step: Migration) -> Migration:
        """Run this function of the sqlite_utils Database once, in declared order, in a transaction."""
        self.migrations.append(step)
        return step

    def _listen(self, listeners: list[Listener], subject: type) -> Callable[[Handler], Handler]:
        def declare(handler: Handler) -> Handler:
            listeners.append(Listener(self.name, subject, handler))
            return handler

        return declare
