"""Who may do what: rules are values that can be combined, checked in two halves, and printed.

The role half (`may`) is checked before any word is looked up, or a guest would learn which machines exist;
the resource half (`allows`) after it.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from bot.coop.people import Role
from bot.model import Actor

Values = Mapping[str, object]


class Rule(ABC):
    """A printable rule; `a | b`, `a & b` and `~a` make new ones."""

    __slots__ = ()

    @abstractmethod
    def may(self, actor: Actor) -> bool:
        """Tell whether there is anything at all that this actor could be allowed."""

    @abstractmethod
    def allows(self, actor: Actor, values: Values) -> bool:
        """Tell whether the actor may do it to these converted words, by parameter name."""

    @abstractmethod
    def __str__(self) -> str:
        """Say who may, as in "only the owner of the machine or admins may do that"."""

    @property
    def parameters(self) -> frozenset[str]:
        """The parameters that the rule looks at."""
        return frozenset()

    def __or__(self, other: "Rule") -> "Rule":
        return AnyOf(self, other)

    def __and__(self, other: "Rule") -> "Rule":
        return AllOf(self, other)

    def __invert__(self) -> "Rule":
        return Not(self)


@dataclass(frozen=True, slots=True)
class AtLeast(Rule):
    """Everybody who has this role or a more trusted one."""

    role: Role

    def may(self, actor: Actor) -> bool:
        """Compare the roles."""
        return actor.role.covers(self.role)

    def allows(self, actor: Actor, values: Values) -> bool:  # noqa: ARG002 - the role is all there is to it
        """Compare the roles."""
        return self.may(actor)

    def __str__(self) -> str:
        return {Role.GUEST: "anyone", Role.MEMBER: "members", Role.ADMIN: "admins"}[self.role]


@dataclass(frozen=True, slots=True)
class OwnerOf(Rule):
    """The member whose name the parameter's value has as its `owner`."""

    parameter: str

    def may(self, actor: Actor) -> bool:
        """Any member could own something."""
        return actor.role.covers(Role.MEMBER)

    def allows(self, actor: Actor, values: Values) -> bool:
        """Compare the owner's name with the actor's."""
        owner = getattr(values.get(self.parameter), "owner", None)
        return self.may(actor) and actor.member is not None and owner == actor.member.name

    @property
    def parameters(self) -> frozenset[str]:
        """The one that is owned."""
        return frozenset({self.parameter})

    def __str__(self) -> str:
        return f"the owner of the {self.parameter}"


@dataclass(frozen=True, slots=True)
class Oneself(Rule):
    """The member whom the parameter names."""

    parameter: str

    def may(self, actor: Actor) -> bool:
        """Any member could be meant."""
        return actor.role.covers(Role.MEMBER)

    def allows(self, actor: Actor, values: Values) -> bool:
        """Compare the parameter's member with the actor."""
        name = getattr(values.get(self.parameter), "name", None)
        return self.may(actor) and actor.member is not None and name == actor.member.name

    @property
    def parameters(self) -> frozenset[str]:
        """The one that names a member."""
        return frozenset({self.parameter})

    def __str__(self) -> str:
        return f"the {self.parameter} in question"


class _Combined(Rule):
    """Several rules taken together."""

    __slots__ = ("rules",)
    word = ""

    def __init__(self, *rules: Rule) -> None:
        self.rules = rules

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.rules == other.rules

    def __hash__(self) -> int:
        return hash((type(self), self.rules))

    @property
    def parameters(self) -> frozenset[str]:
        """Those of all parts."""
        return frozenset[str]().union(*(rule.parameters for rule in self.rules))

    def __str__(self) -> str:
        return f" {self.word} ".join(_within(rule, type(self)) for rule in self.rules)


class AnyOf(_Combined):
    """At least one of the rules."""

    __slots__ = ()
    word = "or"

    def may(self, actor: Actor) -> bool:
        """Ask each."""
        return any(rule.may(actor) for rule in self.rules)

    def allows(self, actor: Actor, values: Values) -> bool:
        """Ask each."""
        return any(rule.allows(actor, values) for rule in self.rules)


class AllOf(_Combined):
    """All of the rules."""

    __slots__ = ()
    word = "and"

    def may(self, actor: Actor) -> bool:
        """Ask each."""
        return all(rule.may(actor) for rule in self.rules)

    def allows(self, actor: Actor, values: Values) -> bool:
        """Ask each."""
        return all(rule.allows(actor, values) for rule in self.rules)


@dataclass(frozen=True, slots=True)
class Not(Rule):
    """Everybody whom the rule does not allow."""

    rule: Rule

    def may(self, actor: Actor) -> bool:  # noqa: ARG002 - only the words decide what is not allowed
        """Nobody can be ruled out before the words are known."""
        return True

    def allows(self, actor: Actor, values: Values) -> bool:
        """Ask the opposite."""
        return not self.rule.allows(actor, values)

    @property
    def parameters(self) -> frozenset[str]:
        """Those of the rule."""
        return self.rule.parameters

    def __str__(self) -> str:
        return f"anyone but {_within(self.rule, Not)}"


def _within(rule: Rule, outer: type[Rule]) -> str:
    """Say a part of a rule, in brackets where it could be misread."""
    return f"({rule})" if isinstance(rule, _Combined) and not isinstance(rule, outer) else str(rule)


anyone = AtLeast(Role.GUEST)
members = AtLeast(Role.MEMBER)
admins = AtLeast(Role.ADMIN)
owner_of = OwnerOf
oneself = Oneself

BY_NAME: Mapping[str, Rule] = {"anyone": anyone, "members": members, "admins": admins}
"""The rules that an operator may name in the config."""
