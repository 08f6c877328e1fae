"""What the tests of hypervisors share: a clock, short folders, and machines."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.coop.machines import Machine
from bot.hypervisors.uml.runfolder import run_folder
from bot.runtime.clock import SystemClock
from bot.testing import FakeClock


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


@pytest.fixture
def fake_clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def machine() -> Machine:
    return Machine("ford-1", "ford")


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a path short enough for a socket, which pytest's own are not always."""
    folder = Path(tempfile.mkdtemp(prefix="ship"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def run(short: Path) -> Iterator[Path]:
    folder = run_folder(short / "ford")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def no_descriptor_is_left_open() -> Iterator[None]:
    before = len(list(Path("/proc/self/fd").iterdir()))
    yield
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 2
