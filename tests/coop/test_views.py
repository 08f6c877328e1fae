import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.coop import views
from bot.coop.views import View, sparkline, view
from bot.errors import Usage

VALUES = st.lists(st.none() | st.integers(0, 2**70) | st.floats(0, 1e30))


def test_the_examples_of_views_are_true() -> None:
    result = doctest.testmod(views)
    assert result.attempted
    assert result.failed == 0


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ((None, None, None), View()),
        (("week", None), View(None, "week")),
        (("Ford", "MONTH", "ascii"), View("Ford", "month", ascii=True)),
        (("ascii", "ford", "today"), View("ford", "today", ascii=True)),
    ],
)
def test_words_come_in_any_place(words: tuple[str | None, ...], wanted: View) -> None:
    assert view(*words) == wanted


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("week", "today"), "One time is enough, not week and today."),
        (("week", "week"), "One time is enough, not week and week."),
        (("ford", "zaphod"), "One name is enough, not ford and zaphod."),
    ],
)
def test_too_many_words_are_named(words: tuple[str, ...], fault: str) -> None:
    with pytest.raises(Usage) as raised:
        view(*words)
    assert str(raised.value) == fault


@given(VALUES)
def test_each_value_has_one_sign(values: list[float | None]) -> None:
    bars, plain = sparkline(values), sparkline(values, ascii=True)
    assert len(bars) == len(plain) == len(values)
    assert plain.isascii()
    assert [sign == views.GAP for sign in bars] == [value is None for value in values]
    if any(values):
        assert "█" in bars


@given(st.lists(st.integers(0, 2**70), min_size=2))
def test_bars_rise_with_the_values(values: list[int]) -> None:
    assert list(sparkline(sorted(values))) == sorted(sparkline(values))


def test_nothing_is_a_row_of_the_lowest_bars() -> None:
    assert (sparkline([0, 0]), sparkline([])) == ("▁▁", "")
