import asyncio
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.runtime.clock import SystemClock, SystemEntropy


async def test_the_clock_is_utc_and_never_goes_back() -> None:
    clock = SystemClock()
    before, now = clock.monotonic(), clock.now()
    await clock.sleep(0)
    assert now.tzinfo is UTC
    assert abs(datetime.now(UTC) - now) < timedelta(minutes=1)
    assert clock.monotonic() >= before


async def test_the_clock_waits() -> None:
    clock = SystemClock()
    task = asyncio.create_task(clock.sleep(3600))
    await asyncio.sleep(0)
    assert not task.done()
    task.cancel()


@given(st.integers(1, 512))
def test_a_token_has_the_bits_it_should_and_plain_letters(bits: int) -> None:
    token = SystemEntropy().token(bits)
    assert len(token) * 5 >= bits
    assert set(token) <= set("abcdefghijklmnopqrstuvwxyz234567")


def test_no_token_comes_twice() -> None:
    entropy = SystemEntropy()
    assert len({entropy.token(64) for _ in range(1000)}) == 1000


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_jitter_stays_between_its_bounds(low: float, width: float) -> None:
    assert low <= SystemEntropy().uniform(low, low + width) <= low + width
