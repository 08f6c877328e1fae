"""What commands and due posts share: what an entry holds, and whether it may be said where it goes."""

import json
from dataclasses import dataclass
from typing import Any

from bot import (
    Actor,
    Links,
    Member,
    NotAllowed,
    NotFound,
    Place,
    Refusal,
    Roster,
    Scheduled,
    Standing,
    Target,
    quoted,
)
from plugins.posts import texts
from plugins.posts.declared import target


@dataclass(frozen=True, slots=True)
class Post:
    """An entry of the schedule as a parameter of commands; `owner` is None for what the bot itself does."""

    entry: Scheduled

    @property
    def owner(self) -> str | None:
        """Whose it is."""
        return self.entry.plan.owner

    def __str__(self) -> str:
        return str(self.entry.number)


def payload(entry: Scheduled) -> dict[str, Any]:
    """Return what was kept with an entry."""
    kept = json.loads(entry.plan.payload)
    return kept if isinstance(kept, dict) else {}


def find_place(word: str, here: Place, member: Member, links: Links) -> Target:
    """Return the place that somebody names, if they may write there; NotFound, NotAllowed."""
    name = word.casefold()
    if name == "me":
        return "owner"
    if name in {"team", "alerts", "admins"}:
        if name != "team" and not member.is_admin:
            raise NotAllowed(f"Only admins may have something posted to the {name}.")
        return target(name)
    found = [r for r in links.rooms() if name in {r.name.casefold(), str(r).casefold()}]
    if len(found) > 1:
        found = [room for room in found if room.network == here.network] or found
    if not found:
        raise NotFound(
            f"{quoted(word)} is no room of mine: {', '.join(map(str, links.rooms()))}, team or me."
        )
    if found[0] != here and found[0] not in links.rooms("team") and not member.is_admin:
        raise NotAllowed(f"Only admins may have something posted to {found[0]} from elsewhere.")
    return found[0]


def default_place(here: Place, links: Links) -> Target:
    """Return where a post goes that names no place: where it was said."""
    if here.direct:
        return "owner"
    if here not in links.rooms():
        raise NotFound(f"{here.name} is no room of mine for long; name one: to team.")
    return here


async def still_there(entry: Scheduled, links: Links, roster: Roster) -> None:
    """Refusal where an entry's place is gone, or its owner may not speak now: it then rests."""
    for to in entry.plan.where:
        if isinstance(to, Place) and to not in links.rooms():
            raise Refusal(f"{to} is no room of mine any more")
    owner = await roster.member(entry.plan.owner) if entry.plan.owner else None
    if owner is not None and owner.standing is not Standing.GOOD:
        raise Refusal(f"{owner} is {owner.standing.value}")


def member_of(actor: Actor) -> Member:
    """Return the member who speaks."""
    if actor.member is None:
        raise NotAllowed("Only members have posts.")
    return actor.member


def is_open_to(entry: Scheduled, member: Member, links: Links) -> bool:
    """Tell whether a member may read an entry: theirs, admins all, and what goes to the team's rooms."""
    everybody = ("team", *links.rooms("team"))
    if member.is_admin or entry.plan.owner == member.name:
        return True
    return all(to in everybody for to in entry.plan.where)


def is_for_all(entry: Scheduled, here: Place, links: Links) -> bool:
    """Tell whether everybody who hears what is said here may read an entry."""
    groups = [group for group in ("alerts", "admins") if here in links.rooms(group)]
    return all(to in ("team", here, *groups, *links.rooms("team")) for to in entry.plan.where)


def what(entry: Scheduled, *, whole: bool = False) -> str:
    """Say what an entry is: the words of a person, marked, or the name of what the bot does itself."""
    plan, kept = entry.plan, payload(entry)
    if plan.plugin != "posts" or plan.name:
        return f"{plan.plugin} {plan.name or plan.kind}"
    if plan.kind == "maint":
        return f"maintenance of {kept.get('host')} ({kept.get('phase')})"
    text = str(kept.get("text", ""))
    return f"[{plan.owner}] {text if whole else texts.short(text)}"
