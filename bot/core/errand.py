"""One message on the road, and the command that it asks for. Pure."""

from dataclasses import dataclass, field, replace
from typing import Protocol

from bot.core.masking import MASK, masked
from bot.core.registry import Bound
from bot.core.speakers import Pace, Turn
from bot.core.words import split_words
from bot.model import Actor, Call, Message
from bot.ports import Entry, Report

MOST_WORDS = 1000
"""How many characters of what was said, and of what came of it, the audit book keeps."""


class Counts(Protocol):
    """What counts what the road does, where somebody wants to know."""

    def heard(self, network: str) -> None:
        """Count a message to the bot."""

    def answered(self, network: str, plugin: str, outcome: str, seconds: float) -> None:
        """Count a command that was answered after so long, see `Errand`; "" for no plugin's."""


@dataclass(slots=True)
class Errand:
    """One message on the road.

    `sealed`: it asks for a command with private words, so that nothing of its answer may be written down.
    `outcome` is what came of it: done, refused, failed or unknown.
    """

    message: Message
    report: Report
    actor: Actor = field(default_factory=Actor)
    sealed: bool = False
    outcome: str = "done"


@dataclass(frozen=True, slots=True)
class Asked:
    """A command on the road: `line` is what stood behind its name, `meant` what it left out."""

    bound: Bound
    line: str
    errand: Errand
    turn: Turn
    pace: Pace
    message: Message
    actor: Actor
    meant: tuple[str, ...] = ()

    def converted(self, call: Call) -> "Asked":
        """Return this with what left-out words were taken to mean."""
        left_out = self.bound.signature.words[len(split_words(self.line)) :]
        if not (left_out or self.meant):
            return self
        return replace(self, meant=tuple(str(call.values[p.name]) for p in left_out if p.required))

    @property
    def words(self) -> str:
        """The line as it may be shown, once it could be converted."""
        private = self.bound.declared.private
        return " ".join(filter(None, (masked(self.line, self.bound.signature, private), *self.meant)))

    @property
    def about(self) -> str:
        """The command and what it is about."""
        return cut(f"{self.bound.name} {self.words}".rstrip(), 100)

    def entry(self, kind: str, outcome: str = "", ref: int | None = None, words: str | None = None) -> Entry:
        """Return its row for the audit book."""
        message = self.message
        who = self.actor.member.name if self.actor.member else ""
        identity = str(message.identity) if message.identity else message.nick
        said = cut(self.words if words is None else words)
        return Entry(kind, who, self.bound.name, said, identity, str(message.place), cut(outcome), ref)

    def refused(self, why: str) -> Entry:
        """Return its row where it was refused; a slip may have put private words anywhere."""
        if self.errand.sealed:
            return self.entry("refused", words=MASK if self.line else "")
        return self.entry("refused", why)

    @property
    def stamp(self) -> str | None:
        """The network's own id of the message, keyed with its sender."""
        message = self.message
        sender = message.identity or f"{message.place.network} {message.nick}"
        return f"{sender} {message.stamp}" if message.stamp else None


def cut(text: str, most: int = MOST_WORDS) -> str:
    """Shorten a text that could be as long as a network allows."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
