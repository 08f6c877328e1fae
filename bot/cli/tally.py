"""shipboard tally: counts ballots from a file, and prints the whole count as JSON."""

import json
from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from pathlib import Path

from bot.cli.basics import say
from bot.cli.sheets import Sheet, read
from bot.config.policies import read_folder
from bot.coop.counting import (
    Check,
    Count,
    Default,
    Options,
    Ranking,
    Schulze,
    Scores,
    Votes,
    approval,
    grouped,
    irv,
    options,
    pairwise,
    plurality,
    ranking,
    schulze,
    yes_no,
)
from bot.coop.counting import ballots as words
from bot.coop.counting.governed import by_share, quorum, threshold
from bot.paths import share

Answer = dict[str, object]

WORK = 4_000_000
"""How long all ways of an instant runoff's ties are followed: some seconds."""

CAST = ("yes", "no", "abstain")


def tally(args: Namespace) -> int:
    """Count the ballots of a file; ConfigError, with one line, names what is wrong in it."""
    sheet = read(Path(args.file).expanduser())
    say(json.dumps(_debian(sheet) if sheet.field("method") is None else _by_method(sheet)))
    return 0


def _by_method(sheet: Sheet) -> Answer:
    methods: Mapping[str, Callable[[Sheet], Answer]] = {
        "approval": _approval,
        "irv": _irv,
        "plurality": _plurality,
        "schulze": _schulze,
        "yesno": _yesno,
    }
    name = sheet.text("method")
    if name not in methods:
        raise sheet.fault(f"the method {words.shown(name)} is none of {', '.join(methods)}")
    return {"method": name, **methods[name](sheet)}


def _debian(sheet: Sheet) -> Answer:
    """Count a sheet of ranks; options are numbers from 1, and winners too."""
    if sheet.field("default_option") is None:
        raise sheet.fault("it has neither a method nor a default_option")
    size = len(_options(sheet, signs=""))
    option = sheet.whole("default_option", least=1, most=size) - 1
    default = Default(option, *_published(sheet, size))
    cast = sheet.ballots(lambda text: words.sheet(text, size))
    count = schulze(grouped(cast), size, default)
    return _reasoning(count, [n + 1 for n in range(size)])


def _published(sheet: Sheet, size: int) -> tuple[Fraction, Mapping[int, Fraction]]:
    """Return the quorum and the ratios of a Debian sheet, none and 1 where it does not say."""
    published = sheet.table("published")
    ratios = published.table("majority_ratio")
    known = {str(number): number - 1 for number in range(1, size + 1)}
    if strangers := [key for key in ratios.fields if key not in known]:
        raise ratios.fault(f"majority_ratio: {words.shown(strangers[0])} is no option's number")
    found = {number: ratios.number(key, Fraction(1)) for key, number in known.items()}
    if low := [number for number, ratio in found.items() if ratio <= 0]:
        raise ratios.fault(f"majority_ratio of {low[0] + 1} is not above 0")
    return published.number("quorum", Fraction(0)), found


def _schulze(sheet: Sheet) -> Answer:
    of = _options(sheet, signs=">=")
    _one_seat(sheet)
    count = schulze(grouped(sheet.ballots(lambda text: ranking(text, of))), len(of))
    return _reasoning(count, of.names)


def _irv(sheet: Sheet) -> Answer:
    of = _options(sheet, signs=">=")
    _one_seat(sheet)
    cast = list(sheet.ballots(lambda text: words.strict(ranking(text, of), of)))
    runoff = irv(grouped(cast), len(of), work=WORK)
    if not runoff.winners:
        raise sheet.fault("its ties go too many ways to follow them all")
    matrix = pairwise(_as_rankings(cast), len(of))
    rounds = [
        {
            "round": number,
            "tally": {of.names[option]: votes for option, votes in turn.tally.items()},
            "exhausted": turn.exhausted,
            "eliminated": None if turn.eliminated is None else of.names[turn.eliminated],
            "tied": [of.names[option] for option in turn.tied] if turn.by else [],
            "by": "order" if turn.by == "lot" else turn.by,  # no lot is drawn here: the options' order is it
            "test": turn.majority.text,
        }
        for number, turn in enumerate(runoff.rounds, 1)
    ]
    open_end = runoff.by_lot and len(runoff.winners) > 1
    return {
        "options": of.names,
        "matrix": matrix,
        "dropped": {},
        "winners": [of.names[option] for option in runoff.winners],
        "elected": None if open_end else of.names[runoff.elected],
        "rounds": rounds,
    }


