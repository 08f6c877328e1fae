"""Keeps a part of the ship running: what it raises is told to the admins, and it begins anew."""

from collections.abc import Awaitable, Callable

from bot.ports import Clock, Incidents

PAUSE = 5.0
"""Seconds before a part that failed begins anew."""


async def keep(name: str, run: Callable[[], Awaitable[object]], clock: Clock, incidents: Incidents) -> None:
    """Run a part that ends only by cancellation; begin it anew whenever it fails."""
    while True:
        try:
            await run()
        except Exception as error:  # noqa: BLE001 - one part's failure must not sink the ship
            incidents.report(error, during=name)
        await clock.sleep(PAUSE)
