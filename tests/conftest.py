import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from bot.runtime import loader
from bot.testing import Chat

# `make test` draws the same examples each time, on however slow a machine; `make test-long` draws anew.
settings.register_profile(
    "house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    """A conversation with all our plugins."""
    plugins = [loaded.plugin for loaded in loader.load(None, ()).loaded]
    async with Chat.open(tmp_path, plugins) as chat:
        yield chat


async def until(so: Callable[[], object]) -> None:
    """Let the others go on until it is so; the test's own time limit is the deadline."""
    while not so():  # noqa: ASYNC110 - what is waited for tells nobody
        await asyncio.sleep(0)
