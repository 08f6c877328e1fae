"""Turns the words of a line into the values that a command wants."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass

from bot.coop.machines import Machine
from bot.coop.people import Member
from bot.coop.quotes import quoted
from bot.core.binding import Kind, Parameter, Services, Signature, bind_services, inject
from bot.core.plugin import Converting
from bot.core.words import Word, split_words
from bot.errors import NotFound, Usage
from bot.model import Actor
from bot.ports import Roster

_MOST = 10**9


async def to_member(word: str, roster: Roster) -> Member:
    """Find a member by name."""
    member = await roster.member(word)
    if member is None:
        raise NotFound(f"There is no member {quoted(word)}; !member list names them.")
    return member


async def to_machine(word: str, roster: Roster) -> Machine:
    """Find a machine by name."""
    machine = await roster.machine(word)
    if machine is None:
        raise NotFound(f"There is no machine {quoted(word)}; !vm list names them.")
    return machine


async def all_members(roster: Roster) -> tuple[Member, ...]:
    """Return whom a form can name."""
    return await roster.members()


async def all_machines(roster: Roster) -> tuple[Machine, ...]:
    """Return what a form can name."""
    return await roster.machines()


async def own_machines(actor: Actor, roster: Roster) -> list[Machine]:
    """Return what a left-out machine can mean: the speaker's own."""
    return [m for m in await roster.machines() if actor.member is not None and m.owner == actor.member.name]


BUILT_IN = (
    Converting(Member, to_member, example="alice", every=all_members),
    Converting(Machine, to_machine, own_machines, "ford-3", all_machines),
)


def by_target(convertings: tuple[Converting, ...]) -> dict[type, Converting]:
    """Return converters by what they make; a later one replaces an earlier one."""
    return {converting.target: converting for converting in convertings}


@dataclass(frozen=True, slots=True)
class Converter:
    """Converts the words behind one command, whose usage it names when they do not fit.

    `helpers` are the signatures of the converters' own functions, worked out at load.
    """

    usage: str
    signature: Signature
    helpers: Mapping[object, Signature]

    async def convert(self, line: str, services: Services) -> dict[str, object]:
        """Return the values by parameter name; Usage or NotFound where the words do not fit."""
        words = list(split_words(line))
        values: dict[str, object] = {}
        for parameter in self.signature.words:
            if parameter.kind is Kind.REST:
                values[parameter.name] = self._rest(parameter, line, words)
                words = []
            elif words:
                values[parameter.name] = await self._one(parameter, words.pop(0), services)
            else:
                values[parameter.name] = await self._left_out(parameter, services)
        if words:
            raise Usage(f"{quoted(words[0].text)} is more than I expected. Usage: {self.usage}")
        return values

    def _rest(self, parameter: Parameter, line: str, words: list[Word]) -> object:
        if words:
            return line[words[0].start :].rstrip()
        if parameter.required:
            raise Usage(f"{_said(parameter)} is missing. Usage: {self.usage}")
        return parameter.default

    async def _one(self, parameter: Parameter, word: Word, services: Services) -> object:
        if parameter.choices:
            return self._choice(parameter, word.text)
        if parameter.annotation is int:
            return self._number(parameter, word.text)
        if parameter.converting is None:
            return word.text
        convert = parameter.converting.convert
        value = convert(word.text, **inject(self.helpers[convert], services))
        return await value if inspect.isawaitable(value) else value

    def _choice(self, parameter: Parameter, word: str) -> object:
        if word.casefold() not in parameter.choices:
            known = ", ".join(parameter.choices)
            raise Usage(f"{parameter.name} is one of {known}, not {quoted(word)}. Usage: {self.usage}")
        enum = parameter.annotation
        return enum(word.casefold()) if isinstance(enum, type) else word.casefold()

    def _number(self, parameter: Parameter, word: str) -> int:
        text = word.removeprefix("#")
        if not (text.isascii() and text.isdigit()):
            raise Usage(f"{parameter.name} is a whole number, not {quoted(word)}. Usage: {self.usage}")
        if len(text) > len(str(_MOST)):
            raise Usage(f"{quoted(word)} is too large a number. Usage: {self.usage}")
        return int(text)

    async def _left_out(self, parameter: Parameter, services: Services) -> object:
        if not parameter.required:
            return parameter.default
        candidates: list[object] = []
        if parameter.converting is not None and parameter.converting.candidates is not None:
            find = parameter.converting.candidates
            candidates = await find(**inject(self.helpers[find], services))
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            which = ", ".join(str(candidate) for candidate in candidates)
            raise Usage(f"Which {parameter.name}: {which}? Usage: {self.usage}")
        raise Usage(f"{_said(parameter)} is missing. Usage: {self.usage}")


def _said(parameter: Parameter) -> str:
    """Return a parameter's name as its usage has it: of `from_to` FROM-TO, but small."""
    return parameter.name.replace("_", "-")


def make(usage: str, signature: Signature, services: frozenset[type], *, where: str) -> Converter:
    """Work out the signatures of the converters that this one needs."""
    helpers: dict[object, Signature] = {}
    for parameter in signature.words:
        if parameter.converting is not None:
            converting = parameter.converting
            helpers[converting.convert] = bind_services(converting.convert, services, skip=1, where=where)
            for find in filter(None, (converting.candidates, converting.every)):
                helpers[find] = bind_services(find, services, where=where)
    return Converter(usage, signature, helpers)
