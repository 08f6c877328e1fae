"""Votes as people hold them: every command, and every wrong way to use it."""

import re
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot import (
    DigestPart,
    Identity,
    IdentityBound,
    IdentityKind,
    MotionPassed,
    Place,
    Plugin,
    Role,
    Share,
    StatusPart,
)
from bot.paths import share
from bot.store.registrar import SqlRegistrar
from bot.testing import Chat, FakeClock
from plugins.members import plugin as roster
from plugins.policy import plugin as policy
from plugins.posts import plugin as posts
from plugins.votes import plugin

PLUGINS: list[Plugin] = [plugin, policy, posts, roster]
ROOM = "room net/#team"
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
WEEK = 7 * DAY
CHAIN = re.compile(r" \[chain [0-9a-f]{12}\]$")
QUICK = {"min_tenure_days": 0, "discussion_hours": 0, "answer_hours": 0}
SERVICES = SqlRegistrar({"net": "irc", "jabber": "xmpp"})


def rules(folder: Path, numbers: Mapping[str, int]) -> Path:
    """A copy of the policies, in which each line with such a key has that number."""
    made = folder / "rules"
    if not made.exists():
        shutil.copytree(share("policies"), made)
    for file in made.glob("*.md"):
        text = file.read_text("utf-8")
        for key, value in numbers.items():
            text = re.sub(rf"(?m)^{key} = \d+", f"{key} = {value}", text)
        file.write_text(text, "utf-8")
    return made


@asynccontextmanager
async def opened(folder: Path, clock: FakeClock | None = None, **numbers: int) -> AsyncIterator[Chat]:
    """A co-op whose rules are quick but for these numbers."""
    policies = rules(folder, {**QUICK, **numbers})
    async with Chat.open(folder, PLUGINS, policies=policies, clock=clock) as chat:
        yield chat
        assert chat.incidents.reported == []


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    async with opened(tmp_path) as made:
        yield made


async def team(chat: Chat) -> list[str]:
    """What the team has heard since."""
    return [line for to, line in await chat.told() if to == ROOM]


async def on_ballot(chat: Chat, line: str = "policy Buy 8 GiB RAM | As we swap.", *seconds: str) -> None:
    """Bring alice's motion to its ballot."""
    assert (await chat.say("alice", f"!propose {line}")).startswith("Motion ")
    for name in seconds or ("bob",):
        await chat.say(name, "!second")
    await chat.told()


async def later(chat: Chat, seconds: float) -> None:
    """Let time pass at one go, but for its last minutes."""
    last = 11 * MINUTE
    chat.clock.put(seconds - last)
    await chat.clock.advance(last)


async def vote(chat: Chat, **words: str) -> list[str]:
    """Let members vote directly; return what they were answered."""
    return [await chat.say(name, f"!vote {word}", direct=True) for name, word in words.items()]


