"""What votes cost: counting many ballots by each method, and verifying a long chain of events."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bot import verify
from bot.words import counting
from plugins.votes import deeds
from plugins.votes.motion import Record
from plugins.votes.written import chained, links

OPTIONS, BALLOTS, EVENTS = 10, 20_000, 100_000
SECONDS = {"yesno": 2, "plurality": 2, "approval": 2, "irv": 2, "schulze": 2, "chain": 3}
"""What each may take at most."""

Point = Mapping[str, float]
Words = Sequence[Sequence[str]]


async def votes(_folder: Path) -> list[Point]:
    """Return the seconds of each method and of the chain, as one point; then what they may be."""
    of = counting.options([f"option {number}" for number in range(OPTIONS)])
    chance = random.Random(7)  # noqa: S311 - the same ballots each time
    words = [chance.sample(of.names, chance.randint(1, OPTIONS)) for _ in range(BALLOTS)]
    found = {method: _timed(partial(count, words, of)) for method, count in _METHODS.items()}
    rows = links(chained(_events()))
    return [{"": float(BALLOTS), **found, "chain": _timed(lambda: verify(rows))}, {"": 0.0, **SECONDS}]


def _events() -> list[Record]:
    at = datetime(2026, 11, 22, 18, tzinfo=UTC)
    return [Record(7, at, f"member{number}", deeds.Voted("yes")) for number in range(EVENTS)]


def _timed(work: Callable[[], object]) -> float:
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


def _yes_no(words: Words, _of: counting.Options) -> object:
    said = [counting.choice(("yes", "no", "abstain")[len(ballot) % 3]) for ballot in words]
    yes, no, abstain = (counting.Votes(said.count(word), said.count(word)) for word in counting.CHOICES)
    everybody = counting.Votes(len(words), len(words))
    return counting.yes_no(
        counting.Count(everybody, yes, no, abstain), counting.Threshold(), counting.Quorum()
    )


def _plurality(words: Words, of: counting.Options) -> object:
    return counting.plurality(counting.grouped((of.find(ballot[0]), 1) for ballot in words), OPTIONS)


def _approval(words: Words, of: counting.Options) -> object:
    sets = ((counting.approvals(",".join(ballot), of), 1) for ballot in words)
    return counting.approval(counting.grouped(sets), OPTIONS, 3)


def _irv(words: Words, of: counting.Options) -> object:
    ranked = ((counting.strict(counting.ranking(">".join(ballot), of), of), 1) for ballot in words)
    return counting.irv(counting.grouped(ranked), OPTIONS)


def _schulze(words: Words, of: counting.Options) -> object:
    ranked = ((counting.ranking(">".join(ballot), of), 1) for ballot in words)
    return counting.schulze(counting.grouped(ranked), OPTIONS, counting.Default(OPTIONS - 1))


_METHODS: Mapping[str, Callable[[Words, counting.Options], object]] = {
    "yesno": _yes_no,
    "plurality": _plurality,
    "approval": _approval,
    "irv": _irv,
    "schulze": _schulze,
}
