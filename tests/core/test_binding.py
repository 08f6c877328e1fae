from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, Optional

import pytest

from bot.coop.machines import Machine
from bot.coop.people import Member
from bot.coop.shares import Share
from bot.core.binding import Kind, Parameter, bind, bind_services, inject
from bot.core.converters import BUILT_IN, by_target
from bot.core.plugin import Function
from bot.errors import PluginError
from bot.ports import Clock, Store

if TYPE_CHECKING:
    from decimal import Decimal

SERVICES = frozenset[type]({Store, Clock})
CONVERTERS = by_target(BUILT_IN)


def words_of(handler: Function) -> tuple[Parameter, ...]:
    return bind(handler, SERVICES, CONVERTERS, where="plugin x: !y").words


def usage_of(handler: Function) -> str:
    return bind(handler, SERVICES, CONVERTERS, where="plugin x: !y").usage


def fault_of(handler: Function) -> str:
    with pytest.raises(PluginError) as caught:
        bind(handler, SERVICES, CONVERTERS, where="plugin x: !y")
    text = str(caught.value)
    assert text.startswith("plugin x: !y: ")
    assert "\n" not in text
    return text.removeprefix("plugin x: !y: ")


def test_services_are_injected_and_the_rest_are_words() -> None:
    def handler(store: Store, machine: Machine, clock: Clock | None = None, *, text: str) -> None: ...

    signature = bind(handler, SERVICES, CONVERTERS, where="")
    assert [p.name for p in signature.services] == ["store", "clock"]
    assert [(p.name, p.kind) for p in signature.words] == [("machine", Kind.WORD), ("text", Kind.REST)]
    services: dict[type, object] = {Store: "the store", Clock: "the clock"}
    assert inject(signature, services) == {"store": "the store", "clock": "the clock"}


def test_usage_comes_from_the_signature() -> None:
    def run(machine: Machine, lines: int = 10, *, command_line: str = "") -> None: ...
    def switch(state: Literal["on", "off"], share: Share | None = None) -> None: ...

    assert usage_of(run) == "MACHINE [LINES] [COMMAND-LINE…]"
    assert usage_of(switch) == "on|off [full|half]"
    assert usage_of(lambda: None) == ""


def test_an_optional_annotation_is_that_of_its_value() -> None:
    def handler(
        old: Optional[Member] = None,  # noqa: UP045 - the old way of writing it is another type
        new: "Member | None" = None,
        *,
        rest: str | None = None,
    ) -> None: ...

    old, new, rest = words_of(handler)
    assert old.annotation is new.annotation is Member
    assert (rest.kind, rest.annotation, rest.required) == (Kind.REST, str, False)


class Shouted(StrEnum):
    YES = "YES"


def unannotated(thing, count: int) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001 - what is tested
def starred(*words: str) -> None: ...
def double_starred(**words: str) -> None: ...
def unknown(path: bytes) -> None: ...
def union(thing: int | Member) -> None: ...
def positional(machine: Machine, /) -> None: ...
def rest_of_machines(*, machine: Machine) -> None: ...
def two_rests(*, one: str, two: str) -> None: ...
def after_optional(lines: int = 3, *, command: str) -> None: ...
def type_checking(amount: "Decimal") -> None: ...
def misspelt(amount: "bot.Machien") -> None: ...  # type: ignore[name-defined]  # noqa: F821 - what is tested
def broken(amount: "int |") -> None: ...  # type: ignore[valid-type]  # noqa: F722 - what is tested
def no_type(amount: [int]) -> None: ...  # type: ignore[misc, valid-type]  # what is tested
def shouted(answer: Shouted) -> None: ...
def spaced(answer: Literal["a b"]) -> None: ...
def numbers(answer: Literal[1, 2]) -> None: ...
def anything(answer: Any) -> None: ...  # noqa: ANN401 - what is tested


@pytest.mark.parametrize(
    ("handler", "fault"),
    [
        (unannotated, "parameter thing has no annotation"),
        (starred, "parameter words: * and ** cannot be filled"),
        (double_starred, "parameter words: * and ** cannot be filled"),
        (unknown, "parameter path: no converter and no service for bytes"),
        (union, "parameter thing: no converter and no service for int | bot.coop.people.Member"),
        (positional, "parameter machine: it is filled by name, so no / behind it"),
        (rest_of_machines, "parameter machine: the rest of the line is a str"),
        (two_rests, "only one parameter can be the rest of the line, not one and two"),
        (after_optional, "parameter command is required but follows lines, which is not"),
        (type_checking, "name 'Decimal' is not defined: import it outside `if TYPE_CHECKING`"),
        (misspelt, "name 'bot' is not defined: import it outside `if TYPE_CHECKING`"),
        (broken, "its annotations cannot be read: Forward reference must be an expression -- got 'int |'"),
        (no_type, "parameter amount: [<class 'int'>] is no type"),
        (shouted, "parameter answer: its choices are not all words in lower case"),
        (spaced, "parameter answer: its choices are not all words in lower case"),
        (numbers, "parameter answer: no converter and no service for Literal"),
        (anything, "parameter answer: no converter and no service for Any"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_wrong_handler_is_named_in_one_line(handler: Function, fault: str) -> None:
    assert fault_of(handler) == fault


def test_what_only_gets_services_must_ask_for_services_only() -> None:
    def listener(event: Machine, clock: Clock) -> None: ...
    def with_words(event: Machine, name: str) -> None: ...
    def idle() -> None: ...

    assert [p.name for p in bind_services(listener, SERVICES, skip=1, where="x").parameters] == ["clock"]
    with pytest.raises(PluginError, match="x: parameter name: no service for str"):
        bind_services(with_words, SERVICES, skip=1, where="x")
    with pytest.raises(PluginError, match="x: idle takes no word to convert"):
        bind_services(idle, SERVICES, skip=1, where="x")
