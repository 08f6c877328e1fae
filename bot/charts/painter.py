"""Has charts drawn by a process of its own: one at a time, niced, within its time."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

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
        with _file(data) as chart, _file() as picture, _file() as said:
            status = await self._run(chart, picture, said)
            if status == MISSING:
                self._missing = True
                hint = "for them, pip install '.[charts]'"
                _LOG.warning("Charts are not drawn: %s; %s.", _last_line(said), hint)
                return None
            drawn = _read(picture, LARGEST)
            if status or len(drawn) > LARGEST or not drawn.startswith(_SIGNATURE):
                raise Fault(f"no picture was drawn, status {status}: {_last_line(said)}")
            return drawn

    async def _run(self, chart: BinaryIO, picture: BinaryIO, said: BinaryIO) -> int:
        """Run what draws to its end, or to that of its time, and return its exit status.

        It is given files, not pipes: who need not be read from cannot hold anybody up.
        """
        process = await asyncio.create_subprocess_exec(
            *self.command,
            cwd="/",
            env=self._environment(),
            stdin=chart,
            stdout=picture,
            stderr=said,
            start_new_session=True,
        )
        try:
            return await within(self.clock, SECONDS, process.wait(), "the process")
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()

    def _environment(self) -> dict[str, str]:
        """Return the little that it inherits: where our code and its cache are; one thread will do."""
        ours = str(Path(__file__).parents[2])
        return {"PYTHONPATH": ours, "MPLCONFIGDIR": str(self.folder.absolute()), "OPENBLAS_NUM_THREADS": "1"}


def _file(data: bytes = b"") -> BinaryIO:
    """Return a file in memory, to be read from its beginning (memfd_create(2))."""
    made = os.fdopen(os.memfd_create("chart"), "w+b")
    made.write(data)
    made.seek(0)
    return made


def _read(file: BinaryIO, most: int) -> bytes:
    """Return what was written, and one byte more than `most` where there is more."""
    file.seek(0)
    return file.read(most + 1)


def _last_line(file: BinaryIO) -> str:
    lines = _read(file, _SAID).decode(errors="replace").strip().splitlines()
    return plain(lines[-1], 200) if lines else "it said nothing"
