"""What plugins hear: bound at load, in order, bounded, contained, and replaced by a reload."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from bot import Actor, Clock, Place, Plugin, Relayed, Remark
from bot.core import ears
from bot.errors import PluginError
from bot.testing import TEAM, Chat, settle

OTHER = Place("jabber", "team@rooms.test")


class Rooms(BaseModel):
    rooms: tuple[str, ...] = (str(TEAM),)


def heard(handler: Callable[..., Any], rooms: Callable[[Rooms], Iterable[str]] | None = None) -> Plugin:
    plugin = Plugin("ear", Rooms)
    plugin.hears(rooms or (lambda settings: settings.rooms))(handler)
    return plugin


async def echo(remark: Remark) -> Relayed:
    return Relayed(OTHER, remark.text or f"{remark.more} more")


async def test_what_is_said_where_a_plugin_listens_is_heard_and_relayed(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, [heard(echo)]) as chat:
        assert chat.listens(TEAM)
        assert not chat.listens(OTHER)
        assert await chat.remark("alice", "hi") == [(str(OTHER), "hi")]
        assert await chat.remark("alice", "not here", place=OTHER) == []
        assert await chat.remark("alice", "!ping") == []
        assert await chat.remark("alice", "Eddie: hi") == []
        chat.crew.pipeline.overhear(Remark(OTHER, "alice", "nobody listens there"))
        assert await chat.relayed() == []


async def many(remark: Remark) -> list[Relayed]:
    return [Relayed(OTHER, remark.text), Relayed(TEAM, remark.text)]


def blocking(remark: Remark, clock: Clock) -> tuple[Relayed, ...]:
    return (Relayed(OTHER, f"{remark.text} {clock.monotonic():.0f}"),)


async def nothing(remark: Remark) -> None:
    assert remark.text


async def test_a_handler_returns_one_line_or_several_or_none(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, [heard(many)]) as chat:
        chat.loudspeaker.silent.add(TEAM)
        assert await chat.remark("alice", "hi") == [(str(OTHER), "hi")]
        assert chat.crew.pipeline.ears.unsaid == 1
    async with Chat.open(tmp_path, [heard(nothing)]) as chat:
        assert await chat.remark("alice", "hi") == []
        assert chat.incidents.reported == []


async def test_a_handler_may_be_a_plain_function(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, [heard(blocking)]) as chat:
        chat.crew.pipeline.overhear(Remark(TEAM, "alice", "hi"))
        async with asyncio.timeout(20):
            while not chat.loudspeaker.relayed:  # noqa: ASYNC110 - a thread sets no event of ours
                await asyncio.sleep(0.001)
        assert await chat.relayed() == [(str(OTHER), "hi 0")]


# --- too much


async def test_a_paste_is_heard_in_part_and_told_of_once_it_ends(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, [heard(echo)]) as chat:
        lines = [line for number in range(15) for line in await chat.remark("alice", f"line {number}")]
        assert lines == [(str(OTHER), f"line {number}") for number in range(3)]
        assert await chat.remark("bob", "what is that?") == [(str(OTHER), "what is that?")]
        assert await chat.relayed(2.5) == []
        assert await chat.remark("alice", "last") == []
        assert await chat.relayed(2.5) == []
        assert await chat.relayed(0.5) == [(str(OTHER), "13 more")]
        assert await chat.remark("alice", "sorry") == [(str(OTHER), "sorry")]
        assert chat.crew.pipeline.ears.unheard == 13


async def test_a_few_quick_lines_are_no_paste_but_heard_late(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, [heard(echo)]) as chat:
        lines = [line for number in range(5) for line in await chat.remark("alice", f"{number}")]
        assert [line for _, line in lines] == ["0", "1", "2"]
        assert await chat.relayed(3) == [(str(OTHER), "3"), (str(OTHER), "4")]
        assert chat.crew.pipeline.ears.unheard == 0


async def test_who_types_is_heard_however_long(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, [heard(echo)]) as chat:
        for number in range(40):
            assert await chat.remark("alice", f"{number}") == [(str(OTHER), f"{number}")]
            await chat.clock.advance(4)


async def test_one_who_never_pauses_is_told_of_from_time_to_time(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, [heard(echo)]) as chat:
        said = []
        for number in range(70):
            said += await chat.remark("alice", f"{number}")
            said += await chat.relayed(1)
        assert len(said) < 15
        assert [line for _, line in said if "more" in line] == ["30 more", "30 more"]


async def test_a_room_has_a_queue_that_ends(tmp_path: Path) -> None:
    gate = asyncio.Event()

    async def slow(remark: Remark) -> Relayed:
        await gate.wait()
        return await echo(remark)

    async with Chat.open(tmp_path, [heard(slow)]) as chat:
        for number in range(ears.MOST + 20):
            assert await chat.remark(f"guest{number}", f"{number}") == []
        gate.set()
        await settle(500)
        lines = [line for _, line in await chat.relayed()]
        assert lines == [f"{number}" for number in range(ears.MOST + 1)]
        late = [line for _, line in await chat.relayed(4)]
        assert late == [f"{number}" for number in range(ears.MOST + 1, ears.MOST + 20)]
        gate.clear()
        for number in range(ears.MOST + 20):
            await chat.remark(f"other{number}", f"{number}")
        await chat.clock.advance(4)
        gate.set()
        await settle(500)
        notes = [line for _, line in await chat.relayed() if "more" in line]
        assert notes == ["1 more"] * 19
        assert chat.crew.pipeline.ears.unheard == 19


async def test_the_many_nicks_of_one_are_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ears, "SPEAKERS", 10)
    async with Chat.open(tmp_path, [heard(echo)]) as chat:
        said = [await chat.remark(f"nick{number}", "spam") for number in range(30)]
        assert sum(map(len, said)) == 10
        assert chat.crew.pipeline.ears.unheard == 20
        await chat.clock.advance(4)
        assert await chat.remark("alice", "hi") == [(str(OTHER), "hi")]


# --- what goes wrong


async def test_a_failing_ear_is_reported_once_in_a_while_and_the_others_hear(tmp_path: Path) -> None:
    async def fail(remark: Remark) -> None:
        raise RuntimeError(remark.text)

    class Other(BaseModel):
        pass

    failing = Plugin("bad", Other)
    failing.hears(lambda _: [str(TEAM)])(fail)
    async with Chat.open(tmp_path, [failing, heard(echo)]) as chat:
        for number in range(3):
            assert await chat.remark("alice", f"{number}") == [(str(OTHER), f"{number}")]
        ((error, during, _),) = chat.incidents.reported
        assert (str(error), during) == ("0", "plugin bad hearing what is said in a room")
        await chat.clock.advance(ears.QUIET)
        assert await chat.remark("alice", "again") == [(str(OTHER), "again")]
        assert len(chat.incidents.reported) == 2


async def test_an_ear_that_waits_for_ever_is_ended(tmp_path: Path) -> None:
    async def hang(remark: Remark) -> Relayed:
        if remark.text == "hang":
            await asyncio.Event().wait()
        return await echo(remark)

    async with Chat.open(tmp_path, [heard(hang)]) as chat:
        assert await chat.remark("alice", "hang") == []
        assert await chat.remark("bob", "hi") == []
        assert await chat.relayed(ears.HEAR_SECONDS) == [(str(OTHER), "hi")]
        assert "did not end within 5 s" in str(chat.incidents.reported[0][0])


@pytest.mark.parametrize("wrong", ["a text", [1], object()])
async def test_what_is_no_relayed_line_is_a_fault(tmp_path: Path, wrong: object) -> None:
    async def answer(remark: Remark) -> object:
        assert remark.text
        return wrong

    async with Chat.open(tmp_path, [heard(answer)]) as chat:
        assert await chat.remark("alice", "hi") == []
        assert "what is heard is relayed or left" in str(chat.incidents.reported[0][0])


async def test_the_bot_ends_while_somebody_pastes(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, [heard(echo)]) as chat:
        for number in range(9):
            await chat.remark("alice", f"{number}")
        pipeline = chat.crew.pipeline
    assert pipeline.ears.unheard == 0
    assert chat.incidents.reported == []


# --- at load, and anew


async def of_a_call(remark: Remark, actor: Actor) -> None:
    assert remark.nick == str(actor)


async def unknown(remark: Remark, table: dict) -> None:  # type: ignore[type-arg]  # it is what is wrong with it
    assert remark.nick in table


def no_rooms(_: Rooms) -> list[str]:
    raise ValueError("no idea")


@pytest.mark.parametrize(
    ("plugin", "words"),
    [
        (heard(of_a_call), "plugin ear: of_a_call: parameter actor: no service for Actor"),
        (heard(unknown), "plugin ear: unknown: parameter table: no service for dict"),
        (heard(echo, lambda _: ["#team"]), "'#team' is no room, write it as network/room"),
        (heard(echo, lambda _: [3]), "3 is no room"),  # type: ignore[list-item]  # it is what is wrong with it
        (heard(echo, no_rooms), "which rooms it hears cannot be told: no idea"),
        (heard(echo, lambda: ()), "a function of the settings alone"),  # type: ignore[arg-type,misc]  # as above
    ],
)
async def test_a_wrong_ear_stops_the_start(tmp_path: Path, plugin: Plugin, words: str) -> None:
    with pytest.raises(PluginError, match="ear") as caught:
        async with Chat.open(tmp_path, [plugin]):
            pass  # pragma: no cover - it does not come so far
    assert words in str(caught.value)


async def test_an_ear_without_settings_stops_the_start(tmp_path: Path) -> None:
    plugin = Plugin("deaf")
    plugin.hears(lambda _: [])(echo)
    with pytest.raises(PluginError, match="plugin deaf: echo: which rooms it hears stands in settings"):
        async with Chat.open(tmp_path, [plugin]):
            pass  # pragma: no cover - it does not come so far


async def test_a_reload_replaces_the_ears(tmp_path: Path) -> None:
    async def shout(remark: Remark) -> Relayed:
        return Relayed(OTHER, remark.text.upper())

    async with Chat.open(tmp_path, [heard(echo)]) as chat:
        assert await chat.remark("alice", "hi") == [(str(OTHER), "hi")]
        chat.code.written["ear"] = heard(shout)
        assert await chat.say("ann", "!plugin reload ear") == "Plugin ear is reloaded."
        assert await chat.remark("alice", "hi") == [(str(OTHER), "HI")]
        chat.code.written["ear"] = heard(shout, lambda _: [str(OTHER)])
        await chat.say("ann", "!plugin reload ear")
        assert not chat.listens(TEAM)
        assert chat.listens(OTHER)
