"""The methods: what must hold for any ballots, their reasoning, and how long they take."""

import hashlib
import json
from collections import Counter
from fractions import Fraction
from itertools import permutations
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.coop.counting import (
    Check,
    Count,
    Default,
    Dropped,
    Of,
    Quorum,
    Result,
    Threshold,
    Votes,
    YesNo,
    approval,
    commitment,
    grouped,
    irv,
    lot,
    pairwise,
    plurality,
    quorum_checks,
    schulze,
    settle,
    yes_no,
)
from bot.coop.counting.ballots import Ranking
from bot.coop.counting.exact import number
from bot.coop.counting.governed import by_share, quorum, threshold
from bot.coop.voterules import VoteRules

EDGES = json.loads((Path(__file__).parent / "votes" / "edges.json").read_text("utf-8"))["cases"]
RULES = {
    "policy": VoteRules(),
    "policy-change": VoteRules(quorum_den=2, yes_num=2, yes_den=3, yes_strict=False),
    "purchase": VoteRules(
        weight="share", quorum_basis="weight", quorum_den=2, yes_num=2, yes_den=3, yes_strict=False
    ),
    "admit": VoteRules(secrecy="secret", max_no=2),
    "expel": VoteRules(secrecy="secret", yes_of="all", yes_num=2, yes_den=3, yes_strict=False),
}
SIZE = 4
Ballots = dict[tuple[int, ...], int]


def rankings(size: int = SIZE) -> st.SearchStrategy[Ranking]:
    """Any ranking, with equal ranks and options left out."""

    def ranked(places: list[int]) -> Ranking:
        used = sorted({place for place in places if place})
        return tuple(tuple(n for n, place in enumerate(places) if place == now) for now in used)

    return st.lists(st.integers(0, size), min_size=size, max_size=size).map(ranked)


def profiles(size: int = SIZE, most: int = 3) -> st.SearchStrategy[dict[Ranking, int]]:
    return st.dictionaries(rankings(size), st.integers(1, most), max_size=8)


def stricts(size: int = SIZE) -> st.SearchStrategy[dict[tuple[int, ...], int]]:
    ballot = st.tuples(st.permutations(range(size)), st.integers(0, size)).map(lambda b: tuple(b[0][: b[1]]))
    return st.dictionaries(ballot, st.integers(1, 3), max_size=8)


# Yes or no


def count_of(case: dict[str, Any]) -> Count:
    words = ("eligible", "yes", "no", "abstain")
    eligible, yes, no, abstain = (
        Votes(case.get(w, 0), case.get(f"{w}_units", case.get(w, 0))) for w in words
    )
    return Count(eligible, yes, no, abstain)


@pytest.mark.parametrize("case", EDGES, ids=lambda case: f"{case['type']}-{case['expect']}")
def test_the_edges(case: dict[str, Any]) -> None:
    rules = RULES[case["type"]]
    decided = yes_no(count_of(case), threshold(rules), quorum(rules), weighted=by_share(rules))
    assert decided.result == case["expect"]


MAJORITY = Threshold()


def decide(yes: int, no: int, abstain: int = 0, *, of: int = 12, rule: Threshold = MAJORITY) -> YesNo:
    count = Count(Votes(of, of), Votes(yes, yes), Votes(no, no), Votes(abstain, abstain))
    return yes_no(count, rule, Quorum())


TWO_THIRDS = Threshold(Fraction(2, 3), strict=False)
PRESENT = Threshold(of=Of.PRESENT)


@pytest.mark.parametrize(
    ("decided", "result"),
    [
        (decide(9, 8, of=17), Result.PASSED),
        (decide(8, 4, rule=TWO_THIRDS), Result.PASSED),
        (decide(7, 4, rule=TWO_THIRDS), Result.FAILED),
        (decide(3, 3, rule=TWO_THIRDS), Result.FAILED),
        (decide(0, 0, 5), Result.TIED),
        (decide(0, 0, 5, rule=TWO_THIRDS), Result.FAILED),
        (decide(0, 0, of=0), Result.NO_QUORUM),
        (decide(0, 0), Result.NO_QUORUM),
        (decide(1, 0, of=1), Result.PASSED),
        (decide(1, 0, of=2), Result.NO_QUORUM),
        (decide(2, 0, of=2), Result.PASSED),
        (decide(4, 3, 1, rule=PRESENT), Result.FAILED),
        (decide(5, 3, 1, rule=PRESENT), Result.PASSED),
        (decide(5, 1, rule=Threshold(max_no=0)), Result.FAILED),
        (decide(5, 0, rule=Threshold(max_no=0)), Result.PASSED),
        (decide(3, 3, rule=Threshold(max_no=2)), Result.FAILED),
        (decide(2, 2, rule=Threshold(max_no=2)), Result.TIED),
        (decide(3, 0, 2, rule=Threshold(min_yes=4)), Result.FAILED),
        (decide(4, 0, 2, rule=Threshold(min_yes=4)), Result.PASSED),
    ],
)
def test_thresholds(decided: YesNo, result: Result) -> None:
    assert decided.result is result


