from datetime import timedelta

import pytest

from bot import Notice, Place, Tx
from bot.testing import TEAM, Chat
from tests.plugins.conftest import GUEST, HOSTILE

ELSEWHERE = Place("net", "#elsewhere")


async def put(chat: Chat, *notices: Notice) -> None:
    def work(tx: Tx) -> None:
        for notice in notices:
            tx.notice(notice)

    await chat.store.write(work)


async def test_an_empty_outbox_says_so(chat: Chat) -> None:
    assert await chat.say("ann", "!outbox") == "Nothing waits to be said."


async def test_what_waits_is_shown_by_place_with_its_age(chat: Chat) -> None:
    await put(chat, Notice(TEAM, ("1",)), Notice(TEAM, ("2",)))
    await chat.clock.advance(90)
    await put(chat, Notice(ELSEWHERE, ("3",)))
    assert (await chat.say("ann", "!outbox")).splitlines() == [
        "net/#team: 2 messages, the oldest 1 min 30 s old.",
        "net/#elsewhere: 1 message, the oldest 0 s old.",
    ]


async def test_what_was_dropped_is_asked_for_and_counted(chat: Chat) -> None:
    await put(chat, Notice(ELSEWHERE, ("1",)), Notice(ELSEWHERE, ("2",)))
    assert await chat.say("ann", "!outbox drop net/#elsewhere") == (
        "Never say what waits for net/#elsewhere? Say !yes within 60 s."
    )
    assert await chat.say("ann", "!yes") == "2 messages for “net/#elsewhere” will not be said."
    assert await chat.say("ann", "!outbox") == "Nothing waits to be said.\nnet/#elsewhere: 2 dropped."


async def test_of_a_place_for_which_nothing_waits_nobody_is_asked(chat: Chat) -> None:
    nothing = "Nothing waits for “net/#elsewhere”; !outbox names the places."
    assert await chat.say("ann", "!outbox drop net/#elsewhere") == nothing
    assert await chat.say("ann", "!yes") == "Nothing waits for your yes."
    await put(chat, Notice(ELSEWHERE, ("1",)))
    await chat.say("ann", "!outbox drop net/#elsewhere")
    await chat.say("ann", "!yes")
    assert await chat.say("ann", "!outbox drop net/#elsewhere") == nothing
    assert await chat.say("ann", "!yes") == "Nothing waits for your yes."


async def test_what_was_said_before_the_yes_is_not_dropped(chat: Chat) -> None:
    await put(chat, Notice(ELSEWHERE, ("1",)))
    await chat.say("ann", "!outbox drop net/#elsewhere")
    await chat.told()
    assert await chat.say("ann", "!yes") == "Nothing waits for “net/#elsewhere”; !outbox names the places."
    assert await chat.say("ann", "!outbox") == "Nothing waits to be said."


async def test_what_expired_is_shown(chat: Chat) -> None:
    await put(chat, Notice(TEAM, ("old",), expires=chat.clock.now() - timedelta(seconds=1)))
    shown = await chat.say("ann", "!outbox")
    assert shown == "net/#team: 1 message, the oldest 0 s old."


@pytest.mark.parametrize("word", HOSTILE)
async def test_a_place_that_is_none_is_not_found(chat: Chat, word: str) -> None:
    answer = await chat.say("ann", f"!outbox drop {word}")
    assert "Nothing waits for" in answer or "is more than I expected" in answer
    assert await chat.say("ann", "!yes") == "Nothing waits for your yes."
    assert chat.incidents.reported == []


@pytest.mark.parametrize("command", ["outbox", "outbox drop net/#team"])
async def test_only_admins_look_after_it(chat: Chat, command: str) -> None:
    name = "outbox drop" if "drop" in command else "outbox"
    assert await chat.say("alice", f"!{command}") == f"Only admins may {name}."
    assert await chat.say("eve", f"!{command}") == f"Only admins may {name}, and {GUEST}"


async def test_many_places_are_not_all_shown(chat: Chat) -> None:
    await put(chat, *(Notice(Place("net", f"#{number:02}"), ("x",)) for number in range(60)))
    lines = (await chat.say("ann", "!outbox")).splitlines()
    assert (len(lines), lines[-1]) == (51, "And 10 more places.")
