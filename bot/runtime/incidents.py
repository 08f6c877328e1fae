"""Where faults go: the person gets a number, the log and the admins the cause."""

import asyncio
import logging
import traceback
from collections import OrderedDict
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bot.model import Notice, Urgency
from bot.ports import Clock, Entropy, Store

_LOG = logging.getLogger("shipboard.incidents")
_KEPT = 200
_QUIET = 600.0
_MOST = 300


@dataclass(frozen=True, slots=True)
class Incident:
    """A fault as it is told to admins."""

    number: str
    during: str
    cause: str

    def __str__(self) -> str:
        return f"{self.number} in {self.during}: {self.cause}"


@dataclass(slots=True)
class IncidentLog:
    """Logs each fault, keeps the last ones, and tells the admins of each kind once in ten minutes."""

    clock: Clock
    entropy: Entropy
    store: Store | None = None
    recent: "OrderedDict[str, Incident]" = field(default_factory=OrderedDict)
    told: dict[str, float] = field(default_factory=dict)
    tasks: set["asyncio.Task[Any]"] = field(default_factory=set)

    def report(self, cause: BaseException, *, during: str, private: bool = False) -> str:
        """Record a fault and return its number; of a private one only its kind and place."""
        number = f"{int(self.entropy.uniform(0, 0xFFFF)):04x}"
        kind, text = type(cause).__name__, "" if private else _text(cause)
        incident = Incident(number, during, f"{kind}: {text}" if text else kind)
        self.recent[number] = incident
        while len(self.recent) > _KEPT:
            self.recent.popitem(last=False)
        _LOG.error("%s\n%s", incident, _trace(cause, private=private))
        self._tell(incident, f"{during} {kind}")
        return number

    def _tell(self, incident: Incident, kind: str) -> None:
        now = self.clock.monotonic()
        self.told = {key: at for key, at in self.told.items() if now - at < _QUIET}
        if self.store is None or kind in self.told:
            return
        self.told[kind] = now
        expires = self.clock.now() + timedelta(days=1)
        notice = Notice("admins", (f"Fault {incident}",), Urgency.ALERT, f"incident {kind}", expires)
        self._soon(self.store.write(lambda tx: tx.notice(notice)))

    def _soon(self, work: Coroutine[Any, Any, Any]) -> None:
        try:
            task = asyncio.get_running_loop().create_task(work)
        except RuntimeError:
            work.close()
            return
        self.tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[Any]") -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _LOG.error("the admins could not be told: %s", task.exception())


def _text(cause: BaseException) -> str:
    """Return what a fault says, in one line of a bounded length."""
    try:
        text = " ".join(str(cause).split())
    except Exception as error:  # noqa: BLE001 - a plugin's exception may not even be able to say what it is
        return f"its text cannot be had ({type(error).__name__})"
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"


def _trace(cause: BaseException, *, private: bool) -> str:
    frames = traceback.extract_tb(cause.__traceback__)
    if private:
        return "\n".join(f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
    return "".join(traceback.format_exception(cause))
