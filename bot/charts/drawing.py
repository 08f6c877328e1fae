"""Draws a chart with matplotlib, for a phone's screen; the same chart gives the same bytes."""

import io
from collections.abc import Sequence

from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from PIL import Image

from bot.charts.dates import Dates, dates
from bot.charts.lettering import (
    CARD,
    COLOURS,
    DOTS,
    FAINT,
    HALO,
    INCHES,
    INK,
    LIMIT,
    MIDDLE,
    NOTHING,
    PAPER,
    RUNNING,
    SOFT,
    WEEKEND,
    Entry,
    frame,
    keep_in,
    left_unit,
    number,
    right_unit,
)
from bot.charts.scales import Scale, scales
from bot.charts.shapes import extent, gaps, is_alone, is_beside, is_sum, joined, thinned
from bot.coop.charts import Chart, Curve, Style

_UNKNOWN = "not measured"
_PALETTE = 128
"""How many colours the picture has: no more can be seen in it, and it is a third as long."""

_FEW, _WIDE, _NARROW = 200, 3.0, 1.7
"""Up to how many points lines are wide; more would become one blot."""

_POINTS = 400
"""How many points a line has at most; the picture is not much wider."""

_PALE = 0.16
_EARLY = 0.15
"""In which part of the time there is no room for words at the left."""


