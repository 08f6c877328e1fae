"""What people write behind `!ack` and `!silence`. Pure."""

import re
from datetime import timedelta

from bot.words import Usage

_PART = re.compile(r"(\d{1,6})(min|m|h|d)")
_SECONDS = {"m": 60, "min": 60, "h": 3600, "d": 86400}


def duration(word: str) -> timedelta | None:
    """Return a length of time such as 90m, 2h or 1d12h; None if it is none."""
    found = _PART.findall(word)
    if not found or "".join(number + unit for number, unit in found) != word:
        return None
    return timedelta(seconds=sum(int(number) * _SECONDS[unit] for number, unit in found))


def wanted(word: str, most: timedelta, what: str) -> timedelta:
    """Return a length of time that is not too long; Usage names what is wrong."""
    found = duration(word)
    if found is None or not timedelta(0) < found <= most:
        raise Usage(f"{what} lasts like 30m, 2h or 1d, at most {most.days}d, not “{word[:40]}”.")
    return found


def ack(text: str, most: timedelta) -> tuple[timedelta | None, str]:
    """Return how long an ack is to last, if it says so, and the note."""
    first, _, rest = text.strip().partition(" ")
    if duration(first) is None:
        return None, text.strip()
    return wanted(first, most, "An ack"), rest.strip()
