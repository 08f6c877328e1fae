"""What a plugin declares. A plugin is a module with one `plugin = Plugin("name")` and decorated functions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from bot.core.rules import Rule

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
    second: Rule | None = None
    reads: bool = False
    private: frozenset[str] = frozenset()
    limit: str | None = None
    timeout: float = 30.0
    exclusive: bool = True
    rooms: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Listener:
    """A function for events or questions of one class."""

    plugin: str
    subject: type
    handler: Function


@dataclass(frozen=True, slots=True)
class Converting:
    """How a word becomes a value of `target`; see `Plugin.converter`."""

    target: type
    convert: Function
    candidates: Function | None = None
    example: str | None = None


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
    converters: list[Converting] = field(default_factory=list)
    migrations: list[Migration] = field(default_factory=list)
    events: list[type] = field(default_factory=list)

    def command(  # noqa: PLR0913 - a declaration in one place; all but the name by keyword
        self,
        name: str,
        *,
        allow: Rule | None = None,
        confirm: str | None = None,
        second: Rule | None = None,
        reads: bool = False,
        private: Sequence[str] = (),
        limit: str | None = None,
        timeout: float = 30.0,
        exclusive: bool = True,
    ) -> Callable[[Handler], Handler]:
        """Declare a command of one or two words; a command without `allow` does not load.

        confirm: a question such as "Stop {machine.name}?", asked first; second: when this rule allows the
        speaker, another member who is an admin must say yes; reads: changes nothing, so its audit rows
        may be batched; private: parameters whose words appear in no audit row, log or outbox; limit: uses per
        speaker and time, like "3/10m"; timeout: seconds until the handler counts as failed, or, after its
        first report, minutes; exclusive: not while another command changes the same machine.
        """

        def declare(handler: Handler) -> Handler:
            self.commands.append(
                Command(
                    self.name,
                    name,
                    handler,
                    allow,
                    confirm=confirm,
                    second=second,
                    reads=reads,
                    private=frozenset(private),
                    limit=limit,
                    timeout=timeout,
                    exclusive=exclusive,
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

    def converter(
        self, target: type, *, candidates: Function | None = None, example: str | None = None
    ) -> Callable[[Handler], Handler]:
        """Make a value of `target` from one word: the function's first parameter, the rest is injected.

        `candidates` returns the values that a left-out word can mean for this speaker; exactly one is taken.
        `example` is a word for the help.
        """

        def declare(convert: Handler) -> Handler:
            self.converters.append(Converting(target, convert, candidates, example))
            return convert

        return declare

    def migration(self, step: Migration) -> Migration:
        """Run this function of the sqlite_utils Database once, in declared order, in a transaction."""
        self.migrations.append(step)
        return step

    def _listen(self, listeners: list[Listener], subject: type) -> Callable[[Handler], Handler]:
        def declare(handler: Handler) -> Handler:
            listeners.append(Listener(self.name, subject, handler))
            return handler

        return declare
