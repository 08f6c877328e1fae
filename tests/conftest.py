from collections.abc import AsyncIterator
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
