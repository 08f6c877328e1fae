"""Ballots: who may cast, what is read, what a wrong one changes (nothing), and what stays secret."""

import json
import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.words import Conflict, Expired, NotAllowed, Refusal, Role, Usage, VoteRules
from plugins.votes import ballots, deeds
from plugins.votes.ballots import Spoken, cannot_be_secret, found, receipt, seal
from plugins.votes.due import BrokenSealError
from plugins.votes.electorate import Person
from plugins.votes.motion import End, Stage
from plugins.votes.rules import annul
from plugins.votes.tally import recount, turnout
from plugins.votes.written import cells
from tests.plugins.votes.conftest import BOOK, START, House

HOUR = timedelta(hours=1)
IN_ROOM = Spoken()


def refuses(kind: type[Refusal], said: str) -> "pytest.RaisesExc[Refusal]":
    return pytest.raises(kind, match=re.escape(said))


def test_the_last_valid_ballot_counts(house: House) -> None:
    house.opened()
    house.vote("alice", "no")
    house.vote("alice", " YES ", reason="we swap")
    with refuses(Usage, "“yse” is no choice (yes, no, abstain)"):
        house.vote("alice", "yse")
    cast = house.motion.ballots["alice"]
    assert (cast.words, cast.reason, len(house.motion.ballots)) == ("yes", "we swap", 1)
    assert house.motion.waiting == ("arthur", "ford", "marvin", "trillian", "zaphod")


def test_the_boundary_of_the_window(house: House) -> None:
    motion = house.opened()
    house.now = motion.open_until - timedelta(milliseconds=1)
    house.vote("alice", "yes")
    house.now = motion.open_until
    with refuses(Expired, "Motion 7 closed at 2026-12-02 18:00:00 UTC."):
        house.vote("arthur", "yes")
    house.tick()
    with refuses(Expired, "Motion 7 is closed."):
        house.vote("arthur", "yes")


def test_a_clock_that_is_set_back_opens_nothing_again(house: House) -> None:
    motion = house.opened()
    house.now = motion.open_until - HOUR
    house.vote("alice", "no")
    house.now = START
    house.vote("alice", "yes")
    assert house.motion.ballots["alice"].at == motion.open_until - HOUR
    house.now = motion.open_until
    house.tick()
    house.now = START
    with refuses(Expired, "Motion 7 is closed."):
        house.vote("arthur", "yes")


def test_before_it_is_open(house: House) -> None:
    house.propose()
    with refuses(Conflict, "Motion 7 is not open yet."):
        house.vote("alice", "yes")


def test_who_is_not_on_the_list_is_told_why(house: House) -> None:
    house.change("marvin", joined=START - 42 * 24 * HOUR - HOUR)
    house.opened()
    house.people["zarniwoop"] = Person("zarniwoop")
    with refuses(NotAllowed, "You are not on motion 7's list (you were not when it opened)."):
        house.vote("zarniwoop", "yes")
    house.people["zarniwoop"] = Person("zarniwoop", joined=START)
    with refuses(NotAllowed, "(joined 2026-11-22, 45 days needed)"):
        house.vote("zarniwoop", "yes")
    house.vote("marvin", "yes")  # who had 45 days when it opened, 42 when it was proposed


def test_standing_that_changes_while_it_is_open_changes_no_list(house: House) -> None:
    house.opened("purchase")
    house.change("arthur", in_good_standing=False, units=1)
    house.write("ford", (deeds.Noted("arthur", "suspended"),))
    house.vote("arthur", "yes")
    assert turnout(house.motion)[0].units == 2
    assert house.motion.notes == ("2026-11-25 18:00 UTC arthur: suspended",)


@pytest.mark.parametrize(
    ("after", "by_admin", "counts"),
    [(HOUR, True, False), (timedelta(), True, False), (-HOUR, True, True), (HOUR, False, True)],
)
def test_an_identity_that_an_admin_binds_after_the_opening(
    house: House,
    after: timedelta,
    by_admin: bool,  # noqa: FBT001 - a table's column
    counts: bool,  # noqa: FBT001 - a table's column
) -> None:
    opening = house.opened().voting
    how = Spoken(private=True, bound=opening.at + after, bound_by_admin=by_admin)
    if counts:
        assert house.vote("alice", "yes", how)
    else:
        with refuses(NotAllowed, "An admin bound this account after the ballot opened"):
            house.vote("alice", "yes", how)


def test_retracting(house: House) -> None:
    house.opened()
    alice = house.person("alice")
    with refuses(Conflict, "You have no ballot in motion 7."):
        ballots.retract(house.motion, alice, house.scene)
    house.vote("alice", "yes")
    house.write("alice", ballots.retract(house.motion, alice, house.scene))
    assert "alice" not in house.motion.ballots
    house.vote("alice", "no")
    assert house.motion.ballots["alice"].words == "no"


