import asyncio

import pytest

from bot.model import Place
from bot.testing import Chat
from tests.core.conftest import Probe, also_known, book

ELSEWHERE = Place("net", "#elsewhere")


async def execute(chat: Chat, sql: str) -> None:
    await chat.store.write(lambda tx: tx.db.execute(sql))


async def test_a_yes_by_the_same_identity_in_the_same_place_runs_it(talk: Chat, probe: Probe) -> None:
    assert await talk.say("alice", "!wipe") == "Wipe ford-3 of alice? Say !yes within 60 s."
    assert probe.runs == []
    assert await talk.say("alice", "!yes") == "ford-3 is wiped."
    assert await talk.say("alice", "!yes") == "Nothing waits for your yes."
    assert probe.runs == ["wipe ford-3"]
    assert await book(talk) == [
        "question | wipe | ford-3 | 1: Wipe ford-3 of alice?",
        "asked | yes",
        "done | yes |  | answered",
        "asked | wipe | ford-3 | yes of alice",
        "done | wipe | ford-3 | ford-3 is wiped.",
        "asked | yes",
        "refused | yes |  | Nothing waits for your yes.",
    ]


async def test_nobody_else_and_nowhere_else_can_say_yes(talk: Chat, probe: Probe) -> None:
    await talk.say("alice", "!wipe")
    assert await talk.say("bob", "!yes") == "Nothing waits for your yes."
    assert await talk.say("bob", "!yes 1") == "Question 1 waits for alice, there."
    assert await talk.say("ann", "!yes 1") == "Question 1 waits for alice, there."
    assert await talk.say("alice", "!yes", proven=False) == "Nothing waits for your yes."
    assert await talk.say("alice", "!yes 1", proven=False) == "Question 1 waits for alice, there."
    assert await talk.say("alice", "!yes", place=ELSEWHERE) == "Nothing waits for your yes."
    assert await talk.say("alice", "!yes", direct=True) == "Nothing waits for your yes."
    assert await talk.say("alice", "!yes 1", direct=True) == "Question 1 waits for alice, there."
    assert await talk.say("alice", "!yes 2") == "There is no question 2."
    assert probe.runs == []
    assert await talk.say("alice", "!yes #1") == "ford-3 is wiped."


async def test_another_identity_of_the_same_member_is_another_identity(talk: Chat, probe: Probe) -> None:
    other = await also_known(talk, "lis", "alice")
    await talk.say("alice", "!wipe")
    answer = await talk.hear("alice", "!yes", identity=other)
    assert answer.lines == ("Nothing waits for your yes.",)
    assert probe.runs == []


async def test_a_question_expires(talk: Chat, probe: Probe) -> None:
    await talk.say("alice", "!wipe")
    await talk.clock.advance(60)
    await talk.say("alice", "!wipe")
    await talk.clock.advance(1)
    assert await talk.say("alice", "!yes 1") == "Question 1 has expired; ask again."
    assert await talk.say("alice", "!yes 1") == "There is no question 1."
    assert await talk.say("alice", "!yes") == "ford-3 is wiped."
    await talk.say("alice", "!wipe")
    await talk.clock.advance(61)
    assert await talk.say("alice", "!yes") == "Question 3 has expired; ask again."
    assert probe.runs == ["wipe ford-3"]


async def test_a_bare_yes_answers_ones_own_newest(talk: Chat, probe: Probe) -> None:
    await talk.say("ann", "!wipe ford-1")
    await talk.say("ann", "!wipe ford-9")
    await talk.say("ann", "!raze ford-3")
    assert await talk.say("ann", "!yes") == "ford-9 is wiped."
    assert await talk.say("ann", "!yes") == "ford-1 is wiped."
    assert await talk.say("ann", "!yes") == "Nothing waits for your yes."
    assert probe.runs == ["wipe ford-9", "wipe ford-1"]


async def test_what_changed_meanwhile_is_a_conflict(talk: Chat, probe: Probe) -> None:
    await talk.say("ann", "!wipe ford-1")
    await execute(talk, "UPDATE machines SET owner = 'alice' WHERE name = 'ford-1'")
    assert await talk.say("ann", "!yes") == "wipe: it changed since you asked; look, and ask again."
    await talk.say("ann", "!wipe ford-1")
    await execute(talk, "DELETE FROM machines WHERE name = 'ford-1'")
    assert await talk.say("ann", "!yes") == "There is no machine “ford-1”; !vm list names them."
    assert probe.runs == []


async def test_roles_that_changed_meanwhile_count(talk: Chat, probe: Probe) -> None:
    await talk.say("ann", "!wipe ford-1")
    await execute(talk, "UPDATE members SET role = 'member' WHERE name = 'ann'")
    assert await talk.say("ann", "!yes") == "Only the owner of the machine or admins may wipe."
    await talk.say("alice", "!wipe")
    await execute(talk, "UPDATE members SET role = 'admin' WHERE name = 'alice'")
    assert await talk.say("alice", "!yes") == "wipe: it changed since you asked; look, and ask again."
    await talk.say("bob", "!wipe")
    await execute(talk, "UPDATE members SET standing = 'suspended' WHERE name = 'bob'")
    assert (
        await talk.say("bob", "!yes")
        == "Only the owner of the machine or admins may wipe; you are suspended."
    )
    assert probe.runs == []


