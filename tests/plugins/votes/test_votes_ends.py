"""How motions end: results, ties and lots, early and late closes, outages, appeals, effects, certificates."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.words import Conflict, NotAllowed, Refusal, Role, VoteRules, counting, verify
from plugins.votes import deeds, rules
from plugins.votes.certificate import certify, closing_line, lines
from plugins.votes.due import outage
from plugins.votes.electorate import Person
from plugins.votes.motion import End, Motion, Stage, fold
from plugins.votes.tally import recount
from plugins.votes.written import cells, links, record
from tests.plugins.votes.conftest import BOOK, NAMES, House

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def refuses(kind: type[Refusal], said: str) -> "pytest.RaisesExc[Refusal]":
    return pytest.raises(kind, match=re.escape(said))


def texts(motion: Motion) -> list[str]:
    return [check.text for check in recount(motion).checks]


# Yes and no


def test_all_have_voted_and_it_closes_at_once(house: House) -> None:
    house.opened()
    closed = house.votes(**dict.fromkeys(NAMES, "yes"))
    assert (closed.stage, closed.ended.end) == (Stage.CLOSED, End.PASSED)
    assert closed.ended.at < closed.open_until


def test_an_expulsion_never_closes_early(house: House) -> None:
    house.opened("expel", subject="marvin")
    words = {name: "yes" for name in NAMES if name != "marvin"}
    assert house.votes(**words).stage is Stage.OPEN
    closed = house.close()
    assert (closed.ended.end, texts(closed)[2]) == (End.PASSED, "5*3=15 >= 2*5=10 yes")


@pytest.mark.parametrize(
    ("kind", "words", "end"),
    [
        ("policy", {"alice": "yes", "arthur": "yes", "ford": "no"}, End.PASSED),
        ("policy", {"alice": "yes", "arthur": "no", "ford": "abstain"}, End.TIED),
        ("policy", {"alice": "yes", "arthur": "yes"}, End.NO_QUORUM),
        ("policy", {}, End.NO_QUORUM),
        ("policy", {"alice": "abstain", "arthur": "abstain", "ford": "abstain"}, End.TIED),
        ("policy-change", {"alice": "yes", "arthur": "yes", "ford": "no"}, End.PASSED),
        ("policy-change", {"alice": "yes", "arthur": "abstain", "ford": "no"}, End.FAILED),
        ("purchase", {"alice": "yes", "marvin": "no", "ford": "abstain"}, End.NO_QUORUM),
        ("purchase", {"alice": "yes", "marvin": "no", "arthur": "abstain", "ford": "abstain"}, End.PASSED),
        ("admit", {"alice": "no", "arthur": "no", "ford": "no", "trillian": "yes"}, End.FAILED),
    ],
)
def test_the_end_by_the_shipped_rules(house: House, kind: str, words: dict[str, str], end: End) -> None:
    """Six members, eleven half-units: marvin has a half share."""
    house.opened(kind, subject="newbie" if kind == "admit" else "")
    house.votes(**words)
    closed = house.close()
    assert closed.ended.end is recount(closed).end is end


def test_a_half_share_weighs_half(house: House) -> None:
    house.opened("purchase")
    house.votes(alice="yes", marvin="no", arthur="abstain", ford="abstain")
    closed = house.close()
    assert recount(closed).counts == {"yes": 2, "no": 1, "abstain": 4}
    assert texts(closed) == [
        "7*2=14 >= 1*11=11 yes",
        "4 >= 3 yes",
        "2*3=6 >= 2*3=6 yes",
        "1 >= 1 yes",
    ]


@pytest.mark.parametrize(("names", "end"), [(1, End.PASSED), (2, End.PASSED), (0, End.NO_QUORUM)])
def test_tiny_electorates(house: House, names: int, end: End) -> None:
    house.propose()
    house.second()
    for name in NAMES[names:]:
        house.change(name, in_good_standing=False)
    house.tick(72 * HOUR)
    assert len(house.motion.electors) == names
    if names:
        house.votes(**dict.fromkeys(NAMES[:names], "yes"))
    assert house.close().ended.end is end


def test_rules_that_are_edited_during_a_vote_do_not_touch_it(house: House) -> None:
    house.opened()
    house.rule("policy", yes_num=9, yes_den=10, open_hours=999)
    house.votes(alice="yes", arthur="yes", ford="no")
    assert house.close().ended.end is End.PASSED


# Several options


def amended(house: House, count: int = 1, kind: str = "policy") -> None:
    house.propose(kind)
    house.second()
    for number in range(count):
        name = ("alice", "ford")[number]
        house.write(name, rules.amend(house.motion, house.person(name), f"Text {number}.", house.scene))
    house.tick(9 * DAY)


@pytest.mark.parametrize(
    ("votes", "chosen", "end"),
    [
        (["amendment-1>motion", "amendment-1", "motion>no change"], ("amendment-1",), End.PASSED),
        (["no change", "none>motion", "motion"], (), End.FAILED),
        (["motion>amendment-1", "amendment-1>motion", "abstain"], (), End.TIED),
        (["motion", "motion"], (), End.NO_QUORUM),
        (["abstain", "abstain", "abstain"], (), End.FAILED),
    ],
)
def test_a_motion_with_an_amendment(
    house: House, votes: list[str], chosen: tuple[str, ...], end: End
) -> None:
    amended(house)
    house.votes(**dict(zip(NAMES, votes, strict=False)))
    closed = house.close()
    finding = recount(closed)
    assert (closed.ended.end, finding.end, finding.chosen) == (end, end, chosen)


def test_an_amendment_needs_the_same_majority_as_its_motion(house: House) -> None:
    """Two thirds of yes and no are two to one over no change."""
    amended(house, kind="policy-change")
    house.votes(alice="amendment-1", arthur="amendment-1", ford="amendment-1", marvin="no change")
    house.vote("trillian", "no change")
    closed = house.close()
    assert closed.ended.end is End.FAILED
    assert "3*1=3 >= 2*2=4 no" in texts(closed)


@pytest.mark.parametrize(
    ("fields", "enough"),
    [
        ({"yes_of": "all", "yes_num": 2, "yes_den": 3, "yes_strict": False}, 4),
        ({"yes_of": "present", "yes_num": 3, "yes_den": 4, "yes_strict": False}, 4),
        ({"yes_num": 1, "yes_den": 1, "yes_strict": False}, 5),
        ({"yes_of": "all", "yes_num": 2, "yes_den": 3}, 5),
        ({"yes_of": "present", "yes_num": 3, "yes_den": 5}, 4),
        ({"yes_num": 3, "yes_den": 5}, 4),
        ({"yes_num": 3, "yes_den": 5, "yes_strict": False}, 3),
    ],
)
def test_other_thresholds_with_amendments(house: House, fields: dict[str, object], enough: int) -> None:
    house.rule("policy", early_close="never", **fields)
    for yes in (enough - 1, enough):
        fresh = House(house.people, house.rules)
        amended(fresh)
        words = [*["motion"] * yes, *["no change"] * (5 - yes)]
        fresh.votes(**dict(zip(NAMES, words, strict=False)))
        assert (fresh.close().ended.end is End.PASSED) == (yes == enough)


def test_who_abstains_is_present_where_there_are_several_options_too(house: House) -> None:
    """Half of those present is as many with amendments as without: two of four are not more."""
    house.rule("policy", yes_of="present")
    for count in (0, 1):
        fresh = House(house.people, house.rules)
        amended(fresh, count)
        word = "motion" if count else "yes"
        fresh.votes(alice=word, arthur=word, ford="abstain", marvin="abstain")
        assert fresh.close().ended.end is End.FAILED


def elected(house: House, *votes: str, **fields: object) -> Motion:
    if fields:
        house.rule("elect", **fields)
    house.opened("elect", options=("Anna", "Bo", "Cy"))
    house.votes(**dict(zip(NAMES, votes, strict=False)))
    return house.close() if house.motion.stage is Stage.OPEN else house.motion


def test_an_election(house: House) -> None:
    closed = elected(house, "Anna>Bo", "Anna", "Bo>Anna>none of the above", "Cy")
    finding = recount(closed)
    assert (closed.ended.end, finding.chosen) == (End.PASSED, ("Anna",))
    assert finding.detail is not None
    assert finding.detail["options"] == ("Anna", "Bo", "Cy", "None of the above")
    assert finding.detail["dropped"] == {"Cy": "majority"}


def test_nobody_is_elected(house: House) -> None:
    closed = elected(house, "none", "none of the above>Anna", "Bo")
    assert (closed.ended.end, recount(closed).chosen) == (End.FAILED, ())


def test_a_tied_election_goes_by_the_committed_lot(house: House) -> None:
    closed = elected(house, "Anna>Bo", "Bo>Anna", "Anna=Bo")
    finding = recount(closed)
    assert (closed.ended.end, finding.tied) == (End.PASSED, ("Anna", "Bo"))
    order = counting.lot(house.seed, closed.ended.head, 7, closed.voting.options)
    first = next(closed.voting.options[n] for n in order if n < 2)
    assert finding.chosen == (first,)
    assert closed.voting.commitment == counting.commitment(closed.ended.seed)


@pytest.mark.parametrize(
    ("fields", "votes", "end", "chosen"),
    [
        ({"ballot": "plurality"}, ("Anna", "Anna", "Bo"), End.PASSED, ("Anna",)),
        ({"ballot": "plurality", "tie": "fails"}, ("Anna", "Bo", "abstain"), End.TIED, ()),
        ({"ballot": "approval", "seats": 2}, ("Anna,Bo", "Bo,Anna", "Bo,Cy"), End.PASSED, ("Anna", "Bo")),
        ({"ballot": "approval", "seats": 2, "tie": "fails"}, ("Anna,Bo", "Bo,Cy", "Bo"), End.TIED, ()),
        ({"ballot": "irv"}, ("Anna", "Anna>Bo", "Bo"), End.PASSED, ("Anna",)),
        ({"ballot": "irv", "tie": "fails"}, ("Anna", "Bo", "abstain"), End.TIED, ()),
        ({"ballot": "irv", "tie": "fails"}, ("Anna", "Anna", "Bo", "Cy"), End.PASSED, ("Anna",)),
        ({"ballot": "irv", "tie": "fails"}, ("Anna", "Anna", "Bo>Anna", "Cy>Anna"), End.PASSED, ("Anna",)),
    ],
)
def test_other_methods(
    house: House, fields: dict[str, object], votes: tuple[str, ...], end: End, chosen: tuple[str, ...]
) -> None:
    closed = elected(house, *votes, **fields)
    assert (closed.ended.end, recount(closed).chosen) == (end, chosen)


@pytest.mark.parametrize(
    "fields", [{"ballot": "plurality"}, {"ballot": "irv"}, {"ballot": "approval", "seats": 1}]
)
def test_the_lot_settles_every_method(house: House, fields: dict[str, object]) -> None:
    closed = elected(house, "Anna", "Bo", "abstain", **fields)
    assert closed.ended.end is End.PASSED
    assert len(recount(closed).chosen) == 1
    assert recount(closed).chosen[0] in {"Anna", "Bo"}


def test_a_choice_without_a_default_option(house: House) -> None:
    house.rules["pick"] = VoteRules(ballot="schulze")
    house.opened("pick", options=("Red", "Blue"))
    house.votes(alice="Red", arthur="Red>Blue", ford="Blue")
    closed = house.close()
    assert (closed.ended.end, recount(closed).chosen) == (End.PASSED, ("Red",))


# Time


def test_reminders_come_once_each_and_only_while_somebody_is_missing(house: House) -> None:
    motion = house.opened()
    opened = house.now
    assert house.tick(84 * HOUR - timedelta(seconds=1)).reminded == 0
    assert house.tick(timedelta(seconds=1)).reminded == 1
    house.now = motion.open_until - HOUR
    assert house.tick().reminded == 3
    count = sum(isinstance(one.deed, deeds.Reminded) for one in house.records)
    assert (count, house.now - opened) == (2, 167 * HOUR)


def test_nobody_is_reminded_when_all_have_voted(house: House) -> None:
    house.opened("expel", subject="marvin")
    house.votes(**{name: "yes" for name in NAMES if name != "marvin"})
    assert house.tick(167 * HOUR).reminded == 0


def test_a_short_window_has_fewer_reminders(house: House) -> None:
    house.rule("policy", open_hours=20, min_open_hours=12)
    motion = house.opened()
    house.now = motion.open_until - HOUR
    assert house.tick().reminded == 2


def test_an_outage_extends_the_ballot_once(house: House) -> None:
    motion = house.opened()
    closes, begins = motion.open_until, house.now
    assert outage(motion, begins, begins + HOUR) == ()
    made = outage(motion, begins + HOUR, begins + 4 * HOUR)
    assert made == (deeds.Extended(closes + 3 * HOUR, 10800),)
    house.write("", made)
    assert house.motion.open_until == closes + 3 * HOUR
    assert outage(house.motion, begins, begins + 9 * HOUR) == ()


def test_an_outage_counts_within_the_window_and_is_capped(house: House) -> None:
    motion = house.opened()
    closes, begins = motion.open_until, house.now
    assert outage(motion, begins - 9 * HOUR, begins + HOUR / 2) == ()
    over = outage(motion, closes - 2 * HOUR, closes + 5 * HOUR)
    assert over == (deeds.Extended(closes + 7 * HOUR, 7 * 3600),)
    assert outage(motion, begins, closes + DAY) == (deeds.Extended(closes + 4 * DAY, 4 * 86400),)
    stubborn = replace(motion.voting, rules=replace(motion.voting.rules, extend_on_outage=False))
    assert outage(replace(motion, opening=stubborn), begins, closes) == ()
    assert outage(House(house.people).propose(), begins, closes) == ()


def test_what_was_down_over_the_close_closes_late_and_counts_no_late_ballot(house: House) -> None:
    motion = house.opened()
    house.votes(alice="yes", arthur="yes", ford="yes")
    closed = house.tick(30 * DAY)
    assert (closed.ended.end, closed.ended.at > motion.open_until) == (End.PASSED, True)


# Effects and appeals


def test_an_expulsion_takes_effect_after_its_days_and_by_an_admins_hand(house: House) -> None:
    house.opened("expel", subject="marvin")
    house.votes(**{name: "yes" for name in NAMES if name != "marvin"})
    assert not house.close().in_effect
    assert not house.tick(7 * DAY - HOUR).in_effect
    assert house.tick(HOUR).in_effect
    house.change("ford", role=Role.ADMIN)
    house.write("ford", rules.confirm(house.motion, house.person("ford")))
    assert house.motion.confirmed_by == "ford"
    with refuses(Conflict, "no effect that waits"):
        rules.confirm(house.motion, house.person("ford"))


def test_what_failed_has_no_effect(house: House) -> None:
    house.opened()
    house.votes(**dict.fromkeys(NAMES, "no"))
    assert not house.tick(99 * DAY).in_effect


def test_an_emergency_runs_out(make: Callable[..., House]) -> None:
    house = make()
    house.opened("emergency", by="ford")
    assert house.votes(**dict.fromkeys(NAMES, "yes")).in_effect
    days = timedelta(days=BOOK.rules["emergency"].expires_days)
    assert not house.tick(days - HOUR).ran_out
    assert house.tick(HOUR).ran_out
    assert house.tick(DAY).ran_out


def test_an_appeal_holds_the_effect_until_it_is_decided(house: House) -> None:
    house.opened("expel", subject="marvin")
    house.votes(**{name: "yes" for name in NAMES if name != "marvin"})
    house.close()
    house.people["guest"] = Person("guest", Role.GUEST)
    with refuses(NotAllowed, "Only the electors of motion 7 appeal, and whom it concerns."):
        rules.appeal(house.motion, house.person("guest"), "x", house.scene)
    house.write("marvin", rules.appeal(house.motion, house.person("marvin"), "no notice", house.scene))
    assert (house.motion.stage, house.motion.appeal) == (Stage.APPEALED, "marvin: no notice")
    assert not house.tick(30 * DAY).in_effect
    house.write("", rules.judge(house.motion, annulled=False, reason="motion 8 failed"))
    assert (house.motion.stage, house.motion.ended.end) == (Stage.CLOSED, End.PASSED)
    assert house.tick().in_effect
    with refuses(Conflict, "was appealed against already"):
        rules.appeal(house.motion, house.person("alice"), "x", house.scene)


def test_an_appeal_that_succeeds_annuls(house: House) -> None:
    house.opened("expel", subject="marvin")
    house.votes(**{name: "yes" for name in NAMES if name != "marvin"})
    house.close()
    house.write("alice", rules.appeal(house.motion, house.person("alice"), "no notice", house.scene))
    house.write("", rules.judge(house.motion, annulled=True, reason="motion 8 passed"))
    motion = house.tick(30 * DAY)
    assert (motion.ended.end, motion.ended.why, motion.in_effect) == (End.ANNULLED, "motion 8 passed", False)


def test_what_took_effect_at_once_is_undone_by_an_appeal(house: House) -> None:
    house.opened()
    assert house.votes(**dict.fromkeys(NAMES, "yes")).in_effect
    house.write("alice", rules.appeal(house.motion, house.person("alice"), "no notice", house.scene))
    house.write("", rules.judge(house.motion, annulled=True, reason="motion 8 passed"))
    assert not house.tick(30 * DAY).in_effect


def test_appeals_have_their_time(house: House) -> None:
    house.opened()
    house.votes(**dict.fromkeys(NAMES, "yes"))
    house.tick(7 * DAY)
    with refuses(Conflict, "The 7 days for an appeal are over."):
        rules.appeal(house.motion, house.person("alice"), "x", house.scene)


# Certificates, and the chain


def test_a_certificate_has_every_number(house: House) -> None:
    house.opened("purchase")
    house.votes(alice="yes", marvin="no", arthur="abstain", ford="abstain")
    closed = house.close()
    certificate = json.loads(json.dumps(certify(house.records)))
    assert certificate["result"] == "passed"
    assert certificate["tests"][2] == "threshold: 2*3=6 >= 2*3=6 yes"
    assert certificate["ballots"] == {"alice": "yes", "arthur": "abstain", "ford": "abstain", "marvin": "no"}
    assert certificate["electorate"]["members"] == 6
    assert certificate["rules"]["yes_num"] == 2
    assert certificate["events"] == {"first": 1, "last": closed.last_seq, "head": closed.head}
    text = "\n".join(lines(certificate))
    assert "MOTION 7 PASSED: Buy 8 GiB (purchase)" in text
    assert "Counted: yes 2, no 1, abstain 4." in text
    assert closed.head in text
    assert closing_line(closed, recount(closed)).startswith("VOTE 7 PASSED: yes 2, no 1, abstain 4; 7*2=14")


def test_a_certificate_of_a_tied_secret_election(house: House) -> None:
    closed = elected(house, "Anna>Bo", "Bo>Anna", "Anna=Bo")
    house.write("ford", (deeds.Noted("alice", "a new account"),))
    certificate = certify(house.records)
    assert certificate["lot"] == {
        "commitment": closed.voting.commitment,
        "seed": "5eed",
        "head": closed.ended.head,
    }
    assert certificate["voters"] == ["alice", "arthur", "ford"]
    text = "\n".join(lines(certificate))
    assert "Tied: Anna; Bo." in text
    assert "Lot: seed 5eed" in text
    assert "alice: a new account" in text
    assert not re.search("^  (alice|arthur|ford): ", text, re.MULTILINE)
    assert closing_line(closed, recount(closed)).startswith("VOTE 7 PASSED: ")


def test_no_certificate_without_a_ballot(house: House) -> None:
    house.propose()
    with pytest.raises(LookupError, match="never opened"):
        certify(house.records)
    house.second()
    house.tick(72 * HOUR)
    with pytest.raises(LookupError, match="is not closed"):
        certify(house.records)
    with pytest.raises(LookupError, match="never opened"):
        _ = House(house.people).propose().open_until


def test_what_is_written_is_what_is_read(house: House) -> None:
    house.opened("expel", subject="marvin")
    house.votes(alice="yes")
    house.close()
    read = [record(cells(one), one.seq, one.hash) for one in house.records]
    assert read == house.records
    assert fold(read) == house.motion
    assert verify(links(house.records)).whole
    with pytest.raises(ValueError, match="row 3: no event is called coup"):
        record({"kind": "coup"}, 3)


def test_a_changed_event_is_found(house: House) -> None:
    house.opened()
    house.votes(**dict.fromkeys(NAMES, "no"))
    chain = links(house.records)
    forged = replace(chain[6], cells={**chain[6].cells, "actor": "zaphod"})
    assert verify([*chain[:6], forged, *chain[7:]]).fault == "row 7 was changed"
