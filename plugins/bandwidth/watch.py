"""What alerts can go by: one value a member or machine, as bot.words.MEASURES names them. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from bot.words import Figure, Machine, Member, Traffic
from plugins.bandwidth.rules import Terms
from plugins.bandwidth.tally import DAY, FIVE, HOUR, WEEK, Survey, Who

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
    for member in people:
        part, who = terms.allowance(member), Who("member", member.name)
        if not part:
            continue
        outlook = survey.outlook(who, member.joined)
        early = survey.time.until - survey.time.start < PROJECTED_FROM
        projected = None if early else outlook.projected
        hours = outlook.hours_left(part, who.amount(last_hour).total)
        yield _figure(member, "bandwidth", _percent(outlook.used, part))
        yield _figure(member, "bandwidth-projected", _percent(max(outlook.used, projected or 0), part))
        if outlook.used < part:
            yield _figure(member, "bandwidth-hours", LONG if hours is None else hours)


def spikes(machines: Iterable[Machine], survey: Survey, last_five: Sequence[Traffic]) -> Iterator[Figure]:
    """Yield how many times its usual traffic each machine's last 5 minutes had, after a day's knowledge."""
    known = min(WEEK, survey.time.until - survey.since)
    if known < DAY:
        return
    for machine in machines:
        who = Who("machine", machine.name)
        usual = Fraction(who.amount(survey.week).total, known)
        now = Fraction(who.amount(last_five).total, FIVE)
        yield Figure("machine", machine.name, "traffic-spike", float(now / max(usual, QUIET)))


def _percent(used: int, part: int) -> Fraction:
    return Fraction(used * 100, part)


def _figure(member: Member, measure: str, value: Fraction) -> Figure:
    return Figure("member", member.name, measure, float(value))
