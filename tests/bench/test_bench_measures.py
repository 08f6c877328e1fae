import pytest

from bench.measures import MEASURES, Goal, curve, report, verdict

JOIN = next(measure for measure in MEASURES if measure.key == "join_s")
PROVEN = next(measure for measure in MEASURES if measure.key == "proven_p50_ms")
ANSWER = next(measure for measure in MEASURES if measure.key == "answer_s")


@pytest.mark.parametrize(
    ("goal", "figure", "floor", "met"),
    [
        (Goal(5), 5.0, None, True),
        (Goal(5), 5.1, None, False),
        (Goal(5), None, None, False),
        (Goal(5, at_least=True), 5.0, None, True),
        (Goal(5, at_least=True), 4.9, None, False),
        (Goal(5, at_least=True), None, None, False),
        (Goal(2, times_floor=True), 1.0, 0.5, True),
        (Goal(2, times_floor=True), 1.1, 0.5, False),
        (Goal(2, times_floor=True), 1.0, None, None),
    ],
)
def test_a_goal_is_met_or_missed(
    goal: Goal,
    figure: float | None,
    floor: float | None,
    met: bool | None,  # noqa: FBT001 - a table's column
) -> None:
    assert goal.is_met(figure, floor) is met


def test_a_goal_says_how_it_is_meant() -> None:
    assert [str(goal) for goal in (Goal(6000, at_least=True), Goal(1.8, times_floor=True))] == [
        ">= 6,000",
        "<= 1.8 x irc",
    ]


def test_a_miss_is_plain_and_what_was_not_measured_has_no_verdict() -> None:
    assert verdict(JOIN, {"irc": {"join_s": 0.1}, "shipboard": {"join_s": 0.3}}) == "MISSED"
    assert verdict(JOIN, {"irc": {"join_s": 0.1}, "shipboard": {"join_s": 0.2}}) == "met"
    assert verdict(JOIN, {"shipboard": {"join_s": 0.2}}) == "?"
    assert verdict(JOIN, {"irc": {"join_s": 0.1}}) == ""
    assert verdict(ANSWER, {"shipboard": {"answer_s": 0.2}}) == ""


def test_proven_members_are_held_against_the_same_floor() -> None:
    assert verdict(PROVEN, {"irc": {"p50_ms": 1.0}, "shipboard": {"proven_p50_ms": 1.9}}) == "MISSED"


def test_the_report_sets_bots_side_by_side_and_leaves_out_what_nobody_has() -> None:
    text = report({"irc": {"join_s": 0.1}, "shipboard": {"join_s": 0.3, "p50_ms": None}})
    head, _, join, latency = text.splitlines()
    assert head.split() == ["irc", "shipboard", "goal"]
    assert join.split()[-7:] == ["0.100", "0.300", "<=", "2.5", "x", "irc", "MISSED"]
    assert latency.split()[3:5] == ["-", "none"]


def test_a_curve_has_a_row_for_each_size() -> None:
    assert curve([]) == ""
    assert curve([{"rows": 1000, "verify, s": 0.02}]).splitlines()[2].split() == ["1,000", "0.020"]


def test_every_measure_has_its_own_key() -> None:
    keys = [measure.key for measure in MEASURES]
    assert len(keys) == len(set(keys))
