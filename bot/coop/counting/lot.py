"""Ties decided by a lot that nobody can steer: its seed is promised before, its chain head comes after."""

import hashlib
from collections.abc import Sequence


def commitment(seed: str) -> str:
    """Return what is published when a ballot opens: SHA-256 of the seed, 64 hex digits."""
    return hashlib.sha256(seed.encode()).hexdigest()


def lot(seed: str, chain_head: str, vote_id: int, options: Sequence[str]) -> tuple[int, ...]:
    """Return the options' numbers in the order of the lot: by SHA-256 of `seed|chain head|vote id|option`.

    The commitment keeps who holds the seed from choosing it; the chain's head at the close, which is after
    the last ballot, keeps them from knowing the order in advance.
    """
    drawn = [
        (hashlib.sha256(f"{seed}|{chain_head}|{vote_id}|{option}".encode()).hexdigest(), number)
        for number, option in enumerate(options)
    ]
    return tuple(number for _, number in sorted(drawn))


def settle(tied: Sequence[int], order: Sequence[int], seats: int = 1) -> tuple[int, ...]:
    """Return who of the tied get the seats: those that come first in the lot's order."""
    return tuple(sorted(sorted(tied, key=order.index)[:seats]))
