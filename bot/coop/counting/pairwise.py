"""How many prefer each option to each other one: the matrix of the Condorcet methods."""

from collections.abc import Mapping

from bot.coop.counting.ballots import Ranking

Matrix = tuple[tuple[int, ...], ...]
"""`matrix[a][b]` is the weight of the ballots that rank a above b."""


def pairwise(profile: Mapping[Ranking, int], size: int) -> Matrix:
    """Return the matrix of a profile: V(A,B) of Debian's constitution, A.5; once per different ballot."""
    matrix = [[0] * size for _ in range(size)]
    everything = frozenset(range(size))
    for ranked, weight in profile.items():
        below = set(everything)
        for group in ranked:
            below.difference_update(group)
            for better in group:
                row = matrix[better]
                for worse in below:
                    row[worse] += weight
    return tuple(map(tuple, matrix))
