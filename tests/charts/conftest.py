"""Charts as the bot's plugins make them, and what draws them."""

import functools
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from bot.coop.charts import Chart, Curve, Limit

DAY = 86400
NOVEMBER = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())


@pytest.fixture(scope="session")
def draw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Chart], bytes]]:
    """What draws, in this process; what it remembers of fonts stays in the tests' folder."""
    before = os.environ.get("MPLCONFIGDIR")
    os.environ["MPLCONFIGDIR"] = str(tmp_path_factory.mktemp("fonts"))
    from bot.charts.drawing import draw as made  # noqa: PLC0415 - it asks for that folder when it is imported

    yield functools.cache(made)
    os.environ.pop("MPLCONFIGDIR")
    if before is not None:
        os.environ["MPLCONFIGDIR"] = before


def month(part: float, days: int = 22, allowance: float = 400.0) -> Chart:
    """A month of bandwidth of which so many days are over, and that part of the allowance used."""
    used = [part * allowance / days] * days
    rest: list[float | None] = [None] * (30 - days)
    return Chart(
        title="arthur: bandwidth in November 2026",
        unit="GiB",
        start=NOVEMBER,
        step=DAY,
        zone="UTC",
        curves=(
            Curve("received", (*(value * 0.3 for value in used), *rest), "bars"),
            Curve("sent", (*(value * 0.7 for value in used), *rest), "bars"),
        ),
        running=(
            Curve("so far", (*(sum(used[: day + 1]) for day in range(days)), *rest)),
            Curve(
                "projected",
                (*[None] * days, *(sum(used) + used[0] * (n + 1) for n in range(len(rest)))),
                "dashed",
            ),
        ),
        running_unit="GiB",
        limits=(Limit("allowance", allowance),),
        note="98.7 % measured",
    )


def load(points: tuple[float | None, ...], step: int = 300, limit: float | None = None) -> Chart:
    """A time of load."""
    limits = () if limit is None else (Limit("limit", limit),)
    return Chart(
        title="ford: load today",
        unit="load",
        start=NOVEMBER + 21 * DAY,
        step=step,
        zone="Europe/Berlin",
        curves=(Curve("load", points),),
        limits=limits,
    )
