"""Commands as forms offer them: made from the same declarations, and said as the line that one would type."""

import inspect
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

from bot.core.binding import Kind, Parameter, Services, inject
from bot.core.invoke import name_of, within
from bot.core.plugin import Function
from bot.core.registry import Bound, Registry
from bot.errors import Usage
from bot.model import Actor, FormField, Offer
from bot.ports import Clock, Incidents

ANSWERS = frozenset({"yes", "no"})
"""Commands that answer a question, which a form asks itself."""

MOST = 100
"""Choices that a form still shows as such; where there are more, the word is typed."""

LOOK_SECONDS = 2.0
"""How long finding the choices of one kind may take."""

_UNSAYABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What one person may use; each kind of choices is looked up once, with `services` as in a call."""

    registry: Registry
    actor: Actor
    services: Services
    clock: Clock
    incidents: Incidents
    _found: dict[Function, tuple[object, ...] | None] = field(default_factory=dict)

    async def offers(self) -> tuple[Offer, ...]:
        """Return an offer for each command that there is something to use it on."""
        found = []
        for name, bound in sorted(self.registry.commands.items()):
            usable = name not in ANSWERS and bound.allow.may(self.actor)
            offer = await self._offer(bound) if usable else None
            found += [offer] if offer else []
        return tuple(found)

    async def _offer(self, bound: Bound) -> Offer | None:
        fields = []
        for parameter in bound.signature.words:
            choices = await self._choices(bound, parameter)
            if choices == () and parameter.required:
                return None
            fields.append(
                FormField(
                    parameter.name,
                    parameter.name.replace("_", " "),
                    parameter.required,
                    choices or (),
                    rest=parameter.kind is Kind.REST,
                    private=parameter.name in bound.declared.private,
                )
            )
        return Offer(
            bound.name, bound.summary, tuple(fields), self._reserved(bound.name), bound.declared.reads
        )

    def _reserved(self, name: str) -> frozenset[str]:
        pairs = (other.partition(" ") for other in self.registry.commands)
        return frozenset(second for first, _, second in pairs if first == name and second)

    async def _choices(self, bound: Bound, parameter: Parameter) -> tuple[str, ...] | None:
        """Return the words that a parameter can be for this person, None where any will do."""
        converting = parameter.converting
        if parameter.choices or converting is None:
            return parameter.choices or None
        find = converting.every or converting.candidates
        values: Iterable[object] | None = await self._look(bound, find) if find else None
        if values is None:
            return None
        if bound.allow.parameters <= {parameter.name}:
            values = [v for v in values if bound.allow.allows(self.actor, {parameter.name: v})]
        words = tuple(dict.fromkeys(map(str, values)))
        return words if 0 < len(words) <= MOST or (converting.every and not words) else None

    async def _look(self, bound: Bound, find: Function) -> tuple[object, ...] | None:
        """Return what a plugin finds, None where that fails: the word can be typed all the same."""
        if find not in self._found:
            self._found[find] = None
            try:
                work = _awaited(find(**inject(bound.converter.helpers[find], self.services)))
                self._found[find] = await within(self.clock, LOOK_SECONDS, work, name_of(find))
            except Exception as error:  # noqa: BLE001 - a form without choices is better than none
                self.incidents.report(error, during=f"finding the choices for {bound.name}")
        return self._found[find]


async def _awaited(found: object) -> tuple[object, ...]:
    values = await found if inspect.isawaitable(found) else found
    return tuple(cast("Iterable[object]", values))


def line(offer: Offer, values: Mapping[str, str]) -> str:
    """Return the line that says a command with these values by field name; white space around them is lost.

    Usage names the field whose value cannot be typed so that it arrives as it is.
    """
    said: list[str] = []
    given = [(part, values.get(part.name, "").strip()) for part in offer.fields]
    while given and not given[-1][1]:
        given.pop()
    for part, value in given:
        if not value:
            raise Usage(f"{part.label} is missing.")
        if any(unicodedata.category(sign) in _UNSAYABLE for sign in value):
            raise Usage(f"{part.label} is more than one line, or has signs that cannot be typed.")
        said.append(value if part.rest else _word(part, value, offer.reserved if not said else frozenset()))
    text = " ".join(said)
    if text and text.split(maxsplit=1)[0].casefold() in offer.reserved:
        raise Usage(f"{given[0][0].label} cannot begin so: {offer.command} {text} is another command.")
    return f"{offer.command} {text}".rstrip()


def _word(part: FormField, value: str, reserved: frozenset[str]) -> str:
    if len(value.split()) == 1 and not value.startswith('"') and value.casefold() not in reserved:
        return value
    if '"' in value:
        raise Usage(f"{part.label} cannot be typed, as it has a quotation mark.")
    return f'"{value}"'