def draw(chart: Chart) -> bytes:
    """Return a chart as a PNG; ValueError or KeyError for one that cannot be drawn."""
    raw, out = io.BytesIO(), io.BytesIO()
    with rc_context(
        {
            "font.family": "DejaVu Sans",
            "font.size": 18,
            "text.parse_math": False,  # what people are called is text: a $ in it begins no formula
            "text.color": INK,
            "ytick.color": SOFT,
            "hatch.color": "#d3d9de",
            "hatch.linewidth": 1.2,
        }
    ):
        figure = Figure(figsize=INCHES, dpi=DOTS, facecolor=PAPER)
        FigureCanvasAgg(figure)
        frame(figure, chart, _Sheet(figure, chart).fill())
        figure.savefig(raw, format="rgba")
    size = (round(INCHES[0] * DOTS), round(INCHES[1] * DOTS))
    image = Image.frombytes("RGBA", size, raw.getvalue()).convert("RGB")
    image.quantize(_PALETTE, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


class _Sheet:
    """The axes of one chart while it is drawn."""

    def __init__(self, figure: Figure, chart: Chart) -> None:
        self.chart = chart = thinned(chart, _POINTS)
        self.count = max((len(curve.points) for curve in (*chart.curves, *chart.running)), default=0) or 1
        self.until = chart.start + self.count * chart.step
        self.axes = figure.add_axes((0.075, 0.2, 0.85 if chart.running else 0.9, 0.655))
        self.right = self.axes.twinx() if chart.running else None
        self.entries: list[Entry] = []

    def fill(self) -> Sequence[Entry]:
        """Draw everything, what is behind first; return the legend."""
        chart, marks = self.chart, dates(self.chart.start, self.until, self.chart.step, self.chart.zone)
        self._ground(marks)
        if not any(point is not None for curve in (*chart.curves, *chart.running) for point in curve.points):
            self._empty()
            return ()
        self._gaps()
        limits = tuple(limit.value for limit in chart.limits)
        left = extent(chart.curves, () if chart.running else limits)
        both = scales(left, *((extent(chart.running, limits),) if chart.running else ()))
        number(self.axes, both[0], left_unit(chart), "left")
        bars = self._bars()
        self._lines(self.axes, chart.curves, COLOURS[bars:])
        if self.right is not None:
            number(self.right, both[1], right_unit(chart), "right")
            solid = sum(curve.style == "line" for curve in chart.curves)
            self._lines(self.right, chart.running, RUNNING if bars else COLOURS[solid:])
            if bars:
                self._tell_sums(self.right, both[1])
        self._limits(self.right or self.axes, both[-1])
        return sorted(self.entries, key=lambda entry: entry.text == _UNKNOWN)

    def _ground(self, marks: Dates) -> None:
        for axes in filter(None, (self.axes, self.right)):
            axes.set_xlim(self.chart.start, self.until)
            axes.tick_params(length=0, pad=8)
            for side in ("top", "left", "right"):
                axes.spines[side].set_visible(False)
            axes.spines["bottom"].set_color(SOFT)
        self.axes.patch.set_visible(False)
        for begin, end in marks.shades:
            self.axes.axvspan(begin, end, color=WEEKEND, linewidth=0, zorder=0)
        for at in marks.ticks:
            self.axes.axvline(at, color=FAINT, linewidth=1, zorder=0.5)
        self.axes.set_xticks([])
        below = self.axes.get_xaxis_transform()
        for at, text in marks.labels:
            keep_in(self.axes.text(at, -0.03, text, transform=below, ha="center", va="top", color=SOFT))

    def _empty(self) -> None:
        for axes in filter(None, (self.axes, self.right)):
            axes.set_yticks([])
        self.axes.text(
            0.5,
            0.5,
            "nothing measured yet",
            transform=self.axes.transAxes,
            ha="center",
            va="center",
            color=SOFT,
        )

    def _gaps(self) -> None:
        """Hatch what lies between two times that were measured, and was not measured itself."""
        start, step = self.chart.start, self.chart.step
        found = [
            self.axes.axvspan(
                start + begin * step,
                start + end * step,
                facecolor=NOTHING,
                hatch="//",
                linewidth=0,
                zorder=0.4,
            )
            for begin, end in gaps(self.chart.curves, self.count)
        ]
        if found:
            looks = Patch(facecolor=NOTHING, hatch="//", linewidth=0)
            self.entries.append(Entry(looks, _UNKNOWN))

    def _bars(self) -> int:
        """Draw the bars upon each other; return how many curves they are."""
        start, step = self.chart.start, self.chart.step
        floor = [0.0] * self.count
        bars = [curve for curve in self.chart.curves if curve.style == "bars"]
        for curve, colour in zip(bars, COLOURS, strict=False):
            heights = [point or 0.0 for point in curve.points]
            places = [start + (at + MIDDLE) * step for at in range(len(heights))]
            self.axes.bar(
                places, heights, width=step * 0.78, bottom=floor[: len(heights)], color=colour, zorder=2
            )
            floor = [low + high for low, high in zip(floor, [*heights, *[0.0] * self.count], strict=False)]
            self.entries.append(Entry(Patch(color=colour), curve.name))
        return len(bars)

    def _lines(self, axes: Axes, curves: Sequence[Curve], colours: Sequence[str]) -> None:
        """Draw all lines of an axis; one that is dashed has the colour of the line before it."""
        lines = [curve for curve in curves if curve.style != "bars"]
        filled = len(lines) == 1 and self.right is None
        solid, before = 0, None
        for curve in lines:
            solid += curve.style == "line" and before is not None
            colour = (*colours, *RUNNING)[solid % (len(colours) + len(RUNNING))]
            if before is not None and is_beside(curve, before):
                looks: Artist = self._band(axes, before, curve, colour)
            else:
                points = joined(curve, before) if before is not None else curve.points
                looks = self._line(axes, curve.style, points, colour, filled=filled)
            self.entries.append(Entry(looks, self._name(curve)))
            before = curve

    def _line(
        self, axes: Axes, style: Style, points: Sequence[float | None], colour: str, *, filled: bool
    ) -> Artist:
        xs, ys = self._places(points)
        (looks,) = axes.plot(
            xs,
            ys,
            color=colour,
            linewidth=_WIDE if filled or self.count <= _FEW else _NARROW,
            linestyle=(0, (3, 2)) if style == "dashed" else "-",
            solid_capstyle="round",
            clip_on=False,
            path_effects=HALO if self.count <= _FEW and axes is self.right else None,
            zorder=4,
        )
        alone = [at for at in range(len(points)) if is_alone(points, at)]
        axes.plot([xs[at] for at in alone], [ys[at] for at in alone], "o", color=colour, zorder=4)
        if filled:
            axes.fill_between(xs, ys, color=colour, alpha=_PALE, linewidth=0, zorder=1.5)
        return looks

    def _band(self, axes: Axes, low: Curve, high: Curve, colour: str) -> Artist:
        """Fill what lies between two lines, as between a mean and its peak."""
        xs, upper = self._places(high.points)
        _, lower = self._places((*low.points, *[None] * len(xs)))
        axes.fill_between(xs, lower[: len(xs)], upper, color=colour, alpha=2 * _PALE, linewidth=0, zorder=1.5)
        return Patch(color=colour, alpha=2 * _PALE, linewidth=0)

    def _places(self, points: Sequence[float | None]) -> tuple[list[float], list[float]]:
        """Return where points stand; a missing one is no number, and leaves the line open."""
        xs = [self.chart.start + (at + MIDDLE) * self.chart.step for at in range(len(points))]
        return xs, [float("nan") if point is None else point for point in points]

    def _name(self, curve: Curve) -> str:
        """Return a line's name, with its unit where lines of both axes cross."""
        bars = any(curve.style == "bars" for curve in self.chart.curves)
        return (
            curve.name if bars or curve in self.chart.curves else f"{curve.name} ({self.chart.running_unit})"
        )

    def _tell_sums(self, axes: Axes, scale: Scale) -> None:
        """Write what a sum has come to beside its line's end."""
        for curve in filter(is_sum, self.chart.running):
            place = max(at for at, point in enumerate(curve.points) if point is not None)
            value, at = curve.points[place] or 0.0, self.chart.start + (place + MIDDLE) * self.chart.step
            early = place < self.count * _EARLY
            axes.plot([at], [value], "o", color=INK, markersize=9, clip_on=False, zorder=5)
            axes.annotate(
                scale.exact(value),
                (at, value),
                xytext=(12 if early else -12, 10),
                textcoords="offset points",
                ha="left" if early else "right",
                weight="bold",
                path_effects=HALO,
                zorder=6,
            )

    def _limits(self, axes: Axes, scale: Scale) -> None:
        for limit in self.chart.limits:
            axes.axhline(limit.value, color=LIMIT, linewidth=2.5, zorder=3)
            axes.annotate(
                f"{limit.name} {scale.exact(limit.value)}",
                (0.012, limit.value),
                xycoords=("axes fraction", "data"),
                xytext=(0, 7),
                textcoords="offset points",
                color=LIMIT,
                bbox=CARD,
                zorder=6,
            )
