"""The plugin that the modules of this folder add to, and its table of the config."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bot import Place, Plan, Plugin, Target, Usage, read_when
from plugins.posts.grammar import EARLIEST

GROUPS = ("team", "alerts", "admins")


def _readable(text: str) -> str:
    try:
        read_when(text, zone="UTC", now=EARLIEST)
    except Usage as error:
        raise ValueError(str(error)) from error
    return text


def _known(text: str) -> str:
    if text not in GROUPS and not all(text.partition("/")):
        raise ValueError(f"{text} is no place: write team, alerts, admins or network/room")
    return text


Rule = Annotated[str, AfterValidator(_readable)]
Where = Annotated[str, AfterValidator(_known)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Digest(_Table):
    """`[plugins.posts.digest]`: when and where everybody is told how things are."""

    when: Rule
    where: Where = "team"


class Meeting(_Table):
    """`[[plugins.posts.meetings]]`: what people are reminded of 24 hours and 1 hour before."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    when: Rule
    text: Annotated[str, Field(max_length=300)] = ""
    where: Where = "team"
    before_hours: tuple[Annotated[int, Field(ge=1, le=168)], ...] = (24, 1)


class Settings(_Table):
    """`[plugins.posts]`: what people may have waiting, and the ready-made posts."""

    most_waiting: Annotated[int, Field(ge=1, le=1000)] = 10
    longest: Annotated[int, Field(ge=1, le=4000)] = 1000
    shortest_minutes: Annotated[int, Field(ge=1, le=1440)] = 1
    announce_minutes: Annotated[int, Field(ge=1, le=10080)] = 30
    digest: Digest | None = None
    meetings: tuple[Meeting, ...] = ()


plugin = Plugin("posts", Settings)


@plugin.plans
def ready_made(settings: Settings) -> tuple[Plan, ...]:
    """Return the posts that the config declares."""
    plans = [_reminder(meeting, hours) for meeting in settings.meetings for hours in meeting.before_hours]
    if settings.digest:
        where, when = (target(settings.digest.where),), settings.digest.when
        plans.append(Plan(plugin="posts", kind="digest", when=when, zone="", name="digest", where=where))
    return tuple(plans)


def _reminder(meeting: Meeting, hours: int) -> Plan:
    return Plan(
        plugin="posts",
        kind="meeting",
        when=f"{hours}h before {meeting.when}",
        zone="",
        name=f"{meeting.name} in {hours} h",
        where=(target(meeting.where),),
        payload=meeting.model_dump_json(include={"name", "text"})[:-1] + f',"hours":{hours}}}',
    )


def target(text: str) -> Target:
    """Return what a place of the config means; one of the groups, or a room."""
    for group in ("team", "alerts", "admins"):
        if text == group:
            return group
    network, _, room = text.partition("/")
    return Place(network, room)
