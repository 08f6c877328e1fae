import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.runtime import loader
from bot.testing import Chat


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
