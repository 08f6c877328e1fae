"""What plugins declare for the schedule: bound at load, kept in step with the table, said where it goes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import BaseModel

from bot import (
    CatchUp,
    Due,
    NotFound,
    Notice,
    Outcome,
    Place,
    Plan,
    Plugin,
    Scheduled,
    ScheduleState,
    Store,
    Usage,
)
from bot.coop.about import About
from bot.coop.when import parse
from bot.core import occurrences
from bot.core.crew import Orders, bind
from bot.core.plugin import Job
from bot.errors import PluginError
from bot.testing import START, Chat, FakeClock

DAY = 86400.0


class Settings(BaseModel):
    posts: dict[str, str] = {}


def digest(when: str = "every day 18:00 UTC", **more: object) -> Plugin:
    plugin = Plugin("news")

    @plugin.job(when=when, where="team", **more)  # type: ignore[arg-type]  # whatever the test declares
    async def tell(due: Due, store: Store) -> str:
        count = await store.read(lambda db: db.table("members").count)
        late = " late" if due.late_seconds else ""
        return f"{count} members on {due.due_utc:%d}{late}"

    return plugin


def posts() -> Plugin:
    plugin = Plugin("posts", Settings)

    @plugin.plans
    def ready(settings: Settings) -> Sequence[Plan]:
        return [
            Plan(plugin="posts", kind="post", name=name, when=when, where=("team",))
            for name, when in settings.posts.items()
        ]

    @plugin.due("post")
    async def come(entry: Scheduled) -> str:
        return f"it is time: {entry.plan.name}"

    return plugin


async def test_a_job_says_what_it_returns_where_it_belongs(tmp_path: Path) -> None:
    clock = FakeClock()
    async with Chat.open(tmp_path, [digest()], clock=clock) as chat:
        await chat.clock.advance(2 * DAY)
        assert await chat.told() == [
            ("room net/#team", "4 members on 22"),
            ("room net/#team", "4 members on 23"),
        ]
    await clock.advance(DAY)
    async with Chat.open(tmp_path, [digest()], clock=clock) as chat:
        assert await chat.told() == [("room net/#team", "4 members on 24 late")]


async def test_one_that_was_never_there_can_begin_at_once(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, [digest(at_once=True)]) as chat:
        assert await chat.told() == [("room net/#team", "4 members on 21 late")]


async def test_the_table_keeps_in_step_with_what_is_declared(tmp_path: Path) -> None:
    clock = FakeClock()
    tables = {
        "posts": {
            "posts": {"tea": "every day 16:00", "once": "on 2026-11-23 09:00", "past": "on 2020-01-01 09:00"}
        }
    }
    async with Chat.open(tmp_path, [posts()], tables, clock=clock) as chat:
        tea, once = await chat.schedule.entries(plugin="posts")
        assert (tea.plan.name, once.plan.name) == ("tea", "once")
        await chat.store.write(lambda tx: chat.schedule.pause(tx, once.number, "not now"))
    tables = {
        "posts": {
            "posts": {"tea": "every day 17:00", "once": "on 2026-11-24 09:00", "more": "every mon 08:00"}
        }
    }
    async with Chat.open(tmp_path, [posts()], tables, clock=clock) as chat:
        entries = {entry.plan.name: entry for entry in await chat.schedule.entries(plugin="posts")}
        assert set(entries) == {"tea", "once", "more"}
        assert entries["tea"].number == tea.number
        assert entries["tea"].next_due == START + timedelta(hours=5)
        assert (entries["once"].state, entries["once"].reason) == (ScheduleState.PAUSED, "not now")
        assert entries["once"].plan.when == "on 2026-11-24 09:00 UTC"
        await clock.advance(5 * 3600)
        assert await chat.told() == [("room net/#team", "it is time: tea")]
        sql = "UPDATE schedule SET state = 'broken', next_due = NULL, wake = NULL"
        await chat.store.write(lambda tx: tx.db.execute(sql))
    async with Chat.open(
        tmp_path,
        [posts()],
        {"posts": {"posts": {"tea": "every day 17:00", "once": "on 2026-11-20 09:00"}}},
        clock=clock,
    ) as chat:
        (left,) = await chat.schedule.entries(plugin="posts")
        assert (left.plan.name, left.state, left.next_due) == (
            "tea",
            ScheduleState.ACTIVE,
            START + timedelta(hours=29),
        )


async def test_a_reload_brings_the_schedule_along(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, [digest()]) as chat:
        chat.code.written["news"] = digest("every day 14:00 UTC")
        assert "is reloaded" in await chat.say("ann", "!plugin reload news")
        await chat.clock.advance(2 * 3600)
        assert await chat.told() == [("room net/#team", "4 members on 22")]
        chat.code.written["news"] = Plugin("news")
        await chat.say("ann", "!plugin reload news")
        assert await chat.schedule.entries(plugin="news") == ()


async def test_what_is_deleted_changed_or_paused_goes_by_its_number(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, [posts()]) as chat:
        schedule, store = chat.schedule, chat.store
        plan = Plan(plugin="posts", kind="post", when="every day 16:00", owner="alice", where=("owner",))
        number = await store.write(lambda tx: schedule.add(tx, plan))
        assert await store.write(lambda tx: schedule.count(tx, plugin="posts", owner="alice")) == 1
        await store.write(lambda tx: schedule.change(tx, number, replace(plan, when="every day 15:00")))
        await chat.clock.advance(4 * 3600)
        assert await chat.told() == [("member alice", "it is time: ")]
        entry = await schedule.show(number)
        assert schedule.dates(entry, 2) == (START + timedelta(hours=27), START + timedelta(hours=51))
        await store.write(lambda tx: schedule.pause(tx, number))
        paused = await schedule.show(number)
        assert schedule.dates(paused, 1) == (START + timedelta(hours=27),)
        assert schedule.dates(replace(paused, plan=replace(plan, when="x")), 1) == ()
        await chat.clock.advance(DAY)
        assert await chat.told() == []
        for _ in range(2):
            await store.write(lambda tx: schedule.resume(tx, number))
        assert (await schedule.show(number)).state is ScheduleState.ACTIVE
        assert [one.number for one in await schedule.entries(owner="alice", kind="post")] == [number]
        await store.write(lambda tx: schedule.delete(tx, number))
        for gone in (schedule.delete, schedule.pause, schedule.resume):
            with pytest.raises(NotFound, match=f"There is no {number} in the schedule"):
                await store.write(lambda tx, gone=gone: gone(tx, number))  # type: ignore[misc]  # mypy#12557
        for wrong in ("every blue moon", "on 2020-01-01 09:00"):
            with pytest.raises(Usage):
                await store.write(lambda tx, wrong=wrong: schedule.add(tx, replace(plan, when=wrong)))  # type: ignore[misc]  # mypy#12557


def refused(plugin: Plugin, table: dict[str, object] | None = None) -> str:
    orders = Orders(about=About("Eddie", "!", START), tables={plugin.name: table} if table else {})
    with pytest.raises(PluginError) as caught:
        bind([plugin], orders)
    return str(caught.value)


def test_what_is_wrong_stops_the_start_and_is_named() -> None:
    assert refused(digest("every frday 03:00")).startswith("plugin news: tell: “frday” is no day")
    assert "depends on when it is read" in refused(digest("in 3h"))
    assert refused(digest(most=0)) == "plugin news: tell: most is at least 1, and grace at least 0 seconds"
    plugin = digest()
    plugin.jobs[0] = replace(plugin.jobs[0], where=("owner",))
    assert refused(plugin).startswith("plugin news: tell: nothing can be said at 'owner'")
    twice = digest()
    twice.jobs.append(twice.jobs[0])
    assert refused(twice).endswith("tell is handled already")


def test_wrong_handlers_and_planners_stop_the_start() -> None:
    plugin = Plugin("x")
    plugin.due("Two Words")(_handle)
    assert refused(plugin) == "plugin x: _handle: 'Two Words' is no kind of entry; write one lower-case word"
    plugin = Plugin("x")
    plugin.due("post")(_wrong)
    assert refused(plugin) == "plugin x: _wrong: parameter name: no service for str"
    plugin = Plugin("x")
    plugin.plans(lambda: 1 // 0)
    assert "ZeroDivisionError" in refused(plugin)
    plugin = Plugin("x")
    plugin.plans(lambda: [7])
    assert refused(plugin).endswith("7 is no Plan of this plugin with a name")
    plan = Plan(plugin="x", kind="post", name="a", when="every day 09:00")
    plugin = Plugin("x")
    plugin.plans(lambda: [plan, plan])
    assert refused(plugin) == "plugin x: two entries of the schedule are called a"


async def _handle(entry: Scheduled) -> None: ...
async def _wrong(entry: Scheduled, name: str) -> None: ...


def test_dates_are_found_from_the_newest_back() -> None:
    now = datetime(2027, 2, 1, tzinfo=UTC)
    burst = parse('cron "* 3 1 1 *"', zone="UTC", now=START)
    first = datetime(2020, 1, 1, 3, tzinfo=UTC)
    newest = occurrences.newest(burst, first, now, 3)
    assert newest == tuple(datetime(2027, 1, 1, 3, minute, tzinfo=UTC) for minute in (57, 58, 59))
    assert occurrences.newest(burst, first, first, 9) == (first,)
    assert occurrences.last_before(burst, now) == newest[-1]
    assert occurrences.last_before(parse('cron "0 0 29 2 *"', zone="UTC", now=START), now) is None


def test_what_is_not_due_has_no_dates() -> None:
    plan = Plan(plugin="x", kind="post", when="every day 09:00 UTC", catch_up=CatchUp.EACH)
    entry = Scheduled(number=1, plan=plan, state=ScheduleState.ACTIVE, since=START)
    assert occurrences.turn(entry, START) == occurrences.Turn((), None)
    later = START + timedelta(days=1)
    assert occurrences.turn(replace(entry, next_due=later), START) == occurrences.Turn((), later)
    assert list(occurrences.upcoming(replace(entry, next_due=later), START, 0)) == []


async def test_places_are_kept_as_they_are(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, [posts()]) as chat:
        where = (Place("net", "#a"), Place("net", "bob", direct=True), "admins", "owner")
        plan = Plan(plugin="posts", kind="post", when="every day 16:00", where=where)  # type: ignore[arg-type]  # mypy takes the tuple for one of str
        number = await chat.store.write(lambda tx: chat.schedule.add(tx, plan))
        assert (await chat.schedule.show(number)).plan.where == where
        await chat.clock.advance(DAY)
        assert [to for to, _ in await chat.told()] == ["room net/#a", "nick net/bob", "room net/#admins"]


async def test_a_handler_may_return_notices_and_events_too(tmp_path: Path) -> None:
    plugin = Plugin("x")

    @plugin.job(when="every day 13:00")
    async def tell() -> Outcome:
        return Outcome(notices=(Notice("admins", ("psst",)),))

    assert isinstance(plugin.jobs[0], Job)
    async with Chat.open(tmp_path, [plugin]) as chat:
        await chat.clock.advance(DAY)
        assert await chat.told() == [("room net/#admins", "psst")]
