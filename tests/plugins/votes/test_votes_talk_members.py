"""Who may vote, votes on members, and secret ballots, as people hold them."""

import re
from pathlib import Path

from bot import (
    Role,
    Share,
)
from bot.testing import Chat
from tests.plugins.votes.talking import (
    MINUTE,
    WEEK,
    later,
    on_ballot,
    opened,
    team,
    vote,
)


async def test_who_is_suspended_or_new_or_sells_meanwhile(chat: Chat) -> None:
    await on_ballot(chat, "purchase A disk | 2 TB.")
    await vote(chat, bob="no")
    await chat.say("ann", "!member set bob share full")
    await chat.say("ann", "!yes")
    await chat.say("ann", "!member set alice standing suspended")
    await chat.say("ann", "!yes")
    await chat.say("ann", "!member add zoe")
    await chat.say("ann", "!member identity zoe net:zoe")
    await chat.told()
    await chat.clock.advance(MINUTE)
    assert "You are not on motion 1's list" in await chat.say("zoe", "!vote 1 yes")
    assert "Only members" in await chat.say("alice", "!vote 1 yes")
    await vote(chat, ann="yes", abe="yes")
    await later(chat, WEEK)
    assert "VOTE 1 PASSED: yes 4, no 1, abstain 0; 5*2=10 >= 1*7=7 yes" in (await team(chat))[-1]
    cert = await chat.say("ann", "!vote cert 1")
    assert "alice: is suspended" in cert
    assert "bob: has 2 half-units now, and 1 in this vote" in cert


async def test_who_is_suspended_for_a_while_only_stands_in_the_certificate(chat: Chat) -> None:
    await on_ballot(chat)
    for standing in ("suspended", "good"):
        await chat.say("ann", f"!member set bob standing {standing}")
        await chat.say("ann", "!yes")
        await chat.clock.advance(11 * MINUTE)
        await chat.clock.advance(11 * MINUTE)
    await vote(chat, alice="yes", bob="yes", ann="yes", abe="yes")
    cert = await chat.say("ann", "!vote cert 1")
    assert re.search("Notes: [^;]* bob: is suspended; [^;]* bob: is as they were again[.]", cert), cert


async def test_the_new_have_no_vote_yet(tmp_path: Path) -> None:
    async with opened(tmp_path, min_tenure_days=45) as chat:
        said = await chat.say("alice", "!propose policy Tea")
        assert "joined 2026-11-22, 45 days needed; you may from 2027-01-06 " in said
        assert said.endswith(" UTC on, see !policy voting.")


async def test_secret_ballots(chat: Chat) -> None:
    await on_ballot(chat, "admit zoe | Knows disks.")
    said = await chat.say("bob", "!vote 1 no")
    assert said == "Not counted, vote 1: Motion 1 is secret: tell me directly. What stood here is void."
    assert "0 of 4 voted" in await chat.say("bob", "!vote show 1")
    answers = await vote(chat, alice="1 yes", bob="1 no", ann="1 yes", abe="1 yes because of disks")
    token = re.search(r"Receipt [0-9a-f]{16}, token (\w+)\.", answers[1])
    assert token
    closing = (await team(chat))[0]
    assert "VOTE 1 PASSED: yes 3, no 1, abstain 0" in closing
    cert = await chat.say("bob", "!vote cert 1")
    assert not re.search("(alice|bob|ann|abe): (yes|no)", cert)
    assert len(re.findall(r"(?m)^  [0-9a-f]{16}: (?:yes|no)$", cert)) == 4
    found = await chat.say("bob", f"!vote verify 1 {token[1]}")
    assert re.fullmatch(
        r"\(to bob\) Vote 1: your ballot is in the list and counted: [0-9a-f]{16} no\.", found
    )
    assert "no ballot in the list" in await chat.say("ann", f"!vote verify 1 {token[1]}")
    book = [row.entry for row in await chat.book.recent(100)]
    assert {entry.words for entry in book if entry.command == "vote"} == {"••• •••"}
    assert not any(token[1] in f"{entry.words}{entry.outcome}" for entry in book)


