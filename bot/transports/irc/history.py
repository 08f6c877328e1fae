"""What is said now, and what a server or a bouncer plays back: told apart by batches and by age. Pure."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.transports.irc.line import Line

OLD = timedelta(seconds=30)
"""What is older by the server's own clock is history."""

LIVE = frozenset({"labeled-response", "netsplit", "netjoin"})
"""Batches whose lines are said now; any other may be a playback."""

_MOST = 64


@dataclass(slots=True)
class History:
    """The open batches, and how far the server's clock is ahead of ours."""

    offset: timedelta | None = None
    _batches: dict[str, bool] = field(default_factory=dict)

    def batch(self, line: Line) -> None:
        """Take a BATCH line: `+ref type …` opens one, `-ref` ends it."""
        mark, ref = line.param(0)[:1], line.param(0)[1:]
        if mark == "-":
            self._batches.pop(ref, None)
        elif mark == "+" and len(self._batches) < _MOST:
            outer = line.tag("batch")
            self._batches[ref] = line.param(1) in LIVE and (outer is None or self._batches.get(outer, False))

    def measure(self, line: Line, now: datetime) -> None:
        """Learn the server's clock from a line that it has just made."""
        said = instant(line.tag("time"))
        if said is not None and line.tag("batch") is None:
            self.offset = said - now

    def replayed(self, line: Line, now: datetime) -> bool:
        """Tell whether a line is history."""
        batch = line.tag("batch")
        if batch is not None and not self._batches.get(batch, False):
            return True
        said = instant(line.tag("time"))
        return said is not None and now - said > OLD - (self.offset or timedelta())

    def at(self, line: Line, now: datetime) -> datetime:
        """Return when a line was said, by our own clock, never in the future."""
        said = instant(line.tag("time"))
        try:
            return min(said - (self.offset or timedelta()), now) if said is not None else now
        except OverflowError:
            return now


def instant(text: str | None) -> datetime | None:
    """Return a `time` tag's instant, https://ircv3.net/specs/extensions/server-time; None if it is none."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo is UTC else None
