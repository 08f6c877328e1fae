"""`!bandwidth`: what was used, what is allowed, and how it goes on."""

from dataclasses import dataclass
from typing import Literal

from bot import (
    Actor,
    Chart,
    Clock,
    Policies,
    Reply,
    Roster,
    Samples,
    Traffic,
    Usage,
    members,
    sparkline,
    view,
)
from plugins.bandwidth import drawing, reading, texts
from plugins.bandwidth.declared import plugin
from plugins.bandwidth.rules import Terms, unfair
from plugins.bandwidth.tally import ALL, Amount, Billed, Window, billed, owners, window
from plugins.bandwidth.whom import House, Subject


@dataclass(frozen=True, slots=True)
class _Found:
    """What there is to tell: `rows` of everybody in a time, and what somebody used in each step of it."""

    subject: Subject
    house: House
    time: Window
    when: str
    rows: list[Traffic]
    amounts: list[Amount | None]
    bars: str

    @property
    def title(self) -> str:
        """The chart's heading."""
        return f"Transfer of {texts.title(self.subject.who)} {self.when}"

    @property
    def amount(self) -> Amount:
        """What they used of it all."""
        return self.subject.who.amount(self.rows)


@plugin.command("bandwidth", allow=members, reads=True, example="alice week")
async def bandwidth(  # noqa: PLR0913 - services, by name
    name: str | None = None,
    over: Literal["today", "week", "month", "ascii"] | None = None,
    style: Literal["ascii"] | None = None,
    *,
    actor: Actor,
    clock: Clock,
    policies: Policies,
    roster: Roster,
    samples: Samples,
) -> Reply:
    """Show what you, a member, a machine or all used of the month's transfer, and how it goes on."""
    asked = view(name, over, style)
    house = House(await roster.members(), await roster.machines(), Terms.of(policies.book()))
    time = window(asked.over, reading.whole_minute(clock.now().timestamp()))
    steps = await reading.steps(samples, time)
    rows, when = [row for step in steps for row in step], texts.during(asked.over, time.start)
    if asked.name:
        subject = house.find(asked.name, rows)
    elif actor.member:
        subject = house.member(actor.member)
    else:
        raise Usage("Whose: a member, a machine, or all?")
    if not rows:
        return Reply((texts.nothing(when),))
    amounts = [subject.who.amount(step) if step else None for step in steps]
    bars = sparkline([one.total if one else None for one in amounts], ascii=asked.ascii)
    found = _Found(subject, house, time, when, rows, amounts, f"{texts.STEPS[asked.over]} {bars}")
    return _some_time(found) if asked.over in {"today", "week"} else await _month(found, samples)


def _some_time(found: _Found) -> Reply:
    """Tell what was used in a time that no part is given for."""
    who = found.subject.who
    line = f"{texts.used(who, found.when, found.amount, None)}; {found.bars}"
    chart = drawing.chart(found.title, found.time, found.amounts)
    return _reply([line, _users(found, {})], chart)


async def _month(found: _Found, samples: Samples) -> Reply:
    """Tell what was used of the month's part, and how it goes on."""
    subject, rate = found.subject, await _billed(found, samples)
    known = await reading.survey(samples, found.time.until)
    outlook = known.outlook(subject.who, subject.joined) if known else None
    told = [texts.used(subject.who, found.when, found.amount, subject.allowance)]
    if subject.of_owner:
        told.append(texts.part(found.amount, subject.owner, subject.of_owner))
    if outlook:
        told.append(texts.ahead(outlook, subject.allowance))
    of = " of the uplink (the hosts' own traffic too)" if subject.who == ALL else ""
    p95 = [texts.p95(rate, of)] if rate else []
    lines = [f"{'; '.join(told)}.", "; ".join([*p95, found.bars]), _users(found, found.house.parts)]
    chart = drawing.chart(found.title, found.time, found.amounts, outlook, subject.allowance, "".join(p95))
    return _reply(lines, chart)


async def _billed(found: _Found, samples: Samples) -> Billed | None:
    """Return the 95th percentile; of all it is that of the uplinks, where they are counted."""
    who, rows = found.subject.who, found.rows
    uplinks = await reading.fives(samples, "host", reading.hosts_of(rows), found.time)
    if who == ALL:
        return billed(uplinks, uplinks, found.time) if any(map(any, uplinks.values())) else None
    names = found.house.owned(who, rows)
    return billed(await reading.fives(samples, "machine", names, found.time), uplinks, found.time)


def _users(found: _Found, parts: dict[str, int]) -> str:
    """Name who used most, if there are several, and who used more than is fair."""
    who = found.subject.who
    if who == ALL:
        used = owners(found.rows)
        fair = unfair(used, parts, found.amount.total, found.house.terms)
        return texts.users(used, parts, fair)
    machines = who.machines(found.rows)
    return texts.users(machines) if len(machines) > 1 else ""


def _reply(lines: list[str], chart: Chart) -> Reply:
    return Reply(tuple(line for line in lines if line), picture=chart)
