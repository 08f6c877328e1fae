"""What is measured, and what it should be. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.arithmetic import Figures, table

FLOOR = "irc"
"""The bot that goals are multiples of."""

SUBJECT = "shipboard"
"""The bot that has goals."""

ON_THE_STORE = ("audit", "members", "schedule", "outbox", "votes", "ballots", "watch")
PARTS = ("start", "latency", "throughput", "chatter", "behind", "proven", "idle", "jabber", *ON_THE_STORE)
"""What can be measured by itself; a start is part of all but the last eight."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure may be at most: by itself, or so many times the floor's; `at_least`: or no less."""

    bound: float
    times_floor: bool = False
    at_least: bool = False
    floor: str = FLOOR

    def __str__(self) -> str:
        sign = ">=" if self.at_least else "<="
        return f"{sign} {self.bound:,g}" + (f" x {self.floor}" if self.times_floor else "")

    def is_met(self, figure: float | None, floor: float | None) -> bool | None:
        """Tell whether a figure is as it should be; None if the floor was not measured."""
        if self.times_floor and floor is None:
            return None
        bound = self.bound * (floor or 0.0) if self.times_floor else self.bound
        return figure is not None and (figure >= bound if self.at_least else figure <= bound)


@dataclass(frozen=True, slots=True)
class Measure:
    """One row of the table."""

    key: str
    title: str
    digits: int = 0
    goal: Goal | None = None


MEASURES = (
    Measure("join_s", "start to JOIN, s", 3, Goal(2.5, times_floor=True)),
    Measure("answer_s", "start to first right answer, s", 3),
    Measure("p50_ms", "latency p50, ms", 3, Goal(1.8, times_floor=True)),
    Measure("p99_ms", "latency p99, ms", 3, Goal(2, times_floor=True)),
    Measure("replies_s", "replies a second, pipelined", 0, Goal(6000, at_least=True)),
    Measure("lost", "... lost", 0, Goal(0)),
    Measure("doubled", "... doubled", 0, Goal(0)),
    Measure("disordered", "... out of order", 0, Goal(0)),
    Measure("cpu_us", "CPU a reply, us", 0, Goal(150)),
    Measure("rss_start_mib", "RSS at start, MiB", 1),
    Measure("rss_peak_mib", "RSS at its peak, MiB", 1, Goal(50)),
    Measure("rss_growth_mib", "RSS grown over the replies, MiB", 1, Goal(2)),
    Measure("chatter_s", "CPU for chatter, s", 2, Goal(0.6)),
    Measure("behind_1_ms", "a quick one behind 1 slow, ms", 2, Goal(5)),
    Measure("behind_12_ms", "a quick one behind 12 slow, ms", 2, Goal(5)),
    Measure("behind_200_ms", "a quick one behind 200 slow, ms", 2, Goal(5)),
    Measure("behind_lost", "... slow ones lost", 0, Goal(0)),
    Measure("proven_p50_ms", "proven members: latency p50, ms", 3, Goal(1.8, times_floor=True)),
    Measure("proven_p99_ms", "proven members: latency p99, ms", 3, Goal(2, times_floor=True)),
    Measure("proven_replies_s", "proven members: replies a second", 0, Goal(6000, at_least=True)),
    Measure("proven_lost", "... lost", 0, Goal(0)),
    Measure("proven_doubled", "... doubled", 0, Goal(0)),
    Measure("proven_disordered", "... out of order", 0, Goal(0)),
    Measure("proven_cpu_us", "proven members: CPU a reply, us", 0, Goal(150)),
    Measure("idle_s", "CPU of an idle minute, s", 3, Goal(0.03)),
)