async def test_a_motion_from_its_proposal_to_its_certificate(chat: Chat) -> None:
    assert await chat.say("alice", "!vote list") == "No motion yet: !propose policy TITLE | TEXT"
    said = await chat.say("alice", "!propose policy Buy 8 GiB RAM | As we swap.")
    assert said == 'Motion 1 "Buy 8 GiB RAM" (policy): it needs 1 second by others: !second 1'
    (line,) = await team(chat)
    assert CHAIN.sub("", line) == (
        'VOTE 1 proposed: "Buy 8 GiB RAM" by alice (policy). '
        "It needs 1 second by Sun 29 Nov 12:00 UTC: !second 1"
    )
    assert "You second motion 1" in await chat.say("bob", "!second 1")
    (line,) = await team(chat)
    assert CHAIN.search(line)
    assert CHAIN.sub("", line) == (
        'VOTE 1 open: "Buy 8 GiB RAM" by alice, seconded bob. policy: more than 1/2 of the votes cast, '
        "quorum 1/3. Closes Sun 29 Nov 12:00 UTC (in 7 d). !vote 1 yes|no|abstain"
    )
    assert await chat.say("alice", "!vote 1 yes because we swap") == "Recorded: vote 1, yes by alice."
    assert (await vote(chat, bob="no"))[0].startswith("(to bob) Recorded: vote 1, no.")
    shown = await chat.say("bob", "!vote show 1")
    assert "2 of 4 voted" in shown
    assert "[alice] As we swap." in shown
    assert not re.search(r"yes \d|no \d", shown)
    assert "still open; only the turnout is told: 2 of 4" in await chat.say("bob", "!vote recount 1")
    await vote(chat, ann="yes", abe="YES")
    (line,) = await team(chat)
    assert line.startswith("VOTE 1 PASSED: yes 3, no 1, abstain 0; 4*3=12 >= 1*4=4 yes; ")
    assert "Appeal until 29 Nov. !vote cert 1 [chain " in line
    cert = await chat.say("bob", "!vote cert")
    assert "MOTION 1 PASSED: Buy 8 GiB RAM (policy)" in cert
    assert re.search(r"\[chain [0-9a-f]{12}\]$", cert.splitlines()[0])
    again = await chat.say("bob", "!vote recount 1")
    assert "PASSED: yes 3, no 1" in again
    assert "Recounted as announced" in again
    assert (await chat.say("bob", "!vote list")).startswith('1 passed: "Buy 8 GiB RAM" by alice (policy)')
    assert "Not counted, vote 1: Motion 1 is closed." in await chat.say("abe", "!vote 1 no")


async def test_each_line_fits_irc_whatever_people_write(chat: Chat) -> None:
    wide = "ÅÅÅÅ " * 20
    await chat.say("alice", f"!propose policy {wide[:99]}| {'ü' * 3000}")
    await chat.say("ann", f"!amend 1 {'ü' * 3000}")
    await chat.say("bob", "!second 1")
    told = await chat.told()
    assert len(told) == 6
    assert all(len(line.encode()) <= 400 for _, line in told), told
    assert all(CHAIN.search(line) for to, line in told if to == ROOM)


WRONG = [
    ("vote 1 yse", '"yse" is no choice'),
    ("vote 1 1-2", '"1-2" is no choice'),
    ("vote 1", "say what you vote: !vote 1 yes|no|abstain"),
    ("vote 1-2", '"1-2" is no choice'),
    ("vote 1 уes", '"уes" is no choice'),  # noqa: RUF001 - the first letter is a foreign one
    ("vote 1 yes no", '"yes no" is no choice'),
    ("vote 1 because of it", "say what you vote"),
]


async def test_what_is_no_number_is_told_where_numbers_are(chat: Chat) -> None:
    assert await chat.say("bob", "!vote foo") == "“foo” is no motion's number: !vote list names them."


async def test_a_wrong_ballot_changes_nothing_and_is_told_why(chat: Chat) -> None:
    await on_ballot(chat)
    for line, why in WRONG:
        assert (await chat.say("bob", f"!{line}")).startswith(f"Not counted, vote 1: {why}"), line
    await chat.say("bob", "!vote 1 no")
    for line, _ in WRONG:
        assert (await chat.say("bob", f"!{line}")).endswith('Your earlier "no" stands.'), line
    assert "you voted no at" in await chat.say("bob", "!vote mine 1")
    assert await chat.say("bob", "!vote 9 yes") == "There is no motion 9; !vote list names them."
    assert "no motion of that number" in await chat.say("bob", "!vote 99999999999999 yes")
    assert "Only members may vote" in await chat.say("eve", "!vote 1 yes")
    assert "Only members may vote" in await chat.say("bob", "!vote 1 yes", proven=False)


async def test_the_number_may_be_left_out_where_only_one_is_open(chat: Chat) -> None:
    assert "no motion's number" in await chat.say("bob", "!vote yes")
    await on_ballot(chat)
    assert "vote 1, abstain" in await chat.say("bob", "!vote abstain")
    await on_ballot(chat, "policy Paint it")
    assert "say which of 1, 2" in await chat.say("bob", "!vote yes")
    assert "Which motion: 1, 2?" in await chat.say("bob", "!vote retract")
    assert "vote 2, no" in await chat.say("bob", "!vote #2 no")


