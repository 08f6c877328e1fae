"""How a chart looks: its colours, and all of its words and numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.text import Text

from bot.charts.scales import Scale
from bot.coop.charts import Chart

INCHES, DOTS = (12.0, 6.4), 100
"""The picture's size, and how many dots an inch has: 1200 by 640."""

INK, SOFT, FAINT, PAPER = "#24303a", "#5d6b76", "#dfe4e8", "#ffffff"
WEEKEND, NOTHING, LIMIT = "#f3f5f7", "#eceff1", "#b23a48"
COLOURS = ("#3f7cac", "#e8a33d", "#2a9d8f", "#9a5b8f", "#7a8b99", "#b5651d")
"""Blue and orange first: who cannot tell red from green tells these apart, by hue and by lightness."""

RUNNING = (INK, "#8a6d3b", "#5b7553")
HALO = [withStroke(linewidth=5, foreground=PAPER)]
CARD = {"facecolor": PAPER, "alpha": 0.85, "linewidth": 0, "pad": 2}
_ROW, _SIGN, _FITS = 5, 6, 76
"""Names in a row of the legend, how many letters' room the sign before each takes, and how many fit."""

MIDDLE = 0.5
"""Where in its step a value of a line stands: the middle, as a bar's."""

_A_STEP = {60: "a minute", 300: "in 5 minutes", 3600: "an hour", 86400: "a day"}
_MARGIN = 10
"""Dots between words and the picture's edge, at least."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One word of the legend: what it looks like, and what it says."""

    looks: Artist
    text: str


def frame(figure: Figure, chart: Chart, entries: Sequence[Entry]) -> None:
    """Write the title above, the legend and the note below."""
    keep_in(figure.text(0.02, 0.975, chart.title, va="top", fontsize=24, weight="bold"))
    note = " · ".join(filter(None, (chart.note, f"times in {chart.zone}")))
    figure.text(0.98, 0.015, note, ha="right", va="bottom", fontsize=14, color=SOFT)
    if entries:
        rows = [entries[begin : begin + _ROW] for begin in range(0, len(entries), _ROW)]
        longest = max(sum(len(entry.text) + _SIGN for entry in row) for row in rows)
        figure.legend(
            [entry.looks for entry in entries],
            [f" {entry.text}" for entry in entries],  # one that began with _ would be left out
            loc="center",
            bbox_to_anchor=(0.5, 0.105),
            ncols=min(_ROW, len(entries)),
            fontsize=min(18.0 / len(rows) ** 0.5, 18.0 * _FITS / longest),
            frameon=False,
            handlelength=1.6,
            columnspacing=1.6,
        )


def left_unit(chart: Chart) -> str:
    """Return what stands above the left axis: of bars also the time of each."""
    bars = any(curve.style == "bars" for curve in chart.curves)
    return f"{chart.unit} {_A_STEP.get(chart.step, '')}".rstrip() if bars else chart.unit


def right_unit(chart: Chart) -> str:
    """Return what stands above the right axis: its first line, too, as the left axis may have that unit."""
    return ", ".join(filter(None, (chart.running_unit, chart.running[0].name)))


def keep_in(text: Text) -> None:
    """Move a text back into the picture, and make one smaller that is too long for it."""
    figure = text.get_figure(root=True)
    assert figure is not None  # noqa: S101 - it stands in one
    widest = figure.bbox.width - 2 * _MARGIN
    box = text.get_window_extent()
    if box.width > widest:
        text.set_fontsize(0.97 * float(text.get_fontsize()) * widest / box.width)
        box = text.get_window_extent()
    over = max(box.x1 - (figure.bbox.width - _MARGIN), 0.0) or min(box.x0 - _MARGIN, 0.0)
    x, y = text.get_transform().transform(text.get_position())
    back = text.get_transform().inverted().transform((x - over, y))
    text.set_position((float(back[0]), float(back[1])))


def number(axes: Axes, scale: Scale, unit: str, side: str) -> None:
    """Write the round numbers of an axis beside it, and the unit above; the grid is the left one's."""
    axes.set_ylim(scale.low, scale.top)
    axes.set_yticks(scale.marks, [scale.label(mark) for mark in scale.marks])
    if side == "left":
        axes.grid(axis="y", color=FAINT, linewidth=1)
        axes.set_axisbelow(True)
    axes.text(
        0.0 if side == "left" else 1.0,
        1.035,
        unit,
        transform=axes.transAxes,
        ha=side,
        fontsize=16,
        color=SOFT,
    )
