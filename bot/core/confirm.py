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
    known = {parameter.name: parameter.annotation for parameter in signature.words}
    for name, spec, conversion in fields:
        first, *attributes = name.split(".")
        if spec or conversion:
            raise PluginError(f"{where}: confirm: {{{name}}} takes no format and no conversion")
        if first not in known:
            raise PluginError(f"{where}: confirm: {{{name}}} is no parameter")
        _check_attributes(known[first], attributes, f"{where}: confirm: {{{name}}}")


def _check_attributes(annotation: object, attributes: list[str], where: str) -> None:
    for attribute in attributes:
        if not isinstance(annotation, type):
            raise PluginError(f"{where}: no attribute {attribute}")
        names = (
            {field.name for field in dataclasses.fields(annotation)}
            if dataclasses.is_dataclass(annotation)
            else set()
        )
        if attribute.startswith("_") or not (attribute in names or hasattr(annotation, attribute)):
            raise PluginError(f"{where}: {annotation.__name__} has no attribute {attribute}")
        if len(attributes) > 1:
            raise PluginError(f"{where}: only one attribute deep")


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