async def test_a_number_behind_vote_is_never_another_command(chat: Chat) -> None:
    await on_ballot(chat)
    assert "Recorded: vote 1, no" in await chat.say("bob", "!vote 1 no")
    assert await chat.say("bob", "!vote 1 retract") == "Vote 1: your ballot is taken back."
    assert await chat.say("bob", "!vote retract 1") == "You have no ballot in motion 1."
    assert "out of it" in await chat.say("bob", "!vote 1 recuse")
    assert "0 of 3 voted" in await chat.say("bob", "!vote show 1")
    assert "You are out of motion 1" in await chat.say("bob", "!vote 1 yes")
    assert "A motion has a number" in await chat.say("ann", "!vote recuse me")


async def test_two_nicks_and_two_networks_are_one_vote(chat: Chat) -> None:
    jid = Identity("jabber", IdentityKind.XMPP_JID, "bob@ford.example")
    bob = await chat.crew.pipeline.roster.member("bob")
    assert bob
    await chat.store.write(lambda tx: SERVICES.bind(tx, bob, jid, "ann"))
    await on_ballot(chat)
    account = Identity("net", IdentityKind.IRC_ACCOUNT, "bob")
    await chat.hear("bob", "!vote 1 yes", identity=account)
    await chat.hear("bob_", "!vote 1 no", identity=account)
    direct = Place("jabber", "bob@ford.example", direct=True)
    reply = await chat.hear("bob", "!vote 1 abstain", place=direct, identity=jid)
    assert "Recorded: vote 1, abstain" in reply.lines[0]
    assert "1 of 4 voted" in await chat.say("alice", "!vote show 1")
    await vote(chat, alice="yes", ann="yes", abe="yes")
    assert "PASSED: yes 3, no 0, abstain 1" in (await team(chat))[-1]


async def test_an_identity_that_an_admin_bound_after_the_opening_cannot_vote(chat: Chat) -> None:
    await on_ballot(chat)
    await chat.clock.advance(MINUTE)
    jid = Identity("jabber", IdentityKind.XMPP_JID, "mallory@ford.example")
    await chat.say("ann", "!member identity bob jabber:mallory@ford.example")
    await chat.told()
    place = Place("jabber", "mallory@ford.example", direct=True)
    reply = await chat.hear("bob", "!vote 1 yes", place=place, identity=jid)
    assert "Not counted, vote 1: An admin bound this account after the ballot opened" in reply.lines[0]
    assert "Recorded" in await chat.say("bob", "!vote 1 no")
    await vote(chat, alice="yes", ann="yes", abe="yes")
    assert "bob: jabber:mallory@ford.example bound by ann" in await chat.say("bob", "!vote cert 1")


async def test_every_change_of_an_identity_stands_in_the_certificate_once(chat: Chat) -> None:
    await on_ballot(chat)
    changes = [True, True, False, True]  # an event may come twice
    for bound in changes:
        await chat.happen(IdentityBound(member="bob", network="jabber", subject="b@x", bound=bound, by="ann"))
    await vote(chat, alice="yes", bob="yes", ann="yes", abe="yes")
    cert = await chat.say("bob", "!vote cert 1")
    assert re.findall("bob: jabber:b@x (bound|unbound) by ann", cert) == ["bound", "unbound", "bound"]


async def test_an_identity_that_its_own_member_linked_may_vote(chat: Chat) -> None:
    await on_ballot(chat)
    await chat.clock.advance(MINUTE)
    jid = Identity("jabber", IdentityKind.XMPP_JID, "bob@ford.example")
    code = (await chat.say("bob", "!link", direct=True)).split()[-1]
    place = Place("jabber", "bob@ford.example", direct=True)
    await chat.hear("bob", f"!link {code}", place=place, identity=jid)
    assert "Recorded" in (await chat.hear("bob", "!vote 1 yes", place=place, identity=jid)).lines[0]


