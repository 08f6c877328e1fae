"""Tells whether a line is for the bot, before any object is made: most of the traffic is chatter."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Addressed:
    """What was said to the bot, without how it was addressed; `named` by nick or in a direct conversation."""

    text: str
    named: bool


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
