"""The signature is the grammar: annotations are read once, at load, so that a wrong handler stops the start.

A parameter whose annotation is a service (Store, Hypervisor, Call, …) is injected. Any other is a word: its
annotation says what the word means. A default makes it optional; a keyword-only text is the rest of the line.
"""

import inspect
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from bot.core.plugin import Converting, Function
from bot.errors import PluginError

Services = Mapping[type, object]


class Kind(StrEnum):
    """Where a parameter's value comes from."""

    WORD = "word"
    REST = "rest"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a handler, as worked out from its annotation.

    `choices` are the words that a closed annotation allows; `annotation` has lost its `| None`.
    """

    name: str
    kind: Kind
    annotation: Any
    required: bool
    default: object = None
    choices: tuple[str, ...] = ()
    converting: Converting | None = None

    @property
    def shown(self) -> str:
        """How usage shows it: MACHINE, [LINES], on|off, COMMAND…."""
        name = "|".join(self.choices) if self.choices else self.name.upper().replace("_", "-")
        name += "…" if self.kind is Kind.REST else ""
        return name if self.required else f"[{name}]"


@dataclass(frozen=True, slots=True)
class Signature:
    """What a handler wants, in its own order."""

    parameters: tuple[Parameter, ...]

    @property
    def words(self) -> tuple[Parameter, ...]:
        """The parameters that people fill, the rest of the line last."""
        return tuple(p for p in self.parameters if p.kind is not Kind.SERVICE)

    @property
    def services(self) -> tuple[Parameter, ...]:
        """The parameters that are injected."""
        return tuple(p for p in self.parameters if p.kind is Kind.SERVICE)

    @property
    def usage(self) -> str:
        """What to type behind the command's name."""
        return " ".join(p.shown for p in self.words)


def bind(
    handler: Function,
    services: frozenset[type],
    converters: Mapping[type, Converting],
    *,
    where: str,
) -> Signature:
    """Work out a command's parameters; PluginError names the one that is wrong."""
    hints = _hints(handler, where)
    parameters = tuple(_parameter(p, hints, services, converters, where) for p in _raw(handler, where))
    _check_order(parameters, where)
    return Signature(parameters)


def bind_services(handler: Function, services: frozenset[type], *, skip: int = 0, where: str) -> Signature:
    """Work out a function that people give no words to, such as an event's handler.

    Its first `skip` parameters are filled by its caller. PluginError names the parameter that is wrong.
    """
    hints, found = _hints(handler, where), _raw(handler, where)
    if len(found) < skip:
        raise PluginError(f"{where}: {handler.__name__} takes no word to convert")
    parameters = []
    for raw in found[skip:]:
        annotation = _annotation(raw, hints, where)
        if annotation not in services:
            raise PluginError(f"{where}: parameter {raw.name}: no service for {_shown(annotation)}")
        parameters.append(_service(raw, annotation))
    return Signature(tuple(parameters))


def bind_check(check: Function, command: Signature, services: frozenset[type], *, where: str) -> Signature:
    """Work out a function that is given some of a command's words, by their names and types, and services.

    PluginError names the parameter that is wrong.
    """
    hints, words = _hints(check, where), {word.name: word for word in command.words}
    parameters = []
    for raw in _raw(check, where):
        annotation = _annotation(raw, hints, where)
        word = words.get(raw.name)
        if annotation in services:
            parameters.append(_service(raw, annotation))
        elif word is None:
            no_service = f"no service for {_shown(annotation)}"
            raise PluginError(f"{where}: parameter {raw.name}: no word of the command, and {no_service}")
        elif word.annotation != annotation:
            there = f"the command's is {_shown(word.annotation)}"
            raise PluginError(f"{where}: parameter {raw.name} is {_shown(annotation)}, and {there}")
        else:
            parameters.append(word)
    return Signature(tuple(parameters))


def _hints(handler: Function, where: str) -> Mapping[str, Any]:
    try:
        return get_type_hints(handler)
    except NameError as error:
        raise PluginError(f"{where}: {error}: import it outside `if TYPE_CHECKING`") from error
    except Exception as error:
        raise PluginError(f"{where}: its annotations cannot be read: {error}") from error