@pytest.mark.parametrize(
    ("yes", "vetoes", "override", "result", "shown"),
    [
        (9, 0, None, Result.PASSED, None),
        (9, 1, None, Result.VETOED, "1 <= 0 no"),
        (9, 1, Fraction(9, 10), Result.PASSED, "9*10=90 >= 9*10=90 yes"),
        (8, 1, Fraction(9, 10), Result.VETOED, "8*10=80 >= 9*10=90 no"),
        (5, 2, Fraction(1, 2), Result.TIED, "5*2=10 >= 1*10=10 yes"),
        (2, 2, None, Result.VETOED, "2 <= 0 no"),
    ],
)
def test_a_veto(yes: int, vetoes: int, override: Fraction | None, result: Result, shown: str | None) -> None:
    count = Count(Votes(12), Votes(yes), Votes(10 - yes), vetoes=vetoes)
    decided = yes_no(count, Threshold(veto=True, override=override), Quorum())
    assert decided.result is result
    assert [check.text for check in decided.checks if check.rule == "veto"] == ([shown] if shown else [])


def test_a_veto_changes_nothing_without_a_quorum_or_where_the_rules_know_none() -> None:
    few = Count(Votes(12), Votes(1), Votes(1), vetoes=1)
    assert yes_no(few, Threshold(veto=True), Quorum()).result is Result.NO_QUORUM
    many = Count(Votes(12), Votes(9), Votes(1), vetoes=1)
    assert yes_no(many, Threshold(), Quorum()).result is Result.PASSED


def test_each_test_shows_its_numbers() -> None:
    rules = RULES["purchase"]
    count = Count(Votes(12, 18), Votes(5, 8), Votes(2, 3), Votes(1, 2))
    assert yes_no(count, threshold(rules), quorum(rules), weighted=True).checks == (
        Check("quorum", holds=True, text="13*2=26 >= 1*18=18 yes"),
        Check("quorum", holds=True, text="8 >= 3 yes"),
        Check("threshold", holds=True, text="8*3=24 >= 2*11=22 yes"),
        Check("yes", holds=True, text="5 >= 1 yes"),
    )
    strictly = decide(3, 3, rule=Threshold(max_no=2)).checks
    assert [check.text for check in strictly] == [
        "6*3=18 >= 1*12=12 yes",
        "6 >= 3 yes",
        "3*2=6 > 1*6=6 no",
        "3 >= 1 yes",
        "3 <= 2 no",
    ]


def test_the_inactive_leave_the_quorum_and_nothing_else() -> None:
    count = Count(Votes(12), Votes(2), abstain=Votes(1), active=Votes(9))
    assert yes_no(count, Threshold(), Quorum()).result is Result.PASSED
    assert yes_no(count, Threshold(of=Of.ALL), Quorum()).result is Result.FAILED


def test_secret_ballots_never_weigh_by_share() -> None:
    assert not by_share(VoteRules(weight="share", secrecy="secret"))
    assert by_share(VoteRules(weight="share"))
    assert threshold(RULES["admit"]).max_no == 2
    assert quorum_checks(Votes(), Votes(), Quorum(Fraction(0), least=0))[1].holds


@given(*[st.integers(0, 40)] * 3, st.fractions(0, 1, max_denominator=9), st.booleans(), st.sampled_from(Of))
def test_thresholds_agree_with_fractions(
    yes: int,
    no: int,
    abstain: int,
    part: Fraction,
    strict: bool,  # noqa: FBT001 - drawn
    of: Of,
) -> None:
    count = Count(Votes(120), Votes(yes), Votes(no), Votes(abstain))
    decided = yes_no(count, Threshold(part, strict=strict, of=of), Quorum(Fraction(0), least=0))
    whole = {Of.CAST: yes + no, Of.PRESENT: yes + no + abstain, Of.ALL: 120}[of]
    share = Fraction(yes, whole) if whole else None
    passes = yes > 0 and share is not None and (share > part if strict else share >= part)
    assert (decided.result is Result.PASSED) == passes