async def test_the_closing_instant_decides(chat: Chat) -> None:
    await on_ballot(chat)
    chat.clock.alarm = None
    await chat.clock.advance(WEEK - 0.001)
    assert "Recorded" in await chat.say("bob", "!vote 1 yes")
    await chat.clock.advance(0.001)
    assert "closed at 2026-11-29 12:00:00 UTC" in await chat.say("ann", "!vote 1 no")
    assert "closed at" in await chat.say("bob", "!vote 1 retract")
    assert "closed at" in await chat.say("bob", "!vote 1 no")


async def test_it_closes_by_itself_and_reminds_those_who_have_not_voted(chat: Chat) -> None:
    await on_ballot(chat)
    await vote(chat, alice="yes", bob="yes", ann="no")
    await later(chat, WEEK / 2 + MINUTE)
    told = await chat.told()
    assert [to for to, _ in told] == ["member abe", ROOM]
    assert "VOTE 1: 3 d 12 h left, 3 of 4 voted, quorum reached" in told[1][1]
    for left in ("1 d", "2 h"):
        await later(chat, WEEK / 2 - DAY if left == "1 d" else 22 * HOUR)
        told = await chat.told()
        assert [to for to, _ in told] == ["member abe", ROOM]
        assert f"VOTE 1: {left} left" in told[1][1]
    await later(chat, 2 * HOUR)
    told = await chat.told()
    assert "VOTE 1 PASSED: yes 2, no 1" in told[-1][1]


async def asked(chat: Chat) -> list[dict[str, str]]:
    """The rows that ask members for their ballots and wait to be said."""
    sql = "SELECT destination, expires, manner FROM outbox WHERE member IS NOT NULL ORDER BY destination"
    return await chat.store.read(lambda db: list(db.query(sql)))


async def test_who_has_not_voted_is_told_once_directly_and_until_the_close_only(chat: Chat) -> None:
    await chat.say("alice", "!propose policy Buy 8 GiB RAM")
    await chat.say("bob", "!second")
    direct = await asked(chat)
    assert [row["destination"] for row in direct] == [
        "member abe",
        "member ann",
    ]  # the others made the motion
    assert {row["expires"] for row in direct} == {"2026-11-29T12:00:00.000000Z"}
    assert {row["manner"] for row in direct} == {"patient"}
    await later(chat, WEEK - DAY)
    assert {row["manner"] for row in await asked(chat)} == {"patient"}
    await later(chat, 23 * HOUR)
    direct = await asked(chat)
    assert [row["destination"].removeprefix("member ") for row in direct] == ["abe", "alice", "ann", "bob"]
    assert {row["manner"] for row in direct} == {"plain"}


async def test_a_bot_that_was_away_over_the_close_gives_the_time_back(tmp_path: Path) -> None:
    async with opened(tmp_path) as chat:
        await on_ballot(chat)
        await later(chat, WEEK - 2 * HOUR)
        await chat.told()
        clock = chat.clock
    await clock.advance(5 * HOUR)
    async with opened(tmp_path, clock) as chat:
        line = (await team(chat))[0]
        assert "VOTE 1 stays open 5 h longer, as I was away: until Sun 29 Nov 17:00 UTC (in 2 h)" in line
        assert "Recorded" in await chat.say("bob", "!vote 1 yes")
        clock = chat.clock
    await clock.advance(30 * MINUTE)
    async with opened(tmp_path, clock) as chat:
        assert await team(chat) == []
        assert "Recorded" in await chat.say("ann", "!vote 1 yes")


