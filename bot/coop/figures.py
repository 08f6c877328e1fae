"""Figures that plugins work out of what was measured, for alerts: which there are, of whom, in which unit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Scope = Literal["host", "machine", "member"]


@dataclass(frozen=True, slots=True)
class Measure:
    """What a figure is called in a line, and what stands behind its values."""

    text: str
    unit: str


MEASURES: Mapping[Scope, Mapping[str, Measure]] = {
    "host": {"disk-days": Measure("disk, days until it is full", "d")},
    "machine": {
        "memory-share": Measure("memory of its share", "%"),
        "disk-share": Measure("disk of its share", "%"),
        "traffic-spike": Measure("traffic against its usual", "times"),
    },
    "member": {
        "bandwidth": Measure("bandwidth of the month's allowance", "%"),
        "bandwidth-projected": Measure("bandwidth projected to the month's end", "%"),
        "bandwidth-hours": Measure("bandwidth, hours until it is used up", "h"),
    },
}
"""By scope, all that a plugin can be asked for with `Figures`."""


@dataclass(frozen=True, slots=True)
class Figure:
    """The value of a measure for one subject, a host, a machine or a member by its name."""

    scope: Scope
    subject: str
    measure: str
    value: float