def test_recusing_leaves_the_electorate_and_every_part_of_it(house: House) -> None:
    house.propose()
    with refuses(Conflict, "Motion 7 is not open yet."):
        ballots.retract(house.motion, house.person("alice"), house.scene)
    house.write("zaphod", ballots.recuse(house.motion, house.person("zaphod"), house.scene))
    house.second()
    motion = house.tick(72 * HOUR)
    assert [one.name for one in motion.electors] == ["alice", "arthur", "ford", "marvin", "trillian"]
    house.vote("alice", "no")
    alice = house.person("alice")
    house.write("alice", ballots.recuse(house.motion, alice, house.scene, "my brother sells it"))
    assert (len(house.motion.electors), house.motion.ballots) == (4, {})
    for name in ("alice", "zaphod"):
        with refuses(NotAllowed, "You are out of motion 7, as you asked."):
            house.vote(name, "no")
    with refuses(NotAllowed, "You are out of motion 7"):
        ballots.recuse(house.motion, alice, house.scene)
    closed = house.votes(arthur="yes", ford="yes", marvin="yes", trillian="yes")
    assert closed.stage is Stage.CLOSED  # all who may have voted
    with refuses(Conflict, "Motion 7 is closed."):
        ballots.recuse(closed, alice, house.scene)


def test_recusing_twice_before_the_opening(house: House) -> None:
    house.propose()
    house.write("zaphod", ballots.recuse(house.motion, house.person("zaphod"), house.scene))
    with refuses(Conflict, "You are out of motion 7 already."):
        ballots.recuse(house.motion, house.person("zaphod"), house.scene)


def test_whom_it_concerns_has_no_vote(house: House) -> None:
    house.opened("expel", subject="marvin")
    with refuses(NotAllowed, "Motion 7 is about you."):
        house.vote("marvin", "no")
    assert len(house.motion.electors) == 5


# Silence


def test_silence_passes(house: House) -> None:
    motion = house.opened("lazy")
    with refuses(Conflict, "passes unless somebody objects: !object 7 REASON."):
        house.vote("alice", "yes")
    assert house.tick(71 * HOUR).reminded == 0
    closed = house.tick(HOUR)
    assert (closed.ended.end, closed.ended.at) == (End.PASSED, motion.open_until)
    assert recount(closed).end is End.PASSED


def test_an_objection_makes_it_an_ordinary_motion(house: House) -> None:
    house.opened("lazy")
    alice = house.person("alice")
    with refuses(Usage, "An objection needs a reason."):
        ballots.object_(house.motion, alice, " ", house.scene)
    house.people["new"] = Person("new", joined=START)
    with refuses(NotAllowed, "You are not on motion 7's list"):
        ballots.object_(house.motion, house.person("new"), "why not", house.scene)
    house.write("alice", ballots.object_(house.motion, alice, "too dear", house.scene))
    motion = house.motion
    assert (motion.kind, motion.stage, motion.objection) == ("policy", Stage.SECONDING, "alice: too dear")
    house.second()
    motion = house.tick(72 * HOUR)
    assert (motion.stage, motion.voting.method) == (Stage.OPEN, "yesno")
    with refuses(Conflict, "Motion 7 is voted on: !vote 7 no."):
        ballots.object_(motion, alice, "still", house.scene)


# Secret ballots


def test_a_secret_ballot_is_cast_in_private_only(house: House) -> None:
    house.opened("admit", subject="newbie")
    with refuses(NotAllowed, "Motion 7 is secret: tell me directly. What stood here is void."):
        house.vote("alice", "yes", IN_ROOM)
    assert house.motion.ballots == {}


def test_nothing_in_the_chain_tells_a_secret_ballot(house: House) -> None:
    house.opened("admit", subject="newbie")
    house.vote("alice", "no", key="t1")
    house.vote("alice", "yes", key="t2")
    house.vote("arthur", "yes", key="t3")
    bodies = [json.loads(str(cells(record)["body"])) for record in house.records[-3:]]
    assert [body["words"] for body in bodies] == ["", "", ""]
    assert len({body["seal"] for body in bodies}) == 3
    assert bodies[1]["seal"] == seal("t2", 7, "alice", "yes")
    assert not any(receipt("t2", 7, "alice", "yes") in json.dumps(body) for body in bodies)


