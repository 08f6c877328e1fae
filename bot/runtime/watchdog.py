"""Names what holds up the event loop: a plugin that spins is switched off, and the bot starts anew.

A loop that spins cannot be saved from within, so a thread watches it. When the loop has not turned for
`limit` seconds, the thread writes its stack to the log, marks the plugin whose code stands on it as off, and
ends the process with status 70 (EX_SOFTWARE of sysexits.h); the service manager starts it again without it.
"""

import asyncio
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

_LOG = logging.getLogger("shipboard.watchdog")
LIMIT = 8.0
EX_SOFTWARE = 70


@dataclass(slots=True)
class Watchdog:
    """Watches the running loop. `plugins` maps the files and folders of plugins to their names."""

    off: Path
    plugins: Mapping[Path, str]
    limit: float = LIMIT
    end: Callable[[int], None] = os._exit
    beat: float = field(default_factory=time.monotonic)
    stopped: threading.Event = field(default_factory=threading.Event)

    async def run(self) -> None:
        """Watch until cancelled."""
        thread = threading.Thread(
            target=self._watch, args=(threading.get_ident(),), name="watchdog", daemon=True
        )
        self.beat = time.monotonic()
        thread.start()
        try:
            while True:
                self.beat = time.monotonic()
                await asyncio.sleep(self.limit / 8)
        finally:
            self.stopped.set()

    def _watch(self, loop_thread: int) -> None:
        looked = time.monotonic()
        while not self.stopped.wait(self.limit / 8):
            now, before = time.monotonic(), looked
            looked = now
            if (
                now - before > self.limit / 2
            ):  # the whole process stood still, as in a stopped virtual machine
                self.beat = now
            elif now - self.beat > self.limit:
                self._act(loop_thread)
                return

    def _act(self, loop_thread: int) -> None:
        frames = sys._current_frames()  # noqa: SLF001 - the only way to another thread's stack
        frame = frames.get(loop_thread)
        dump = "".join(traceback.format_stack(frame)) if frame else "no stack"
        name = culprit(frame, self.plugins)
        _LOG.critical(
            "the loop has not turned for %.0f s; %s\n%s", self.limit, name or "no plugin's fault", dump
        )
        if name is not None:
            self.off.mkdir(parents=True, exist_ok=True)
            (self.off / name).write_text(
                f"it held up the bot for {self.limit:.0f} s\n{dump}", encoding="utf-8"
            )
        self.end(EX_SOFTWARE)


def culprit(frame: FrameType | None, plugins: Mapping[Path, str]) -> str | None:
    """Return the plugin whose code is innermost on a stack, None if none is on it."""
    while frame is not None:
        file = Path(frame.f_code.co_filename)
        for path, name in plugins.items():
            if file == path or path in file.parents:
                return name
        frame = frame.f_back
    return None
