"""Vetoes: a no with a reason stops a motion whose rules know them; withdrawn, overridden, refused."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.testing import Chat
from bot.words import NotAllowed, Refusal, Usage
from plugins.votes import deeds, rules
from plugins.votes.certificate import certify
from plugins.votes.due import outage
from plugins.votes.motion import Deed, End, Stage
from plugins.votes.tally import recount
from plugins.votes.texts import LONGEST, result, stage
from tests.plugins.votes.conftest import NAMES, House
from tests.plugins.votes.talking import CHAIN, on_ballot, opened, team, vote
from tests.plugins.votes.talking import rules as folder_of_rules

OVERRIDE = {"veto_override_num": 3, "veto_override_den": 4}
WAYS = "!vote 1 yes|no|abstain|veto because REASON"


def refuses(kind: type[Refusal], said: str) -> "pytest.RaisesExc[Refusal]":
    return pytest.raises(kind, match=re.escape(said))


# What it counts for


@pytest.fixture
def vetoable(house: House) -> House:
    house.rule("policy", veto=True)
    house.opened()
    return house


def test_a_veto_is_a_no_that_stops_what_would_pass(vetoable: House) -> None:
    vetoable.votes(alice="yes", arthur="yes", ford="yes")
    vetoable.vote("marvin", "VETO", reason="it is a trap")
    closed = vetoable.close()
    assert closed.ended.end is recount(closed).end is End.VETOED
    assert recount(closed).counts == {"yes": 3, "no": 1, "abstain": 0}
    assert certify(vetoable.records)["vetoes"] == {"marvin": "it is a trap"}
    assert not closed.in_effect


def test_all_have_voted_and_a_vetoed_motion_closes_at_once(vetoable: House) -> None:
    vetoable.vote("marvin", "veto", reason="no")
    assert vetoable.tick().stage is Stage.OPEN
    closed = vetoable.votes(**{name: "yes" for name in NAMES if name != "marvin"})
    assert (closed.stage, closed.ended.end) == (Stage.CLOSED, End.VETOED)
    assert closed.ended.at < closed.open_until


def test_a_ballot_that_may_be_vetoed_is_extended_after_an_outage(vetoable: House) -> None:
    vetoable.vote("marvin", "veto", reason="no")
    vetoable.votes(alice="yes", arthur="yes")
    before = vetoable.motion
    vetoable.write(
        "", outage(before, before.voting.at, before.voting.at + (before.open_until - vetoable.now) / 7)
    )
    assert vetoable.motion.open_until > before.open_until
    vetoable.now = before.open_until
    vetoable.vote("marvin", "yes")
    assert vetoable.close().ended.end is End.PASSED


@pytest.mark.parametrize("way", ["yes", "retract", "recuse"])
def test_its_author_withdraws_it(vetoable: House, way: str) -> None:
    vetoable.votes(alice="yes", arthur="yes", ford="yes")
    vetoable.vote("marvin", "veto", reason="no")
    made: dict[str, Deed] = {
        "yes": deeds.Voted("yes"),
        "retract": deeds.Retracted(),
        "recuse": deeds.Recused(),
    }
    vetoable.write("marvin", (made[way],))
    closed = vetoable.close()
    assert (closed.ended.end, dict(closed.vetoes)) == (End.PASSED, {})


@pytest.mark.parametrize(("ayes", "end"), [(3, End.PASSED), (2, End.VETOED)])
def test_enough_ayes_override_it(house: House, ayes: int, end: End) -> None:
    house.rule("policy", veto=True, **OVERRIDE)
    house.opened()
    house.votes(**dict.fromkeys(NAMES[:ayes], "yes"))
    house.vote("zaphod", "veto", reason="no")
    closed = house.close()
    assert closed.ended.end is end
    assert recount(closed).checks[-1].text == f"{ayes}*4={ayes * 4} >= 3*{ayes + 1}={3 * ayes + 3} " + (
        "yes" if end is End.PASSED else "no"
    )


@pytest.mark.parametrize("reason", ["", "  "])
def test_it_needs_a_reason(vetoable: House, reason: str) -> None:
    with refuses(Usage, "A veto needs a reason: !vote 7 veto because REASON."):
        vetoable.vote("marvin", "veto", reason=reason)


def test_it_is_no_choice_where_the_rules_know_none(house: House) -> None:
    house.opened()
    with refuses(Usage, "“veto” is no choice (yes, no, abstain)"):
        house.vote("marvin", "veto", reason="it is a trap")
    assert "vetoes" not in certify((house.close(), house.records)[1])
    assert "veto" not in house.motion.voting.rules.veto_rule
    assert not any("veto" in key for key in deeds.Opened.table(house.motion.voting.rules))


def test_a_motion_that_may_be_vetoed_takes_no_other_text_as_an_option(house: House) -> None:
    house.propose("policy-change")
    house.rule("policy-change", veto=True)
    with refuses(NotAllowed, "Only its proposer changes the text of a motion of type policy-change."):
        rules.amend(house.motion, house.person("alice"), "Buy 16 GiB.", house.scene)
    mine = rules.amend(house.motion, house.person("trillian"), "Buy 16 GiB.", house.scene)
    assert mine == (deeds.Edited("Buy 16 GiB."),)


def test_a_ballot_of_several_options_is_not_vetoed_even_if_the_rules_came_to_know_it(house: House) -> None:
    house.propose("policy-change")
    house.second()
    house.write("alice", rules.amend(house.motion, house.person("alice"), "Buy 16 GiB.", house.scene))
    house.rule("policy-change", veto=True)
    until = house.motion.discussed_until
    assert until
    motion = house.tick(until - house.now)
    assert (motion.voting.method, motion.takes_vetoes) == ("schulze", False)
    assert "veto" not in stage(motion, house.records[-1], house.now)
    with refuses(Usage, "“veto”"):
        house.vote("alice", "veto", reason="no")
    assert house.close().ended.end is End.NO_QUORUM


def test_what_is_said_of_many_long_vetoes_fits_a_line(vetoable: House) -> None:
    for name in NAMES:
        vetoable.vote(name, "veto", reason="“Å” " * 200)
    closed = vetoable.tick()
    said = stage(closed, vetoable.records[-1], vetoable.now)
    assert len(said.encode()) <= LONGEST + 20
    assert CHAIN.search(said)
    assert "VETOED: yes 0, no 6, abstain 0, veto by alice and 5 more because “'Å' 'Å'" in said
    assert "6 <= 0 no" in result(closed)


# As people hold it


@asynccontextmanager
async def with_vetoes(folder: Path, more: str = "") -> AsyncIterator[Chat]:
    """A co-op that has turned vetoes on for motions of type policy, as docs/votes.md says."""
    file = folder_of_rules(folder, {}) / "voting.md"
    text = file.read_text("utf-8")
    file.write_text(text.replace("[vote.policy]", f"[vote.policy]\nveto = true\n{more}"), "utf-8")
    async with opened(folder) as chat:
        yield chat


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    async with with_vetoes(tmp_path) as made:
        yield made


async def test_a_motion_from_its_proposal_to_its_veto(chat: Chat) -> None:
    await chat.say("alice", "!propose policy Buy 8 GiB RAM | As we swap.")
    await chat.say("bob", "!second 1")
    said = (await team(chat))[-1]
    assert "policy: more than 1/2 of the votes cast; a veto stops it, quorum 1/3." in said
    assert CHAIN.sub("", said).endswith(WAYS)
    shown = await chat.say("ann", "!vote rules 1")
    assert "more than 1/2 of the votes cast; a veto stops it; quorum" in shown
    assert "veto True" in shown
    await vote(chat, alice="yes", bob="yes", ann="yes")
    why = "Not counted, vote 1: A veto needs a reason: !vote 1 veto because REASON."
    for bare in ("veto", "veto because", "veto because  "):
        assert await chat.say("abe", f"!vote 1 {bare}") == why
    assert "“vetoo because” is no choice" not in await chat.say("abe", "!vote 1 vetoo")
    assert "“vetoo” is no choice (yes, no, abstain, veto)" in await chat.say("abe", "!vote 1 vetoo")
    assert "3 of 4 voted" in await chat.say("abe", "!vote show 1")
    said = await chat.say("abe", '!vote 1 veto because it is "a trap"')
    assert said == "Recorded: vote 1, veto by abe."
    (line,) = await team(chat)
    assert line.startswith(
        'VOTE 1 VETOED: yes 3, no 1, abstain 0, veto by abe because “it is "a trap"”; 4*3=12 >= 1*4=4 yes; '
    )
    assert "1 <= 0 no. Appeal until" in line
    cert = await chat.say("bob", "!vote cert 1")
    assert "MOTION 1 VETOED: Buy 8 GiB RAM (policy)" in cert
    assert "  veto: 1 <= 0 no\n" in cert
    assert "  abe: veto because \"it is 'a trap'\"\n" in cert
    assert "Recounted as announced" in await chat.say("bob", "!vote recount 1")
    assert (await chat.say("bob", "!vote list")).startswith("1 vetoed: ")


async def test_a_veto_that_is_overridden(tmp_path: Path) -> None:
    more = "veto_override_num = 3\nveto_override_den = 4\n"
    async with with_vetoes(tmp_path, more) as chat:
        await on_ballot(chat)
        assert "a veto stops it below 3/4; quorum" in await chat.say("bob", "!vote rules 1")
        assert "Recorded: vote 1, veto" in await chat.say("abe", "!vote 1 veto because I like swapping")
        assert "you voted veto at" in await chat.say("abe", "!vote mine 1")
        await vote(chat, alice="yes", bob="yes", ann="yes")
        line = (await team(chat))[-1]
        assert "VOTE 1 PASSED: yes 3, no 1, abstain 0, veto by abe because “I like swapping”; " in line
        assert "3*4=12 >= 3*4=12 yes" in line


async def test_a_veto_that_is_withdrawn(chat: Chat) -> None:
    await on_ballot(chat)
    await chat.say("abe", "!vote 1 veto because I like swapping")
    assert (await chat.say("abe", "!vote 1 yse")).endswith("Your earlier “veto” stands.")
    await vote(chat, alice="yes", bob="yes")
    assert "Recorded: vote 1, yes" in await chat.say("abe", "!vote 1 yes because ann explained it")
    await chat.told()
    await vote(chat, ann="no")
    line = (await team(chat))[-1]
    assert line.startswith("VOTE 1 PASSED: yes 3, no 1, abstain 0; ")
    assert "veto" not in line


async def test_the_word_is_refused_where_a_type_knows_no_veto(chat: Chat) -> None:
    await on_ballot(chat, "policy-change Warn sooner | Let bandwidth.warn_at_pct = 70.")
    assert "veto" not in await chat.say("bob", "!vote rules 1")
    said = await chat.say("abe", "!vote 1 veto because I like it")
    assert said == "Not counted, vote 1: “veto” is no choice (yes, no, abstain)."