async def test_a_short_absence_over_the_close_closes_it_at_the_start(tmp_path: Path) -> None:
    async with opened(tmp_path) as chat:
        await on_ballot(chat)
        await vote(chat, alice="yes", bob="yes", ann="yes")
        await later(chat, WEEK - 10 * MINUTE)
        await chat.told()
        clock = chat.clock
    await clock.advance(20 * MINUTE)
    async with opened(tmp_path, clock) as chat:
        assert "VOTE 1 PASSED: yes 3, no 0" in (await team(chat))[-1]


async def test_a_clock_that_is_set_back_undoes_nothing(chat: Chat) -> None:
    await on_ballot(chat)
    await later(chat, DAY)
    await chat.told()
    await vote(chat, alice="yes")
    chat.clock.put(-2 * DAY)
    await vote(chat, alice="no", bob="no", ann="yes", abe="yes")
    assert "VOTE 1 TIED: yes 2, no 2" in (await team(chat))[-1]


async def test_history_votes_for_nobody(chat: Chat) -> None:
    await on_ballot(chat)
    await chat.hear("bob", "!vote 1 yes", replayed=True)
    assert "0 of 4 voted" in await chat.say("alice", "!vote show 1")
    await chat.hear("bob", "!vote 1 yes", stamp="m1")
    await chat.hear("bob", "!vote 1 no", stamp="m2")
    assert (await chat.hear("bob", "!vote 1 yes", stamp="m1")).lines == ()
    assert "you voted no" in await chat.say("bob", "!vote mine 1")


async def test_a_restart_keeps_every_ballot(tmp_path: Path) -> None:
    async with opened(tmp_path) as chat:
        await on_ballot(chat)
        await vote(chat, alice="yes", bob="no", ann="yes")
        clock = chat.clock
    async with opened(tmp_path, clock) as chat:
        assert "3 of 4 voted" in await chat.say("abe", "!vote show 1")
        await vote(chat, abe="yes")
        assert "PASSED: yes 3, no 1" in (await team(chat))[-1]


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
    await chat.say("ann", "!vote confirm 1")
    assert "no effect that waits" in await chat.say("ann", "!yes")


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
    await chat.say("ann", "!vote confirm 1")
    assert "no effect that waits" in await chat.say("ann", "!yes")
    await later(chat, WEEK + MINUTE)
    assert any("is in force" in line for line in await team(chat))
    machines = await chat.crew.pipeline.roster.machines()
    await chat.say("ann", "!vote confirm 1")
    assert "their machines go on" in await chat.say("ann", "!yes")
    assert await chat.crew.pipeline.roster.machines() == machines
    assert "Only members" in await chat.say("bob", "!vote list")


async def test_two_proposals_on_one_subject(chat: Chat) -> None:
    await chat.say("alice", "!propose policy Tea | Green.")
    said = await chat.say("bob", "!propose policy tea | Black.")
    assert said == "Motion 1 is about the same: !amend 1 offers another text."
    assert "amendment-1 is on the ballot" in await chat.say("bob", "!amend 1 Black.")
    told = await chat.told()
    assert any(to == "member alice" and "!vote accept 1 1" in line for to, line in told)
    await chat.say("ann", "!second 1")
    assert "!vote 1 B>A=C" in (await team(chat))[-1]
    assert "Options: motion, amendment-1, no change." in await chat.say("ann", "!vote show 1")
    assert "stands there twice" in await chat.say("ann", "!vote 1 motion>motion")
    assert '"A" is no option' in await chat.say("ann", "!vote 1 A>A")
    everybody = "amendment-1>motion>none"
    await vote(chat, alice="motion", bob=everybody, ann=everybody, abe=everybody)
    assert "VOTE 1 PASSED: amendment-1" in (await team(chat))[-1]


