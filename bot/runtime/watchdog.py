"""Names what holds up the event loop: a plugin that spins is switched off, and the bot starts anew.

A loop that spins cannot be saved from within, so a thread watches it. When the loop has not turned for
`limit` seconds, the thread writes its stack to the log, marks the plugin whose code stands on it as off, and
ends the process with status 70 (EX_SOFTWARE of sysexits.h); the service manager starts it again without it.

Code that spins inside C, as a regular expression can, lets no thread act. Then faulthandler, which needs no
turn of the interpreter, leaves the stacks in a file and ends the process; the next start reads that file.
"""

import asyncio
import faulthandler
import logging
import os
import re
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from types import FrameType
from typing import TextIO

_LOG = logging.getLogger("shipboard.watchdog")
LIMIT = 8.0
LOOKS = 5
"""How many looks at the loop are taken within `limit`."""
EX_SOFTWARE = 70
ARMED_FOR = 2
"""Looks after which faulthandler is armed anew: each time is a new thread."""
STACKS = ".stacks"
"""The file in the folder of what is off that faulthandler leaves its stacks in."""
_TURN = asyncio.BaseEventLoop._run_once.__code__  # type: ignore[attr-defined]  # noqa: SLF001 - see _is_at_rest


@dataclass(slots=True)
class Watchdog:
    """Watches the running loop. `plugins` maps the files and folders of plugins to their names.

    `hard`: let faulthandler end the process where this thread cannot.
    """

    off: Path
    plugins: Mapping[Path, str]
    limit: float = LIMIT
    end: Callable[[int], None] = os._exit
    hard: bool = True
    beat: float = field(default_factory=time.monotonic)

    async def run(self) -> None:
        """Watch until cancelled."""
        loop, stopped = asyncio.get_running_loop(), threading.Event()
        loop_thread = threading.get_ident()
        self.beat = time.monotonic()
        self.off.mkdir(parents=True, exist_ok=True)
        with (self.off / STACKS).open("w", encoding="ascii") as stacks:
            print(f"the loop is thread 0x{loop_thread:016x}", file=stacks, flush=True)
            self._arm(stacks)
            watch = partial(self._watch, loop, loop_thread, stopped, stacks)
            watching = threading.Thread(target=watch, name="watchdog", daemon=True)
            watching.start()
            try:
                await loop.create_future()
            finally:
                stopped.set()
                watching.join()  # so that nothing is armed any more
                faulthandler.cancel_dump_traceback_later()

    def _watch(
        self, loop: asyncio.AbstractEventLoop, loop_thread: int, stopped: threading.Event, stacks: TextIO
    ) -> None:
        looked = time.monotonic()
        for look in count(1):
            if stopped.wait(self.limit / LOOKS):
                return
            now, before = time.monotonic(), looked
            looked = now
            if now - before > self.limit / 2 or _is_at_rest(loop_thread):
                self.beat = now  # where this thread had no turn either, the whole process stood still
            elif now - self.beat > self.limit:
                self._act(loop_thread)
                return
            else:
                loop.call_soon_threadsafe(self._turned)
            if look % ARMED_FOR == 0:
                self._arm(stacks)

    def _turned(self) -> None:
        self.beat = time.monotonic()

    def _arm(self, stacks: TextIO) -> None:
        if self.hard:
            faulthandler.dump_traceback_later(1.3 * self.limit, file=stacks, exit=True)

    def _act(self, loop_thread: int) -> None:
        faulthandler.cancel_dump_traceback_later()
        frames = sys._current_frames()  # noqa: SLF001 - the only way to another thread's stack
        frame = frames.get(loop_thread)
        dump = "".join(traceback.format_stack(frame)) if frame else "no stack"
        name = culprit(frame, self.plugins)
        _LOG.critical(
            "the loop has not turned for %.0f s; %s\n%s", self.limit, name or "no plugin's fault", dump
        )
        if name is not None:
            switch_off(self.off, name, self.limit, dump)
        self.end(EX_SOFTWARE)


def _is_at_rest(loop_thread: int) -> bool:
    """Tell whether the loop waits for something to do: it is seen to be alive without being woken."""
    frame = sys._current_frames().get(loop_thread)  # noqa: SLF001 - the only way to another thread's stack
    inner = frame is not None and frame.f_back is not None and frame.f_back.f_code is _TURN
    return inner and frame is not None and frame.f_code.co_name == "select"


def switch_off(folder: Path, name: str, seconds: float, stack: str) -> None:
    """Leave a plugin out of the next start."""
    reason = f"it held up the bot for {seconds:.0f} s"
    (folder / name).write_text(f"{reason}\n{stack}", encoding="utf-8")


def judge(folder: Path, plugins: Mapping[Path, str]) -> str | None:
    """Look, at a start, for stacks that the last run left; switch off the plugin whose code held it up."""
    try:
        text = (folder / STACKS).read_text(encoding="utf-8", errors="replace")
        (folder / STACKS).unlink()
    except OSError:
        return None
    loop = re.match(r"the loop is thread (0x[0-9a-f]{16})$", text, re.MULTILINE)
    _, _, stack = text.partition(f"hread {loop[1]} (most recent call first):\n") if loop else ("", "", "")
    for file in re.findall(r'^  File "(.*)", line \d+ in ', stack.partition("\n\n")[0], re.MULTILINE):
        if name := owner(Path(file), plugins):
            _LOG.critical("the last run was held up by %s\n%s", name, text)
            switch_off(folder, name, LIMIT, text)
            return name
    return None


def culprit(frame: FrameType | None, plugins: Mapping[Path, str]) -> str | None:
    """Return the plugin whose code is innermost on a stack, None if none is on it."""
    while frame is not None:
        if name := owner(Path(frame.f_code.co_filename), plugins):
            return name
        frame = frame.f_back
    return None


def owner(file: Path, plugins: Mapping[Path, str]) -> str | None:
    """Return the plugin that a file belongs to."""
    return next((name for path, name in plugins.items() if file == path or path in file.parents), None)
