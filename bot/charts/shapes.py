"""What is worked out of a chart's values before anything is drawn."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import fmean

from bot.coop.charts import Chart, Curve

_TWO = 2


def extent(curves: Iterable[Curve], limits: Sequence[float]) -> tuple[float, float]:
    """Return the lowest and highest number of an axis, bars upon each other, with room for limits' names."""
    stacked: dict[int, float] = {}
    others = [0.0]
    for curve in curves:
        for place, point in enumerate(curve.points):
            if point is not None and curve.style == "bars":
                stacked[place] = stacked.get(place, 0.0) + point
            elif point is not None:
                others.append(point)
    high = max(*others, *stacked.values(), *(limit * 1.08 for limit in limits), 0.0)
    return min(*others, *stacked.values(), 0.0), high or 1.0


def thinned(chart: Chart, most: int) -> Chart:
    """Return a chart with at most so many points: means of neighbours, of dashed curves the largest."""
    curves = (*chart.curves, *chart.running)
    each = -(-max((len(curve.points) for curve in curves), default=0) // most)
    if each < _TWO or any(curve.style == "bars" for curve in curves):
        return chart

    def thin(curve: Curve) -> Curve:
        groups = [curve.points[at : at + each] for at in range(0, len(curve.points), each)]
        known = [[point for point in group if point is not None] for group in groups]
        merge = max if curve.style == "dashed" else fmean
        return replace(curve, points=tuple(merge(group) if group else None for group in known))

    thin_curves, thin_running = tuple(map(thin, chart.curves)), tuple(map(thin, chart.running))
    return replace(chart, step=chart.step * each, curves=thin_curves, running=thin_running)


def gaps(curves: Sequence[Curve], count: int) -> list[tuple[int, int]]:
    """Return from where until where nothing was measured, between what was."""
    known = [
        any(
            place < len(curve.points) and curve.points[place] is not None
            for curve in curves
            if curve.style != "dashed"
        )
        for place in range(count)
    ]
    found, last = [], -1
    for place in (place for place, there in enumerate(known) if there):
        if -1 < last < place - 1:
            found.append((last + 1, place))
        last = place
    return found


def joined(curve: Curve, before: Curve) -> tuple[float | None, ...]:
    """Return a dashed curve's points, begun where the line before it ends."""
    begin = next((place for place, point in enumerate(curve.points) if point is not None), 0)
    last = before.points[begin - 1] if 0 < begin <= len(before.points) else None
    ends = all(point is None for point in before.points[begin:])
    if curve.style != "dashed" or last is None or not ends:
        return curve.points
    return (*curve.points[: begin - 1], last, *curve.points[begin:])


def is_beside(curve: Curve, before: Curve) -> bool:
    """Tell whether a dashed curve goes along with the line before it, as a peak; a projection follows it."""
    both = [one for one in zip(curve.points, before.points, strict=False) if None not in one]
    return curve.style == "dashed" and before.style == "line" and len(both) > 1


def is_alone(points: Sequence[float | None], place: int) -> bool:
    """Tell whether a point has no neighbour to be joined with: a line would not show it."""
    near = (points[place - 1] if place else None, points[place + 1] if place + 1 < len(points) else None)
    return points[place] is not None and near == (None, None)


def is_sum(curve: Curve) -> bool:
    """Tell whether a curve never falls, as what was used so far: its last value is what one looks for."""
    known = [point for point in curve.points if point is not None]
    return bool(known) and all(one <= two for one, two in pairwise(known))