async def test_amendments_are_accepted_dropped_and_seconds_taken_back(chat: Chat) -> None:
    await chat.say("alice", "!propose policy Tea | Green.")
    await chat.say("bob", "!amend 1 Black.")
    assert "Only the proposer accepts" in await chat.say("bob", "!vote accept 1 1")
    assert "has the text of amendment-1" in await chat.say("alice", "!vote accept 1")
    await chat.say("bob", "!amend White.")
    assert "Only its author" in await chat.say("ann", "!vote drop 1 2")
    assert "is taken back" in await chat.say("bob", "!vote drop 1 2")
    assert "has its new text" in await chat.say("alice", "!amend 1 Red.")
    assert "have not seconded" in await chat.say("bob", "!vote unsecond 1")
    assert "[alice] Red." in await chat.say("bob", "!vote show 1")
    assert await chat.say("bob", "!withdraw 1") == "Only its proposer withdraws a motion."
    assert 'Motion 1 "Tea" is withdrawn.' in await chat.say("alice", "!withdraw 1")
    assert 'VOTE 1 WITHDRAWN: "Tea" (by alice)' in (await team(chat))[-1]
    assert await chat.say("ann", "!vote cert 1") == (
        "Motion 1 has no count: it was withdrawn before its ballot opened, by alice."
    )


async def test_options_that_cannot_be(chat: Chat) -> None:
    for options, why in (
        ("abstain, tea", "is a word of the ballot"),
        ("a>b, tea", 'has a ">"'),
        ("tea, tea", "twice"),
        ("alice, аlice", "look alike"),  # noqa: RUF001 - the first letter of the second is a foreign one
        ("", "Say what there is to choose from"),
    ):
        assert why in await chat.say("alice", f"!propose elect Cook | {options}"), options
    await on_ballot(chat, "elect Cook | alice, bob")
    answers = await vote(chat, bob="аlice")  # noqa: RUF001 - a foreign letter
    assert 'only looks like "alice"' in answers[0]
    assert '"A" is no option' in (await vote(chat, bob="1 A>A"))[0]


async def test_ends(chat: Chat) -> None:
    await on_ballot(chat)
    await vote(chat, alice="abstain", bob="abstain", ann="abstain", abe="abstain")
    assert "VOTE 1 TIED: yes 0, no 0, abstain 4" in (await team(chat))[-1]
    await on_ballot(chat, "policy Tea")
    await vote(chat, alice="yes", bob="yes")
    await later(chat, WEEK + MINUTE)
    assert "VOTE 2 NO-QUORUM: yes 2, no 0" in (await team(chat))[-1]
    await on_ballot(chat, "policy Cake")
    await later(chat, WEEK + MINUTE)
    assert "VOTE 3 NO-QUORUM: yes 0, no 0" in (await team(chat))[-1]


async def test_an_election_with_few_or_no_electors(tmp_path: Path) -> None:
    async with opened(tmp_path) as chat:
        await chat.say("alice", "!propose policy Tea")
        await chat.store.write(
            lambda tx: tx.db.execute("UPDATE members SET standing = 'suspended' WHERE role = 'admin'")
        )
        await chat.say("bob", "!second 1")
        await vote(chat, alice="yes", bob="yes")
        assert "VOTE 1 PASSED: yes 2, no 0" in (await team(chat))[-1]
        await chat.store.write(lambda tx: tx.db.execute("UPDATE members SET standing = 'suspended'"))
        await chat.store.write(
            lambda tx: tx.db.execute("UPDATE members SET standing = 'good' WHERE name = 'ann'")
        )
        assert "Motion 2" in await chat.say("ann", "!propose lazy Sweep")
        await chat.store.write(lambda tx: tx.db.execute("UPDATE members SET standing = 'suspended'"))
        await later(chat, 3 * DAY + MINUTE)
        assert "VOTE 2 PASSED" in (await team(chat))[-1]


async def test_two_thirds_are_exactly_two_thirds(chat: Chat) -> None:
    await on_ballot(chat, "policy-change Be kind | Really.")
    await vote(chat, alice="yes", bob="no", ann="yes", abe="abstain")
    assert "VOTE 1 PASSED: yes 2, no 1, abstain 1" in (await team(chat))[-1]


