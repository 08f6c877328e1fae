"""Bytes that passed an interface: raw counters, and by how much they have truly grown.

A counter lives as long as its interface: `epoch` tells one life from another, the host's boot id and the
interface's index (or the handle of a counter of nftables). A counter of another epoch began at 0, so all that
it shows is new, however large the one before it was.
"""

from dataclasses import dataclass

WRAP = 2**32
"""Where 32-bit counters, of odd drivers, begin anew."""


@dataclass(frozen=True, slots=True)
class Counter:
    """Bytes received and sent in the life `epoch` of an interface; of a machine, as the guest sees them."""

    epoch: str
    received: int
    sent: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a `host` or a `machine` received and sent in a time, for `owner`, then; None: for the co-op."""

    kind: str
    name: str
    owner: str | None
    received: int
    sent: int

    @property
    def total(self) -> int:
        """Both directions together, in bytes."""
        return self.received + self.sent


def grown(before: Counter | None, now: Counter | None, most: float = 0.0) -> tuple[int, int]:
    """Return the bytes received and sent since `before`; none where either is not known.

    A counter of the same life that is smaller than before has wrapped at 32 bits, if that makes it no more
    than `most` bytes; else it was set to 0.
    """
    if before is None or now is None:
        return 0, 0
    if before.epoch != now.epoch:
        return now.received, now.sent
    return _since(before.received, now.received, most), _since(before.sent, now.sent, most)


def _since(before: int, now: int, most: float) -> int:
    if now >= before:
        return now - before
    wrapped = now + WRAP - before
    return wrapped if before < WRAP and wrapped <= most else now
