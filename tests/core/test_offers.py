"""Forms: who is offered what, and that what was filled in is said as the line that one would type."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot import Machine, Member, Plugin, Usage, admins, anyone, members, oneself, owner_of
from bot.core import offers
from bot.core.offers import line
from bot.core.registry import Registry, build
from bot.model import FormField, Identity, IdentityKind, Offer
from bot.testing import NETWORK, Chat

plugin = Plugin("forms")


class Number(int):
    """What has candidates, but nobody knows all of them."""


class Broken(int):
    """What cannot be looked up."""


class Slow(int):
    """What takes for ever to be looked up."""


class Many(int):
    """What there is too much of."""


@plugin.converter(Number, candidates=lambda: [Number(3), Number(5)])
async def to_number(word: str) -> Number:
    return Number(word)


def broken() -> list[Broken]:
    raise RuntimeError("no idea")


async def slow() -> list[Slow]:
    await asyncio.Event().wait()
    raise AssertionError


@plugin.converter(Broken, every=broken)
async def to_broken(word: str) -> Broken:
    return Broken(word)


@plugin.converter(Slow, every=slow)
async def to_slow(word: str) -> Slow:
    return Slow(word)


@plugin.converter(Many, every=lambda: map(Many, range(offers.MOST + 1)))
async def to_many(word: str) -> Many:
    return Many(word)


@plugin.command("power", allow=owner_of("machine") | admins)
async def power(machine: Machine, how: Literal["on", "off"] = "on") -> str:
    """Switch a machine."""
    return f"{machine} {how}"


@plugin.command("power off", allow=members)
async def power_off() -> str:
    """Switch all off."""
    return "off"


@plugin.command("give", allow=owner_of("machine") | admins)
async def give(machine: Machine, to: Member) -> str:
    """Give a machine away."""
    return f"{machine} {to}"


@plugin.command("show", allow=members)
async def show(machine: Machine, lines: int = 10) -> str:
    """Show a machine."""
    return f"{machine} {lines}"


@plugin.command("tell", allow=members, private=("text",))
async def tell(member: Member, *, text: str) -> str:
    """Tell somebody something."""
    return f"{member} {text}"


@plugin.command("mine", allow=oneself("member"))
async def mine(member: Member) -> str:
    """Do something of one's own."""
    return str(member)


@plugin.command("guess", allow=anyone)
async def guess(number: Number, broken: Broken, slow: Slow, many: Many, free_text: str = "") -> str:
    """Guess."""
    return f"{number} {broken} {slow} {many} {free_text}"


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    async with Chat.open(tmp_path, [plugin]) as chat:
        yield chat


async def offered(chat: Chat, who: str | None) -> dict[str, Offer]:
    identity = Identity(NETWORK, IdentityKind.IRC_ACCOUNT, who) if who else None
    asking = asyncio.ensure_future(chat.crew.pipeline.offers(identity))
    while not asking.done():
        await chat.clock.advance(0.5)
        await asyncio.sleep(0.001)  # the roster is read in a thread
    return {offer.command: offer for offer in await asking}


async def test_each_is_offered_what_they_may_use(chat: Chat) -> None:
    guests, alices, anns = [set(await offered(chat, who)) for who in (None, "alice", "ann")]
    assert "guess" in guests
    assert not {"show", "tell", "plugin reload"} & guests
    assert {"show", "tell", "power", "power off"} <= alices
    assert "plugin reload" in anns - alices
    assert set(await offered(chat, "zed")) == guests


async def test_who_answers_a_question_does_so_in_its_form(chat: Chat) -> None:
    assert {"yes", "no"} <= set(chat.crew.registry.commands)
    assert not {"yes", "no"} & set(await offered(chat, "ann"))


async def test_the_choices_are_what_the_rule_allows(chat: Chat) -> None:
    alices, anns = await offered(chat, "alice"), await offered(chat, "ann")
    how = FormField("how", "how", required=False, choices=("on", "off"))
    machine = FormField("machine", "machine", required=True, choices=("ford-3",))
    assert alices["power"] == Offer("power", "Switch a machine.", (machine, how), frozenset({"off"}))
    assert anns["power"].fields[0].choices == ("ford-1", "ford-3", "ford-9")
    assert alices["show"].fields == (
        FormField("machine", "machine", required=True, choices=("ford-1", "ford-3", "ford-9")),
        FormField("lines", "lines", required=False),
    )
    assert [part.choices for part in alices["give"].fields] == [("ford-3",), ("abe", "alice", "ann", "bob")]
    assert alices["mine"].fields[0].choices == ("alice",)
    assert alices["tell"].fields == (
        FormField("member", "member", required=True, choices=("abe", "alice", "ann", "bob")),
        FormField("text", "text", required=True, rest=True, private=True),
    )


async def test_what_one_has_nothing_for_is_not_offered(chat: Chat) -> None:
    await chat.store.write(lambda tx: tx.db.execute("UPDATE machines SET owner = 'bob'"))
    alices = await offered(chat, "alice")
    assert "power" not in alices
    assert "show" in alices


async def test_what_cannot_be_found_is_typed(chat: Chat) -> None:
    fields = (await offered(chat, None))["guess"].fields
    assert [part.choices for part in fields] == [("3", "5"), (), (), (), ()]
    assert fields[-1] == FormField("free_text", "free text", required=False)
    causes = [str(error) for error, _, _ in chat.incidents.reported]
    assert causes == ["no idea", "slow did not end within 2 s"]


