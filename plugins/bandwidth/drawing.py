"""The chart of a time: received and sent as bars, the sum so far, and in a month how it goes on. Pure."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Literal

from bot.words import Chart, ChartLimit, Curve
from plugins.bandwidth.tally import Amount, Outlook, Window

UNITS = {"MiB": 2**20, "GiB": 2**30}
Style = Literal["bars", "line", "dashed"]


def chart(
    title: str,
    time: Window,
    amounts: Sequence[Amount | None],
    outlook: Outlook | None = None,
    allowance: int | None = None,
    note: str = "",
) -> Chart:
    """Return it; `amounts` has the steps that have begun, None where nothing was measured.

    Each point of a sum is that at the end of its step; the last one that has begun is that of now.
    """
    count = (time.end - time.start) // time.step
    sums = list(accumulate(one.total if one else 0 for one in amounts))
    ahead = _ahead(sums, count, outlook)
    received, sent = (
        [one.received if one else None for one in amounts],
        [one.sent if one else None for one in amounts],
    )
    unit, running_unit = _unit([*received, *sent]), _unit([*sums, *ahead, allowance])
    projected = [_curve("projected", ahead, running_unit, count, "dashed")] if ahead else []
    return Chart(
        title=title,
        unit=unit,
        start=time.start,
        step=time.step,
        zone="UTC",
        curves=(
            _curve("received", received, unit, count, "bars"),
            _curve("sent", sent, unit, count, "bars"),
        ),
        running=(_curve("so far", sums, running_unit, count, "line"), *projected),
        running_unit=running_unit,
        limits=(ChartLimit("allowance", allowance / UNITS[running_unit]),) if allowance else (),
        note=note,
    )


def _ahead(sums: Sequence[int], count: int, outlook: Outlook | None) -> list[float | None]:
    """Return the way from now to the projected sum; empty where there is none."""
    left = count - len(sums)
    if outlook is None or outlook.projected is None or not left:
        return []
    rise = (outlook.projected - sums[-1]) / left
    return [*(None,) * (len(sums) - 1), *(sums[-1] + rise * step for step in range(left + 1))]


def _unit(values: Sequence[float | None]) -> str:
    return "GiB" if max(value or 0 for value in values) >= UNITS["GiB"] else "MiB"


def _curve(name: str, values: Sequence[float | None], unit: str, count: int, style: Style) -> Curve:
    """Return as many points as the time has steps, those still to come without a value."""
    scaled = (None if value is None else value / UNITS[unit] for value in values)
    return Curve(name, (*scaled, *(None,) * (count - len(values))), style)
