"""What admins are not even asked about, as it cannot come true."""

import pytest

from bot.testing import Chat
from tests.plugins.votes.talking import MINUTE, WEEK, later, on_ballot, vote

EVERYBODY = {"alice": "1 yes", "bob": "1 yes", "ann": "1 yes", "abe": "1 yes"}


async def refused(chat: Chat, text: str) -> str:
    """What ann is answered at once, with no question that waits."""
    answer = await chat.say("ann", text)
    assert await chat.say("ann", "!yes") == "Nothing waits for your yes."
    return answer


async def asked(chat: Chat, text: str) -> None:
    assert (await chat.say("ann", text)).endswith("Say !yes within 60 s.")


@pytest.mark.parametrize("command", ["annul 7 wrong text", "confirm 7"])
async def test_nobody_is_asked_about_a_motion_that_is_not_there(chat: Chat, command: str) -> None:
    assert await refused(chat, f"!vote {command}") == "There is no motion 7; !vote list names them."


async def test_nobody_is_asked_to_annul_what_is_not_open(chat: Chat) -> None:
    await chat.say("alice", "!propose policy Buy 8 GiB RAM | As we swap.")
    assert await refused(chat, "!vote annul 1 wrong text") == "Motion 1 is not open: it is seconding."
    await chat.say("bob", "!second 1")
    assert await refused(chat, "!vote annul 1") == "The reason is missing."
    await vote(chat, **EVERYBODY)
    assert await refused(chat, "!vote annul 1 wrong text") == "Motion 1 is not open: it is closed."


async def test_what_ended_before_the_yes_is_not_annulled(chat: Chat) -> None:
    await on_ballot(chat)
    await asked(chat, "!vote annul 1 wrong text")
    await vote(chat, **EVERYBODY)
    assert await chat.say("ann", "!yes") == "Motion 1 is not open: it is closed."
    assert "PASSED" in await chat.say("bob", "!vote show 1")


async def test_nobody_is_asked_to_confirm_what_has_no_effect_that_waits(chat: Chat) -> None:
    waits = "Motion 1 has no effect that waits for an admin."
    await on_ballot(chat, "admit zoe | Knows disks.")
    assert await refused(chat, "!vote confirm 1") == waits
    assert await refused(chat, "!vote confirm") == waits
    assert "A motion has a number, not “now”" in await refused(chat, "!vote confirm now")


async def test_what_another_admin_confirmed_before_the_yes_is_not_confirmed_again(chat: Chat) -> None:
    await on_ballot(chat, "admit zoe | Knows disks.")
    await vote(chat, **EVERYBODY)
    await asked(chat, "!vote confirm 1")
    await chat.say("abe", "!vote confirm 1")
    assert "zoe is a member" in await chat.say("abe", "!yes")
    assert await chat.say("ann", "!yes") == "Motion 1 has no effect that waits for an admin."


async def test_whom_an_admin_added_already_is_not_admitted(chat: Chat) -> None:
    await on_ballot(chat, "admit zoe | Knows disks.")
    await vote(chat, **EVERYBODY)
    await asked(chat, "!vote confirm 1")
    await chat.say("abe", "!member add zoe")
    assert await chat.say("ann", "!yes") == "zoe is a member already."
    assert await refused(chat, "!vote confirm 1") == "zoe is a member already."


async def test_an_expelled_last_admin_stays_until_there_is_another(chat: Chat) -> None:
    await chat.say("alice", "!propose expel ann | Spam.")
    await chat.say("bob", "!second 1")
    await chat.say("abe", "!second 1")
    await vote(chat, alice="1 yes", bob="1 yes", abe="1 yes")
    await later(chat, WEEK + MINUTE)
    await later(chat, WEEK + MINUTE)
    await asked(chat, "!vote confirm 1")
    await chat.store.write(lambda tx: tx.db.execute("UPDATE members SET role = 'member' WHERE name = 'abe'"))
    last = "ann is the last admin; make another one first."
    assert await chat.say("ann", "!yes") == last
    assert await refused(chat, "!vote confirm 1") == last
    await chat.store.write(lambda tx: tx.db.execute("UPDATE members SET role = 'admin' WHERE name = 'abe'"))
    await asked(chat, "!vote confirm 1")
    assert "ann is suspended" in await chat.say("ann", "!yes")