async def test_a_change_of_numbers_is_in_force_with_the_close(tmp_path: Path) -> None:
    async with opened(tmp_path) as chat:
        low = await chat.say("alice", "!propose policy-change Low | vote.policy.yes_num = 0")
        assert "Motion" not in low
        assert "no policy nowhere" in await chat.say("alice", "!propose policy-change Odd | nowhere.x = 3")
        await on_ballot(chat, "policy-change Warn later | bandwidth.warn_at_pct = 85")
        await vote(chat, alice="yes", bob="yes", ann="yes", abe="yes")
        lines = await team(chat)
        assert any(
            line.startswith("VOTE 1: the policies now say bandwidth.warn_at_pct = 85") for line in lines
        )
        assert "warn_at_pct = 85" in (tmp_path / "rules" / "bandwidth.md").read_text("utf-8")
        assert "85 %" in await chat.say("bob", "!policy bandwidth")


async def test_two_changes_that_close_together_are_both_in_force(tmp_path: Path) -> None:
    async with opened(tmp_path) as chat:
        for number, change in enumerate(("warn_at_pct = 85", "price_cents = 1"), 1):
            table = "bandwidth" if number == 1 else "shares"
            await chat.say("alice", f"!propose policy-change Number {number} | {table}.{change}")
            await chat.say("bob", f"!second {number}")
            await vote(chat, alice=f"{number} yes", bob=f"{number} yes", ann=f"{number} yes")
        await later(chat, WEEK + MINUTE)
        said = " ".join(await team(chat))
        assert "VOTE 1: the policies now say bandwidth.warn_at_pct = 85." in said
        assert "VOTE 2: the policies now say shares.price_cents = 1." in said


async def test_a_policy_that_is_edited_during_a_vote_changes_it_not(tmp_path: Path) -> None:
    async with opened(tmp_path) as chat:
        await on_ballot(chat)
        await vote(chat, alice="yes", bob="no")
        clock = chat.clock
    async with opened(tmp_path, clock, open_hours=100, quorum_den=1) as chat:
        assert "Closes" not in " ".join(await team(chat))
        assert "closes Sun 29 Nov 12:00 UTC" in await chat.say("bob", "!vote show 1")
        assert "open for 168 h" in await chat.say("bob", "!vote rules 1")
        await chat.say("alice", "!propose policy Tea")
        assert "open for 100 h" in await chat.say("bob", "!vote rules 2")


async def test_what_silence_passes(chat: Chat) -> None:
    await chat.say("alice", "!propose lazy Sweep the logs")
    assert "It passes unless somebody objects: !object 1 REASON" in (await team(chat))[-1]
    assert "!object 1 REASON" in await chat.say("bob", "!vote 1 no")
    await later(chat, 3 * DAY + MINUTE)
    assert "VOTE 1 PASSED" in (await team(chat))[-1]
    await chat.say("alice", "!propose lazy Sweep more")
    assert await chat.say("bob", "!object 2") == "An objection needs a reason."
    said = await chat.say("bob", "!object 2 I need them")
    assert "Motion 2 is an ordinary one of type policy now: it needs 1 second" in said
    assert 'objected to by "bob: I need them"' in (await team(chat))[-1]
    await chat.say("ann", "!second 2")
    await vote(chat, alice="yes", bob="no", ann="no", abe="no")
    assert "VOTE 2 FAILED: yes 1, no 3" in (await team(chat))[-1]


@pytest.mark.parametrize(
    ("title", "told"),
    [
        ("stop THE spam", "VOTE 1: what it ordered lasts, by motion 2"),
        ("Tea", "VOTE 1: what it ordered has lapsed"),
    ],
)
async def test_what_an_emergency_orders_lasts_if_an_ordinary_motion_confirms_it(
    chat: Chat, title: str, told: str
) -> None:
    await chat.say("ann", "!propose emergency Stop the spam | Now.")
    await chat.say("bob", "!second 1")
    await vote(chat, alice="1 yes", bob="1 yes", ann="1 yes", abe="1 yes")
    same = "unless an ordinary motion of the same title is passed"
    assert any(f"VOTE 1 is in force until Sun 6 Dec 12:00 UTC, {same}" in line for line in await team(chat))
    await on_ballot(chat, f"policy {title}")
    await vote(chat, alice="2 yes", bob="2 yes", ann="2 yes", abe="2 yes")
    await later(chat, 14 * DAY - HOUR)
    assert not any("what it ordered" in line for line in await team(chat))
    await later(chat, 2 * HOUR)
    assert [line for line in await team(chat) if line.startswith(told)]
    await later(chat, DAY)
    assert not any("what it ordered" in line for line in await team(chat))


