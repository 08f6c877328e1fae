"""What tests with real programs share: one that is missing is a loud skip, with CI=true a failure."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import psutil
import pytest

from bot.config import SandboxKind
from bot.coop.machines import Machine
from bot.hypervisors.uml import process
from bot.hypervisors.uml.hypervisor import UmlHypervisor
from bot.hypervisors.uml.image import demo_initrd
from bot.hypervisors.uml.runfolder import run_folder
from bot.runtime.clock import SystemClock
from tests.real.irc.servers import Pki, Proxy
from tests.real.xmpp.prosody import certify


def need(*programs: str) -> None:
    """Skip, loudly, where a program is missing; fail with CI=true."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        reason = f"NOT TESTED: {', '.join(missing)} is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session", name="need")
def need_fixture() -> Callable[..., None]:
    return need


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """A throwaway authority with certificates for the servers of all networks."""
    return certify(Pki(tmp_path_factory.mktemp("pki")))


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """A proxy, not started; `target` is the port behind it."""
    made = Proxy(0)
    yield made
    await made.stop()


@pytest.fixture(scope="session")
def uml_cache() -> Iterator[Path]:
    """The demo image, made once for all tests, where any user can read it."""
    need("linux.uml", "busybox")
    folder = Path(tempfile.mkdtemp(prefix="cache"))
    folder.chmod(0o755)
    demo_initrd(folder)
    yield folder
    shutil.rmtree(folder)


class Site:
    """A host's folders with as many bots one after the other as a test needs; no guest outlives it."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self.folder = Path(tempfile.mkdtemp(prefix="ship"))
        self.run = run_folder(self.folder / "ford")
        self.bots: list[UmlHypervisor] = []

    def bot(self, sandbox: SandboxKind = "auto", kernel: Path | None = None) -> UmlHypervisor:
        bot = UmlHypervisor(
            "ford",
            folder=self.folder / "ford",
            run=self.run,
            cache=self.cache,
            sandbox=sandbox,
            clock=SystemClock(),
            kernel=kernel,
        )
        self.bots.append(bot)
        return bot

    def processes(self) -> list[int]:
        """Every process of this host's guests, by the tag on their command lines."""
        tag = f"shipboard={self.run.name}".encode()
        found = []
        for pid in psutil.pids():
            try:
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if tag in words and process.born(pid) is not None:
                found.append(pid)
        return found

    async def process_appears(self) -> None:
        while not self.processes():  # noqa: ASYNC110 - nothing tells that a process is there
            await asyncio.sleep(0.01)

    async def kill(self, pid: int) -> None:
        """End a guest's main process and nothing else, and wait until it has ended."""
        os.kill(pid, signal.SIGKILL)
        while process.born(pid) is not None:  # noqa: ASYNC110 - as little is told of that
            await asyncio.sleep(0.01)

    def owner(self, pid: int) -> int:
        return Path(f"/proc/{pid}").stat().st_uid

    async def clear(self) -> None:
        for bot in self.bots:
            await bot.close()
        for pid in self.processes():
            try:
                process.end(os.getsid(pid), pid, None)
            except ProcessLookupError:
                continue
        shutil.rmtree(self.folder)
        shutil.rmtree(self.run, ignore_errors=True)
        assert self.processes() == []


@pytest.fixture
async def site(uml_cache: Path) -> AsyncIterator[Site]:
    site = Site(uml_cache)
    try:
        yield site
    finally:
        await site.clear()


@pytest.fixture
def machine() -> Machine:
    return Machine("ford-1", "ford", memory_mib=48)
