"""The bots that are measured, each started as a process of its own, and what the kernel says of it."""

import asyncio
import compileall
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.growth import enroll
from bench.people import CHANNEL
from bench.server import PATIENCE, Server
from bot.store.database import FILE

ROOT = Path(__file__).parents[1]

_CONFIG = """
[bot]
nick = "{nick}"
state = "{folder}/state"
plugin_folders = ["{plugins}"]

[networks.bench]
kind = "irc"
host = "127.0.0.1"
port = {port}
tls = false
rooms = ["{channel}"]
pace = "off"
"""


class Failed(Exception):  # noqa: N818 - it says what failed
    """A bot did not do what a bot does."""


@dataclass(frozen=True, slots=True)
class Running:
    """A bot's process; none of those here has children."""

    process: asyncio.subprocess.Process
    began: float

    def cpu(self) -> float:
        """Return the seconds of processor time that it has used.

        By the clock that clock_getcpuclockid(3) names, which counts nanoseconds where /proc counts 10 ms.
        """
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def rss(self) -> float:
        """Return its memory now, in MiB."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 2**20

    def rss_peak(self) -> float:
        """Return the most memory that it ever had, in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        return int(status.partition("VmHWM:")[2].split(maxsplit=1)[0]) / 1024


@dataclass(frozen=True, slots=True)
class Bot:
    """One that can be measured: `words` are its command line, for a nick, a server and an empty folder."""

    name: str
    words: Callable[[str, Server, Path], Sequence[str]]

    @contextlib.asynccontextmanager
    async def running(self, server: Server, folder: Path) -> AsyncIterator[Running]:
        """Start it under its own name, and end it with the block."""
        words = self.words(self.name, server, folder)
        with (folder / "log").open("wb") as log:
            began = time.perf_counter()
            process = await asyncio.create_subprocess_exec(
                *words, cwd=ROOT, env=_environment(), stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            yield Running(process, began)
        finally:
            await _ended(process)


def _environment() -> dict[str, str]:
    """Return our environment, but let bytecode be used as where something is installed: see `compiled`."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def compiled() -> None:
    """Compile what is measured, so that no start compiles what was edited since the last one."""
    for folder in ("bot", "plugins", "bench"):
        compileall.compile_dir(ROOT / folder, quiet=1)


async def _ended(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), PATIENCE)
    except TimeoutError:
        process.kill()
        await process.wait()


def floor(name: str, module: str) -> Bot:
    """Return one of the least possible bots."""
    return Bot(name, lambda nick, server, _: (sys.executable, "-m", module, nick, CHANNEL, str(server.port)))


def shipboard(profile: Path | None = None, members: Sequence[str] = ()) -> Bot:
    """Return shipboard with a new database, in which these accounts are members; `profile`: see profiled."""

    def words(nick: str, server: Server, folder: Path) -> Sequence[str]:
        config = folder / "config.toml"
        plugins = Path(__file__).with_name("plugins")
        text = _CONFIG.format(nick=nick, folder=folder, plugins=plugins, port=server.port, channel=CHANNEL)
        config.write_text(text, encoding="utf-8")
        if members:
            enroll(folder / "state" / FILE, members)
        program = ("bot.cli",) if profile is None else ("bench.profiled", str(profile))
        return (sys.executable, "-m", *program, "run", "--config", str(config))

    return Bot("shipboard", words)


def bots(profile: Path | None = None) -> tuple[Bot, ...]:
    """Return all that are measured side by side, the floors first."""
    return (
        floor("raw", "bench.floors.raw"),
        floor("irc", "bench.floors.bare_irc"),
        shipboard(profile),
    )
