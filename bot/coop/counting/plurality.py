"""Plurality and approval: each ballot adds its weight to one option, or to each that it approves."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.coop.counting.ballots import Approval
from bot.coop.counting.exact import highest


@dataclass(frozen=True, slots=True)
class Scores:
    """A count of scores: each option's, who surely has a seat, and who are tied for the seats that are left.

    `winners` are all that have a seat or may get one by lot; `open_seats` is how many the tied share.
    """

    scores: tuple[int, ...]
    seats: int
    elected: tuple[int, ...]
    tied: tuple[int, ...]

    @property
    def open_seats(self) -> int:
        """How many seats the tied share."""
        return self.seats - len(self.elected)

    @property
    def winners(self) -> tuple[int, ...]:
        """All that have a seat or may get one by lot."""
        return tuple(sorted((*self.elected, *self.tied)))


def plurality(profile: Mapping[int, int], size: int) -> Scores:
    """Count one choice a ballot; the most wins, be it a majority or not."""
    return _seated([profile.get(option, 0) for option in range(size)], 1)


def approval(profile: Mapping[Approval, int], size: int, seats: int = 1) -> Scores:
    """Count approvals; the `seats` options with the most win."""
    scores = [0] * size
    for approved, weight in profile.items():
        for option in approved:
            scores[option] += weight
    return _seated(scores, seats)


def _seated(scores: list[int], seats: int) -> Scores:
    left = dict(enumerate(scores))
    elected: list[int] = []
    tied: tuple[int, ...] = ()
    while left and len(elected) < seats and not tied:
        best = highest(left)
        if len(elected) + len(best) <= seats:
            elected += best
            left = {option: score for option, score in left.items() if option not in best}
        else:
            tied = best
    return Scores(tuple(scores), seats, tuple(sorted(elected)), tied)
