"""A chart on its way to the process that draws it, as JSON; bounded, and its words made harmless."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bot.coop.charts import Chart, Curve, Limit
from bot.errors import Fault

POINTS = 50_000
"""Values of a chart at most, all curves together."""

CURVES, LIMITS = 5, 4
"""Curves of each axis, and limits, that are drawn: more could not be told apart."""

_TITLE, _NAME, _UNIT, _NOTE, _ZONE = 64, 28, 24, 90, 64


def write(chart: Chart) -> bytes:
    """Return what the drawing process reads; Fault for more than anybody could look at."""
    if sum(len(curve.points) for curve in (*chart.curves, *chart.running)) > POINTS:
        raise Fault(f"a chart has more than {POINTS:,} values")
    return json.dumps(asdict(chart)).encode()


def read(data: bytes) -> Chart:
    """Return the chart that was written; ValueError, KeyError or TypeError for anything else."""
    found: Mapping[str, Any] = json.loads(data)
    step = int(found["step"])
    if step < 1:
        raise ValueError("a step takes a second or more")
    return Chart(
        title=plain(found["title"], _TITLE),
        unit=plain(found["unit"], _UNIT),
        start=int(found["start"]),
        step=step,
        zone=plain(found["zone"], _ZONE),
        curves=tuple(map(_curve, found["curves"][:CURVES])),
        running=tuple(map(_curve, found["running"][:CURVES])),
        running_unit=plain(found["running_unit"], _UNIT),
        limits=tuple(filter(_is_drawn, map(_limit, found["limits"][:LIMITS]))),
        note=plain(found["note"], _NOTE),
    )


def plain(text: str, most: int) -> str:
    """Return a text as one short line of what can be printed: no controls, no direction marks, no breaks."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in str(text)[: 4 * most]).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _curve(found: Mapping[str, Any]) -> Curve:
    points = tuple(None if point is None else _number(point) for point in found["points"])
    style = found["style"]
    if style not in {"bars", "line", "dashed"}:
        raise ValueError(f"there is no style {style!r}")
    return Curve(plain(found["name"], _NAME), points, style)


def _number(point: float) -> float | None:
    """Return what can be drawn; where arithmetic went wrong, nothing was measured."""
    return float(point) if math.isfinite(point) and abs(point) < _MOST else None


def _limit(found: Mapping[str, Any]) -> Limit:
    return Limit(plain(found["name"], _NAME), float(found["value"]))


def _is_drawn(limit: Limit) -> bool:
    return _number(limit.value) is not None


_MOST = 1e18
