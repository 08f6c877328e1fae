"""What is watched: rules as data, and the flap formula. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

FLAP_STATES = 21
"""How many states the flap formula looks at, as Nagios does (base/flapping.c)."""

_LIGHTEST, _HEAVIEST = 0.75, 1.25


class Severity(StrEnum):
    """How bad it is: a warning waits for the morning, what is critical wakes somebody."""

    WARN = "WARN"
    CRIT = "CRIT"


Scope = Literal["host", "machine", "member"]
To = Literal["alerts", "owner", "both"]

CLEAR_FOR = 120.0
"""For how many seconds it must be good to be over, where a rule does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One condition on one metric of every host, machine or member.

    It is bad from `raise_at` on, and good again only beyond `clear_at`; where `clear_at` is the larger one,
    small values are the bad ones. `hold` is how many seconds it must be bad before that is told.
    `text` is what it is called in a line, `unit` what stands behind its values; a `flag` has none. `per_cpu`
    tells that its limits are for each processor of a host. In the hours `free`, like 22:00-06:00 UTC,
    it is allowed. `to` says who hears of it: the alerts' place, the machine's owner or the member, or both;
    `clear_for` for how many seconds it must be good to be over.
    """

    name: str
    scope: Scope
    metric: str
    severity: Severity
    raise_at: float
    clear_at: float
    hold: float
    text: str
    unit: str = ""
    flag: bool = False
    per_cpu: bool = False
    free: str = ""
    to: To = "alerts"
    clear_for: float = CLEAR_FOR

    @property
    def private(self) -> bool:
        """Whether it concerns the owner alone: what is critical is never so."""
        return self.to == "owner" and self.severity is not Severity.CRIT

    def for_cpus(self, cpus: int) -> "Rule":
        """Return the rule for a host with that many processors."""
        if not self.per_cpu:
            return self
        return replace(self, raise_at=self.raise_at * cpus, clear_at=self.clear_at * cpus)

    def bad(self, value: float, *, was_bad: bool) -> bool:
        """Tell whether a value is bad, given what the one before was (hysteresis)."""
        limit = self.clear_at if was_bad else self.raise_at
        return (
            value > limit or (value == limit and not was_bad)
            if self.rises
            else value < limit or (value == limit and not was_bad)
        )

    @property
    def rises(self) -> bool:
        """Whether large values are the bad ones."""
        return self.raise_at >= self.clear_at

    def worse(self, one: float, other: float) -> float:
        """Return the worse of two values."""
        return max(one, other) if self.rises else min(one, other)


def flap_percent(states: Sequence[bool]) -> float:
    """Return how much the newest 21 states changed, 0 to 100, newer changes weighing more.

    Missing older states count as the oldest that is there. The weights are Nagios's: 0.75 for the oldest
    change up to 1.25 for the newest.
    """
    if all(states) or not any(states):
        return 0.0
    known = tuple(states)[-FLAP_STATES:]
    padded = (known[0],) * (FLAP_STATES - len(known)) + known
    step = (_HEAVIEST - _LIGHTEST) / (FLAP_STATES - 2)
    changes = ((at - 1) * step + _LIGHTEST for at in range(1, FLAP_STATES) if padded[at] != padded[at - 1])
    return sum(changes) * 100 / (FLAP_STATES - 1)
