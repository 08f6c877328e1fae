"""The policies' numbers: which part of the month's transfer is whose, and what is no longer fair. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from bot.words import Member, PolicyBook

GIB = 2**30

POOL_PCT, FAIR_PCT = 80, 150
"""From where on the unfair are named, if the policy has no number of its own."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the policies allow: `full` is a full share's part in bytes, None where no policy names it."""

    full: int | None
    pool_pct: int = POOL_PCT
    fair_pct: int = FAIR_PCT

    @classmethod
    def of(cls, book: PolicyBook) -> "Terms":
        """Read them."""
        gib = _number(book, "shares.transfer_gib_month", 0)
        return cls(
            gib * GIB or None,
            _number(book, "bandwidth.pool_pct", POOL_PCT),
            _number(book, "bandwidth.fair_pct", FAIR_PCT),
        )

    def allowance(self, member: Member) -> int | None:
        """Return a member's part of a month's transfer in bytes; a half-share's is half of a full one's."""
        return member.share.of(self.full) if self.full else None

    def parts(self, members: tuple[Member, ...]) -> dict[str, int]:
        """Return the part of each member; their sum is the pool of the co-op."""
        return {member.name: part for member in members if (part := self.allowance(member))}


def _number(book: PolicyBook, path: str, default: int) -> int:
    try:
        return book.number(path)
    except KeyError:
        return default


def unfair(
    used: Mapping[str, int], parts: Mapping[str, int], pooled: int, terms: Terms
) -> dict[str, Fraction]:
    """Return who used more than is fair, and how many times their part of the pool that is.

    Nobody did until so much of the pool is used by all together, `pooled`, as the policy says.
    """
    if pooled * 100 <= sum(parts.values()) * terms.pool_pct:
        return {}
    times = {name: Fraction(used.get(name, 0), part) for name, part in parts.items()}
    return {name: many for name, many in times.items() if many * 100 > terms.fair_pct}