@given(*[st.integers(0, 9)] * 4)
def test_a_half_share_never_weighs_as_a_whole(yes: int, yes_half: int, no: int, no_half: int) -> None:
    """Full shares are two halves: the weights are as in whole shares with halves as fractions."""
    count = Count(
        Votes(99, 198), Votes(yes + yes_half, 2 * yes + yes_half), Votes(no + no_half, 2 * no + no_half)
    )
    decided = yes_no(count, Threshold(), Quorum(Fraction(0), least=0), weighted=True)
    assert (decided.result is Result.PASSED) == (yes + Fraction(yes_half, 2) > no + Fraction(no_half, 2))


# Scores


def test_plurality_names_all_that_tie() -> None:
    count = plurality({0: 3, 2: 3, 1: 2}, 4)
    assert (count.scores, count.elected, count.tied, count.winners) == ((3, 2, 3, 0), (), (0, 2), (0, 2))
    assert plurality({1: 1}, 2).winners == (1,)


def test_approval_tells_sure_seats_from_tied_ones() -> None:
    count = approval({(0, 1, 2): 1, (0, 3): 1, (0,): 1, (1, 2): 1}, 4, seats=2)
    assert (count.scores, count.elected, count.tied, count.open_seats) == ((3, 2, 2, 1), (0,), (1, 2), 1)
    assert count.winners == (0, 1, 2)
    assert approval({(0,): 1}, 2, seats=2).winners == (0, 1)


@given(st.dictionaries(st.frozensets(st.integers(0, 4)).map(lambda b: tuple(sorted(b))), st.integers(1, 9)))
def test_every_seat_is_filled_or_tied_for(profile: dict[tuple[int, ...], int]) -> None:
    for seats in range(1, 6):
        count = approval(profile, 5, seats)
        best = sorted(count.scores, reverse=True)
        assert set(count.winners) == {n for n in range(5) if count.scores[n] >= best[seats - 1]}
        assert len(count.elected) + count.open_seats == seats
        assert len(count.tied) > count.open_seats or not count.tied


# Schulze


def beatpath(profile: dict[Ranking, int], size: int) -> set[int]:
    """Schulze's own way: the widest paths, a link being as wide as its winning, then its few losing votes."""
    matrix = pairwise(profile, size)
    none = (-1, 0)
    width = {
        (a, b): (matrix[a][b], -matrix[b][a]) if matrix[a][b] > matrix[b][a] else none
        for a, b in permutations(range(size), 2)
    }
    for through, a, b in permutations(range(size), 3):
        width[a, b] = max(width[a, b], min(width[a, through], width[through, b]))
    return {a for a in range(size) if all(width[a, b] >= width[b, a] for b in range(size) if b != a)}


@given(profiles(5))
def test_dropping_the_weakest_defeats_finds_the_widest_paths(profile: dict[Ranking, int]) -> None:
    assert set(schulze(profile, 5).winners) == beatpath(profile, 5)


@given(profiles(), st.permutations(range(SIZE)))
def test_the_options_order_does_not_matter(profile: dict[Ranking, int], names: list[int]) -> None:
    renamed = grouped(
        (tuple(tuple(sorted(names[n] for n in group)) for group in ranked), weight)
        for ranked, weight in profile.items()
    )
    assert {names[n] for n in schulze(profile, SIZE).winners} == set(schulze(renamed, SIZE).winners)


@given(profiles(), st.integers(2, 5))
def test_weights_scale(profile: dict[Ranking, int], factor: int) -> None:
    more = {ranked: weight * factor for ranked, weight in profile.items()}
    assert schulze(more, SIZE).winners == schulze(profile, SIZE).winners


def test_the_reasoning_of_a_cycle() -> None:
    count = schulze({((0,), (1,), (2,)): 4, ((1,), (2,), (0,)): 3, ((2,), (0,), (1,)): 2}, 3)
    assert count.matrix == ((0, 6, 4), (3, 0, 7), (5, 2, 0))
    assert [(d.winner, d.loser, d.votes, d.against) for d in count.defeats] == [
        (0, 1, 6, 3),
        (1, 2, 7, 2),
        (2, 0, 5, 4),
    ]
    assert [step.schwartz for step in count.steps] == [(0, 1, 2), (0,)]
    assert [(d.winner, d.loser) for d in count.steps[0].weakest] == [(2, 0)]
    assert count.winners == (0,)


