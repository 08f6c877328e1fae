import pytest

from bench.arithmetic import Figures, Tally, medians, quantile, table, tally


@pytest.mark.parametrize(
    ("values", "part", "expected"),
    [([], 0.5, None), ([3.0], 0.99, 3.0), ([3.0, 1.0, 2.0], 0.5, 2.0), ([4.0, 3.0, 2.0, 1.0], 0.5, 2.0)],
)
def test_a_quantile_is_one_of_the_values(values: list[float], part: float, expected: float | None) -> None:
    assert quantile(values, part) == expected


def test_the_99th_of_300_leaves_three_out() -> None:
    assert quantile([float(number) for number in range(1, 301)], 0.99) == 297


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        ([1, 2, 3, 4], Tally(4, 0, 0, 0)),
        ([2, 1, 4, 3], Tally(4, 0, 0, 0)),
        ([3, 1, 2, 4], Tally(4, 0, 0, 1)),
        ([1, 1, 2, 1], Tally(2, 2, 2, 0)),
        ([9, 4], Tally(1, 3, 0, 0)),
        ([], Tally(0, 4, 0, 0)),
    ],
)
def test_answers_are_told_as_lost_doubled_and_out_of_each_speakers_order(
    heard: list[int], expected: Tally
) -> None:
    assert tally([[1, 3], [2, 4]], heard) == expected


def test_a_median_is_over_the_rounds_that_have_the_figure() -> None:
    rounds: list[Figures] = [{"a": 1.0, "b": 1.0}, {"a": 5.0, "b": None}, {"a": 2.0}]
    assert medians(rounds) == {"a": 2.0, "b": None}
    assert medians([]) == {}


def test_a_table_has_its_first_column_on_the_left_and_the_others_on_the_right() -> None:
    assert table([["", "raw"], ["lost", "0"], ["x", "1,000"]]) == (
        "        raw\n-----------\nlost      0\nx     1,000"
    )
