"""Has charts drawn by a process of its own: one at a time, niced, within its time."""

import asyncio
import logging
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bot.charts.wire import plain, write
from bot.coop.charts import Chart
from bot.core.invoke import within
from bot.errors import Fault
from bot.ports import Clock, Incidents

_LOG = logging.getLogger("shipboard.charts")

SECONDS = 20.0
"""How long drawing one chart may take."""

WAITING = 8
"""How many charts may wait to be drawn; the next one's reader has the lines alone."""

LARGEST = 1 << 20
"""Bytes of a picture at most."""

MISSING = 3
"""The process' exit status where matplotlib is not installed."""

COMMAND = (sys.executable, "-P", "-W", "ignore", "-m", "bot.charts")
"""What reads a chart and writes a PNG; the world's folder is no part of its path."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SAID = 1 << 16


@dataclass(slots=True)
class Painter:
    """Draws while there is what draws; `folder` is where matplotlib remembers the fonts that it found."""

    clock: Clock
    incidents: Incidents
    folder: Path
    command: Sequence[str] = COMMAND
    _waiting: int = 0
    _missing: bool = False
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def draw(self, chart: Chart) -> bytes | None:
        """Return a chart as a PNG; None where that cannot be done: the admins hear of it if it is a fault."""
        if self._waiting >= WAITING:
            return None
        self._waiting += 1
        try:
            async with self._turn:
                return await self._drawn(write(chart))
        except (Fault, OSError) as fault:
            self.incidents.report(fault, during="drawing a picture")
            return None
        finally:
            self._waiting -= 1

    async def _drawn(self, data: bytes) -> bytes | None:
        if self._missing:
            return None
        process = await asyncio.create_subprocess_exec(
            *self.command,
            cwd="/",
            env=self._environment(),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            start_new_session=True,
        )
        try:
            picture, said = await within(self.clock, SECONDS, _talk(process, data), "drawing a picture")
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if process.returncode == MISSING:
            self._missing = True
            _LOG.warning("Charts are not drawn: %s; pip install 'shipboard[charts]' would draw them.", said)
            return None
        if process.returncode or not picture.startswith(_SIGNATURE):
            raise Fault(f"no picture was drawn, status {process.returncode}: {said}")
        return picture

    def _environment(self) -> dict[str, str]:
        """Return the little that it inherits: where our code and its cache are; one thread will do."""
        ours = str(Path(__file__).parents[2])
        return {"PYTHONPATH": ours, "MPLCONFIGDIR": str(self.folder.absolute()), "OPENBLAS_NUM_THREADS": "1"}


async def _talk(process: Process, data: bytes) -> tuple[bytes, str]:
    """Hand the chart in; return the picture, and the last thing that was said about it."""
    assert process.stdin  # noqa: S101 - all three are pipes
    assert process.stdout  # noqa: S101 - as above
    assert process.stderr  # noqa: S101 - as above
    reading = asyncio.gather(_read(process.stdout, LARGEST), _read(process.stderr, _SAID))
    with suppress(ConnectionError):
        process.stdin.write(data)
        await process.stdin.drain()
    process.stdin.close()
    picture, said = await reading
    await process.wait()
    lines = said.decode(errors="replace").strip().splitlines()
    return picture, plain(lines[-1], 200) if lines else "it said nothing"


async def _read(stream: asyncio.StreamReader, most: int) -> bytes:
    try:
        await stream.readexactly(most + 1)
    except asyncio.IncompleteReadError as whole:
        return whole.partial
    raise Fault(f"drawing gave more than {most:,} bytes")
