"""What alerts can go by: one value a member or machine, as bot.words.MEASURES names them. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from bot.words import Figure, Machine, Member, Traffic
from plugins.bandwidth.rules import Terms
from plugins.bandwidth.tally import ALL, DAY, FIVE, HOUR, WEEK, Survey, owners

PROJECTED_FROM = 3 * DAY
"""How much of a month must be over before it is told how it will end."""

LONG = Fraction(31 * DAY, HOUR)
"""Hours that stand for longer than the month: by then there is a new one."""

QUIET = Fraction(256 * 1024)
"""Bytes a second that are never called much: a quieter machine's usual traffic counts as this."""


def members(
    people: Sequence[Member], terms: Terms, survey: Survey, last_hour: Sequence[Traffic]
) -> Iterator[Figure]:
    """Yield what each member has used of their part, will have used, and in how many hours it is gone.

    A value that is missing ends no alert. So until something can be projected that is what was used, and what
    lasts longer than the month lasts long. Hours are missing where nothing is left to be used up.
    """
    used, lately, hour = owners(survey.month), owners(survey.week), owners(last_hour)
    for member in people:
        name, part = member.name, terms.allowance(member)
        if not part:
            continue
        outlook = survey.going_on(used.get(name, 0), lately.get(name, 0), member.joined)
        early = survey.time.until - survey.time.start < PROJECTED_FROM
        projected = None if early else outlook.projected
        yield _figure(member, "bandwidth", _percent(outlook.used, part))
        yield _figure(member, "bandwidth-projected", _percent(max(outlook.used, projected or 0), part))
        if outlook.used < part:
            hours = outlook.hours_left(part, hour.get(name, 0))
            yield _figure(member, "bandwidth-hours", LONG if hours is None else hours)


def spikes(machines: Iterable[Machine], survey: Survey, last_five: Sequence[Traffic]) -> Iterator[Figure]:
    """Yield how many times its usual traffic each machine's last 5 minutes had, after a day's knowledge."""
    known = min(WEEK, survey.time.until - survey.since)
    if known < DAY:
        return
    week, five = ALL.machines(survey.week), ALL.machines(last_five)
    for machine in machines:
        usual = Fraction(week.get(machine.name, 0), known)
        now = Fraction(five.get(machine.name, 0), FIVE)
        yield Figure("machine", machine.name, "traffic-spike", float(now / max(usual, QUIET)))


def _percent(used: int, part: int) -> Fraction:
    return Fraction(used * 100, part)


def _figure(member: Member, measure: str, value: Fraction) -> Figure:
    return Figure("member", member.name, measure, float(value))
