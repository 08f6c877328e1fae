"""Help, made from the declarations: what this person may do, and one command's usage. Pure."""

from collections.abc import Iterable

from bot.core.binding import Kind, Parameter
from bot.core.registry import Bound, Registry
from bot.model import Actor

_NUMBER = "3"


def overview(registry: Registry, actor: Actor) -> tuple[str, ...]:
    """Return what this person may do, in two lines: single commands, and groups by their first word."""
    seen = [bound.name for bound in registry.commands.values() if bound.allow.may(actor)]
    single = [name for name in seen if " " not in name]
    groups: dict[str, list[str]] = {}
    for name in seen:
        if " " in name:
            first, second = name.split()
            groups.setdefault(first, []).append(second)
    prefix = registry.prefix
    lines = [f"{prefix}{' '.join(sorted(single))} · {prefix}help COMMAND tells more."]
    if groups:
        lines.append(
            " · ".join(f"{prefix}{first} {'|'.join(rest)}" for first, rest in sorted(groups.items()))
        )
    return tuple(lines)


def detail(bound: Bound, prefix: str) -> tuple[str, ...]:
    """Return one command's usage, what it does, who may, and an example."""
    extra = " Asks first." if bound.declared.confirm else ""
    limit = f" At most {bound.limit}." if bound.limit else ""
    words = bound.declared.example or " ".join(
        example(p) for p in bound.signature.words if p.required or p.annotation is not str
    )
    return (
        f"{prefix}{bound.usage}: {bound.summary}{extra}{limit}",
        f"Who: {bound.allow}. Example: {prefix}{bound.name} {words}".rstrip(),
    )


def group(bounds: Iterable[Bound], prefix: str) -> tuple[str, ...]:
    """Return the usages of commands that share their first word, in one line."""
    return (" · ".join(f"{prefix}{bound.usage}" for bound in bounds),)


def example(parameter: Parameter) -> str:
    """Return a word that could stand for a parameter."""
    if parameter.choices:
        return parameter.choices[0]
    if parameter.kind is Kind.REST:
        return f"some {parameter.name}"
    if parameter.annotation is int:
        return _NUMBER
    return (parameter.converting and parameter.converting.example) or parameter.name.upper()
