"""Confirm templates such as "Stop {machine.name} on {machine.host}?", checked at load.

Fields are looked up attribute by attribute and never formatted: what people named is text, not a format.
"""

import dataclasses
from collections.abc import Mapping
from enum import Enum
from string import Formatter

from bot.core.binding import Signature
from bot.errors import PluginError


def check(template: str, signature: Signature, where: str) -> None:
    """Raise PluginError unless every field is a parameter of the command, or an attribute of its type."""
    try:
        fields = [
            (name, spec, conversion)
            for _, name, spec, conversion in Formatter().parse(template)
            if name is not None
        ]
    except ValueError as error:
        raise PluginError(f"{where}: confirm {template!r}: {error}") from error
    known = {parameter.name: parameter for parameter in signature.words}
    for name, spec, conversion in fields:
        first, *attributes = name.split(".")
        if spec or conversion:
            raise PluginError(f"{where}: confirm: {{{name}}} takes no format and no conversion")
        if first not in known:
            raise PluginError(f"{where}: confirm: {{{name}}} is no parameter")
        if not known[first].required and known[first].default is None:
            raise PluginError(f"{where}: confirm: {{{name}}} may be left out; give it a default to show")
        _check_attributes(known[first].annotation, attributes, f"{where}: confirm: {{{name}}}")


def parameters(template: str) -> frozenset[str]:
    """Return the parameters that a checked template shows."""
    return frozenset(name.split(".")[0] for _, name, _, _ in Formatter().parse(template) if name is not None)


def _check_attributes(annotation: object, attributes: list[str], where: str) -> None:
    if len(attributes) > 1:
        raise PluginError(f"{where}: only one attribute deep")
    for attribute in attributes:
        shown = getattr(annotation, "__name__", str(annotation))
        if attribute.startswith("_") or attribute not in _attributes(annotation):
            raise PluginError(f"{where}: {shown} has no attribute {attribute}")


def _attributes(annotation: object) -> frozenset[str]:
    """Return the names of what instances of a class hold, fields and properties."""
    if not isinstance(annotation, type):
        return frozenset()
    fields = dataclasses.fields(annotation) if dataclasses.is_dataclass(annotation) else ()
    held = (n for base in annotation.__mro__ for n, v in vars(base).items() if isinstance(v, property))
    return frozenset((*(field.name for field in fields), *held))


def render(template: str, values: Mapping[str, object]) -> str:
    """Fill a checked template."""
    parts = []
    for literal, name, _, _ in Formatter().parse(template):
        parts.append(literal)
        if name is not None:
            parts.append(_text(_lookup(name, values)))
    return "".join(parts)


def _lookup(name: str, values: Mapping[str, object]) -> object:
    first, *attributes = name.split(".")
    value = values[first]
    for attribute in attributes:
        value = getattr(value, attribute)
    return value


def _text(value: object) -> str:
    return "the co-op" if value is None else str(value.value) if isinstance(value, Enum) else str(value)
