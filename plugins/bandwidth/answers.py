"""What alerts, posts and the digest are told of the month's transfer."""

from datetime import datetime

from bot import Clock, DigestPart, Figure, Figures, Policies, PostField, Roster, Samples
from plugins.bandwidth import reading, texts, watch
from plugins.bandwidth.declared import plugin
from plugins.bandwidth.rules import Terms
from plugins.bandwidth.tally import ALL, FIVE, HOUR, MINUTE, Survey
from plugins.bandwidth.whom import House


@plugin.answers(Figures)
async def figures(
    question: Figures, policies: Policies, roster: Roster, samples: Samples
) -> tuple[Figure, ...] | None:
    """Tell what each member has used and will use, and of which machine the traffic is unusual.

    The last minute is left out: it may not be written yet, and would look like a pause.
    """
    until = reading.whole_minute(question.at.timestamp()) - MINUTE
    survey = await reading.survey(samples, until)
    if survey is None:
        return None
    last_hour = await samples.traffic(until - HOUR, until)
    last_five = await samples.traffic(until - FIVE, until)
    people, machines = await roster.members(), await roster.machines()
    of_members = watch.members(people, Terms.of(policies.book()), survey, last_hour)
    return (*of_members, *watch.spikes(machines, survey, last_five))


@plugin.answers(DigestPart)
async def digest_part(
    _: DigestPart, clock: Clock, policies: Policies, roster: Roster, samples: Samples
) -> str | None:
    """Tell what is used of the pool, by whom most, and who is going to use more than their part."""
    survey = await _survey(samples, clock.now())
    if survey is None:
        return None
    house = House(await roster.members(), await roster.machines(), Terms.of(policies.book()))
    over = {}
    for member in house.people:
        subject = house.member(member)
        projected = survey.outlook(subject.who, subject.joined).projected
        if subject.allowance and projected is not None and projected > subject.allowance:
            over[member.name] = texts.percent(projected, subject.allowance)
    return texts.digest(survey, house.pool, over)


@plugin.answers(PostField)
async def bandwidth_field(
    question: PostField, clock: Clock, policies: Policies, roster: Roster, samples: Samples
) -> str | None:
    """Fill `{bandwidth}` in: what all used of the pool this month."""
    if question.name != "bandwidth":
        return None
    survey = await _survey(samples, clock.now())
    house = House(await roster.members(), (), Terms.of(policies.book()))
    return texts.of_pool(ALL.amount(survey.month).total if survey else 0, house.pool)


async def _survey(samples: Samples, now: datetime) -> Survey | None:
    return await reading.survey(samples, reading.whole_minute(now.timestamp()))
