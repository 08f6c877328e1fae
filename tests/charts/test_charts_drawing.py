"""What a chart looks like, by size, signature and colours; whether it is a joy is for eyes."""

import io
from collections.abc import Callable
from dataclasses import replace

import pytest
from PIL import Image

from bot.charts.wire import read, write
from bot.coop.charts import Chart, Curve, Limit
from tests.charts.conftest import load, month

Draw = Callable[[Chart], bytes]
LIMIT, RECEIVED, SENT, INK = (178, 58, 72), (63, 124, 172), (232, 163, 61), (36, 48, 58)
EMPTY = replace(month(0.6), curves=(Curve("received", (None,) * 30, "bars"),), running=(), limits=())


def colours(picture: bytes) -> dict[tuple[int, int, int], int]:
    """How many dots a picture has of each colour."""
    image = Image.open(io.BytesIO(picture))
    assert (image.size, image.mode) == ((1200, 640), "P")
    parts = image.getpalette() or []
    counts = image.histogram()
    return {(parts[n], parts[n + 1], parts[n + 2]): counts[n // 3] for n in range(0, len(parts), 3)}


def has(picture: bytes, colour: tuple[int, int, int]) -> int:
    """How many dots have about that colour."""
    return sum(
        count
        for found, count in colours(picture).items()
        if max(abs(a - b) for a, b in zip(found, colour, strict=True)) < 12
    )


@pytest.mark.parametrize(
    "chart",
    [
        month(0.6),
        month(1.2),
        month(0.02, days=1),
        load(tuple(1.0 + number % 7 for number in range(288)), limit=8),
        load((1.0, None, 2.0, None, None, 3.0, 2.5), step=3600),
        load((1.0,) * 168, step=3600),
        load((0.0,) * 24, step=3600),
        load((-1.0, 1e12, 3.0), step=86400 * 30),
        load(()),
        EMPTY,
        replace(load((1.0, 2.0)), running=(Curve("processor", (80.0, 20.0)),), running_unit="%"),
        replace(
            load((1.0, 2.0)),
            curves=(Curve("load", (1.0, 2.0, 1.0)), Curve("peak", (2.0, 3.0, 4.0, 5.0), "dashed")),
        ),
        replace(load((1.0,)), curves=tuple(Curve(f"guest {n}", (1.0, 2.0)) for n in range(9))),
    ],
)
def test_every_chart_is_a_small_png(draw: Draw, chart: Chart) -> None:
    picture = draw(read(write(chart)))
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(picture) < 100_000
    assert b"matplotlib" not in picture.lower()


def test_the_same_chart_is_the_same_picture(draw: Draw) -> None:
    again = replace(month(0.6), note="once more")
    picture = draw(again)
    draw.cache_clear()  # type: ignore[attr-defined]  # the fixture's
    assert draw(again) == picture


def test_what_is_measured_and_what_is_allowed_can_be_seen(draw: Draw) -> None:
    picture = draw(month(1.2))
    assert has(picture, RECEIVED) > 10_000
    assert has(picture, SENT) > has(picture, RECEIVED)
    assert has(picture, LIMIT) > 1_000
    assert has(draw(replace(month(1.2), limits=())), LIMIT) == 0


def test_a_projection_goes_on_where_the_sum_ends(draw: Draw) -> None:
    known = replace(month(0.6), running=month(0.6).running[:1])
    assert has(draw(month(0.6)), INK) > has(draw(known), INK) + 500


def test_a_time_without_measurements_is_hatched_and_one_value_between_is_a_dot(draw: Draw) -> None:
    hatched = (236, 239, 241)
    assert has(draw(load((1.0, None, 2.0, None, 3.0))), RECEIVED) > 100
    gap = has(draw(load((1.0, 1.0, None, None, None, 1.0, 1.0))), hatched)
    assert gap > has(draw(load((1.0,) * 7)), hatched) + 10_000


def test_nothing_measured_is_said(draw: Draw) -> None:
    assert has(draw(EMPTY), RECEIVED) == 0
    assert has(draw(EMPTY), (93, 107, 118)) > 100


def test_what_people_are_called_is_text(draw: Draw) -> None:
    evil = "$\\frac{a}{b}$ _x\x1b[31m\u202e \\input{/etc/passwd}\n" + "W" * 300
    chart = replace(
        month(0.6),
        title=evil,
        unit=evil,
        note=evil,
        curves=tuple(Curve("_" + evil, (1.0,), "line") for _ in range(5)),
        limits=(Limit(evil, 3.0), Limit("", -2.0)),
    )
    assert draw(read(write(chart))).startswith(b"\x89PNG")
