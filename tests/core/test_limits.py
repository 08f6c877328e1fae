import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.limits import Bucket, Limit, Uses


@pytest.mark.parametrize(
    ("text", "uses", "seconds", "shown"),
    [
        ("3/10m", 3, 600, "3/10m"),
        ("1/90s", 1, 90, "1/90s"),
        ("2/24h", 2, 86400, "2/1d"),
        ("5/120s", 5, 120, "5/2m"),
    ],
)
def test_a_limit_is_written_uses_by_time(text: str, uses: int, seconds: int, shown: str) -> None:
    limit = Limit.parse(text)
    assert (limit.uses, limit.seconds, str(limit)) == (uses, seconds, shown)


@pytest.mark.parametrize(
    "text", ["", "3", "3/m", "0/1m", "3/0m", "-1/1m", "3/1w", " 3/1m", "3/1m\n", "9" * 7 + "/1s", "٣/1m"]
)
def test_what_is_no_limit_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is no limit: write uses/time, like 3/10m"):
        Limit.parse(text)


@given(st.text(alphabet="0123456789/smhd ", max_size=12))
def test_any_text_is_a_limit_or_named(text: str) -> None:
    try:
        limit = Limit.parse(text)
    except ValueError:
        return
    assert Limit.parse(str(limit)) == limit


def test_uses_come_back_one_by_one() -> None:
    uses = Uses(Limit(2, 60))
    assert [uses.take(0.0), uses.take(10.0)] == [0, 0]
    assert uses.take(10.5) == 50
    assert uses.take(59.9) == 1
    assert not uses.is_idle(60.0)
    assert uses.take(60.0) == 0
    assert uses.take(61.0) == 9
    assert uses.is_idle(120.0)


def test_a_bucket_gives_its_burst_and_then_its_pace() -> None:
    bucket = Bucket(3, 2.0)
    assert bucket.is_full(0.0)
    assert [bucket.take(0.0) for _ in range(5)] == [0.0, 0.0, 0.0, 0.5, 1.0]
    assert not bucket.is_full(1.0)
    assert bucket.is_full(2.5)
    assert bucket.take(2.0) == 0.0


@given(st.lists(st.floats(0, 100), max_size=60))
def test_no_more_than_the_pace_goes_through(gaps: list[float]) -> None:
    bucket, now, times = Bucket(5, 2.0), 0.0, []
    for gap in gaps:
        now += gap
        times.append(now + bucket.take(now))
    for first, start in enumerate(times):
        assert sum(start <= time < start + 10 for time in times[first:]) <= 5 + 20 + 1


def test_a_clock_that_goes_back_gives_nothing() -> None:
    bucket = Bucket(1, 1.0)
    assert bucket.take(100.0) == 0.0
    assert bucket.take(50.0) == 1.0
