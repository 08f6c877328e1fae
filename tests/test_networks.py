"""The networks are joined first; whoever speaks before there is a road is answered once there is one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot import app, config, launch, networks
from bot.errors import PluginError
from tests.ship import BOT, PATIENCE, TEAM, Harbour, harbour


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[Harbour]:
    async with harbour(tmp_path) as made:
        yield made


async def test_what_is_said_before_there_is_a_road_is_answered_in_order(port: Harbour) -> None:
    port.write()
    port.enrol()
    alice, bob = await port.seated("alice", "bob")
    loaded = config.load(port.config)
    async with AsyncExitStack() as stack:
        links = networks.prepare(loaded, stack)
        links.begin()
        await links.joined()
        (status,) = links.status()
        assert TEAM in status.rooms
        await bob.sees_the_bot()
        for number in range(3):
            alice.say(f"!ping {number}")
        bob.say("!whoami")
        await alice._next(lambda event: getattr(event, "text", "") == "!whoami", "bob said nothing", PATIENCE)
        assert bob.lines() == []
        ship = await app.build(loaded, stack, links)
        sailing = asyncio.create_task(ship.sail())
        assert (await bob.hears("^You are")).startswith("You are bob, member")
        await alice.fence()
        assert [line for line in alice.lines() if line.startswith("pong")] == ["pong 0", "pong 1", "pong 2"]
        sailing.cancel()
        await asyncio.gather(sailing, return_exceptions=True)
        await bob.sees(BOT, "is gone")


async def test_a_plugin_that_does_not_load_ends_a_start_that_has_joined(port: Harbour) -> None:
    (port.folder / "more").mkdir()
    (port.folder / "more" / "bad.py").write_text("1 / 0\n")
    port.write(bot='plugin_folders = ["more"]')
    (bob,) = await port.seated("bob")
    with pytest.raises(PluginError, match="bad: cannot be imported: ZeroDivisionError"):
        await launch.sail(config.load(port.config), asyncio.Event())
    await bob.sees(BOT, f"is in {TEAM}")
    await bob.sees(BOT, "is gone")


async def test_a_network_that_cannot_be_reached_holds_up_nothing(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        '[networks.home]\nkind = "irc"\nhost = "127.0.0.1"\nport = 1\ntls = false\nrooms = ["#x"]\n'
    )
    async with AsyncExitStack() as stack:
        links = networks.prepare(config.load(path), stack)
        links.begin()
        links.begin()
        await asyncio.wait_for(links.joined(), 30)
        (status,) = links.status()
        assert (status.up, status.detail.startswith("127.0.0.1 cannot be reached")) == (False, True)
