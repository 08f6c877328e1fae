"""Bytes that passed an interface: raw counters, and by how much they have truly grown.

A counter lives as long as its interface: `epoch` tells one life from another, the host's boot id and the
interface's index (or the handle of a counter of nftables). A counter of another epoch began at 0, so all that
it shows is new, however large the one before it was. That holds for one who counts, and an epoch begins with
who that is where there are several: what another one had counted already is not new.
"""

from dataclasses import dataclass

INTERFACE, NFTABLES, HYPERVISOR = "if:", "nft:", "vm:"
"""How epochs begin: counted by a network interface, by a counter of nftables, by the hypervisor itself."""

WRAP = 2**32
"""Where 32-bit counters, of odd drivers, begin anew."""


@dataclass(frozen=True, slots=True)
class Counter:
    """Bytes received and sent in the life `epoch` of an interface; of a machine, as the guest sees them."""

    epoch: str
    received: int
    sent: int


ABSENT = Counter("", 0, 0)
"""What is known of an interface that was not there: all that it shows when it comes is new."""


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
    """Return the bytes received and sent since `before`; none where either is not known, or another counts.

    A counter of the same life that is smaller than before has wrapped at 32 bits, if that makes it no more
    than `most` bytes; else it was set to 0.
    """
    if before is None or now is None:
        return 0, 0
    if before.epoch != now.epoch:
        new = before == ABSENT or _who(before) == _who(now)
        return (now.received, now.sent) if new else (0, 0)
    return _since(before.received, now.received, most), _since(before.sent, now.sent, most)


def _who(counter: Counter) -> str:
    return next((who for who in (INTERFACE, NFTABLES, HYPERVISOR) if counter.epoch.startswith(who)), "")


def _since(before: int, now: int, most: float) -> int:
    if now >= before:
        return now - before
    wrapped = now + WRAP - before
    return wrapped if before < WRAP and wrapped <= most else now
