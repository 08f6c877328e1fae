"""The IRC servers that a test may start; each ends with its test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.real.irc.people import People
from tests.real.irc.servers import Atheme, InspIrcd, NgIrcd, Pki


@pytest.fixture
async def insp(tmp_path: Path, pki: Pki) -> AsyncIterator[InspIrcd]:
    """InspIRCd, not started; it and its services end with the test."""
    folder = tmp_path / "insp"
    folder.mkdir()
    made = InspIrcd(folder, pki=pki)
    yield made
    made.kill()


@pytest.fixture
async def atheme(tmp_path: Path, insp: InspIrcd) -> AsyncIterator[Atheme]:
    """Services for that InspIRCd, not started."""
    folder = tmp_path / "atheme"
    folder.mkdir()
    made = Atheme(folder, ircd=insp)
    yield made
    made.kill()


@pytest.fixture
async def ngircd(tmp_path: Path, pki: Pki) -> AsyncIterator[NgIrcd]:
    """NgIRCd, not started."""
    folder = tmp_path / "ng"
    folder.mkdir()
    made = NgIrcd(folder, pki=pki)
    yield made
    made.kill()


@pytest.fixture
async def people() -> AsyncIterator[People]:
    made = People()
    yield made
    await made.leave()