async def test_a_left_out_name_that_could_mean_another_by_now_is_not_guessed(
    talk: Chat, probe: Probe
) -> None:
    await talk.say("alice", "!wipe")
    await execute(talk, "UPDATE machines SET owner = 'alice' WHERE name = 'ford-1'")
    assert (await talk.say("alice", "!yes")).startswith("Which machine: ford-1, ford-3?")
    assert probe.runs == []


async def test_no_leaves_it_undone(talk: Chat, probe: Probe) -> None:
    await talk.say("alice", "!wipe ford-3")
    assert await talk.say("alice", "!no") == "Left undone: wipe ford-3."
    assert await talk.say("alice", "!no") == "Nothing waits for your no."
    assert await talk.say("alice", "!no 1") == "There is no question 1."
    await talk.say("alice", "!wipe")
    assert await talk.say("bob", "!no 2") == "Only alice or admins may answer question 2."
    assert await talk.say("ann", "!no 2", direct=True) == "Left undone: wipe."
    assert await talk.say("alice", "!yes") == "Nothing waits for your yes."
    assert probe.runs == []


async def test_anothers_machine_needs_a_second_admin(talk: Chat, probe: Probe) -> None:
    assert await talk.say("alice", "!raze") == "Raze ford-3? Say !yes within 60 s."
    question = "Raze ford-3? It needs another admin's yes: !yes 2 within 10 min."
    assert await talk.say("ann", "!raze ford-3") == question
    assert await talk.say("ann", "!yes") == "Nothing waits for your yes."
    assert await talk.say("ann", "!yes 2") == "Question 2 waits for another admin's yes, not yours."
    assert await talk.say("alice", "!yes 2") == "Question 2 waits for the yes of another admin."
    assert await talk.say("zed", "!yes 2") == "Question 2 waits for the yes of another admin."
    assert await talk.say("abe", "!yes") == "Nothing waits for your yes."
    assert probe.runs == []
    assert await talk.say("abe", "!yes 2") == "ford-3 is razed gently."
    assert await talk.say("abe", "!yes 2") == "There is no question 2."
    assert await talk.told() == []
    assert (await book(talk))[-4:-2] == [
        "asked | raze | ford-3 | yes of abe",
        "done | raze | ford-3 | ford-3 is razed gently.",
    ]


async def test_a_second_yes_from_another_place_tells_both(talk: Chat, probe: Probe) -> None:
    await talk.say("ann", "!raze ford-3")
    assert await talk.say("abe", "!yes 1", direct=True) == "ford-3 is razed gently."
    assert await talk.told() == [("room net/#team", "ann: ford-3 is razed gently.")]
    assert probe.runs == ["raze ford-3 gently"]


async def test_a_second_yes_does_not_show_what_is_private_to_who_asked(talk: Chat) -> None:
    await talk.say("ann", "!raze ford-3 quietly")
    assert await talk.say("abe", "!yes 1") == "Done with abe's yes: raze ford-3 quietly."
    assert await talk.told() == [("member ann", "ford-3 is razed quietly.")]


async def test_a_second_yes_has_ten_minutes(talk: Chat, probe: Probe) -> None:
    await talk.say("ann", "!raze ford-3")
    await talk.say("ann", "!raze ford-1")
    await talk.clock.advance(600)
    assert await talk.say("abe", "!yes 1") == "ford-3 is razed gently."
    await talk.clock.advance(1)
    assert await talk.say("abe", "!yes 2") == "Question 2 has expired; ask again."
    assert probe.runs == ["raze ford-3 gently"]


async def test_an_asker_who_lost_the_right_cannot_be_helped_by_a_second(talk: Chat, probe: Probe) -> None:
    await talk.say("ann", "!raze ford-3")
    await execute(talk, "UPDATE members SET role = 'member' WHERE name = 'ann'")
    assert await talk.say("abe", "!yes 1") == "Only the owner of the machine or admins may raze."
    await talk.say("abe", "!raze ford-3")
    await execute(talk, "UPDATE members SET role = 'admin' WHERE name = 'bob'")
    assert await talk.say("bob", "!yes 2") == "ford-3 is razed gently."
    assert probe.runs == ["raze ford-3 gently"]


async def test_questions_are_not_kept_for_ever(talk: Chat) -> None:
    questions = talk.crew.pipeline.questions
    for _ in range(230):
        await talk.say("alice", "!wipe")
    assert len(questions.opened) == 200
    await talk.clock.advance(3600)
    await talk.say("alice", "!wipe")
    assert list(questions.opened) == [231]


async def test_a_machine_that_is_being_changed_is_changed_by_nobody_else(talk: Chat, probe: Probe) -> None:
    first = asyncio.create_task(talk.say("alice", "!work digging ford-3"))
    await probe.has_begun("digging")
    await talk.say("ann", "!wipe ford-3")
    busy = "ford-3 is busy with work by alice; wait, or see !jobs."
    assert await talk.say("ann", "!yes") == busy
    assert await talk.say("bob", "!work wiping ford-3") == busy
    assert await talk.say("bob", "!look ford-3") == "ford-3 is there."
    probe.let("digging")
    assert await first == "worked on ford-3"
    await talk.say("ann", "!wipe ford-3")
    assert await talk.say("ann", "!yes") == "ford-3 is wiped."


@pytest.mark.parametrize("word", ["x", "-1", "1.5", "1 2", "9" * 30])
async def test_a_yes_to_no_number_is_refused(talk: Chat, word: str) -> None:
    assert "Usage: !yes [NUMBER]" in await talk.say("alice", f"!yes {word}")
