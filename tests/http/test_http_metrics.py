"""What is counted, and that nobody's words are in it."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot import Plugin, anyone, members
from bot.http.health import health
from bot.http.metrics import FRESH, Metrics
from bot.http.vitals import Vitals
from bot.model import Reply
from bot.ports import Backlog, LinkStatus
from bot.testing import Chat, FakeClock
from bot.words import Refusal

silly = Plugin("silly")


@silly.command("joke", allow=anyone, reads=True)
async def joke(word: str) -> str:
    """Tell a joke."""
    if word == "none":
        raise Refusal("no joke")
    if word == "bad":
        raise ValueError("no joke at all")
    return word


@silly.command("inner joke", allow=members, reads=True)
async def inner_joke() -> Reply:
    """Tell a joke to members."""
    return Reply(("ha",))


@dataclass
class World:
    """Everything that the metrics ask."""

    clock: FakeClock = field(default_factory=FakeClock)
    backlog: tuple[Backlog, ...] = ()
    next_due: datetime | None = None
    asked: int = 0
    seconds: float = 0.25
    skipped: int = 3
    well: bool = True
    links: tuple[LinkStatus, ...] = (
        LinkStatus("oftc", up=True, rooms=("#ford", "#team"), dropped=7),
        LinkStatus("jabber", up=False, detail="lost"),
    )

    async def backlogs(self) -> tuple[Backlog, ...]:
        self.asked += 1
        return self.backlog

    async def drop(self, place: str) -> int:
        raise AssertionError(place)

    async def due(self) -> datetime | None:
        return self.next_due

    def metrics(self) -> Metrics:
        return Metrics(
            Vitals(
                version="0.1.0",
                clock=self.clock,
                links=lambda: self.links,
                outgoing=self,
                ticks=self,
                lag=lambda: 0.125,
                noted=lambda: 0.5,
                due=self.due,
                well=lambda: self.well,
            )
        )


async def scraped(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Every sample by its name and its labels' values, in the order of the labels' names."""
    page = await metrics.page()
    assert page.kind.startswith("text/plain; version=0.0.4")
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page.body.decode())
        for sample in family.samples
    }


async def test_the_parts_are_asked() -> None:
    world = World()
    now = world.clock.now()
    world.backlog = (
        Backlog("oftc/#ford", 3, now - timedelta(seconds=40)),
        Backlog("oftc/#team", 2, now - timedelta(seconds=90)),
        Backlog("alice", 1, now - timedelta(seconds=5)),
        Backlog("gone/#room", 1, None),
    )
    world.next_due = now - timedelta(seconds=12)
    found = await scraped(world.metrics())
    assert found["shipboard_network_up", "oftc"] == 1
    assert found["shipboard_network_up", "jabber"] == 0
    assert found["shipboard_network_rooms", "oftc"] == 2
    assert found["shipboard_relayed_dropped_total", "oftc"] == 7
    assert [found["shipboard_outbox_waiting", one] for one in ("oftc", "jabber", "members")] == [5, 0, 2]
    ages = [found["shipboard_outbox_oldest_seconds", one] for one in ("oftc", "jabber", "members")]
    assert ages == [90, 0, 5]
    assert found["shipboard_tick_seconds",] == 0.25
    assert found["shipboard_ticks_skipped_total",] == 3
    assert found["shipboard_loop_lag_seconds",] == 0.125
    assert found["shipboard_audit_lag_seconds",] == 0.5
    assert found["shipboard_schedule_late_seconds",] == 12
    assert found["shipboard_well",] == 1
    assert [value for name, value in found.items() if name[0] == "shipboard_build_info"] == [1]
    assert found["process_resident_memory_bytes",] > 0


async def test_what_is_due_later_is_not_late_and_illness_shows() -> None:
    world = World(well=False)
    assert (await scraped(world.metrics()))["shipboard_schedule_late_seconds",] == 0
    world.next_due = world.clock.now() + timedelta(days=1)
    found = await scraped(world.metrics())
    assert found["shipboard_schedule_late_seconds",] == 0
    assert found["shipboard_well",] == 0


async def test_who_asks_too_often_gets_the_same_page() -> None:
    world = World()
    metrics = world.metrics()
    first = await metrics.page()
    assert await metrics.page() is first
    assert world.asked == 1
    await world.clock.advance(FRESH)
    assert await metrics.page() is not first
    assert world.asked == 2


@pytest.fixture
async def counted(tmp_path: Path) -> AsyncIterator[tuple[Chat, Metrics]]:
    async with Chat.open(tmp_path, [silly]) as chat:
        metrics = World().metrics()
        chat.crew.pipeline.counts = metrics
        yield chat, metrics


async def test_commands_are_counted_by_what_came_of_them(counted: tuple[Chat, Metrics]) -> None:
    chat, metrics = counted
    for text in (
        "!joke one",
        "!joke two",
        "!joke none",
        "!joke bad",
        "!joke",
        "!inner xyz",
        "!inner joke",
        "chatter",
    ):
        await chat.say("mallory-secret", text)
    await chat.say("alice", "!inner joke")
    assert len(chat.incidents.reported) == 1
    found = await scraped(metrics)
    counts = {name[1:]: value for name, value in found.items() if name[0] == "shipboard_commands_total"}
    assert {(plugin, outcome): value for (_, outcome, plugin), value in counts.items()} == {
        ("silly", "done"): 3,
        ("silly", "refused"): 3,
        ("silly", "failed"): 1,
        ("", "unknown"): 1,
    }
    assert {network for network, _, _ in counts} == {
        name[1] for name in found if name[0] == "shipboard_messages_total"
    }
    assert sum(value for name, value in found.items() if name[0] == "shipboard_messages_total") == 8
    assert found["shipboard_command_seconds_count", "silly"] == 7


async def test_no_label_is_what_somebody_says_or_is_called(counted: tuple[Chat, Metrics]) -> None:
    chat, metrics = counted
    before = len((await metrics.page()).body.splitlines())
    for number in range(300):
        await chat.say(f"mallory{number}", f"!joke sesame{number}")
        await chat.say(f"mallory{number}", f"!sesame{number}")
    metrics._page = None
    text = (await metrics.page()).body.decode()
    assert "mallory" not in text
    assert "sesame" not in text
    assert len(text.splitlines()) < before + 40


async def test_without_metrics_nothing_is_counted(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, [silly]) as chat:
        assert chat.crew.pipeline.counts is None
        assert await chat.say("alice", "!joke one") == "one"


@pytest.mark.parametrize(
    ("faults", "status"), [([], HTTPStatus.OK), (["oftc is down"], HTTPStatus.SERVICE_UNAVAILABLE)]
)
async def test_health_has_a_status(faults: list[str], status: HTTPStatus) -> None:
    page = await health(lambda: {"version": "0.1.0", "faults": faults})
    assert (page.status, page.kind) == (status, "application/json")
    assert json.loads(page.body) == {"version": "0.1.0", "faults": faults}
