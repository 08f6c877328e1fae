"""The whole demo in this process, its machines played by the fake hypervisor."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.demo import coop as coops
from bot.demo import kernel, prosody
from bot.demo.screen import Screen
from bot.demo.stage import Stage, stage
from bot.errors import TransportFault

DEADLINE = 60.0


class Paper(io.StringIO):
    """A standard output that tests can wait on."""

    def __init__(self) -> None:
        super().__init__()
        self._written = asyncio.Event()

    def write(self, text: str) -> int:
        self._written.set()
        return super().write(text)

    async def expect(self, *parts: str, times: int = 1) -> None:
        """Wait until each of these has been shown so many times."""
        try:
            async with asyncio.timeout(DEADLINE):
                while not all(self.getvalue().count(part) >= times for part in parts):
                    self._written.clear()
                    await self._written.wait()
        except TimeoutError:
            raise AssertionError(f"{parts} did not all come {times} times, but: {self.getvalue()}") from None


@pytest.fixture
def paper() -> Paper:
    return Paper()


@pytest.fixture
def screen(paper: Paper) -> Screen:
    return Screen(paper)


@pytest.fixture(autouse=True)
def without_jabber(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host on which Prosody is not installed, but for the tests on real servers."""

    def absent(program: str) -> str:
        raise TransportFault(f"{program} is not installed")

    if request.node.get_closest_marker("real") is None:
        monkeypatch.setattr(prosody, "found", absent)


@pytest.fixture
async def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """A demo on a host where User-Mode Linux does not run."""
    monkeypatch.setattr(kernel, "PROCESSORS", frozenset())
    async with stage(coops.load(), tmp_path / "demo", tmp_path / "cache", print) as made:
        yield made
