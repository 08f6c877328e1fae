"""The Prosody that a test may start, and people on it; all end with the test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.real.irc.servers import Pki, Proxy
from tests.real.xmpp.people import People
from tests.real.xmpp.prosody import Prosody, certify


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return certify(Pki(tmp_path_factory.mktemp("pki")))


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


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """A proxy, not started; `target` is the port behind it."""
    made = Proxy(0)
    yield made
    await made.stop()
