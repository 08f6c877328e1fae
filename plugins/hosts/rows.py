"""What the rows of hosts and machines tell: bars, means, the busiest, and when a disk is full.

Times are Unix times, sizes bytes; CPU is in percent of one processor.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot import NotFound, Slot, Usage, quoted

FIVE, HOUR, DAY = 300, 3600, 86400
DISK_ROWS = 24
"""Hours that must have been measured until it can be told when a disk is full."""

FAR_OFF = 3650.0
"""Days that stand for a disk that is not going to be full."""


@dataclass(frozen=True, slots=True)
class Window:
    """How a time is shown: `count` bars of `bar` seconds, made of rows of `step` seconds."""

    words: str
    step: int
    bar: int
    count: int

    def start(self, until: int) -> int:
        """Return when the first bar begins if the last one goes on at a time."""
        return self.end(until) - self.count * self.bar

    def end(self, until: int) -> int:
        """Return when the bar ends in which a time is."""
        return until // self.bar * self.bar + self.bar


_DAY = Window("24 h", FIVE, 1800, 48)
WINDOWS: Mapping[str, Window] = {
    "": _DAY,
    "today": _DAY,
    "week": Window("7 d", HOUR, 4 * HOUR, 42),
    "month": Window("30 d", HOUR, DAY, 30),
}


def known(name: str | None, hosts: Sequence[str]) -> str:
    """Return the host that is meant; NotFound where none is, Usage where several could be."""
    if name is None and len(hosts) == 1:
        return hosts[0]
    if name is None and hosts:
        raise Usage(f"Which host: {', '.join(hosts)}?")
    if name is None or name.casefold() not in hosts:
        which = f"There is no host {quoted(name)}" if name else "Which host"
        raise NotFound(f"{which}: there is {', '.join(hosts) or 'none'}.")
    return name.casefold()


def bars(rows: Sequence[Slot], window: Window, until: int) -> list[float | None]:
    """Return the mean load of each bar, None where nothing was measured.

    They begin with the first that was; the last one, which goes on, is left out where it has nothing yet.
    """
    start = window.start(until)
    loads: list[list[float]] = [[] for _ in range(window.count)]
    for row in rows:
        if row.samples and start <= row.at < start + window.count * window.bar:
            loads[(row.at - start) // window.bar].append(row.load)
    means = [sum(each) / len(each) if each else None for each in loads]
    first = next((number for number, mean in enumerate(means) if mean is not None), len(means))
    return means[first : -1 if means[-1] is None else None]


@dataclass(frozen=True, slots=True)
class Used:
    """What somebody used over a time: means and peaks."""

    load: float = 0.0
    load_peak: float = 0.0
    cpu: float = 0.0
    cpu_peak: float = 0.0
    memory: float = 0.0


def used(rows: Iterable[Slot], samples: int | None = None) -> Used:
    """Return the means of rows over all of their samples, or over so many where the rest was not used."""
    counted = [row for row in rows if row.samples]
    count = samples or sum(row.samples for row in counted)
    if not counted or not count:
        return Used()
    return Used(
        sum(row.load * row.samples for row in counted) / count,
        max(row.load_peak for row in counted),
        sum(row.cpu * row.samples for row in counted) / count,
        max(row.cpu_peak for row in counted),
        sum(row.memory * row.samples for row in counted) / sum(row.samples for row in counted),
    )


def busiest(used: Mapping[str, Used], count: int) -> list[tuple[str, Used]]:
    """Return who used most CPU, the most first, of those who used any."""
    ranked = sorted(used.items(), key=lambda one: (-one[1].cpu, one[0]))
    return [one for one in ranked[:count] if one[1].cpu]


def pieces(start: int, until: int) -> list[tuple[int, int, int]]:
    """Cover a time with the fewest rows: (step, from, until), whole days, whole hours, then 5 minutes.

    `start` is a whole hour.
    """
    days, day_end = -(-start // DAY) * DAY, until // DAY * DAY
    hour_end = until // HOUR * HOUR
    if days < day_end:
        parts = [(HOUR, start, days), (DAY, days, day_end), (HOUR, day_end, hour_end)]
    else:
        parts = [(HOUR, start, hour_end)]
    return [part for part in (*parts, (FIVE, max(start, hour_end), until)) if part[1] < part[2]]


def days_until_full(rows: Iterable[Slot], total: int, now: int) -> float | None:
    """Return in how many days a disk of `total` bytes is full that holds `now`, by hours' rows.

    It is the line of least squares through them; FAR_OFF where it does not rise, None of less than a day.
    """
    points = [(row.at // HOUR, row.disk) for row in rows if row.samples]
    if len(points) < DISK_ROWS:
        return None
    count, hours, filled = len(points), sum(x for x, _ in points), sum(y for _, y in points)
    above = count * sum(x * y for x, y in points) - hours * filled
    below = count * sum(x * x for x, _ in points) - hours * hours
    if above <= 0:
        return FAR_OFF
    return min(FAR_OFF, max(0, total - now) * below / (above * 24))
