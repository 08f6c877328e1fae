"""What is used of the month's transfer: sums, projection, 95th percentile. Pure.

Amounts are bytes, times are Unix times, rates are bytes a second; days and months are those of UTC.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Literal

from bot.words import Traffic

MINUTE, FIVE, HOUR, DAY = 60, 300, 3600, 86400
QUARTER, WEEK = 6 * HOUR, 7 * DAY

FAR = Fraction(1, 5)
"""By how much of itself the projection may differ from an even pace until both are told."""


@dataclass(frozen=True, slots=True)
class Window:
    """A time from `start` to before `end` in steps of so many seconds, over until now, `until`."""

    start: int
    end: int
    step: int
    until: int

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """From where to before where each step goes that has begun; the last one goes on."""
        lows = range(self.start, self.until, self.step)
        return tuple((low, min(low + self.step, self.until)) for low in lows)


def month(until: int) -> Window:
    """Return the calendar month that a time is in, by days."""
    first = datetime.fromtimestamp(until, UTC).replace(day=1, hour=0, minute=0, second=0)
    after = (first + timedelta(days=31)).replace(day=1)
    return Window(int(first.timestamp()), int(after.timestamp()), DAY, until)


def window(over: str, until: int) -> Window:
    """Return `today` by hours, seven days (`week`) by quarters of a day, or the month by days."""
    if over == "today":
        start = until // DAY * DAY
        return Window(start, start + DAY, HOUR, until)
    if over == "week":
        end = -(-until // QUARTER) * QUARTER
        return Window(end - WEEK, end, QUARTER, until)
    return month(until)


@dataclass(frozen=True, slots=True)
class Amount:
    """Bytes in both directions."""

    received: int = 0
    sent: int = 0

    @property
    def total(self) -> int:
        """Both directions together."""
        return self.received + self.sent


@dataclass(frozen=True, slots=True)
class Who:
    """Whose traffic: that of a member's machines, whoever owns them now, of one machine, or of all."""

    kind: Literal["member", "machine", "all"]
    name: str = ""

    def has(self, row: Traffic) -> bool:
        """Tell whether a row counts."""
        if row.kind != "machine":
            return False
        return self.kind == "all" or self.name == (row.owner if self.kind == "member" else row.name)

    def amount(self, rows: Iterable[Traffic]) -> Amount:
        """Add up the rows that count."""
        found = [row for row in rows if self.has(row)]
        return Amount(sum(row.received for row in found), sum(row.sent for row in found))

    def machines(self, rows: Iterable[Traffic]) -> dict[str, int]:
        """Return what each machine used, of the rows that count."""
        return _summed((row.name, row.total) for row in rows if self.has(row))


ALL = Who("all")


def owners(rows: Iterable[Traffic]) -> dict[str, int]:
    """Return what the machines of each owner used; what is the co-op's own is under ""."""
    return _summed((row.owner or "", row.total) for row in rows if ALL.has(row))


def _summed(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    used: dict[str, int] = {}
    for name, total in pairs:
        used[name] = used.get(name, 0) + total
    return used


def most(used: Mapping[str, int], count: int) -> list[tuple[str, int]]:
    """Return who used most, the most first, of those who used anything."""
    ranked = sorted(used.items(), key=lambda one: (-one[1], one[0]))
    return [one for one in ranked[:count] if one[1]]


@dataclass(frozen=True, slots=True)
class Outlook:
    """How a month goes on that ends at `end`: `used` until `at`, from there at the pace of the last days.

    `evenly` is the pace of the whole month so far. A pace is None where too little was measured to tell it.
    """

    at: int
    end: int
    used: int
    pace: Fraction | None
    evenly: Fraction | None = None

    @property
    def projected(self) -> int | None:
        """What will have been used at the end of the month."""
        return self._at_the_end(self.pace)

    @property
    def linear(self) -> int | None:
        """The same, should the rest of the month be like what was of it."""
        return self._at_the_end(self.evenly)

    @property
    def differ(self) -> bool:
        """Whether the two are so far apart that both should be told."""
        one, other = self.projected, self.linear
        return one is not None and other is not None and abs(one - other) > FAR * one

    def runs_out(self, allowance: int) -> int | None:
        """Return the second at which nothing is left, if that comes within the month."""
        if self.used >= allowance:
            return self.at
        if not self.pace:
            return None
        gone = self.at + -(-(allowance - self.used) // self.pace)
        return gone if gone < self.end else None

    def hours_left(self, allowance: int, last_hour: int) -> Fraction | None:
        """Return the hours until the rest is gone at the last hour's pace, if that is within the month."""
        if self.used >= allowance or not last_hour:
            return None
        hours = Fraction(allowance - self.used, last_hour)
        return hours if hours * HOUR < self.end - self.at else None

    def _at_the_end(self, pace: Fraction | None) -> int | None:
        return None if pace is None else self.used + round(pace * (self.end - self.at))


@dataclass(frozen=True, slots=True)
class Survey:
    """The rows of the month and of the last seven days until now; anything was measured from `since` on."""

    time: Window
    month: tuple[Traffic, ...]
    week: tuple[Traffic, ...]
    since: int

    def outlook(self, who: Who, joined: datetime | None = None) -> Outlook:
        """Return how the month goes on for somebody; before they joined they could use nothing."""
        return self.going_on(who.amount(self.month).total, who.amount(self.week).total, joined)

    def going_on(self, used: int, lately: int, joined: datetime | None = None) -> Outlook:
        """Return the same for who used so much in the month, and in the last seven days."""
        since, until = max(self.since, int(joined.timestamp()) if joined else 0), self.time.until
        pace = _pace(lately, max(since, until - WEEK), until)
        return Outlook(until, self.time.end, used, pace, _pace(used, max(since, self.time.start), until))


def _pace(used: int, since: int, until: int) -> Fraction | None:
    """Return the mean of a time; None of less than a day, which tells nothing of the others."""
    return Fraction(used, until - since) if until - since >= DAY else None


@dataclass(frozen=True, slots=True)
class Billed:
    """The 95th percentile of the 5-minute rates, and from how many of the time's intervals it is."""

    rate: Fraction
    measured: int
    intervals: int


def percentile_95(values: Sequence[int]) -> int | None:
    """Return the 95th percentile as vnstat and providers take it: of 100 values the 95th; None of none.

    Of the sorted values it is that at lrint(count * 0.95) - 1, so that the highest 5 % are free.
    """
    if not values:
        return None
    return sorted(values)[max(0, round(len(values) * 0.95) - 1)]


def billed(fives: Mapping[int, tuple[int, int]], measured: Collection[int], time: Window) -> Billed | None:
    """Return the 95th percentile of the larger direction in each 5 minutes; None where none was measured.

    `fives` has the bytes received and sent in the intervals by their beginnings. In an interval that was
    measured, but without this traffic, there was none, as of a machine that is down; one that was not
    measured at all does not count.
    """
    known = [at for at in {*fives, *measured} if time.start <= at < time.until]
    bytes_of_five = percentile_95([max(fives.get(at, (0, 0))) for at in known])
    if bytes_of_five is None:
        return None
    intervals = max(len(known), (time.until - time.start) // FIVE)
    return Billed(Fraction(bytes_of_five, FIVE), len(known), intervals)