def test_the_end_of_a_secret_ballot(house: House) -> None:
    house.opened("admit", subject="newbie")
    words = {"alice": "yes", "arthur": "no", "ford": "yes", "marvin": "yes"}
    for name, word in words.items():
        house.vote(name, word, key=f"t-{name}")
    closed = house.close()
    assert closed.ended.voters == ("alice", "arthur", "ford", "marvin")
    expected = sorted((receipt(f"t-{name}", 7, name, word), word) for name, word in words.items())
    assert closed.ended.receipts == tuple(expected)
    assert found(closed, "alice", "t-alice") == "yes"
    assert found(closed, "alice", "t-arthur") is None
    assert recount(closed).end is closed.ended.end is End.PASSED
    assert recount(closed).counts == {"yes": 3, "no": 1, "abstain": 0}


def test_no_receipt_before_the_end(house: House) -> None:
    house.opened("admit", subject="newbie")
    house.vote("alice", "yes", key="t")
    assert found(house.motion, "alice", "t") is None


def test_a_changed_secret_ballot_stops_the_count(house: House) -> None:
    house.opened("admit", subject="newbie")
    house.vote("alice", "yes", key="t")
    for tampered in (("t", "no"), ("u", "yes")):
        house.sealed["alice"] = tampered
        with pytest.raises(BrokenSealError, match="the sealed ballot of alice in motion 7 was changed"):
            house.close()
    house.sealed.clear()
    with pytest.raises(BrokenSealError):
        house.close()


def test_secret_ballots_weigh_the_same_even_where_rules_say_shares(house: House) -> None:
    house.rule("member-terms", weight="share", quorum_basis="weight")
    motion = house.opened("member-terms")
    assert {elector.units for elector in motion.electors} == {1}
    house.votes(alice="yes", arthur="yes", marvin="no")
    closed = house.close()
    assert recount(closed).counts == {"yes": 2, "no": 1, "abstain": 0}


def test_few_electors_cannot_be_secret(make: Callable[..., House]) -> None:
    few = make("ford", "arthur", "trillian", "alice")
    assert cannot_be_secret(few.opened("admit", subject="newbie"))
    many = make()
    assert not cannot_be_secret(many.opened("admit", subject="newbie"))
    assert not cannot_be_secret(many.__class__(many.people).opened())


def test_the_link_is_erased_after_the_time_for_an_appeal(house: House) -> None:
    house.opened("admit", subject="newbie")
    assert not house.close().erased
    assert not house.tick(167 * HOUR).erased
    assert house.tick(HOUR).erased
    assert not House(house.people).opened().erased


# What is written on a ballot, by method


@pytest.mark.parametrize(
    ("method", "words", "read"),
    [
        ("schulze", "b > a = C", "B>A=C"),
        ("schulze", "Abstain", "abstain"),
        ("irv", "b>a", "B>A"),
        ("plurality", "c", "C"),
        ("plurality", "C>A", "C"),
        ("approval", "c, a", "A,C"),
    ],
)
def test_a_ballot_has_one_written_form(house: House, method: str, words: str, read: str) -> None:
    house.rules["pick"] = VoteRules(ballot=method)  # type: ignore[arg-type]  # the table's
    house.opened("pick", options=("A", "B", "C"))
    house.vote("alice", words)
    assert house.motion.ballots["alice"].words == read


@pytest.mark.parametrize(
    ("method", "words", "said"),
    [
        ("schulze", "1-2", "“1-2” is no option (A, B, C)"),
        ("schulze", "", "the ballot is empty"),
        ("irv", "A=B>C", "“A=B” rank equally"),
        ("plurality", "A=B", "“A=B” share the first place"),
        ("approval", "A,A", "“A” stands there twice"),
    ],
)
def test_a_wrong_ballot_is_named_and_changes_nothing(
    house: House, method: str, words: str, said: str
) -> None:
    house.rules["pick"] = VoteRules(ballot=method)  # type: ignore[arg-type]  # the table's
    house.opened("pick", options=("A", "B", "C"))
    house.vote("alice", "B")
    before = list(house.records)
    with refuses(Usage, said):
        house.vote("alice", words)
    assert house.records == before


def test_the_inactive_are_counted_once_they_vote(house: House) -> None:
    missed = BOOK.standing.inactive_after_missed_votes
    house.change("zaphod", missed=missed)
    house.change("marvin", missed=missed - 1)
    house.opened()
    assert turnout(house.motion)[1].members == 5
    house.vote("zaphod", "yes")
    assert turnout(house.motion)[1].members == 6


def test_an_admin_annuls_an_open_ballot_with_a_reason(house: House) -> None:
    house.opened()
    house.vote("alice", "yes")
    house.change("ford", role=Role.ADMIN)
    with refuses(Usage, "The reason is missing."):
        annul(house.motion, house.person("ford"), "")
    house.write("ford", annul(house.motion, house.person("ford"), "wrong text"))
    assert (house.motion.ended.end, house.motion.ended.why) == (End.ANNULLED, "ford: wrong text")
