"""A bot as a process: the networks first, then everything else; until SIGTERM or SIGINT."""

import asyncio
import gc
import logging
import os
import signal
import sys
import threading
from contextlib import AsyncExitStack

from bot import http, imports, networks
from bot.config import Config

_LOG = logging.getLogger("shipboard")
LAST_CALL = 12.0
"""Seconds that everything has to end in after SIGTERM."""


def run(config: Config) -> int:
    """Run a bot in the foreground until SIGTERM or SIGINT; return the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    logging.getLogger("slixmpp").setLevel(logging.ERROR)
    asyncio.run(_until_signal(config))
    return os.EX_OK


async def sail(config: Config, stop: asyncio.Event) -> None:
    """Run a bot until `stop` is set; guests go on."""
    http.check(config)
    async with AsyncExitStack() as stack:
        links = networks.prepare(config, stack)
        links.begin()
        await links.joined()
        imports.import_sqlite_utils()
        imports.import_apscheduler()
        from bot import app  # noqa: PLC0415 - the half of a start that nobody need wait for

        ship = await app.build(config, stack, links)
        gc.freeze()  # 67,000 objects that stay: each full collection looked at them all, 25 to 50 ms
        sailing = asyncio.ensure_future(ship.sail())
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait({sailing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        sailing.cancel()
        try:
            await sailing
        except asyncio.CancelledError:
            _LOG.info("Good-bye.")


async def _until_signal(config: Config) -> None:
    stop = asyncio.Event()

    def end() -> None:
        _end_at_last()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end)
    await sail(config, stop)


def _end_at_last() -> None:
    """End the process in LAST_CALL seconds, should a plugin not let itself be cancelled."""

    def end() -> None:
        _LOG.warning("Something did not end within %.0f s; the bot ends without it.", LAST_CALL)
        os._exit(os.EX_OK)

    timer = threading.Timer(LAST_CALL, end)
    timer.daemon = True
    timer.start()
