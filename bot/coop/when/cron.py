"""Five-field cron, as crontab(5) has it: 0 and 7 are Sunday, and two given day fields mean either."""

import re
from dataclasses import dataclass

from bot.coop.when.pattern import ANY, Pattern
from bot.coop.when.zones import quoted
from bot.errors import Usage

ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_DIGITS = re.compile(r"[0-9]{1,4}")


@dataclass(frozen=True, slots=True)
class _Field:
    """One of the five: its name, its bounds, and words for numbers from the lower bound on."""

    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()

    def values(self, text: str) -> frozenset[int]:
        """Return what a list of ranges with steps names; Usage that names the wrong part."""
        if "" in (parts := text.split(",")):
            raise Usage(f"{quoted(text)} has a comma too many in cron's {self.name}")
        return frozenset(value for part in parts for value in self._part(part))

    def _part(self, part: str) -> range:
        span, stepped, step = part.partition("/")
        low, ranged, high = span.partition("-")
        if span == "*":
            start, end = self.low, self.high
        else:
            start = self._number(low, part)
            end = self._number(high, part) if ranged else self.high if stepped else start
        if start > end == 0 and self.words == _DAYS:
            end = 7  # fri-sun
        if start > end:
            raise Usage(f"{quoted(part)} goes backwards in cron's {self.name}")
        if not stepped:
            return range(start, end + 1)
        if not _DIGITS.fullmatch(step) or not int(step):
            raise Usage(f"{quoted(part)} is no step in cron's {self.name}: write it like */15")
        return range(start, end + 1, int(step))

    def _number(self, word: str, part: str) -> int:
        if word.lower() in self.words:
            return self.words.index(word.lower()) + self.low
        if _DIGITS.fullmatch(word) and self.low <= int(word) <= self.high:
            return int(word)
        raise Usage(f"{quoted(part)} is no {self.name} of cron: {self.low} to {self.high}")


_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 0, 7, _DAYS),
)


def compiled(fields: list[str]) -> Pattern:
    """Return the pattern of the five fields; Usage that names what is wrong, also if it never comes."""
    text = " ".join(fields)
    if len(fields) != len(_FIELDS):
        raise Usage(f'{quoted(text)} has {len(fields)} fields, cron has five: cron "0 18 * * 5"')
    minutes, hours, dates, months, weekdays = (
        field.values(word) for field, word in zip(_FIELDS, fields, strict=True)
    )
    made = Pattern(
        tuple(sorted(hour * 60 + minute for hour in hours for minute in minutes)),
        months,
        dates,
        frozenset(((number - 1) % 7, ANY) for number in weekdays),
        either=not any(fields[index].startswith("*") for index in (2, 4)),
    )
    if not made.comes():
        raise Usage(f"{quoted(text)} never comes: no such month has a day {min(dates)}")
    return made
