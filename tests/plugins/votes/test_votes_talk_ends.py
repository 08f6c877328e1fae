"""How motions end, and what comes of them, as people hold them."""

import re
from pathlib import Path

import pytest

from bot import (
    DigestPart,
    MotionPassed,
    Plugin,
    StatusPart,
)
from bot.testing import Chat
from tests.plugins.votes.talking import (
    DAY,
    HOUR,
    MINUTE,
    PLUGINS,
    QUICK,
    ROOM,
    WEEK,
    later,
    on_ballot,
    opened,
    rules,
    team,
    vote,
)


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
    assert "“A” is no option" in await chat.say("ann", "!vote 1 A>A")
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
    assert "Motion 1 “Tea” is withdrawn." in await chat.say("alice", "!withdraw 1")
    assert "VOTE 1 WITHDRAWN: “Tea” (by alice)" in (await team(chat))[-1]
    assert await chat.say("ann", "!vote cert 1") == (
        "Motion 1 has no count: it was withdrawn before its ballot opened, by alice."
    )


async def test_options_that_cannot_be(chat: Chat) -> None:
    for options, why in (
        ("abstain, tea", "is a word of the ballot"),
        ("a>b, tea", "has a “>”"),
        ("tea, tea", "twice"),
        ("alice, аlice", "look alike"),  # noqa: RUF001 - the first letter of the second is a foreign one
        ("", "Say what there is to choose from"),
    ):
        assert why in await chat.say("alice", f"!propose elect Cook | {options}"), options
    await on_ballot(chat, "elect Cook | alice, bob")
    answers = await vote(chat, bob="аlice")  # noqa: RUF001 - a foreign letter
    assert "only looks like “alice”" in answers[0]
    assert "“A” is no option" in (await vote(chat, bob="1 A>A"))[0]


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
    assert "objected to by “bob: I need them”" in (await team(chat))[-1]
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
    assert "VOTE 1 ANNULLED on appeal, by motion 2: “Buy 8 GiB RAM”" in " ".join(await team(chat))
    assert "1 annulled: “Buy 8 GiB RAM”" in await chat.say("bob", "!vote list")


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
    assert line == "votes: 1 “Buy 8 GiB RAM” until Sun 29 Nov 12:00 UTC (in 7 d); 1 motion on the way"
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
