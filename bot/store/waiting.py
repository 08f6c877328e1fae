"""Waiting for whichever comes first: a call, or a time by the clock."""

import asyncio

from bot.ports import Clock


async def called(wake: asyncio.Event, clock: Clock, seconds: float) -> None:
    """Return when `wake` is set, or after that time."""
    both = asyncio.ensure_future(wake.wait()), asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in both:
            one.cancel()
