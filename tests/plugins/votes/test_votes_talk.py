"""Votes as people hold them: ballots from the proposal to the close, and every wrong way to cast one."""

import re
from pathlib import Path

from bot import (
    Identity,
    IdentityBound,
    IdentityKind,
    Place,
)
from bot.testing import Chat
from tests.plugins.votes.talking import (
    CHAIN,
    DAY,
    HOUR,
    MINUTE,
    ROOM,
    SERVICES,
    WEEK,
    later,
    on_ballot,
    opened,
    team,
    vote,
)


async def test_a_motion_from_its_proposal_to_its_certificate(chat: Chat) -> None:
    assert await chat.say("alice", "!vote list") == "No motion yet: !propose policy TITLE | TEXT"
    said = await chat.say("alice", "!propose policy Buy 8 GiB RAM | As we swap.")
    assert said == "Motion 1 “Buy 8 GiB RAM” (policy): it needs 1 second by others: !second 1"
    (line,) = await team(chat)
    assert CHAIN.sub("", line) == (
        "VOTE 1 proposed: “Buy 8 GiB RAM” by alice (policy). "
        "It needs 1 second by Sun 29 Nov 12:00 UTC: !second 1"
    )
    assert "You second motion 1" in await chat.say("bob", "!second 1")
    (line,) = await team(chat)
    assert CHAIN.search(line)
    assert CHAIN.sub("", line) == (
        "VOTE 1 open: “Buy 8 GiB RAM” by alice, seconded bob. policy: more than 1/2 of the votes cast, "
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
    assert (await chat.say("bob", "!vote list")).startswith("1 passed: “Buy 8 GiB RAM” by alice (policy)")
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
    ("vote 1 yse", "“yse” is no choice"),
    ("vote 1 1-2", "“1-2” is no choice"),
    ("vote 1", "say what you vote: !vote 1 yes|no|abstain"),
    ("vote 1-2", "“1-2” is no choice"),
    ("vote 1 уes", "“уes” is no choice"),  # noqa: RUF001 - the first letter is a foreign one
    ("vote 1 yes no", "“yes no” is no choice"),
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
        assert (await chat.say("bob", f"!{line}")).endswith("Your earlier “no” stands."), line
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
