"""Shares of the co-op's hosts, counted in half-units so that no float is needed."""

from enum import StrEnum


class Share(StrEnum):
    """How much of a host a member owns: a full share, or half of everything."""

    FULL = "full"
    HALF = "half"

    @property
    def half_units(self) -> int:
        """Its weight in half-units: 2 or 1."""
        return 2 if self is Share.FULL else 1

    def of(self, amount: int) -> int:
        """Return this share's part of what a full share gets, rounded down.

        >>> Share.HALF.of(512)
        256
        """
        return amount * self.half_units // 2
