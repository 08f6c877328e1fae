from enum import StrEnum
from pathlib import Path
from typing import Literal

from bot import Actor, Clock, Machine, Plugin, Roster, Share, anyone
from bot.testing import Chat


class Color(StrEnum):
    RED = "red"
    BLUE = "blue"


class Day:
    def __init__(self, name: str) -> None:
        self.name = name


def made() -> Plugin:
    plugin = Plugin("made")

    @plugin.converter(Day)
    def to_day(word: str, clock: Clock) -> Day:
        return Day(f"{clock.now():%Y} {word}")

    @plugin.converter(Machine)
    async def to_machine(word: str, roster: Roster, actor: Actor) -> Machine:
        return (await roster.machine("ford-3")) or Machine(word, str(actor))

    @plugin.command("paint", allow=anyone)
    async def paint(color: Color, state: Literal["on", "off"] = "on", share: Share | None = None) -> str:
        """Paint."""
        return f"{color!r} {state} {share!r}"

    @plugin.command("plan", allow=anyone)
    async def plan(day: Day, machine: Machine) -> str:
        """Plan."""
        return f"{day.name}: {machine}"

    @plugin.command("say", allow=anyone)
    async def say(count: int = 1, *, text: str = "nothing") -> str:
        """Say."""
        return f"{count} {text}"

    return plugin


async def test_words_become_what_the_signature_wants(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, [made()]) as chat:
        assert await chat.say("zed", "!paint RED") == "<Color.RED: 'red'> on None"
        assert (
            await chat.say("zed", "!paint blue Off half") == "<Color.BLUE: 'blue'> off <Share.HALF: 'half'>"
        )
        usage = "Usage: !paint red|blue [on|off] [full|half]"
        assert await chat.say("zed", "!paint") == f"color is missing. {usage}"
        assert await chat.say("zed", "!paint green") == f"color is one of red, blue, not “green”. {usage}"
        assert await chat.say("zed", "!paint red up") == f"state is one of on, off, not “up”. {usage}"
        assert await chat.say("zed", "!say #3 a  b") == "3 a  b"
        assert await chat.say("zed", "!say") == "1 nothing"
        assert await chat.say("zed", "!say 01") == "1 nothing"


async def test_plugins_bring_converters_of_their_own_which_win(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, [made()]) as chat:
        assert await chat.say("zed", "!plan friday whatever") == "2026 friday: ford-3"
        assert await chat.say("zed", "!plan friday") == "machine is missing. Usage: !plan DAY MACHINE"
