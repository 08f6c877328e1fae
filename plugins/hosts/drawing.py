"""The chart of a host's load."""

from collections.abc import Callable, Sequence

from bot import Chart, Curve, Slot
from plugins.hosts.rows import Window


def chart(host: str, rows: Sequence[Slot], window: Window, until: int, cpus: int | None, zone: str) -> Chart:
    """Return the load, and how busy the processors were, where their number is known.

    Rows are means that hide peaks, which are shown beside them, as the text tells them.
    """
    start = window.start(until)
    by_at = {row.at: row for row in rows if row.samples}

    def curve(value: Callable[[Slot], float]) -> tuple[float | None, ...]:
        ats = range(start, window.end(until), window.step)
        return tuple(value(by_at[at]) if at in by_at else None for at in ats)

    load = Curve("load", curve(lambda row: row.load))
    peak = Curve("peak", curve(lambda row: row.load_peak), "dashed")
    busy = Curve("busy", curve(lambda row: row.cpu / (cpus or 1)))
    return Chart(
        title=f"Load of {host}, {window.words}",
        unit="load",
        start=start,
        step=window.step,
        zone=zone,
        curves=(load, peak),
        running=(busy,) if cpus else (),
        running_unit="%" if cpus else "",
    )