def test_options_that_miss_quorum_or_majority_are_dropped_with_their_numbers() -> None:
    first, second, third = ((0,), (3,), (1,), (2,)), ((1,), (3,), (0,), (2,)), ((2,), (3,), (0,), (1,))
    profile: dict[Ranking, int] = {first: 4, second: 4, third: 2}
    default = Default(3, Fraction(7, 2), {1: Fraction(2)})
    count = schulze(profile, 4, default)
    assert count.dropped == {0: Dropped.MAJORITY, 1: Dropped.MAJORITY, 2: Dropped.QUORUM}
    assert count.winners == (3,)
    assert [(option, check.text) for option, check in count.checks] == [
        (0, "4 >= 3.5 yes"),
        (0, "4*1=4 >= 1*6=6 no"),
        (0, "4 > 6 no"),
        (1, "4 >= 3.5 yes"),
        (1, "4*1=4 >= 2*6=12 no"),
        (1, "4 > 6 no"),
        (2, "2 >= 3.5 no"),
        (2, "2*1=2 >= 1*8=8 no"),
        (2, "2 > 8 no"),
    ]


def test_dropping_before_the_comparison_changes_the_winner() -> None:
    """The most preferred option lacks its three to one, so the second wins and not the default."""
    profile: dict[Ranking, int] = {((0,), (1,), (2,)): 6, ((1,), (2,), (0,)): 4}
    assert schulze(profile, 3, Default(2)).winners == (0,)
    supermajority = schulze(profile, 3, Default(2, ratios={0: Fraction(3)}))
    assert (supermajority.dropped, supermajority.winners) == ({0: Dropped.MAJORITY}, (1,))


def test_equal_support_does_not_beat_the_default() -> None:
    count = schulze({((0,), (1,)): 2, ((1,), (0,)): 2}, 2, Default(1))
    assert (count.dropped, count.winners) == ({0: Dropped.MAJORITY}, (1,))


def test_without_ballots_all_tie() -> None:
    assert schulze({}, 3).winners == irv({}, 3).winners == plurality({}, 3).winners == (0, 1, 2)


@given(profiles(), st.data())
def test_ballots_order_never_matters(profile: dict[Ranking, int], data: st.DataObject) -> None:
    cast = list(Counter(profile).elements())
    shuffled = data.draw(st.permutations(cast))
    one, other = (grouped((ballot, 1) for ballot in ballots) for ballots in (cast, shuffled))
    assert schulze(one, SIZE, Default(0)) == schulze(other, SIZE, Default(0))
    firsts = [grouped((b[0][0], 1) for b in ballots if b) for ballots in (cast, shuffled)]
    assert plurality(firsts[0], SIZE) == plurality(firsts[1], SIZE)
    short = [grouped((tuple(g[0] for g in b), 1) for b in ballots) for ballots in (cast, shuffled)]
    assert irv(short[0], SIZE) == irv(short[1], SIZE)
    sets = [grouped((tuple(n for g in b for n in g), 1) for b in ballots) for ballots in (cast, shuffled)]
    assert approval(sets[0], SIZE, 2) == approval(sets[1], SIZE, 2)


# Instant runoff


def may_win(profile: dict[tuple[int, ...], int], left: frozenset[int]) -> set[int]:
    """Follow each way in which ties may go, with nothing left out."""
    tally = dict.fromkeys(left, 0)
    for ballot, weight in profile.items():
        for option in ballot:
            if option in left:
                tally[option] += weight
                break
    best = max(tally.values())
    if 2 * best > sum(tally.values()) or len(left) == 1:
        return {option for option in left if tally[option] == best}
    low = min(tally.values())
    ways = [may_win(profile, left - {option}) for option in left if tally[option] == low]
    return set().union(*ways)


@given(stricts())
def test_the_possible_winners_are_all_that_a_lot_could_make(profile: dict[tuple[int, ...], int]) -> None:
    runoff = irv(profile, SIZE)
    assert set(runoff.winners) == may_win(profile, frozenset(range(SIZE)))
    assert {irv(profile, SIZE, order).elected for order in permutations(range(SIZE))} <= set(runoff.winners)


@given(stricts(), st.permutations(range(SIZE)))
def test_a_runoffs_rounds_add_up(profile: dict[tuple[int, ...], int], order: list[int]) -> None:
    runoff = irv(profile, SIZE, order)
    whole = sum(profile.values())
    for now, after in zip(runoff.rounds, runoff.rounds[1:], strict=False):
        assert sum(now.tally.values()) + now.exhausted == whole
        assert now.eliminated in now.tied
        assert now.tally.keys() - after.tally.keys() == {now.eliminated}
        assert not now.majority.holds
    last = runoff.rounds[-1]
    assert last.eliminated is None
    assert last.majority.holds or len(last.tally) == 1
    assert runoff.by_lot == any(turn.by == "lot" for turn in runoff.rounds)