def _plurality(sheet: Sheet) -> Answer:
    of = _options(sheet, signs=">=")
    _one_seat(sheet)

    def parse(text: str) -> tuple[Ranking, int]:
        ranked = ranking(text, of)
        return ranked, words.first(ranked, of)

    cast = list(sheet.ballots(parse))
    count = plurality(grouped((first, votes) for (_, first), votes in cast), len(of))
    return _scores(count, of, grouped((ranked, votes) for (ranked, _), votes in cast))


def _approval(sheet: Sheet) -> Answer:
    of = _options(sheet, signs=",")
    seats = sheet.whole("seats", 1, least=1, most=len(of))
    cast = list(sheet.ballots(lambda text: words.approvals(text, of)))
    count = approval(grouped(cast), len(of), seats)
    return _scores(count, of, grouped(((approved,), votes) for approved, votes in cast))


def _yesno(sheet: Sheet) -> Answer:
    """Decide a yes/no ballot by the rules of the policies as they are shipped."""
    known = {
        kind: rules for kind, rules in read_folder(share("policies")).rules.items() if rules.ballot == "yesno"
    }
    kind = sheet.text("type")
    if kind not in known:
        raise sheet.fault(f"the type {words.shown(kind)} is none of {', '.join(sorted(known))}")
    rules = known[kind]
    weighted = by_share(rules) or rules.quorum_basis == "weight"
    decided = yes_no(
        _count(sheet, weighted=weighted), threshold(rules), quorum(rules), weighted=by_share(rules)
    )
    return {"type": kind, "result": decided.result, "tests": _tests(decided.checks)}


def _count(sheet: Sheet, *, weighted: bool) -> Count:
    members = {"eligible": sheet.whole("eligible"), "yes": sheet.whole("yes"), "no": sheet.whole("no")}
    members["abstain"] = sheet.whole("abstain", 0)
    units = dict(members)
    if weighted and any(sheet.field(f"{word}_units") is not None for word in ("eligible", "yes", "no")):
        units = {word: sheet.whole(f"{word}_units") for word in ("eligible", "yes", "no")}
        left = units["eligible"] - units["yes"] - units["no"]
        # Who abstains holds a half-unit at least: where more is not said, more is not claimed for the quorum.
        units["abstain"] = sheet.whole("abstain_units", max(0, min(members["abstain"], left)))
    for name, amounts in (("eligible", members), ("eligible_units", units)):
        if sum(amounts[word] for word in CAST) > amounts["eligible"]:
            raise sheet.fault(f"more votes than {name}")
    eligible, yes, no, abstain = (Votes(members[word], units[word]) for word in ("eligible", *CAST))
    return Count(eligible, yes, no, abstain)


def _options(sheet: Sheet, *, signs: str) -> Options:
    with sheet.named():
        return options(sheet.texts("options"), signs=signs)


def _one_seat(sheet: Sheet) -> None:
    sheet.whole("seats", 1, least=1, most=1)


def _as_rankings(cast: Iterable[tuple[tuple[int, ...], int]]) -> Mapping[Ranking, int]:
    return grouped((tuple((option,) for option in ballot), votes) for ballot, votes in cast)


def _reasoning(count: Schulze, names: "Iterable[str | int]") -> Answer:
    called = list(names)
    return {
        "options": called,
        "matrix": count.matrix,
        "dropped": {str(called[option]): why for option, why in count.dropped.items()},
        "winners": [called[option] for option in count.winners],
        "tests": [{"option": called[option], "rule": c.rule, "test": c.text} for option, c in count.checks],
        "steps": [
            {
                "schwartz": [called[option] for option in step.schwartz],
                "weakest": [[called[d.winner], called[d.loser], d.votes, d.against] for d in step.weakest],
            }
            for step in count.steps
        ],
    }


def _scores(count: Scores, of: Options, profile: Mapping[Ranking, int]) -> Answer:
    return {
        "options": of.names,
        "matrix": pairwise(profile, len(of)),
        "dropped": {},
        "winners": [of.names[option] for option in count.winners],
        "scores": dict(zip(of.names, count.scores, strict=True)),
        "elected": [of.names[option] for option in count.elected],
        "tied": [of.names[option] for option in count.tied],
        "open_seats": count.open_seats,
    }


def _tests(checks: Iterable[Check]) -> list[Answer]:
    return [{"rule": check.rule, "holds": check.holds, "test": check.text} for check in checks]