def _raw(handler: Function, where: str) -> list[inspect.Parameter]:
    found = list(inspect.signature(handler).parameters.values())
    for raw in found:
        if raw.kind in {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}:
            raise PluginError(f"{where}: parameter {raw.name}: * and ** cannot be filled")
    return found


def _annotation(raw: inspect.Parameter, hints: Mapping[str, Any], where: str) -> Any:  # noqa: ANN401 - an annotation can be anything
    if raw.kind is inspect.Parameter.POSITIONAL_ONLY:
        raise PluginError(f"{where}: parameter {raw.name}: it is filled by name, so no / behind it")
    if raw.name not in hints:
        raise PluginError(f"{where}: parameter {raw.name} has no annotation")
    annotation = _without_none(hints[raw.name])
    try:
        hash(annotation)
    except TypeError as error:
        raise PluginError(f"{where}: parameter {raw.name}: {annotation!r} is no type") from error
    return annotation


def _parameter(
    raw: inspect.Parameter,
    hints: Mapping[str, Any],
    services: frozenset[type],
    converters: Mapping[type, Converting],
    where: str,
) -> Parameter:
    annotation = _annotation(raw, hints, where)
    if annotation in services:
        return _service(raw, annotation)
    kind = Kind.REST if raw.kind is inspect.Parameter.KEYWORD_ONLY else Kind.WORD
    if kind is Kind.REST and annotation is not str:
        raise PluginError(f"{where}: parameter {raw.name}: the rest of the line is a str")
    choices = _choices(annotation)
    converting = converters.get(annotation) if isinstance(annotation, type) else None
    if not choices and converting is None and annotation not in {str, int}:
        raise PluginError(
            f"{where}: parameter {raw.name}: no converter and no service for {_shown(annotation)}"
        )
    if any(choice != choice.casefold() or choice.split() != [choice] for choice in choices):
        raise PluginError(f"{where}: parameter {raw.name}: its choices are not all words in lower case")
    required, default = _default(raw)
    return Parameter(raw.name, kind, annotation, required, default, choices, converting)


def _service(raw: inspect.Parameter, annotation: type) -> Parameter:
    required, default = _default(raw)
    return Parameter(raw.name, Kind.SERVICE, annotation, required, default)


def _default(raw: inspect.Parameter) -> tuple[bool, object]:
    required = raw.default is inspect.Parameter.empty
    return required, None if required else raw.default


def _shown(annotation: object) -> str:
    return getattr(annotation, "__name__", str(annotation))


def _without_none(annotation: Any) -> Any:  # noqa: ANN401 - an annotation can be anything
    if get_origin(annotation) in {Union, types.UnionType}:
        rest = [arg for arg in get_args(annotation) if arg is not type(None)]
        return rest[0] if len(rest) == 1 else annotation
    return annotation


def _choices(annotation: Any) -> tuple[str, ...]:  # noqa: ANN401 - an annotation can be anything
    if get_origin(annotation) is Literal and all(isinstance(arg, str) for arg in get_args(annotation)):
        return get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return tuple(member.value for member in annotation)
    return ()


def _check_order(parameters: Sequence[Parameter], where: str) -> None:
    rest = [p.name for p in parameters if p.kind is Kind.REST]
    if len(rest) > 1:
        raise PluginError(
            f"{where}: only one parameter can be the rest of the line, not {' and '.join(rest)}"
        )
    optional = None
    for parameter in (p for p in parameters if p.kind is not Kind.SERVICE):
        if parameter.required and optional:
            raise PluginError(
                f"{where}: parameter {parameter.name} is required but follows {optional}, which is not"
            )
        optional = optional if parameter.required else parameter.name


def inject(signature: Signature, services: Services) -> dict[str, object]:
    """Return the services that a handler wants, by parameter name."""
    return {p.name: services[p.annotation] for p in signature.services}