async def test_nothing_is_offered_where_even_the_roster_fails(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("the roster is away")

    monkeypatch.setattr(type(chat.crew.pipeline.roster), "holder", fail)
    assert await offered(chat, "alice") == {}
    assert chat.incidents.reported[0][1] == "offering commands to net:alice"


async def test_a_line_from_a_form_is_answered_as_in_chat(chat: Chat) -> None:
    offer = (await offered(chat, "alice"))["power"]
    said = line(offer, {"machine": "ford-3", "how": "off"})
    assert said == "power ford-3 off"
    assert await chat.say("alice", f"!{said}") == "ford-3 off"


# --- from a form to a line

TALK = Plugin("talk")


@TALK.command("one", allow=anyone)
async def one(first: str, second: str = "", *, rest: str = "") -> str:
    """Take two words and the rest."""
    return first + second + rest


@TALK.command("one list", allow=anyone)
async def one_list() -> str:
    """Be another command."""
    return ""


@TALK.command("all", allow=anyone)
async def everything(*, rest: str = "") -> str:
    """Take the rest."""
    return rest


@TALK.command("all list", allow=anyone)
async def all_list(word: str = "") -> str:
    """Be another command."""
    return word


FIRST = FormField("first", "first", required=True)
SECOND = FormField("second", "second", required=False)
REST = FormField("rest", "rest", required=False, rest=True)
ONE = Offer("one", "", (FIRST, SECOND, REST), frozenset({"list"}))
ALL = Offer("all", "", (REST,), frozenset({"list"}))
LISTED = Offer("all list", "", (FormField("word", "word", required=False),))
REGISTRY: Registry = build([TALK], frozenset())


def arrives(said: str) -> tuple[str, dict[str, object]]:
    """What the road makes of a line."""
    found = REGISTRY.find(said)
    assert found is not None
    bound, words = found
    return bound.name, asyncio.run(bound.converter.convert(words, {}))


def attempt(offer: Offer, values: Mapping[str, str]) -> str | Usage:
    try:
        return line(offer, values)
    except Usage as refused:
        return refused


def is_plain(offer: Offer, values: Mapping[str, str]) -> bool:
    """Whether surely all of it can be typed: printable, no quotes, nothing left out in between."""
    filled = [values[part.name] for part in offer.fields]
    gaps = any(later and not value for value, later in pairwise(filled))
    other = offer.fields[0].rest and filled[0].casefold().split()[:1] == ["list"]
    return not gaps and not other and all(v.isprintable() and '"' not in v for v in filled)


texts = st.text(max_size=20) | st.text(st.sampled_from("ab\" \u00a0'\\"), max_size=8) | st.just("LIST")


@given(offer=st.sampled_from((ONE, ALL, LISTED)), values=st.lists(texts, min_size=3, max_size=3))
@example(ONE, ["list", "", ""])
@example(ONE, ['"a', 'b"', ""])
@example(ONE, ['a"b', 'c"', 'd "e f"'])
@example(ONE, ["a", '"', '" x'])
def test_what_can_be_said_arrives_as_it_was_filled_in(offer: Offer, values: list[str]) -> None:
    filled = {part.name: value for part, value in zip(offer.fields, values, strict=False)}
    wanted = {name: value.strip() for name, value in filled.items()}
    said = attempt(offer, filled)
    if isinstance(said, Usage):
        assert any(str(said).startswith(part.label) for part in offer.fields)
        assert not is_plain(offer, wanted)
    elif offer.fields[0].required and not any(wanted.values()):
        assert said == offer.command
    else:
        assert arrives(said) == (offer.command, wanted)


@pytest.mark.parametrize(
    ("offer", "values", "said"),
    [
        (ONE, {"first": "a", "second": "b", "rest": "c  d "}, "one a b c  d"),
        (ONE, {"first": " a b ", "second": "c"}, 'one "a b" c'),
        (ONE, {"first": "List"}, 'one "List"'),
        (ONE, {"first": "a", "second": "list"}, "one a list"),
        (ONE, {"first": "isn't", "rest": ""}, "one isn't"),
        (ONE, {"first": 'in"ch'}, 'one in"ch'),
        (ONE, {}, "one"),
        (ALL, {"rest": 'say "it" twice'}, 'all say "it" twice'),
        (LISTED, {"word": "x", "unknown": "y"}, "all list x"),
    ],
)
def test_the_line_is_the_one_that_one_would_type(offer: Offer, values: dict[str, str], said: str) -> None:
    assert line(offer, values) == said


@pytest.mark.parametrize(
    ("offer", "values", "why"),
    [
        (ONE, {"second": "b"}, "first is missing."),
        (ONE, {"first": "a", "rest": "c"}, "second is missing."),
        (ONE, {"first": 'a "b'}, "first cannot be typed, as it has a quotation mark."),
        (ONE, {"first": "a", "rest": "b\nc", "second": "x"}, "rest is more than one line"),
        (ONE, {"first": "a\x00b"}, "first is more than one line, or has signs that cannot be typed."),
        (ALL, {"rest": "list of wishes"}, "rest cannot begin so: all list of wishes is another command."),
    ],
)
def test_what_cannot_be_said_names_the_field(offer: Offer, values: dict[str, str], why: str) -> None:
    with pytest.raises(Usage, match=re.escape(why)):
        line(offer, values)