async def test_an_appeal_is_decided_by_others(chat: Chat) -> None:
    await on_ballot(chat)
    assert "no result" in await chat.say("bob", "!vote appeal 1 unfair")
    await vote(chat, alice="yes", bob="no", ann="yes", abe="yes")
    said = await chat.say("bob", "!vote appeal I was ill")
    assert "Vote 1 is appealed against; motion 2 decides: it needs 1 second" in said
    assert "no result" in await chat.say("bob", "!vote appeal 1 again")
    await chat.say("ann", "!second 2")
    await vote(chat, alice="2 no", bob="2 yes", ann="2 yes", abe="2 yes")
    assert 'VOTE 1 ANNULLED on appeal, by motion 2: "Buy 8 GiB RAM"' in " ".join(await team(chat))
    assert '1 annulled: "Buy 8 GiB RAM"' in await chat.say("bob", "!vote list")


async def test_an_admin_annuls_with_a_reason(chat: Chat) -> None:
    await on_ballot(chat)
    assert "Only admins" in await chat.say("bob", "!vote annul 1 no")
    assert "Annul motion 1?" in await chat.say("ann", "!vote annul 1 wrong text")
    assert "Motion 1 is annulled." in await chat.say("ann", "!yes")
    assert "VOTE 1 ANNULLED" in (await team(chat))[-1]


async def test_others_learn_how_many_are_open(chat: Chat) -> None:
    assert await chat.crew.hub(StatusPart()) == ("",)
    assert not any("votes:" in part for part in await chat.crew.hub(DigestPart()) if part)
    await on_ballot(chat)
    await chat.say("bob", "!propose policy Paint it")
    assert await chat.crew.hub(StatusPart()) == ("1 open vote",)
    (line,) = [part for part in await chat.crew.hub(DigestPart()) if part and "votes:" in part]
    assert line == 'votes: 1 "Buy 8 GiB RAM" until Sun 29 Nov 12:00 UTC (in 7 d); 1 motion on the way'
    await chat.say("ann", "!announce open: {open_votes}")
    assert (ROOM, "[ann] open: 1") in await chat.told()


async def test_what_passed_is_told_to_other_plugins(tmp_path: Path) -> None:
    heard: list[MotionPassed] = []
    listener = Plugin("listener")

    @listener.on(MotionPassed)
    async def passed(event: MotionPassed) -> None:
        heard.append(event)

    async with Chat.open(tmp_path, [*PLUGINS, listener], policies=rules(tmp_path, QUICK)) as chat:
        await on_ballot(chat)
        await vote(chat, alice="yes", bob="yes", ann="yes", abe="yes")
        await chat.told()
    assert heard == [MotionPassed(motion=1, kind="policy", title="Buy 8 GiB RAM")]


async def test_a_changed_event_is_found_and_named(chat: Chat) -> None:
    await on_ballot(chat)
    await vote(chat, alice="yes", bob="yes", ann="yes", abe="no")

    def forge(db: object) -> None:
        execute = getattr(db, "execute")  # noqa: B009 - the library's types are not needed here
        execute("DROP TRIGGER votes_events_no_update")
        execute("UPDATE votes_events SET body = replace(body, 'no', 'yes') WHERE actor = 'abe'")

    await chat.store.write(lambda tx: forge(tx.db))
    said = await chat.say("bob", "!vote recount 1")
    assert re.match(r"The chain of events is broken: row \d+ was changed", said)
