"""Gets from the samples what the tally counts."""

from collections.abc import Collection, Iterable

from bot import Samples, Traffic
from plugins.bandwidth.tally import DAY, FIVE, HOUR, MINUTE, WEEK, Survey, Window, month


def whole_minute(at: float) -> int:
    """Return the last whole minute before a Unix time."""
    return int(at) // MINUTE * MINUTE


async def steps(samples: Samples, time: Window) -> list[tuple[Traffic, ...]]:
    """Return the rows of each step of a time, none of one in which nothing was measured."""
    return [tuple(rows) for rows in await samples.parts(time.edges)]


async def survey(samples: Samples, until: int) -> Survey | None:
    """Return what is known of the month of a time; None where nothing was measured of it and of the week."""
    time = month(until)
    of_month = await samples.traffic(time.start, until)
    of_week = await samples.traffic(until - WEEK, until)
    hosts = hosts_of((*of_month, *of_week))
    found = [await _first(samples, host, min(time.start, until - WEEK), until) for host in hosts]
    first = min((at for at in found if at is not None), default=None)
    return None if first is None else Survey(time, tuple(of_month), tuple(of_week), first)


async def _first(samples: Samples, host: str, start: int, until: int) -> int | None:
    """Return the first hour in which a host was measured, or of a new bot the first minute."""
    days = await samples.series("host", host, DAY, start // DAY * DAY, until)
    low, high = (max(days[0].at, start), days[0].at + DAY) if days else (start, until)
    for step in (HOUR, MINUTE):
        rows = await samples.series("host", host, step, low, high)
        if rows:
            return rows[0].at
    return low if days else None


def hosts_of(rows: Iterable[Traffic]) -> list[str]:
    """Return the hosts of which there are rows."""
    return sorted({row.name for row in rows if row.kind == "host"})


async def fives(
    samples: Samples, kind: str, names: Collection[str], time: Window
) -> dict[int, tuple[int, int]]:
    """Return what all these received and sent together in each 5 minutes of a time, 8,928 in a month."""
    rows = await samples.flow(kind, names, FIVE, time.start, time.until)
    return {at: (received, sent) for at, received, sent in rows}
