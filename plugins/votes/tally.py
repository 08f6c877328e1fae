"""The count of a motion, derived from its events each time: nothing is kept that could differ from them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from bot.words import VoteRules, counting
from plugins.votes.ballots import ABSTAIN
from plugins.votes.motion import VETO, End, Motion

ENDS = {result: End(result) for result in counting.Result}


@dataclass(frozen=True, slots=True)
class Finding:
    """The end that the ballots make, what was chosen, each test, and the method's own reasoning."""

    end: End
    cast: counting.Votes
    active: counting.Votes
    checks: tuple[counting.Check, ...]
    chosen: tuple[str, ...] = ()
    tied: tuple[str, ...] = ()
    counts: Mapping[str, int] | None = None
    detail: Mapping[str, object] | None = None


def count(motion: Motion, words: Mapping[str, str], *, head: str = "", seed: str = "") -> Finding:
    """Count the ballots of an opened motion; `words` has each voter's, by a name that may be a receipt's.

    A secret ballot is counted by heads: it does not matter whose it is. `head` and `seed` are the lot's.
    """
    cast, active = turnout(motion)
    met = counting.quorum_checks(cast, active, counting.quorum(motion.voting.rules))
    method = motion.voting.method
    if method == "lazy":
        return Finding(
            End.PASSED, cast, active, (counting.Check("silence", holds=True, text="nobody objected"),)
        )
    if method == "yesno":
        return _yes_no(motion, words, active)
    weights = _weights(motion, words)
    ranked = [(words[name], weight) for name, weight in weights.items() if words[name] != ABSTAIN]
    found = _METHODS[method](motion, ranked, head, seed)
    end = found.end if all(check.holds for check in met) else End.NO_QUORUM
    chosen = found.chosen if end is End.PASSED else ()
    return Finding(end, cast, active, (*met, *found.checks), chosen, found.tied, found.counts, found.detail)


def recount(motion: Motion) -> Finding:
    """Count a closed motion anew from its events alone; LookupError for one whose ballot never opened."""
    closing = motion.ended
    return count(motion, closed_words(motion), head=closing.head, seed=closing.seed)


def closed_words(motion: Motion) -> Mapping[str, str]:
    """Return each ballot's words: by its voter, or by a number where it was secret."""
    if motion.is_secret:
        return {str(place): words for place, (_, words) in enumerate(motion.ended.receipts, 1)}
    return {name: ballot.words for name, ballot in motion.ballots.items()}


def turnout(motion: Motion) -> tuple[counting.Votes, counting.Votes]:
    """Return who has cast anything, and the quorum's denominator: the active, and all that have cast."""
    none = counting.Votes()
    cast = [elector for elector in motion.electors if elector.name in motion.ballots]
    active = [elector for elector in motion.electors if elector.active or elector.name in motion.ballots]
    return (
        sum((elector.votes for elector in cast), none),
        sum((elector.votes for elector in active), none),
    )


@dataclass(frozen=True, slots=True)
class _Counted:
    end: End
    chosen: tuple[str, ...] = ()
    tied: tuple[str, ...] = ()
    checks: tuple[counting.Check, ...] = ()
    counts: Mapping[str, int] | None = None
    detail: Mapping[str, object] | None = None


def _yes_no(motion: Motion, words: Mapping[str, str], active: counting.Votes) -> Finding:
    rules = motion.voting.rules
    shares = counting.by_share(rules)
    said = {word: counting.Votes() for word in counting.CHOICES}
    units = {elector.name: elector.votes for elector in motion.electors}
    for name, word in words.items():
        said["no" if word == VETO else word] += units.get(name, counting.Votes(1, 1))
    eligible = sum(units.values(), counting.Votes())
    ballots = counting.Count(
        eligible, said["yes"], said["no"], said["abstain"], vetoes=len(motion.vetoes), active=active
    )
    decided = counting.yes_no(ballots, counting.threshold(rules), counting.quorum(rules), weighted=shares)
    counts = {word: votes.amount(weighted=shares) for word, votes in said.items()}
    return Finding(ENDS[decided.result], ballots.cast, active, decided.checks, counts=counts)


def _weights(motion: Motion, words: Mapping[str, str]) -> Mapping[str, int]:
    shares = counting.by_share(motion.voting.rules)
    units = {elector.name: elector.units for elector in motion.electors}
    return {name: units.get(name, 1) if shares else 1 for name in words}