async def test_what_links_a_secret_ballot_with_its_voter_is_erased(chat: Chat) -> None:
    await on_ballot(chat, "admit zoe | Knows disks.")
    await vote(chat, alice="yes", bob="no")
    assert "you voted no" in await chat.say("bob", "!vote mine 1")
    assert "still open" in await chat.say("bob", "!vote verify 1 x")
    await vote(chat, bob="yes")
    await chat.say("alice", "!vote retract 1")
    await vote(chat, alice="yes", ann="yes", abe="yes")
    kept = "SELECT count(*) FROM votes_sealed"
    assert await chat.store.read(lambda db: db.execute(kept).fetchone()) == (4,)
    await later(chat, WEEK + MINUTE)
    assert await chat.store.read(lambda db: db.execute(kept).fetchone()) == (0,)
    assert "which is erased" in await chat.say("bob", "!vote mine 1")
    assert "Recounted as announced" in await chat.say("bob", "!vote recount 1")


async def test_an_admission_waits_for_an_admin(chat: Chat) -> None:
    assert "is a member already" in await chat.say("alice", "!propose admit bob")
    assert "Begin with the name" in await chat.say("alice", "!propose admit 42")
    await on_ballot(chat, "admit zoe | Knows disks.")
    await vote(chat, alice="yes", bob="yes", ann="yes", abe="yes")
    told = await chat.told()
    assert any("zoe" in line and "!vote confirm 1" in line for to, line in told if to == "room net/#admins")
    assert await chat.crew.pipeline.roster.member("zoe") is None
    assert "Only admins" in await chat.say("bob", "!vote confirm 1")
    assert "Put motion 1 into effect?" in await chat.say("ann", "!vote confirm 1")
    assert "zoe is a member" in await chat.say("ann", "!yes")
    zoe = await chat.crew.pipeline.roster.member("zoe")
    assert zoe
    assert (zoe.role, zoe.share) == (Role.MEMBER, Share.FULL)
    assert "no effect that waits" in await chat.say("ann", "!vote confirm 1")
    assert await chat.say("ann", "!yes") == "Nothing waits for your yes."


async def test_asking_somebody_to_leave(chat: Chat) -> None:
    assert "is none" in await chat.say("alice", "!propose expel mallory | Spam.")
    await chat.say("alice", "!propose expel bob | Spam.")
    told = await chat.told()
    assert any(to == "member bob" and "is about you" in line for to, line in told)
    assert "is about you" in await chat.say("bob", "!second 1")
    await chat.say("ann", "!second 1")
    assert "your answer stands" in await chat.say("bob", "!answer 1 It was not me.")
    assert "Only whom motion 1 concerns" in await chat.say("ann", "!answer 1 It was.")
    await chat.say("abe", "!second 1")
    assert "is about you" in (await vote(chat, bob="1 no"))[0]
    await vote(chat, alice="1 yes", ann="1 yes", abe="1 yes")
    assert "3 of 3 voted" in await chat.say("ann", "!vote show 1")
    assert "[bob] It was not me." in await chat.say("ann", "!vote show 1")
    await later(chat, WEEK + MINUTE)
    assert any("VOTE 1 PASSED: yes 3, no 0" in line for line in await team(chat))
    assert "no effect that waits" in await chat.say("ann", "!vote confirm 1")
    assert await chat.say("ann", "!yes") == "Nothing waits for your yes."
    await later(chat, WEEK + MINUTE)
    assert any("is in force" in line for line in await team(chat))
    machines = await chat.crew.pipeline.roster.machines()
    await chat.say("ann", "!vote confirm 1")
    assert "their machines go on" in await chat.say("ann", "!yes")
    assert await chat.crew.pipeline.roster.machines() == machines
    assert "Only members" in await chat.say("bob", "!vote list")
