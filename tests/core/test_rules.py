from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.coop.machines import Machine
from bot.coop.people import Member, Role
from bot.coop.shares import Share
from bot.core.rules import BY_NAME, Rule, admins, anyone, members, oneself, owner_of
from bot.model import Actor

ALICE = Member("alice", Role.MEMBER, Share.FULL)
ANN = Member("ann", Role.ADMIN, Share.FULL)
GUEST, MEMBER, ADMIN = Actor(), Actor(ALICE, Role.MEMBER), Actor(ANN, Role.ADMIN)
SUSPENDED = Actor(ALICE, Role.GUEST)
HERS = {"machine": Machine("ford-3", "ford", "alice")}
THEIRS = {"machine": Machine("ford-9", "ford", None)}


@pytest.mark.parametrize(
    ("rule", "guest", "member", "admin"),
    [(anyone, True, True, True), (members, False, True, True), (admins, False, False, True)],
)
def test_a_role_covers_those_below_it(rule: Rule, guest: bool, member: bool, admin: bool) -> None:  # noqa: FBT001 - a table's columns
    asked = [(GUEST, guest), (MEMBER, member), (ADMIN, admin)]
    assert [rule.may(actor) for actor, _ in asked] == [expected for _, expected in asked]
    assert [rule.allows(actor, {}) for actor, _ in asked] == [expected for _, expected in asked]


def test_the_owner_of_a_machine_is_the_member_it_names() -> None:
    rule = owner_of("machine")
    assert rule.allows(MEMBER, HERS)
    assert not rule.allows(ADMIN, HERS)
    assert not rule.allows(MEMBER, THEIRS)
    assert not rule.allows(SUSPENDED, HERS)
    assert not rule.allows(Actor(None, Role.MEMBER), {"machine": Machine("x", "ford", None)})
    assert rule.parameters == {"machine"}


def test_a_machine_of_the_co_ops_is_nobodys() -> None:
    assert not owner_of("machine").allows(Actor(None, Role.ADMIN), THEIRS)


def test_oneself_is_known_by_name_whatever_has_changed_since() -> None:
    rule = oneself("member")
    assert rule.allows(MEMBER, {"member": Member("alice", Role.MEMBER, Share.FULL, zone="Europe/Berlin")})
    assert not rule.allows(MEMBER, {"member": ANN})
    assert not rule.allows(MEMBER, {})
    assert not rule.allows(SUSPENDED, {"member": ALICE})
    assert not rule.may(GUEST)
    assert rule.parameters == {"member"}


def test_rules_combine() -> None:
    either, both = owner_of("machine") | admins, members & ~owner_of("machine")
    assert either.allows(MEMBER, HERS)
    assert either.allows(ADMIN, HERS)
    assert not either.allows(MEMBER, THEIRS)
    assert either.may(MEMBER)
    assert not either.may(GUEST)
    assert both.allows(MEMBER, THEIRS)
    assert not both.allows(MEMBER, HERS)
    assert not both.may(GUEST)
    assert either.parameters == both.parameters == {"machine"}


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (anyone, "anyone"),
        (owner_of("machine") | admins, "the owner of the machine or admins"),
        (oneself("member") | admins | members, "the member in question or admins or members"),
        ((oneself("member") | admins) & members, "(the member in question or admins) and members"),
        (~owner_of("machine"), "anyone but the owner of the machine"),
        (~(members & ~admins), "anyone but (members and anyone but admins)"),
    ],
)
def test_a_rule_says_who_may(rule: Rule, text: str) -> None:
    assert str(rule) == text


def test_rules_are_values() -> None:
    assert owner_of("a") | admins == owner_of("a") | admins
    assert hash(owner_of("a") | admins) == hash(owner_of("a") | admins)
    assert owner_of("a") | admins != owner_of("a") & admins
    assert BY_NAME["members"] is members


@dataclass(frozen=True)
class Case:
    actor: Actor
    machine: Machine


ACTORS = st.sampled_from([GUEST, MEMBER, ADMIN, SUSPENDED])
LEAVES = st.sampled_from([anyone, members, admins, owner_of("machine"), oneself("machine")])
RULES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda a, b: a | b, inner, inner),
        st.builds(lambda a, b: a & b, inner, inner),
        st.builds(lambda a: ~a, inner),
    ),
    max_leaves=6,
)


@given(RULES, ACTORS, st.sampled_from([HERS, THEIRS]))
def test_whom_the_role_half_refuses_the_resource_half_never_allows(
    rule: Rule, actor: Actor, values: dict[str, object]
) -> None:
    assert rule.may(actor) or not rule.allows(actor, values)
