import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.coop.machines import Machine
from bot.coop.people import Member, Role
from bot.coop.shares import Share
from bot.core.binding import bind
from bot.core.confirm import check, parameters, render
from bot.core.converters import BUILT_IN, by_target
from bot.errors import PluginError


def handler(
    machine: Machine,
    member: Member,
    share: Share,
    label: str | None = None,
    days: int = 3,
    *,
    why: str = "no reason",
) -> None: ...


SIGNATURE = bind(handler, frozenset(), by_target(BUILT_IN), where="test")


@pytest.mark.parametrize(
    "template",
    [
        "Sure?",
        "Stop {machine.name}?",
        "{machine} of {machine.owner}, {{really}}? {why} {days}",
        "{member.is_admin}",
    ],
)
def test_what_can_be_filled_is_accepted(template: str) -> None:
    check(template, SIGNATURE, "x")
    values: dict[str, object] = dict.fromkeys(("why", "days"), "given")
    values |= {"machine": Machine("ford-3", "ford"), "member": Member("ann", Role.ADMIN, Share.FULL)}
    assert render(template, values)


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("Stop {machine", "x: confirm 'Stop {machine': expected '}' before end of string"),
        ("Stop {}?", "x: confirm: {} is no parameter"),
        ("Stop {0}?", "x: confirm: {0} is no parameter"),
        ("Stop {machin}?", "x: confirm: {machin} is no parameter"),
        ("{machine[0]}", "x: confirm: {machine[0]} is no parameter"),
        ("{machine!r}", "x: confirm: {machine} takes no format and no conversion"),
        ("{days:>9}", "x: confirm: {days} takes no format and no conversion"),
        ("{machine.nam}", "x: confirm: {machine.nam}: Machine has no attribute nam"),
        ("{machine.__class__}", "x: confirm: {machine.__class__}: Machine has no attribute __class__"),
        ("{machine.mro}", "x: confirm: {machine.mro}: Machine has no attribute mro"),
        ("{machine.name.upper}", "x: confirm: {machine.name.upper}: only one attribute deep"),
        ("{member.}", "x: confirm: {member.}: Member has no attribute "),
        ("{why.upper}", "x: confirm: {why.upper}: str has no attribute upper"),
        ("{label}", "x: confirm: {label} may be left out; give it a default to show"),
    ],
)
def test_a_wrong_template_does_not_load(template: str, fault: str) -> None:
    with pytest.raises(PluginError) as caught:
        check(template, SIGNATURE, "x")
    assert str(caught.value) == fault


def test_choices_have_no_attributes() -> None:
    from typing import Literal  # noqa: PLC0415 - only here

    def switch(state: Literal["on", "off"]) -> None: ...

    with pytest.raises(PluginError, match="has no attribute name"):
        check("{state.name}", bind(switch, frozenset(), {}, where="test"), "x")


def test_a_template_tells_what_it_shows() -> None:
    assert parameters("{machine.name} {machine.host} {{x}} {why}") == {"machine", "why"}
    assert parameters("Sure?") == frozenset()


def test_values_are_shown_as_people_say_them() -> None:
    values = {"machine": Machine("ford-9", "ford"), "share": Share.HALF, "days": 3}
    text = render("{machine} of {machine.owner}: {share}, {machine.share}, {{days}} {days}", values)
    assert text == "ford-9 of the co-op: half, full, {days} 3"


@given(st.text())
def test_what_people_typed_is_text_and_no_format(why: str) -> None:
    assert render("[{why}]", {"why": why}) == f"[{why}]"