def test_a_tie_for_the_last_place_looks_back_then_to_the_lot() -> None:
    """Round 1: 4, 3, 2, 1. Then 3 moves to 2, who ties with 1, but had fewer before."""
    profile: Ballots = {(0,): 4, (1,): 3, (2,): 2, (3, 2): 1}
    runoff = irv(profile, 4)
    assert [(turn.eliminated, turn.tied, turn.by) for turn in runoff.rounds] == [
        (3, (3,), ""),
        (2, (1, 2), "round 1"),
        (None, (), ""),
    ]
    assert [turn.exhausted for turn in runoff.rounds] == [0, 0, 3]
    assert (runoff.elected, runoff.by_lot, runoff.winners) == (0, False, (0,))
    even: Ballots = {(0,): 1, (1,): 1}
    assert [irv(even, 2, order).elected for order in ([0, 1], [1, 0])] == [0, 1]
    assert (irv(even, 2).by_lot, irv(even, 2).winners) == (True, (0, 1))


def test_who_can_never_win_is_not_followed_for_ever() -> None:
    """Twenty-six that tie with one ballot each, and then with hopeless ones below."""
    assert irv({(n,): 1 for n in range(26)}, 26).winners == tuple(range(26))
    hopeless: Ballots = {(n,): 1 for n in range(2, 40)}
    assert irv({(0,): 99, **hopeless}, 40).winners == (0,)
    assert irv({(0,): 60, (1,): 59, **hopeless}, 40).winners == (0,)


def test_ties_that_go_too_many_ways_are_not_followed() -> None:
    """Each of the thirty tied ones passes on to the first, who therefore always wins, whatever the way."""
    size = 31
    profile: Ballots = {**{(n, 0): 2 for n in range(1, size)}, (0,): 3}
    assert irv(profile, size, work=100_000).winners == ()
    assert irv(profile, size, work=100_000).elected == 0


# The lot


def test_the_lot_is_what_its_docstring_says() -> None:
    names = ["Anna", "Bo", "None"]
    hashes = [hashlib.sha256(f"s3ed|abc|7|{name}".encode()).hexdigest() for name in names]
    assert list(lot("s3ed", "abc", 7, names)) == sorted(range(3), key=lambda n: hashes[n])
    assert commitment("s3ed") == hashlib.sha256(b"s3ed").hexdigest()


@given(st.text(max_size=4), st.text(max_size=4), st.integers(1, 9), st.permutations(["A", "B", "C", "D"]))
def test_the_lots_order_does_not_come_from_the_options_order(
    seed: str, head: str, vote: int, names: list[str]
) -> None:
    drawn = [names[n] for n in lot(seed, head, vote, names)]
    assert drawn == [sorted(names)[n] for n in lot(seed, head, vote, sorted(names))]


def test_the_lot_fills_the_seats_that_are_tied_for() -> None:
    assert settle((1, 2, 3), (3, 0, 2, 1)) == (3,)
    assert settle((1, 2, 3), (3, 0, 2, 1), seats=2) == (2, 3)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-2, "-2"),
        (Fraction(-1, 4), "-0.25"),
        (Fraction(1, 3), "1/3"),
        (Fraction("45.2741648183597"), "45.2741648183597"),
    ],
)
def test_exact_numbers_in_words(value: Fraction | int, text: str) -> None:
    assert number(value) == text


# Speed


def spread(size: int, ballots: int) -> list[tuple[int, ...]]:
    """Rankings that hardly repeat, from a hash: the worst case for counting equal ones once."""
    orders = []
    for n in range(ballots):
        key = hashlib.sha256(str(n).encode()).digest()
        orders.append(tuple(sorted(range(size), key=key.__getitem__)))
    return orders


def test_ten_options_and_twenty_thousand_ballots_are_counted_in_time() -> None:
    cast = spread(10, 20_000)
    began = process_time()
    profile = grouped((ballot, 1) for ballot in cast)
    count = schulze(
        {tuple((n,) for n in ballot): weight for ballot, weight in profile.items()}, 10, Default(9)
    )
    runoff = irv(profile, 10)
    scores = approval(grouped((tuple(sorted(ballot[:5])), 1) for ballot in cast), 10, 3)
    most = plurality(grouped((ballot[0], 1) for ballot in cast), 10)
    spent = process_time() - began
    assert sum(map(sum, count.matrix)) == 45 * 20_000
    assert len(runoff.rounds) > 2
    assert sum(scores.scores) == 100_000
    assert sum(most.scores) == 20_000
    assert spent < 20  # all four, measured, on a machine that does other things too
