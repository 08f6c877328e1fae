"""Tells whether a line is for the bot, before any object is made: most of the traffic is chatter."""

from collections.abc import Callable
from dataclasses import dataclass

_WORDS = 50
_AROUND = "@:,;.!?()<>\"'*"


@dataclass(frozen=True, slots=True)
class Addressed:
    """What was said to the bot, without how it was addressed; `named` by nick or in a direct conversation."""

    text: str
    named: bool


def named(text: str, is_here: Callable[[str], bool]) -> tuple[str, ...]:
    """Return the nicks that a line names, of those that are here, as they stand in it."""
    words = (word.strip(_AROUND) for word in text.split(maxsplit=_WORDS)[:_WORDS])
    return tuple(dict.fromkeys(word for word in words if word and is_here(word)))


def addressed(text: str, *, nick: str, prefix: str, direct: bool) -> Addressed | None:
    """Return what a line says to the bot, or None for chatter.

    In a room a line is for the bot after its prefix (`!vm list`) or its nick (`Eddie: vm list`);
    in a direct conversation always, the prefix being optional. A prefix with nothing, or only more of itself
    or white space behind it ("!", "!!!", "! well"), is chatter in a room.
    """
    if text.startswith(prefix):
        rest = text[len(prefix) :]
        if rest and not rest[0].isspace() and not rest.startswith(prefix):
            return Addressed(rest.strip(), named=direct)
        return Addressed(rest.strip(), named=True) if direct else None
    if text[: len(nick)].casefold() == nick.casefold() and text[len(nick) : len(nick) + 1] in {":", ","}:
        rest = text[len(nick) + 1 :].strip()
        return Addressed(rest.removeprefix(prefix).strip(), named=True)
    return Addressed(text.strip(), named=True) if direct else None