JABBER = (
    Measure("join_s", "start to JOIN, on both networks, s", 3, Goal(3.3, times_floor=True)),
    Measure("p50_ms", "latency p50, ms", 3, Goal(1.25, times_floor=True, floor="slixmpp")),
    Measure("p99_ms", "latency p99, ms", 3),
    Measure("chatter_s", "CPU for chatter, s", 2, Goal(1.3, times_floor=True, floor="slixmpp")),
    Measure("rss_mib", "RSS at start, MiB", 1),
    Measure("rss_peak_mib", "RSS at its peak, MiB", 1, Goal(60)),
    Measure("laden_percent", "with 40 machines and metrics, idle: of a core, %", 3, Goal(0.3)),
    Measure("laden_mib", "... RSS after that, MiB", 1, Goal(80)),
    Measure("lag_ms", "1,000 wait for a slow server: the loop's lag, ms", 1, Goal(50)),
    Measure("waiting_mib", "... RSS grown meanwhile, MiB", 1, Goal(10)),
)
"""The rows of Jabber's own table."""

OUTBOX = (
    Measure("durable_s", "rows written and read back a second", 0, Goal(2000, at_least=True)),
    Measure("said_s", "rows said and crossed off a second", 0),
    Measure("urgent_p50_ms", "an urgent row, from commit to transport, p50, ms", 2),
    Measure("urgent_p99_ms", "... p99, ms", 2, Goal(5)),
)
"""The rows of the outbox's table."""


WATCH = (
    Measure("tick_ms", "a tick of 40 machines and a host, CPU, ms", 2),
    Measure("tick_percent", "... of a core, %", 3, Goal(0.1)),
    Measure("many_ms", "a tick of 1,000 machines, CPU, ms", 1),
    Measure("many_percent", "... of a core, %", 2, Goal(2)),
    Measure("alerts_ms", "10,000 alert evaluations, ms", 1, Goal(100)),
    Measure("years_mb", "years of 40 machines and a host, MB", 0, Goal(400)),
    Measure("chart_ms", "... the hours of a month for a chart, ms", 2, Goal(10)),
    Measure("bars_ms", "... its days' bytes by machine and owner, ms", 2, Goal(10)),
    Measure("flow_ms", "... its 8,928 times 5 minutes, ms", 2),
    Measure("traffic_ms", "... a month's bytes of all by owner, ms", 2),
    Measure("minute_ms", "... a minute's rows written, ms", 2),
    Measure("hour_ms", "... an hour rolled up, ms", 2),
    Measure("prune_ms", "... an hour pruned, ms", 2),
)
"""The rows of the watch's table."""


def report(bots: Mapping[str, Figures], measures: Sequence[Measure] = MEASURES) -> str:
    """Set the figures of all bots side by side, with the goals and whether they are met."""
    rows = [["", *bots, "goal", ""]]
    for measure in measures:
        if any(measure.key in figures for figures in bots.values()):
            cells = [_cell(measure, figures) for figures in bots.values()]
            rows.append([measure.title, *cells, str(measure.goal or ""), verdict(measure, bots)])
    return table(rows)


def verdict(measure: Measure, bots: Mapping[str, Figures]) -> str:
    """Return `met` or `MISSED`, or nothing where there is no goal or it was not measured."""
    figures = bots.get(SUBJECT, {})
    if measure.goal is None or measure.key not in figures:
        return ""
    floor = bots.get(measure.goal.floor, {}).get(measure.key.removeprefix("proven_"))
    met = measure.goal.is_met(figures[measure.key], floor)
    return {True: "met", False: "MISSED", None: "?"}[met]


def _cell(measure: Measure, figures: Figures) -> str:
    if measure.key not in figures:
        return "-"
    figure = figures[measure.key]
    return "none" if figure is None else f"{figure:,.{measure.digits}f}"


def curve(points: Sequence[Mapping[str, float]]) -> str:
    """Set the points of a growth curve below each other."""
    if not points:
        return ""
    rows = [list(points[0]), *([_figure(figure) for figure in point.values()] for point in points)]
    return table(rows)


def _figure(figure: float) -> str:
    return f"{figure:,}" if isinstance(figure, int) else f"{figure:,.3f}"
