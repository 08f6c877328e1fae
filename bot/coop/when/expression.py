"""What was said about a time, understood."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from bot.coop.when.grammar import FORMS, Words, ahead, alias
from bot.coop.when.pattern import Pattern
from bot.coop.when.zones import first, quoted, zone_named
from bot.errors import Usage

_LONGEST = 200
_REMEMBERED = 2048  # a schedule asks for the same texts again and again
_COMMA = re.compile(r"\s*,\s*")
_CRON = re.compile(r"(cron)\s*[\"'“”„]([^\"'“”„]*)[\"'“”](.*)", re.IGNORECASE)
_NEAR_THE_END = datetime(9940, 1, 1, tzinfo=UTC)
_BEFORE_ALL = datetime(1, 1, 3, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class When:
    """A time expression: `text` as typed, `zone` an IANA name; `canonical` means the same on any day."""

    text: str
    zone: str
    canonical: str
    _rule: Pattern | datetime = field(repr=False)
    _zone: ZoneInfo = field(repr=False, compare=False)
    _lead: timedelta = timedelta(0)

    @property
    def recurs(self) -> bool:
        """Whether it comes more than once."""
        return isinstance(self._rule, Pattern)

    def after(self, instant: datetime) -> datetime | None:
        """Return the next due instant in UTC, strictly after this aware one; None if there is no more."""
        if not isinstance(self._rule, Pattern):
            return self._rule if self._rule > instant else None
        if instant >= _NEAR_THE_END:
            return None
        later = self._rule.after(instant + self._lead, self._zone)
        return later and later - self._lead

    def upcoming(self, instant: datetime, count: int) -> tuple[datetime, ...]:
        """Return the next instants after this one, at most `count`."""
        found: list[datetime] = []
        while len(found) < count and (later := self.after(found[-1] if found else instant)):
            found.append(later)
        return tuple(found)


def parse(text: str, *, zone: str, now: datetime) -> When:
    """Understand an expression; `zone` holds where none stands at its end, `now` is what `in 3h` counts from.

    Raises Usage, one line with the word that was not understood; also for what is over or never comes.
    """
    if len(text) > _LONGEST:
        raise Usage(f"{quoted(text)} is too long for a time: at most {_LONGEST} characters")
    given = " ".join(text.split())
    words = _worded(given)
    lead = timedelta(seconds=ahead(words))
    head = words.next("") if words.left else ""
    if not head.startswith("@") and head.lower() not in FORMS:
        raise Usage(f"{quoted(head)} begins no time: every, monthly, on, today, tomorrow, in or cron")
    rule = alias(head) if head.startswith("@") else FORMS[head.lower()](words)
    if len(words.left) > 1:
        raise Usage(f"{quoted(words.left[0])} is not understood after {quoted(words.last)}")
    where = zone_named(words.left[0] if words.left else zone)
    if isinstance(rule, Pattern):
        said = " ".join(f'"{word}"' if " " in word else word for word in words.taken)
        return When(given, where.key, f"{said.lower()} {where.key}", rule, where, lead)
    instant = rule(where, now.astimezone(UTC) + lead) - lead
    return When(given, where.key, _fixed(instant, where), instant, where)


@lru_cache(_REMEMBERED)
def restored(canonical: str) -> When:
    """Understand a canonical text again, also one that is over by now."""
    return parse(canonical, zone="UTC", now=_BEFORE_ALL)


def _worded(given: str) -> Words:
    """Part the words; what is in quotes after `cron` is one."""
    if found := _CRON.fullmatch(given):
        return Words([found[1], found[2].strip(), *found[3].split()])
    return Words(_COMMA.sub(",", given).split())


def _fixed(instant: datetime, zone: ZoneInfo) -> str:
    """Say an instant on the wall of its zone, or in UTC where the wall does not show it alone."""
    wall = instant.astimezone(zone)
    if first(wall.date(), wall.hour * 60 + wall.minute, zone, wall.second) != instant:
        wall, zone = instant, zone_named("UTC")
    return f"on {wall:%Y-%m-%d %H:%M:%S}".removesuffix(":00") + f" {zone.key}"
