"""The counts of others: Debian's votes, textbooks, cross-checked profiles, a real instant-runoff election."""

import json
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from bot.coop.counting import Default, approval, grouped, irv, options, pairwise, plurality, ranking, schulze
from bot.coop.counting.ballots import Ranking, sheet, strict

VOTES = Path(__file__).parent / "votes"
DEBIAN = sorted((VOTES / "debian").glob("*.json"))


def read(name: str) -> Any:  # noqa: ANN401 - whatever the file holds
    return json.loads((VOTES / name).read_text("utf-8"), parse_float=Decimal)


def ranked(candidates: list[str], ballots: list[str]) -> Counter[Ranking]:
    of = options(candidates)
    return Counter(ranking(ballot, of) for ballot in ballots)


@pytest.mark.parametrize("path", DEBIAN, ids=lambda path: path.stem)
def test_debian(path: Path) -> None:
    vote = json.loads(path.read_text("utf-8"), parse_float=Decimal)
    published, size = vote["published"], len(vote["options"])
    ratios = {int(n) - 1: Fraction(r) for n, r in (published or {}).get("majority_ratio", {}).items()}
    default = Default(
        vote["default_option"] - 1, Fraction(published["quorum"] if published else 0), ratios or None
    )
    count = schulze(grouped((sheet(ballot, size), n) for ballot, n in vote["ballots"].items()), size, default)
    if published is None:
        assert count.winners == ({"debian-2002-leader2002": 2}.get(path.stem, 0),)
        return
    assert [list(row) for row in count.matrix] == published["matrix"]
    assert {str(n + 1): why for n, why in count.dropped.items()} == published["dropped"]
    assert [n + 1 for n in count.winners] == published["winners"]
    assert [n + 1 for n in count.steps[-1].schwartz] == published["schwartz"]


def test_there_are_26_votes_23_of_them_published() -> None:
    known = [json.loads(path.read_text("utf-8"))["published"] for path in DEBIAN]
    assert (len(known), sum(result is not None for result in known)) == (26, 23)


@pytest.mark.parametrize("case", read("textbook.json"), ids=lambda case: str(case["id"]))
def test_textbook(case: dict[str, Any]) -> None:
    names: list[str] = case["candidates"]
    of, size = options(names), len(names)
    profile = {ranking(">".join(ballot), of): count for count, ballot in case["ballots"]}
    expected, computed = case["expected"], case["computed"]
    count = schulze(profile, size)
    runoff = irv({strict(ballot, of): weight for ballot, weight in profile.items()}, size)
    most = plurality({}, size).scores
    tops: Counter[int] = Counter()
    for ballot, weight in profile.items():
        tops[ballot[0][0]] += weight
    assert [list(row) for row in count.matrix] == computed["matrix"]
    assert [names[n] for n in count.winners] == computed["schulze"] == [expected["schulze"]]
    assert [names[n] for n in runoff.winners] == computed["irv"]
    assert [names[n] for n in plurality(tops, size).winners] == [computed["plurality"]]
    assert most == (0,) * size
    for pair, votes in expected.get("pairwise", {}).items():
        assert count.matrix[names.index(pair[0])][names.index(pair[1])] == votes


@pytest.mark.parametrize("case", read("crosschecked.json")["schulze"])
def test_crosschecked_schulze(case: dict[str, Any]) -> None:
    names = case["candidates"]
    count = schulze(ranked(names, case["ballots"]), len(names))
    assert [list(row) for row in count.matrix] == case["matrix"]
    assert [names[n] for n in count.winners] == case["winners"]


@pytest.mark.parametrize("case", read("crosschecked.json")["irv"])
def test_crosschecked_irv(case: dict[str, Any]) -> None:
    names = case["candidates"]
    of = options(names)
    profile = Counter(strict(ballot, of) for ballot in ranked(names, case["ballots"]).elements())
    runoff = irv(profile, len(names))
    assert [names[n] for n in runoff.winners] == case["possible_winners"]
    assert runoff.elected in runoff.winners


@pytest.mark.parametrize("case", read("crosschecked.json")["approval"])
def test_crosschecked_approval(case: dict[str, Any]) -> None:
    names, seats = case["candidates"], case["seats"]
    profile = Counter(tuple(sorted(names.index(name) for name in ballot)) for ballot in case["ballots"])
    count = approval(profile, len(names), seats)
    sets = [sorted((*count.elected, *drawn)) for drawn in combinations(count.tied, count.open_seats)]
    assert sorted([names[n] for n in chosen] for chosen in sets) == sorted(case["winning_sets"])
    assert {names[n] for n in count.winners} == {name for chosen in case["winning_sets"] for name in chosen}


def portland(ballot: list[str], names: list[str]) -> tuple[int, ...]:
    """Maine's rules: a mark for two exhausts the ballot, and so do two places in a row left open."""
    ranks: list[int] = []
    open_places = 0
    for mark in ballot:
        open_places = open_places + 1 if mark in {"", "undervote"} else 0
        if mark == "overvote" or open_places > 1:
            break
        if mark in names and names.index(mark) not in ranks:
            ranks.append(names.index(mark))
    return tuple(ranks)


def test_a_real_instant_runoff_election_round_by_round() -> None:
    data = read("rctab-portland-2015-sample.json")
    names = data["candidates"]
    runoff = irv(Counter(portland(ballot, names) for ballot in data["ballots"]), len(names))
    assert len(runoff.rounds) == len(data["published"]["rounds"]) == 14
    for ours, theirs in zip(runoff.rounds, data["published"]["rounds"], strict=True):
        tally = {name: int(votes) for name, votes in theirs["tally"].items() if name in names}
        assert {names[n]: votes for n, votes in ours.tally.items()} == tally
        gone = [step["eliminated"] for step in theirs["results"] if step.get("eliminated") in names]
        assert ([] if ours.eliminated is None else [names[ours.eliminated]]) == gone
        assert ours.exhausted == 99 - sum(tally.values())
    assert [names[runoff.elected]] == data["published"]["winners"]
    assert runoff.winners == (runoff.elected,)


def test_ballots_for_nobody_prefer_nobody() -> None:
    assert pairwise({(): 3}, 2) == ((0, 0), (0, 0))
