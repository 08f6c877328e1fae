"""Motions live through any events in any order: what must hold whatever members, clocks and outages do."""

import json
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise

from hypothesis import event, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.words import Refusal, Role, Usage, VoteRules, verify
from plugins.votes import ballots, rules
from plugins.votes.ballots import Spoken
from plugins.votes.certificate import certify, lines
from plugins.votes.due import outage
from plugins.votes.electorate import Person
from plugins.votes.motion import End, Motion, Stage, fold
from plugins.votes.tally import closed_words, recount, turnout
from plugins.votes.written import cells, chained, links, record
from tests.plugins.votes.conftest import NAMES, OLD, PRIVATE, START, House, members

KINDS = ("policy", "policy-change", "purchase", "lazy", "expel", "admit", "elect", "emergency", "vetoed")
WHO = st.sampled_from([*NAMES, "guest", "new"])
WORDS = st.sampled_from(
    [
        "yes",
        "no",
        "abstain",
        "veto",
        "yse",
        "",
        "Anna>Bo",
        "Bo=Anna",
        "none of the above",
        "motion",
        "no change>motion",
    ]
)
ORDER = list(Stage)


class Life(RuleBasedStateMachine):
    """One motion in a co-op whose members do anything at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.house = House(dict(members()))
        self.house.rules["vetoed"] = VoteRules(veto=True, veto_override_num=2, veto_override_den=3)
        self.house.change("ford", role=Role.ADMIN)
        self.house.people["guest"] = Person("guest", Role.GUEST, joined=OLD)
        self.house.people["new"] = Person("new", joined=START - timedelta(days=44))
        self.opened: Motion | None = None

    def motion(self) -> Motion:
        return self.house.motion

    def person(self, name: str) -> Person:
        return self.house.person(name)

    @initialize(kind=st.sampled_from(KINDS), text=st.sampled_from(["", "Grounds."]), early=st.integers(0, 3))
    def propose(self, kind: str, text: str, early: int) -> None:
        subject = {"expel": "marvin", "admit": "newbie"}.get(kind, "")
        self.house.propose(kind, "ford", text=text, subject=subject, options=("Anna", "Bo"))
        if early:
            self.bring_to_the_ballot(list(NAMES))

    @precondition(lambda self: self.motion().stage in {Stage.SECONDING, Stage.DISCUSSION})
    @rule(names=st.permutations(NAMES))
    def bring_to_the_ballot(self, names: list[str]) -> None:
        for name in names:
            self.second(name)
        if self.motion().stage is Stage.DISCUSSION:
            self.house.tick(timedelta(hours=400))

    @precondition(lambda self: self.motion().stage is Stage.OPEN)
    @rule(places=st.lists(st.integers(0, 3), min_size=3, max_size=6))
    def many_vote(self, places: list[int]) -> None:
        motion = self.motion()
        words = (*motion.voting.options, *(["veto"] if motion.takes_vetoes else []))
        for name, place in zip(NAMES, places, strict=False):
            with suppress(Refusal):
                self.house.vote(name, words[place % len(words)], reason="a trap")
        self.house.tick()

    @precondition(lambda self: self.motion().stage is Stage.OPEN)
    @rule()
    def close(self) -> None:
        self.house.close()

    @rule(name=WHO)
    def second(self, name: str) -> None:
        with suppress(Refusal):
            self.house.second(name)

    @rule(name=WHO, words=WORDS, private=st.booleans(), hours=st.none() | st.integers(-400, 10))
    def vote(self, name: str, words: str, private: bool, hours: int | None) -> None:  # noqa: FBT001 - drawn
        bound = None if hours is None else self.house.now + timedelta(hours=hours)
        before = list(self.house.records)
        try:
            how = Spoken(private, bound, bound_by_admin=hours is not None)
            self.house.vote(name, words, how, reason="a trap" if private else "")
        except Refusal:
            assert self.house.records == before
        else:
            motion = self.motion()
            assert motion.stage is Stage.OPEN
            assert name in {elector.name for elector in motion.electors}
            assert private or not motion.is_secret
            assert words != "veto" or (private and motion.takes_vetoes)

    @rule(
        name=WHO,
        what=st.sampled_from(
            ["unsecond", "amend", "accept", "drop", "answer", "withdraw", "annul", "appeal", "confirm"]
        ),
    )
    def move(self, name: str, what: str) -> None:
        motion, who, scene = self.motion(), self.person(name), self.house.scene
        made = {
            "unsecond": lambda: rules.unsecond(motion, who, scene),
            "amend": lambda: rules.amend(motion, who, "Other words.", scene),
            "accept": lambda: rules.accept(motion, who, 1, scene),
            "drop": lambda: rules.drop(motion, who, 1),
            "answer": lambda: rules.answer(motion, who, "It was not me."),
            "withdraw": lambda: rules.withdraw(motion, who),
            "annul": lambda: rules.annul(motion, who, "wrong text"),
            "appeal": lambda: rules.appeal(motion, who, "no notice", scene),
            "confirm": lambda: rules.confirm(motion, who),
        }
        with suppress(Refusal):
            self.house.write(name, made[what]())

    @rule(name=WHO, what=st.sampled_from(["retract", "recuse", "object"]))
    def leave(self, name: str, what: str) -> None:
        motion, who, scene = self.motion(), self.person(name), self.house.scene
        made = {
            "retract": lambda: ballots.retract(motion, who, scene),
            "recuse": lambda: ballots.recuse(motion, who, scene),
            "object": lambda: ballots.object_(motion, who, "too dear", scene),
        }
        with suppress(Refusal):
            self.house.write(name, made[what]())

    @rule(annulled=st.booleans())
    def judge(self, annulled: bool) -> None:  # noqa: FBT001 - drawn
        with suppress(Refusal):
            self.house.write("", rules.judge(self.motion(), annulled=annulled, reason="motion 8"))

    @rule(hours=st.integers(-30, 90))
    def wait(self, hours: int) -> None:
        self.house.tick(timedelta(hours=hours))

    @rule(hours=st.integers(0, 100))
    def be_away(self, hours: int) -> None:
        gone, self.house.now = self.house.now, self.house.now + timedelta(hours=hours)
        self.house.write("", outage(self.motion(), gone, self.house.now))
        self.house.tick()

    @rule(name=st.sampled_from(NAMES), good=st.booleans(), units=st.integers(1, 2))
    def standing_changes(self, name: str, good: bool, units: int) -> None:  # noqa: FBT001 - drawn
        self.house.change(name, in_good_standing=good, units=units)

    @invariant()
    def the_chain_is_whole_and_tells_the_same_motion(self) -> None:
        records = self.house.records
        assert verify(links(records)).whole
        assert fold(record(cells(one), one.seq, one.hash) for one in records) == self.motion()
        assert all(one.at <= other.at for one, other in pairwise(records))

    @invariant()
    def nobody_counts_twice_and_only_electors_count(self) -> None:
        motion = self.motion()
        if motion.opening is None:
            return
        names = [elector.name for elector in motion.electors]
        assert len(set(names)) == len(names)
        assert set(motion.ballots) <= set(names)
        assert not {"guest", motion.subject if motion.kind == "expel" else "guest"} & set(names)
        cast, active = turnout(motion)
        assert cast.members <= active.members <= len(names)

    @invariant()
    def an_open_ballot_keeps_what_was_fixed(self) -> None:
        motion, before = self.motion(), self.opened
        if before and before.stage is motion.stage is Stage.OPEN and before.voting.at == motion.voting.at:
            assert motion.voting == before.voting
            assert (motion.text, motion.title) == (before.text, before.title)
        self.opened = motion

    @invariant()
    def what_is_closed_counts_the_same_again(self) -> None:
        motion = self.motion()
        if motion.stage is not Stage.CLOSED or motion.opening is None:
            return
        finding = recount(motion)
        if motion.ended.end is not End.ANNULLED:
            assert finding.end is motion.ended.end
            assert len(closed_words(motion)) == len(motion.ballots) == finding.cast.members
        certificate = certify(self.house.records)
        assert json.loads(json.dumps(certificate)) == json.loads(json.dumps(certify(self.house.records)))
        assert list(lines(certificate))
        assert motion.ended.end is End.PASSED or not motion.in_effect
        event(f"{motion.kind} {motion.ended.end}")


Life.TestCase.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)
TestLife = Life.TestCase


def cast_all(votes: Iterable[tuple[str, str]], kind: str) -> Motion:
    house = House(dict(members()))
    house.rule(kind, early_close="never")
    house.opened(kind, subject="newbie" if kind == "admit" else "")
    for name, words in votes:
        with suppress(Usage):
            house.vote(name, words, PRIVATE)
    return house.close()


@settings(max_examples=30, deadline=None)
@given(st.permutations([*NAMES, *NAMES]), st.data(), st.sampled_from(["policy", "purchase", "admit"]))
def test_the_order_of_different_members_ballots_never_matters(
    order: list[str], data: st.DataObject, kind: str
) -> None:
    """Each member's own ballots stay in their order; whose come first makes no difference."""
    words = {name: data.draw(st.lists(WORDS, min_size=2, max_size=2)) for name in NAMES}
    left = {name: list(said) for name, said in words.items()}
    mixed = [(name, left[name].pop(0)) for name in order]
    sorted_ = [(name, word) for name in NAMES for word in words[name]]
    one, other = cast_all(mixed, kind), cast_all(sorted_, kind)
    assert (one.ended.end, one.ended.receipts) == (other.ended.end, other.ended.receipts)
    assert (recount(one).counts, recount(one).checks) == (recount(other).counts, recount(other).checks)


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(["yes", "no"])), max_size=30))
def test_however_often_one_votes_the_last_ballot_counts_once(votes: list[tuple[str, str]]) -> None:
    counts = recount(cast_all(votes, "policy")).counts
    last = dict(votes)
    assert counts == {
        "yes": sum(word == "yes" for word in last.values()),
        "no": sum(word == "no" for word in last.values()),
        "abstain": 0,
    }


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_any_changed_byte_of_the_chain_is_found(data: st.DataObject) -> None:
    house = House(dict(members()))
    house.opened()
    house.votes(**dict.fromkeys(NAMES, "yes"))
    place = data.draw(st.integers(0, len(house.records) - 1))
    honest = chained(house.records)
    assert honest == house.records
    row = dict(cells(honest[place]))
    column = data.draw(st.sampled_from(["actor", "at", "body", "kind"]))
    text = str(row[column])
    spot = data.draw(st.integers(0, max(0, len(text) - 1)))
    row[column] = f"{text[:spot]}~{text[spot + 1 :]}"
    chain = links(honest)
    forged = [
        *chain[:place],
        type(chain[0])(place + 1, row, chain[place].prev, chain[place].hash),
        *chain[place + 1 :],
    ]
    assert verify(forged).fault == f"row {place + 1} was changed"