def _schulze(motion: Motion, ranked: list[tuple[str, int]], head: str, seed: str) -> _Counted:
    of = motion.options
    default = _default(motion, sum(weight for _, weight in ranked))
    profile = counting.grouped((counting.ranking(text, of), weight) for text, weight in ranked)
    found = counting.schulze(profile, len(of), default)
    checks = tuple(
        counting.Check(f"{of.names[option]}: {check.rule}", check.holds, check.text)
        for option, check in found.checks
    )
    detail = {
        "options": of.names,
        "matrix": found.matrix,
        "dropped": {of.names[option]: str(why) for option, why in found.dropped.items()},
        "steps": [
            {
                "schwartz": [of.names[option] for option in step.schwartz],
                "weakest": [
                    [of.names[one.winner], of.names[one.loser], one.votes, one.against]
                    for one in step.weakest
                ],
            }
            for step in found.steps
        ],
    }
    ended = _settled(motion, found.winners, head, seed)
    if default and ended.chosen == (of.names[default.option],):
        return _Counted(End.FAILED, checks=checks, detail=detail)
    return _Counted(ended.end, ended.chosen, ended.tied, checks, detail=detail)


def _default(motion: Motion, whole: int) -> counting.Default | None:
    """Return what beating the default option takes: the motion's threshold as a majority over it.

    Two thirds of yes and no are two to one; a part of the whole electorate is a quorum over the default.
    """
    opening = motion.voting
    if not motion.default_option:
        return None
    option = motion.options.find(motion.default_option)
    rule = counting.threshold(opening.rules)
    if rule.of is counting.Of.CAST:
        no = rule.part.denominator - rule.part.numerator
        # Where all must say yes, one no is more than any number of votes can make up for.
        ratio = Fraction(rule.part.numerator, no) if no else Fraction(whole + 1)
        ratios = dict.fromkeys(range(len(opening.options)), ratio)
        return counting.Default(option, ratios=ratios, strict=rule.strict)
    everybody = sum((elector.votes for elector in motion.electors), counting.Votes())
    votes = everybody if rule.of is counting.Of.ALL else turnout(motion)[0]
    amount = votes.amount(weighted=counting.by_share(opening.rules))
    return counting.Default(option, rule.part * amount, strict=rule.strict)


def _irv(motion: Motion, ranked: list[tuple[str, int]], head: str, seed: str) -> _Counted:
    of = motion.options
    order = _lot(motion, head, seed)
    profile = counting.grouped(
        (counting.strict(counting.ranking(text, of), of), weight) for text, weight in ranked
    )
    found = counting.irv(profile, len(of), order)
    rounds = [
        {
            "tally": {of.names[option]: votes for option, votes in turn.tally.items()},
            "exhausted": turn.exhausted,
            "eliminated": None if turn.eliminated is None else of.names[turn.eliminated],
            "by": turn.by,
            "test": turn.majority.text,
        }
        for turn in found.rounds
    ]
    detail = {"options": of.names, "rounds": rounds}
    open_end = found.by_lot and len(found.winners) != 1  # a lot among the hopeless decides nothing
    if open_end and not _draws(motion.voting.rules):
        return _Counted(End.TIED, tied=tuple(of.names[option] for option in found.winners), detail=detail)
    return _Counted(End.PASSED, (of.names[found.elected],), detail=detail)


def _scores(motion: Motion, ranked: list[tuple[str, int]], head: str, seed: str) -> _Counted:
    of, opening = motion.options, motion.voting
    if opening.method == "plurality":
        firsts = counting.grouped((of.find(text), weight) for text, weight in ranked)
        found = counting.plurality(firsts, len(of))
    else:
        sets = counting.grouped((counting.approvals(text, of), weight) for text, weight in ranked)
        found = counting.approval(sets, len(of), opening.rules.seats)
    ended = _settled(motion, found.tied, head, seed, found.open_seats) if found.tied else _Counted(End.PASSED)
    elected = tuple(of.names[option] for option in found.elected)
    counts = dict(zip(of.names, found.scores, strict=True))
    detail = {"options": of.names, "scores": counts}
    return _Counted(ended.end, (*elected, *ended.chosen), ended.tied, (), counts, detail)


_METHODS = {"schulze": _schulze, "irv": _irv, "plurality": _scores, "approval": _scores}


def _settled(motion: Motion, tied: tuple[int, ...], head: str, seed: str, seats: int = 1) -> _Counted:
    """Return who is chosen of those that tie: by the lot where the rules have one."""
    names = motion.options.names
    if len(tied) <= seats:
        return _Counted(End.PASSED, tuple(names[option] for option in tied))
    called = tuple(names[option] for option in tied)
    if not _draws(motion.voting.rules):
        return _Counted(End.TIED, tied=called)
    drawn = counting.settle(tied, _lot(motion, head, seed), seats)
    return _Counted(End.PASSED, tuple(names[option] for option in drawn), called)


def _lot(motion: Motion, head: str, seed: str) -> tuple[int, ...]:
    return counting.lot(seed, head, motion.number, motion.options.names)


def _draws(rules: VoteRules) -> bool:
    return rules.tie == "lot"


def choices(finding: Finding) -> Iterator[str]:
    """Yield what a line about the end says of the numbers: `yes 3`, `no 1`."""
    for word, votes in (finding.counts or {}).items():
        yield f"{word} {votes}"
