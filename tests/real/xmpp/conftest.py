"""The Prosody that a test may start, and people on it; all end with the test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.real.irc.servers import Pki
from tests.real.xmpp.people import People
from tests.real.xmpp.prosody import Prosody


@pytest.fixture
async def prosody(tmp_path: Path, pki: Pki) -> AsyncIterator[Prosody]:
    """Prosody, not started."""
    folder = tmp_path / "prosody"
    folder.mkdir()
    made = Prosody(folder, pki=pki)
    yield made
    made.kill()


@pytest.fixture
async def people() -> AsyncIterator[People]:
    made = People()
    yield made
    await made.leave()
