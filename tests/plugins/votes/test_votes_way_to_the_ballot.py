"""From a proposal to the open ballot: seconds, discussion, amendments, answers, withdrawal."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.words import Conflict, NotAllowed, Refusal, Role, Usage, VoteRules
from plugins.votes import deeds, rules
from plugins.votes.due import text_hash
from plugins.votes.electorate import Person
from plugins.votes.motion import End, Motion, Stage
from tests.plugins.votes.conftest import NAMES, START, House

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def refuses(kind: type[Refusal], said: str) -> "pytest.RaisesExc[Refusal]":
    return pytest.raises(kind, match=re.escape(said))


def test_the_whole_way(house: House) -> None:
    motion = house.propose()
    assert (motion.number, motion.stage, motion.proposer) == (7, Stage.SECONDING, "trillian")
    motion = house.second()
    assert (motion.stage, motion.seconders) == (Stage.DISCUSSION, ("arthur",))
    assert house.tick(72 * HOUR - timedelta(milliseconds=1)).stage is Stage.DISCUSSION
    motion = house.tick(timedelta(milliseconds=1))
    assert (motion.stage, motion.voting.method, motion.voting.options) == (
        Stage.OPEN,
        "yesno",
        ("yes", "no", "abstain"),
    )
    assert [elector.name for elector in motion.electors] == list(NAMES)
    assert motion.open_until == START + 72 * HOUR + 168 * HOUR
    assert (motion.first_seq, motion.last_seq) == (1, 5)


def test_nobody_seconds_it_and_it_lapses(house: House) -> None:
    house.propose()
    motion = house.tick(7 * DAY)
    assert (motion.stage, motion.ended.end, motion.ended.why) == (
        Stage.CLOSED,
        End.WITHDRAWN,
        "nobody seconded it in time",
    )
    assert house.tick(99 * DAY) == motion
    with pytest.raises(LookupError, match="never opened"):
        _ = motion.voting


def test_who_may_propose(house: House) -> None:
    house.change("arthur", in_good_standing=False)
    house.change("marvin", joined=START - 44 * DAY)
    house.people["guest"] = Person("guest", Role.GUEST)
    for name, why in {
        "arthur": "You cannot do that: you are suspended.",
        "marvin": "You cannot do that: joined 2026-10-09, 45 days needed; "
        "you may from 2026-11-23 18:00 UTC on, see !policy voting.",
        "guest": "You cannot do that: only members may.",
    }.items():
        with refuses(NotAllowed, why):
            house.propose(by=name)
    with refuses(NotAllowed, "Only admins propose emergency."):
        house.propose("emergency")
    house.change("ford", role=Role.ADMIN)
    assert house.propose("emergency", by="ford").stage is Stage.SECONDING


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "coup"}, "“coup” is no type of motion (admit, elect, "),
        ({"title": " "}, "The title is missing."),
        ({"title": "x" * 101}, "The title is too long: at most 100 characters."),
        ({"text": "x" * 4001}, "The text is too long: at most 4000 characters."),
        ({"kind": "expel"}, "Say which member it is about."),
        ({"kind": "expel", "subject": "nobody"}, "Say which member it is about."),
        ({"kind": "elect"}, "Say what there is to choose from."),
        ({"kind": "elect", "options": ("Anna", "\u0410nna")}, "look alike"),
        ({"kind": "elect", "options": ("abstain",)}, "no option can be named “abstain”"),
        ({"kind": "elect", "options": ("A>B",)}, "has a “>”"),
        ({"kind": "elect", "options": ("none of the Above",)}, "look alike"),
    ],
)
def test_what_cannot_be_proposed(house: House, fields: dict[str, object], said: str) -> None:
    with refuses(Usage, said):
        house.propose(**fields)  # type: ignore[arg-type]  # the table's fields
    assert house.records == []


def test_seconds_come_from_others_once(house: House) -> None:
    house.propose("expel", subject="marvin")
    with refuses(NotAllowed, "somebody else"):
        house.second("trillian")
    with refuses(NotAllowed, "Motion 7 is about you."):
        house.second("marvin")
    assert house.second("arthur").stage is Stage.SECONDING
    with refuses(Conflict, "You have seconded motion 7 already."):
        house.second("arthur")
    assert house.second("alice").stage is Stage.DISCUSSION
    with refuses(Conflict, "Motion 7 waits for no second: it is discussion."):
        house.second("ford")


def test_a_second_taken_back(house: House) -> None:
    house.propose()
    house.second()
    house.tick(DAY)
    with refuses(Conflict, "You have not seconded motion 7."):
        rules.unsecond(house.motion, house.person("alice"), house.scene)
    house.write("arthur", rules.unsecond(house.motion, house.person("arthur"), house.scene))
    assert (house.motion.stage, house.motion.seconders) == (Stage.SECONDING, ())
    motion = house.second("alice")
    assert (motion.discussed_since, motion.discussed_until) == (START + DAY, START + 4 * DAY)


def test_without_a_discussion_the_last_second_opens(house: House) -> None:
    house.rule("policy", discussion_hours=0)
    house.propose()
    assert house.second().stage is Stage.OPEN


def test_the_window_is_never_below_the_shortest(house: House) -> None:
    house.rule("policy", discussion_hours=0, open_hours=1, min_open_hours=2)
    house.propose()
    assert house.second().open_until == START + 2 * HOUR


def test_an_expulsion_without_grounds_stays_a_draft_until_it_has_them(house: House) -> None:
    motion = house.propose("expel", subject="marvin", text="")
    assert motion.stage is Stage.DRAFT
    with refuses(Conflict, "it is draft"):
        house.second("arthur")
    house.write("trillian", rules.amend(motion, house.person("trillian"), "Spam, thrice.", house.scene))
    assert (house.motion.stage, house.motion.text) == (Stage.SECONDING, "Spam, thrice.")
    assert house.motion.seconds_needed == 2


def test_the_answer_stands_on_the_ballot(house: House) -> None:
    house.propose("expel", subject="marvin")
    with refuses(NotAllowed, "Only whom motion 7 concerns answers it."):
        rules.answer(house.motion, house.person("alice"), "No.")
    house.second("arthur", "alice")
    with refuses(Usage, "The answer is missing."):
        rules.answer(house.motion, house.person("marvin"), " ")
    house.write("marvin", rules.answer(house.motion, house.person("marvin"), "It was not me."))
    motion = house.tick(336 * HOUR)
    assert (motion.stage, motion.answer) == (Stage.OPEN, "It was not me.")
    assert "marvin" not in {elector.name for elector in motion.electors}
    with refuses(Conflict, "takes no answer now"):
        rules.answer(house.motion, house.person("marvin"), "More.")
    assert motion.voting.text_hash != text_hash(replace(motion, answer=""), motion.voting.options)


def test_the_proposers_own_change_moves_the_end_of_the_discussion(house: House) -> None:
    house.propose()
    amended = rules.amend(house.motion, house.person("trillian"), "Sooner.", house.scene)
    assert amended == (deeds.Edited("Sooner."),)
    house.second()
    house.tick(DAY)
    house.write("trillian", rules.amend(house.motion, house.person("trillian"), "16 GiB.", house.scene))
    assert (house.motion.text, house.motion.discussed_until) == ("16 GiB.", START + 4 * DAY)


def test_amendments_move_the_end_but_not_for_ever(house: House) -> None:
    house.propose()
    house.second()
    for _ in range(20):
        until = house.motion.discussed_until
        assert until is not None
        house.tick(until - house.now - DAY)
        house.write("alice", rules.amend(house.motion, house.person("alice"), "Or none.", house.scene))
    assert house.motion.discussed_until == START + 21 * DAY
    house.tick(house.motion.discussed_until - house.now - DAY + HOUR)
    with refuses(Conflict, "In the last 1 d of a discussion nothing is amended any more."):
        rules.amend(house.motion, house.person("alice"), "Late.", house.scene)


def test_a_short_discussion_has_room_for_amendments(house: House) -> None:
    house.rule("policy", discussion_hours=3)
    house.propose()
    house.second()
    house.tick(2 * HOUR)
    made = rules.amend(house.motion, house.person("alice"), "Or none.", house.scene)
    assert made[1] == deeds.Discussing(START + 5 * HOUR)
    house.tick(HOUR / 2)
    with refuses(Conflict, "In the last 1 h of a discussion"):
        rules.amend(house.motion, house.person("alice"), "Late.", house.scene)


def test_an_amendment_is_accepted_dropped_or_on_the_ballot(house: House) -> None:
    house.propose()
    house.second()
    for name, text in (("alice", "16 GiB."), ("ford", "32 GiB."), ("zaphod", "64 GiB.")):
        house.write(name, rules.amend(house.motion, house.person(name), text, house.scene))
    with refuses(NotAllowed, "Only the proposer accepts"):
        rules.accept(house.motion, house.person("alice"), 1, house.scene)
    with refuses(NotAllowed, "Only its author"):
        rules.drop(house.motion, house.person("alice"), 2)
    house.write("trillian", rules.accept(house.motion, house.person("trillian"), 1, house.scene))
    house.write("ford", rules.drop(house.motion, house.person("ford"), 2))
    for number in (0, 1, 2, 4):
        with refuses(Conflict, f"no amendment {number} that is still open"):
            rules.drop(house.motion, house.person("ford"), number)
    assert house.motion.text == "16 GiB."
    assert [amendment.text for amendment in house.motion.pending] == ["64 GiB."]
    motion = house.tick(9 * DAY)
    assert (motion.voting.method, motion.voting.options) == (
        "schulze",
        ("motion", "amendment-3", "no change"),
    )
    with refuses(Conflict, "cannot be amended any more"):
        rules.amend(motion, house.person("alice"), "x", house.scene)


def test_what_few_noes_defeat_has_no_other_texts_on_its_ballot(house: House) -> None:
    """Among several options there are no noes to be counted."""
    house.rule("policy", max_no=1)
    house.propose()
    with refuses(NotAllowed, "Only its proposer changes the text of a motion of type policy."):
        rules.amend(house.motion, house.person("alice"), "x", house.scene)


def test_others_do_not_amend_what_is_about_people(house: House) -> None:
    house.propose("expel", subject="marvin")
    with refuses(NotAllowed, "Only its proposer changes the text of a motion of type expel."):
        rules.amend(house.motion, house.person("alice"), "x", house.scene)
    with refuses(Usage, "The text is missing."):
        rules.amend(house.motion, house.person("trillian"), " ", house.scene)


def test_withdrawal_until_the_opening(house: House) -> None:
    house.propose()
    with refuses(NotAllowed, "Only its proposer withdraws"):
        rules.withdraw(house.motion, house.person("alice"))
    house.second()
    house.write("trillian", rules.withdraw(house.motion, house.person("trillian")))
    assert (house.motion.ended.end, house.motion.ended.why) == (End.WITHDRAWN, "by trillian")
    other = House(house.people)
    other.opened()
    with refuses(Conflict, "is open or over: only a vote undoes it"):
        rules.withdraw(other.motion, other.person("trillian"))


def test_one_motion_for_one_subject(house: House, make: Callable[..., House]) -> None:
    house.propose(title="Buy RAM")
    other = make()
    same = deeds.Proposed("policy", "buy ram", "8 GiB")
    with refuses(Conflict, "Motion 7 is about the same: !amend 7 offers another text."):
        rules.propose(same, other.person("alice"), other.scene, [house.motion])
    for different in (
        replace(same, title="Buy disks"),
        replace(same, kind="purchase"),
        deeds.Proposed("expel", "Buy RAM", "x", subject="marvin"),
    ):
        assert len(rules.propose(different, other.person("alice"), other.scene, [house.motion])) == 2


def test_what_was_rejected_needs_more_seconds_for_a_month(house: House) -> None:
    house.opened(title="Buy RAM")
    rejected = house.votes(alice="no", arthur="no", ford="no", marvin="no", trillian="yes", zaphod="yes")
    assert rejected.ended.end is End.FAILED
    again = deeds.Proposed("policy", "Buy RAM", "8 GiB")

    def needed(before: Motion) -> int:
        submitted = rules.propose(again, house.person("alice"), house.scene, [before])[1]
        assert isinstance(submitted, deeds.Submitted)
        return submitted.seconds

    assert needed(rejected) == 2
    house.now += 30 * DAY
    assert needed(rejected) == 1
    passed = replace(rejected, closing=replace(rejected.ended, at=house.now, end=End.PASSED))
    assert needed(passed) == 1


def test_a_type_that_needs_no_second_is_discussed_at_once(house: House) -> None:
    house.rules["chat"] = VoteRules(seconds=0)
    assert house.propose("chat").stage is Stage.DISCUSSION


def test_too_early_to_annul_appeal_judge_or_confirm(house: House) -> None:
    motion = house.propose()
    house.change("ford", role=Role.ADMIN)
    ford, alice = house.person("ford"), house.person("alice")
    with refuses(Conflict, "Motion 7 is not open: it is seconding."):
        rules.annul(motion, ford, "x")
    with refuses(Conflict, "no result to appeal against"):
        rules.appeal(motion, ford, "x", house.scene)
    with refuses(Conflict, "is under no appeal"):
        rules.judge(motion, annulled=True, reason="x")
    with refuses(Conflict, "no effect that waits for an admin"):
        rules.confirm(motion, ford)
    with refuses(NotAllowed, "Only admins annul an open ballot."):
        rules.annul(motion, alice, "x")
    with refuses(NotAllowed, "Only admins confirm an effect."):
        rules.confirm(motion, alice)
