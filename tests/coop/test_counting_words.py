"""Ballots as people write them: what is read, and how each wrong word is named."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.coop.counting import choice, offered, options, ranking
from bot.coop.counting.ballots import approvals, first, sheet, shown, strict
from bot.errors import Usage

Readers = dict[str, Callable[[], object]]
ABC = options(["A", "B", "C"])
NAMES = options(["Anna Berg", "anna", "Bo"])


def wrong(pattern: str) -> "pytest.RaisesExc[Usage]":
    return pytest.raises(Usage, match=f"^{re.escape(pattern)}$")


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("B>A=C", ((1,), (0, 2))),
        ("B > C = A", ((1,), (0, 2))),
        ("b>a", ((1,), (0,))),
        ("C", ((2,),)),
        ("A=C=B", ((0, 1, 2),)),
        ("\uff21>B", ((0,), (1,))),  # full-width A
    ],
)
def test_a_ranking(text: str, groups: tuple[tuple[int, ...], ...]) -> None:
    assert ranking(text, ABC) == groups


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "the ballot is empty"),
        ("  ", "the ballot is empty"),
        ("1-2", "“1-2” is no option (A, B, C)"),
        ("A>yse", "“yse” is no option (A, B, C)"),
        ("A>A", "“A” stands there twice"),
        ("A=B>C=B", "“B” stands there twice"),
        ("A>>B", "an option is missing"),
        ("A>", "an option is missing"),
        ("A=", "an option is missing"),
        ("A,B", "“A,B” is no option (A, B, C)"),
        ("\u0410>B", "“\u0410” only looks like “A”: it has U+0410 CYRILLIC CAPITAL LETTER A"),
        ("A\u200b", "“A\u200b” only looks like “A”: it has U+200B ZERO WIDTH SPACE"),
        ("x" * 99, f"“{'x' * 40}…” is no option (A, B, C)"),
    ],
)
def test_a_wrong_word_of_a_ranking_is_named(text: str, fault: str) -> None:
    with wrong(fault):
        ranking(text, ABC)


def test_an_approval() -> None:
    assert approvals("C, a", ABC) == (0, 2)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "the ballot is empty"),
        ("A,", "an option is missing"),
        ("A,a", "“A” stands there twice"),
        ("A>B", "“A>B” is no option (A, B, C)"),
    ],
)
def test_a_wrong_word_of_an_approval_is_named(text: str, fault: str) -> None:
    with wrong(fault):
        approvals(text, ABC)


def test_a_choice() -> None:
    assert [choice(text) for text in ("yes", " NO ", "Abstain")] == ["yes", "no", "abstain"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("yse", "“yse” is no choice (yes, no, abstain)"),
        ("", "the ballot is empty"),
        ("y", None),
        ("+1", None),
    ],
)
def test_a_wrong_choice_is_named(text: str, fault: str | None) -> None:
    with wrong(fault or f"“{text}” is no choice (yes, no, abstain)"):
        choice(text)


def test_names_are_found_in_any_case_unless_case_tells_them_apart() -> None:
    assert NAMES.find("anna  berg") == 0
    assert NAMES.find("ANNA") == 1
    both = options(["a", "A"])
    assert (both.find("a"), both.find("A"), len(both)) == (0, 1, 2)
    with wrong("“\uff41” only looks like “a”: it has U+FF41 FULLWIDTH LATIN SMALL LETTER A"):
        both.find("\uff41")


def test_an_option_may_have_a_short_name_too() -> None:
    of = options(["A", "None of the above"]).called("none", "None of the above")
    assert ranking("A > NONE", of) == ((0,), (1,))
    taken = options(["None", "None of the above"]).called("none", "None of the above")
    assert taken.find("NONE") == 0


def test_only_some_of_many_options_are_listed() -> None:
    with wrong("“x” is no option (o0, o1, o2, o3, o4, o5, o6, o7, ...)"):
        options([f"o{n}" for n in range(9)]).find("x")
    with wrong(f"“x” is no option ({'y' * 40}…)"):
        options(["y" * 50]).find("x")


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        ([], "there are no options"),
        (["A"] * 101, "101 options are too many: at most 100"),
        (["A", " "], "option 2 has no name"),
        (["A", " A "], "option “ A ” stands there twice"),
        (["A>B"], "option “A>B” has a “>”, which parts options"),
        (["A", "B=C"], "option “B=C” has a “=”, which parts options"),
        (["Berg, Anna"], "option “Berg, Anna” has a “,”, which parts options"),
    ],
)
def test_what_cannot_be_an_option(names: list[str], fault: str) -> None:
    with wrong(fault):
        options(names)


def test_where_a_comma_parts_nothing_a_name_may_hold_it() -> None:
    of = options(["Berg, Anna", "Bo"], signs=">=")
    assert ranking("Bo>Berg, Anna", of) == ((1,), (0,))


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        (["A", "\u0410"], "the options “A” and “\u0410” look alike"),
        (["Anna", "anna"], "the options “Anna” and “anna” look alike"),
        (["\xc5sa", "Asa"], "the options “\xc5sa” and “Asa” look alike"),
        (["Abstain"], "no option can be named “Abstain”: it is a word of the ballot"),
        (["n\u043e"], "no option can be named “n\u043e”: it is a word of the ballot"),
        (["retract"], "no option can be named “retract”: it is a word of the ballot"),
        (["A", "A=C"], "option “A=C” has a “=”, which parts options"),
    ],
)
def test_what_a_motion_cannot_offer(names: list[str], fault: str) -> None:
    with wrong(fault):
        offered(names)


def test_what_a_motion_can_offer() -> None:
    assert offered(["Anna", "Bo", "None of the above"]).names == ("Anna", "Bo", "None of the above")


@pytest.mark.parametrize(
    ("text", "kept"),
    [("A>C>B", (0, 2, 1)), ("A", (0,)), ("A>B=C", (0,)), ("A=B=C", ())],
)
def test_a_strict_ranking(text: str, kept: tuple[int, ...]) -> None:
    assert strict(ranking(text, ABC), ABC) == kept


@pytest.mark.parametrize(("text", "equal"), [("A=B>C", "A=B"), ("B=C", "B=C"), ("B=A", "A=B")])
def test_equal_ranks_are_named_where_they_cannot_be_counted(text: str, equal: str) -> None:
    with wrong(f"“{equal}” rank equally, which this method cannot count"):
        strict(ranking(text, ABC), ABC)


def test_the_first_choice_of_a_ranking() -> None:
    assert [first(ranking(text, ABC), ABC) for text in ("B", "C>A=B", "A>B>C")] == [1, 2, 0]
    with wrong("“A=B” share the first place: name one option"):
        first(ranking("A=B>C", ABC), ABC)


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("231", ((2,), (0,), (1,))),
        ("1-2", ((0,), (2,))),
        ("---", ()),
        ("115", ((0, 1), (2,))),
        (" 91A ", ((1,), (0,), (2,))),
        ("zAa", ((1, 2), (0,))),
    ],
)
def test_a_tally_sheets_line(text: str, groups: tuple[tuple[int, ...], ...]) -> None:
    assert sheet(text, 3) == groups


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("12", "“12” has 2 ranks for 3 options"),
        ("1234", "“1234” has 4 ranks for 3 options"),
        ("", "the ballot is empty"),
        ("1 2", "“ ” in “1 2” is no rank (1-9, A-Z or -)"),
        ("102", "“0” in “102” is no rank (1-9, A-Z or -)"),
        ("1\u0662-", "“\u0662” in “1\u0662-” is no rank (1-9, A-Z or -)"),
        ("1>2", "“>” in “1>2” is no rank (1-9, A-Z or -)"),
    ],
)
def test_a_wrong_rank_of_a_tally_sheet_is_named(text: str, fault: str) -> None:
    with wrong(fault):
        sheet(text, 3)


def test_words_are_shown_short() -> None:
    assert shown("a" * 41) == f"“{'a' * 41}”"
    assert shown("a" * 42) == f"“{'a' * 40}…”"


@given(st.text(max_size=20), st.sampled_from(["ranking", "approval", "sheet", "choice"]))
def test_any_words_are_read_or_refused(text: str, how: str) -> None:
    read: Readers = {
        "ranking": lambda: ranking(text, ABC),
        "approval": lambda: approvals(text, ABC),
        "sheet": lambda: sheet(text, 3),
        "choice": lambda: choice(text),
    }
    try:
        found: object = read[how]()
    except Usage as refused:
        found = str(refused)
    assert found or found == ()


@given(st.permutations(range(5)), st.lists(st.sampled_from(">="), min_size=4, max_size=4), st.integers(1, 5))
def test_what_is_written_is_what_is_read(order: list[int], signs: list[str], length: int) -> None:
    of = options(["Anna Berg", "Bo", "c", "D", "None of the above"])
    words = [of.names[n] for n in order[:length]]
    text = words[0] + "".join(f" {sign} {word}" for sign, word in zip(signs, words[1:], strict=False))
    read = ranking(text, of)
    assert read == tuple(tuple(sorted(group)) for group in _groups(order[:length], signs))


def _groups(order: list[int], signs: list[str]) -> list[list[int]]:
    groups = [[order[0]]]
    for option, sign in zip(order[1:], signs, strict=False):
        if sign == ">":
            groups.append([option])
        else:
            groups[-1].append(option)
    return groups


def test_the_published_sheets_hold_no_line_that_is_refused() -> None:
    for path in (Path(__file__).parent / "votes" / "debian").glob("*.json"):
        vote = json.loads(path.read_text("utf-8"))
        assert all(sheet(text, len(vote["options"])) is not None for text in vote["ballots"])
