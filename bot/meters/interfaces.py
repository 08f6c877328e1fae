"""Counts bytes at network interfaces: a host's uplink, and the tap of each of its machines.

The kernel counts as the host sees it: what a tap received is what its guest sent. Interfaces that are not
there are left out. https://docs.kernel.org/networking/statistics.html, proc_pid_net(5).
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.coop.traffic import INTERFACE, Counter

MOST_COUNTED = 2**62
"""Where a number of bytes is none any more, and sums of it would not fit the database."""

_RECEIVED, _SENT = 0, 8
"""Which of the numbers in a line of /proc/net/dev are the bytes."""


@dataclass(frozen=True, slots=True)
class Wires:
    """Where a host's bytes are counted.

    `uplink` is its interface to the world, `taps` how its machines' interfaces are called, with `{machine}`
    for the name, and `counters` the table of nftables that counts what passes the uplink, see
    bot.meters.nftables.
    """

    uplink: str | None = None
    taps: str = "t{machine}"
    counters: str | None = None

    def tap(self, machine: str) -> str:
        """Return what a machine's interface is called."""
        return self.taps.replace("{machine}", machine)


@dataclass(frozen=True, slots=True)
class Kernel:
    """Where the kernel tells what it counts; tests have one of their own."""

    devices: Path = Path("/proc/net/dev")
    interfaces: Path = Path("/sys/class/net")
    boot: Path = Path("/proc/sys/kernel/random/boot_id")

    def boot_id(self) -> str:
        """Return what is another at each boot of this host; OSError where the kernel has none."""
        return self.boot.read_text("ascii").strip()


def read(kernel: Kernel, names: Collection[str]) -> dict[str, Counter]:
    """Return the counters of those interfaces that are there, as the host sees them; OSError, ValueError.

    The index comes first: should an interface be made anew in between, its bytes are few, not the old ones'.
    """
    boot, found = kernel.boot_id(), dict(_indexes(kernel, names))
    numbers = dict(_lines(kernel.devices.read_text("utf-8", "replace"), found))
    return {
        name: Counter(f"{INTERFACE}{boot} {found[name]}", _bytes(row[_RECEIVED]), _bytes(row[_SENT]))
        for name, row in numbers.items()
    }


def _indexes(kernel: Kernel, names: Collection[str]) -> Iterator[tuple[str, int]]:
    for name in names:
        try:
            text = (kernel.interfaces / name / "ifindex").read_text("ascii")
        except OSError:  # it is not there, or just goes away
            continue
        yield name, int(text)


def _lines(text: str, wanted: Mapping[str, int]) -> Iterator[tuple[str, list[str]]]:
    for line in text.splitlines():
        name, _, numbers = line.partition(":")
        if name.strip() in wanted:
            yield name.strip(), numbers.split()


def _bytes(text: str) -> int:
    number = int(text)
    if not 0 <= number < MOST_COUNTED:
        raise ValueError(f"{number} bytes cannot be")
    return number


def turned(counter: Counter) -> Counter:
    """Return a tap's counter as its guest sees it."""
    return Counter(counter.epoch, received=counter.sent, sent=counter.received)
