"""What Prometheus scrapes: what the road counts, and what the parts say of themselves when they are asked.

Labels are networks, plugins and outcomes: words of the config and of ours, never what people say.
https://prometheus.io/docs/practices/naming/
"""

import asyncio
import platform
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from bot.http.server import Page
from bot.http.vitals import Vitals
from bot.ports import Backlog, LinkStatus

FRESH = 1.0
"""Seconds for which a page is given out again: who asks more often costs nothing."""

MEMBERS = "members"
"""The network of what waits for members, who are told wherever they can be reached."""

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


class Metrics:
    """Counts for the road, see `bot.core.pipeline.Counts`, and makes the page."""

    def __init__(self, vitals: Vitals) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # when a counter began is the bot's start
        self._vitals = vitals
        self._registry = CollectorRegistry()
        self._messages = Counter(
            "shipboard_messages", "Messages to the bot.", ["network"], registry=self._registry
        )
        self._commands = Counter(
            "shipboard_commands",
            "Commands by what came of them.",
            ["network", "plugin", "outcome"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "shipboard_command_seconds",
            "From a command to its answer.",
            ["plugin"],
            registry=self._registry,
            buckets=_SECONDS,
        )
        ProcessCollector(registry=self._registry)
        self._registry.register(self)
        self._backlogs: Sequence[Backlog] = ()
        self._late = 0.0
        self._page: Page | None = None
        self._at = 0.0
        self._turn = asyncio.Lock()

    def heard(self, network: str) -> None:
        """Count a message."""
        self._messages.labels(network).inc()

    def answered(self, network: str, plugin: str, outcome: str, seconds: float) -> None:
        """Count a command that was answered."""
        self._commands.labels(network, plugin, outcome).inc()
        self._seconds.labels(plugin).observe(seconds)

    async def page(self) -> Page:
        """Return the page, made anew where the last one is older than FRESH."""
        vitals = self._vitals
        async with self._turn:
            if self._page is None or vitals.clock.monotonic() - self._at >= FRESH:
                self._backlogs = await vitals.outgoing.backlogs()
                due = await vitals.due()
                self._late = max(0.0, (vitals.clock.now() - due).total_seconds()) if due else 0.0
                self._page = Page(generate_latest(self._registry), CONTENT_TYPE_PLAIN_0_0_4)
                self._at = vitals.clock.monotonic()
            return self._page

    def describe(self) -> Iterable[Metric]:
        """Return nothing: it is asked when it is registered, and there is nothing to be seen yet."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Return what the parts say of themselves now."""
        vitals = self._vitals
        links = vitals.links()
        yield from _networks(links)
        yield from _outbox(links, self._backlogs, vitals.clock.now())
        yield _gauge("well", "Whether nothing is wrong, as /health says.", float(vitals.well()))
        yield _gauge("tick_seconds", "What the last measurement of all machines took.", vitals.ticks.seconds)
        skipped = CounterMetricFamily("shipboard_ticks_skipped", "Measurements left out as they came late.")
        skipped.add_metric([], vitals.ticks.skipped)
        yield skipped
        yield _gauge("loop_lag_seconds", "The event loop's longest delay in the last minute.", vitals.lag())
        yield _gauge("audit_lag_seconds", "How long the oldest unwritten row has waited.", vitals.noted())
        yield _gauge("schedule_late_seconds", "How late the schedule's oldest open date is.", self._late)
        build = GaugeMetricFamily("shipboard_build_info", "What runs.", labels=["version", "python"])
        build.add_metric([vitals.version, platform.python_version()], 1)
        yield build


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"shipboard_{name}", text, value=value)


def _networks(links: Sequence[LinkStatus]) -> Iterator[Metric]:
    up = GaugeMetricFamily("shipboard_network_up", "Whether a network is connected.", labels=["network"])
    rooms = GaugeMetricFamily("shipboard_network_rooms", "Rooms that the bot is in.", labels=["network"])
    dropped = CounterMetricFamily(
        "shipboard_relayed_dropped", "Relayed lines that could not be said.", labels=["network"]
    )
    for link in links:
        up.add_metric([link.network], float(link.up))
        rooms.add_metric([link.network], len(link.rooms))
        dropped.add_metric([link.network], link.dropped)
    yield from (up, rooms, dropped)


def _outbox(links: Sequence[LinkStatus], backlogs: Sequence[Backlog], now: datetime) -> Iterator[Metric]:
    """Return how much waits for each network, and since when; what nothing waits for has zeros."""
    waiting = {link.network: 0 for link in links} | {MEMBERS: 0}
    oldest = dict.fromkeys(waiting, 0.0)
    for one in backlogs:
        network, _, name = one.place.partition("/")
        network = network if name and network in waiting else MEMBERS
        waiting[network] += one.waiting
        age = (now - one.oldest).total_seconds() if one.oldest else 0.0
        oldest[network] = max(oldest[network], age)
    depth = GaugeMetricFamily("shipboard_outbox_waiting", "Messages to be said.", labels=["network"])
    ages = GaugeMetricFamily(
        "shipboard_outbox_oldest_seconds", "How long the oldest has waited.", labels=["network"]
    )
    for network, count in waiting.items():
        depth.add_metric([network], count)
        ages.add_metric([network], oldest[network])
    yield from (depth, ages)
