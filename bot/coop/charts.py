"""A chart as data; a network that shows pictures has it drawn, the others have the lines beside it."""

from dataclasses import dataclass
from typing import Literal

Style = Literal["bars", "line", "dashed"]


@dataclass(frozen=True, slots=True)
class Curve:
    """One row of values, one a step of the chart, None where nothing was measured."""

    name: str
    points: tuple[float | None, ...]
    style: Style = "line"


@dataclass(frozen=True, slots=True)
class Limit:
    """A level across the chart, like an allowance."""

    name: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What is drawn: values in `unit`, each `step` seconds from the Unix time `start`, labelled in `zone`.

    `running` are curves on an axis of their own at the right, in `running_unit`, such as the sum so far with
    its projection; `limits` belong to that axis where there is one.
    """

    title: str
    unit: str
    start: int
    step: int
    zone: str
    curves: tuple[Curve, ...]
    running: tuple[Curve, ...] = ()
    running_unit: str = ""
    limits: tuple[Limit, ...] = ()
    note: str = ""
