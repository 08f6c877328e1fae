"""What plugins watch: each tick once, a bad plugin contained."""

import asyncio
from pathlib import Path

import pytest

from bot import Clock, Notice, Outcome, Plugin, Store, Tick
from bot.core.pulse import QUIET, SECONDS
from bot.errors import PluginError
from bot.testing import Chat


async def test_a_plugin_has_each_tick_and_says_what_it_makes_of_it(tmp_path: Path) -> None:
    plugin, heard = Plugin("watcher"), list[Tick]()

    @plugin.ticks
    async def watch(tick: Tick, clock: Clock) -> Outcome | None:
        heard.append(tick)
        return (
            Outcome(notices=(Notice("team", (f"{clock.monotonic():.0f} s",)),)) if len(heard) == 2 else None
        )

    async with Chat.open(tmp_path, [plugin]) as chat:
        last = await chat.ticks(3)
        assert heard[-1] == last
        assert len(heard) == 3
        assert await chat.told() == [("room net/#team", "20 s")]


async def test_one_that_fails_or_hangs_stops_no_other_and_is_told_of_now_and_then(tmp_path: Path) -> None:
    bad, slow, good, heard = Plugin("bad"), Plugin("slow"), Plugin("good"), list[Tick]()
    begun = asyncio.Event()

    @bad.ticks
    def fail(tick: Tick) -> None:
        raise ValueError(f"no: {tick.seconds}")

    @slow.ticks
    async def hang(tick: Tick) -> None:
        heard.append(tick)
        begun.set()
        if len(heard) == 1:
            await asyncio.Event().wait()

    @good.ticks
    def watch(tick: Tick) -> str:
        return f"{tick.seconds}"

    async with Chat.open(tmp_path, [bad, slow, good]) as chat:
        going = asyncio.create_task(chat.ticks())
        await begun.wait()
        while not going.done():
            await chat.clock.advance(SECONDS)
        await going
        told = [during for _, during, _ in chat.incidents.reported]
        assert sorted(told) == ["plugin bad at a tick", "plugin slow at a tick"]
        await chat.ticks(2)
        assert len(chat.incidents.reported) == 2
        await chat.ticks(1, QUIET)
        assert [during for _, during, _ in chat.incidents.reported[2:]] == ["plugin bad at a tick"]


async def test_a_handler_with_a_wrong_parameter_stops_the_start(tmp_path: Path) -> None:
    plugin = Plugin("watcher")

    @plugin.ticks
    def watch(store: Store, what: str) -> None:
        raise AssertionError(store, what)

    with pytest.raises(PluginError, match=r"plugin watcher: .*watch"):
        async with Chat.open(tmp_path, [plugin]):
            pass
