"""Where faults go: the person gets a number, the log and the admins the cause."""

import logging
import traceback
from collections import OrderedDict
from dataclasses import dataclass, field

from bot.ports import Clock, Entropy, Store
from bot.runtime.bulletin import Bulletin

_LOG = logging.getLogger("shipboard.incidents")
_KEPT = 200
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
    """Logs each fault, keeps the last ones, and tells the admins, the same cause not again and again.

    It is bot.ports.Incidents and bot.ports.Alarms. Without a `store` there is only the log.
    """

    clock: Clock
    entropy: Entropy
    store: Store | None = None
    recent: "OrderedDict[str, Incident]" = field(default_factory=OrderedDict)
    bulletin: Bulletin = field(init=False)

    def __post_init__(self) -> None:
        self.bulletin = Bulletin(self.clock)

    def report(self, cause: BaseException, *, during: str, private: bool = False) -> str:
        """Record a fault and return its number; of a private one only its kind and place."""
        number = f"{int(self.entropy.uniform(0, 0xFFFF)):04x}"
        kind, text = type(cause).__name__, "" if private else _text(cause)
        incident = Incident(number, during, f"{kind}: {text}" if text else kind)
        self.recent[number] = incident
        while len(self.recent) > _KEPT:
            self.recent.popitem(last=False)
        _LOG.error("%s\n%s", incident, _trace(cause, private=private))
        self._tell(f"fault in {_part(during)}: {kind}", f"Fault {incident}", 1)
        return number

    def warn(self, cause: str, text: str, *, burst: int = 1) -> None:
        """Tell the admins what they should know, see bot.ports.Alarms."""
        _LOG.warning("%s", text)
        self._tell(cause, text, burst)

    async def run(self) -> None:
        """Tell what was only counted when its time has come, until cancelled."""
        self.bulletin.store = self.store
        await self.bulletin.run()

    def _tell(self, cause: str, text: str, burst: int) -> None:
        self.bulletin.store = self.store
        self.bulletin.tell(cause, text, burst)


def _part(during: str) -> str:
    """Return what went wrong without where it was asked for: the same fault everywhere has one cause."""
    return during.partition(" at ")[0]


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
