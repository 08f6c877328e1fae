import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.charts.shapes import extent, gaps, is_beside, is_sum, joined, thinned
from bot.charts.wire import CURVES, LIMITS, POINTS, plain, read, write
from bot.coop.charts import Chart, Curve, Limit
from bot.errors import Fault
from tests.charts.conftest import load, month


def test_a_chart_arrives_as_it_was() -> None:
    assert read(write(month(0.6))) == month(0.6)


def test_what_cannot_be_drawn_is_left_out() -> None:
    chart = load((1, math.nan, math.inf, 1e300, None, 2))
    chart = replace(chart, limits=(Limit("a", math.nan), *(Limit("b", float(n)) for n in range(9))))
    chart = replace(chart, curves=chart.curves * 20)
    found = read(write(chart))
    assert found.curves[0].points == (1.0, None, None, None, None, 2.0)
    assert [limit.value for limit in found.limits] == [0.0, 1.0, 2.0]
    assert (len(found.curves), LIMITS) == (CURVES, 4)


def test_too_much_is_refused_before_it_is_sent() -> None:
    with pytest.raises(Fault, match="more than 50,000 values"):
        write(load((1.0,) * (POINTS + 1)))


@pytest.mark.parametrize(
    ("change", "error"),
    [({"step": 0}, ValueError), ({"curves": [{"name": "x", "points": [], "style": "exec"}]}, ValueError)],
)
def test_what_is_no_chart_is_refused(change: dict[str, object], error: type[Exception]) -> None:
    found = json.loads(write(month(0.6))) | change
    with pytest.raises(error):
        read(json.dumps(found).encode())


@given(st.text(), st.integers(1, 40))
def test_any_text_becomes_one_short_printable_line(text: str, most: int) -> None:
    made = plain(text, most)
    assert len(made) <= most
    assert made.isprintable()
    assert plain(made, most) == made


def test_words_are_cleaned_on_their_way() -> None:
    made = read(write(replace(month(0.6), title="a\x1b[31mb\nc\u202ed" + "x" * 99)))
    assert made.title.startswith("a [31mb c dxxx")
    assert made.title.endswith("…")


def test_bars_stand_upon_each_other_and_a_limit_has_room() -> None:
    bars = (Curve("a", (1.0, 2.0), "bars"), Curve("b", (3.0, None), "bars"))
    assert extent(bars, ()) == (0.0, 4.0)
    assert extent(bars, (5.0,)) == pytest.approx((0.0, 5.4))
    assert extent((), ()) == (0.0, 1.0)
    assert extent((Curve("c", (-2.0, -1.0)),), ()) == (-2.0, 1.0)


def test_gaps_lie_between_what_was_measured() -> None:
    assert gaps((Curve("a", (None, 1, None, None, 2, 3, None, 4, None)),), 9) == [(2, 4), (6, 7)]
    assert gaps((Curve("a", (1, None)), Curve("b", (None, 1, 1))), 3) == []
    assert gaps((Curve("a", (1, None, None)), Curve("b", (None, None, 1), "dashed")), 3) == []


def test_a_projection_begins_where_the_line_ends() -> None:
    sofar = Curve("so far", (1.0, 2.0, None, None))
    assert joined(Curve("p", (None, None, 3.0, 4.0), "dashed"), sofar) == (None, 2.0, 3.0, 4.0)
    assert joined(Curve("p", (None, None, None, 4.0), "dashed"), sofar) == (None, None, None, 4.0)
    assert joined(Curve("p", (None, None, 3.0)), sofar) == (None, None, 3.0)


def test_a_peak_goes_beside_its_mean_and_a_projection_does_not() -> None:
    mean = Curve("load", (1.0, 2.0, None, 1.0))
    assert is_beside(Curve("peak", (2.0, 3.0, None, 2.0), "dashed"), mean)
    assert not is_beside(Curve("peak", (2.0, 3.0, None, 2.0)), mean)
    assert not is_beside(Curve("projected", (None, 2.0, 3.0), "dashed"), mean)
    assert not is_beside(Curve("projected", (None, None, 3.0, None, 4.0), "dashed"), mean)


def test_more_points_than_can_be_seen_become_means() -> None:
    chart = replace(load((1.0, 2.0, None, 4.0, None, None, 7.0)), limits=(Limit("limit", 3.0),))
    chart = replace(chart, running=(Curve("peak", (1.0, 5.0, 2.0), "dashed"),))
    thin = thinned(chart, 4)
    assert thin.curves[0].points == (1.5, 4.0, None, 7.0)
    assert thin.running[0].points == (5.0, 2.0)
    assert (thin.step, thin.limits) == (2 * chart.step, chart.limits)
    assert thinned(chart, 7) == chart
    assert thinned(month(0.6), 4) == month(0.6)


def test_a_sum_never_falls() -> None:
    assert is_sum(Curve("a", (1.0, None, 1.0, 2.0)))
    assert not is_sum(Curve("a", (2.0, 1.0)))
    assert not is_sum(Curve("a", (None,)))


def test_the_house_has_no_chart_without_a_step() -> None:
    with pytest.raises(ValueError, match="a second or more"):
        read(write(Chart(title="", unit="", start=0, step=0, zone="UTC", curves=())))
