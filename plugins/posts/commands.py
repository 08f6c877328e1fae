"""What people do with posts."""

import json
from datetime import datetime, timedelta
from itertools import pairwise

from bot import (
    About,
    Actor,
    Ask,
    Call,
    Clock,
    Conflict,
    Links,
    Member,
    NotAllowed,
    NotFound,
    Notice,
    Outcome,
    Plan,
    Reply,
    Schedule,
    Store,
    Target,
    Tx,
    Usage,
    When,
    admins,
    counted,
    members,
    owner_of,
    read_when,
)
from plugins.posts import fields, texts
from plugins.posts.declared import Settings, plugin
from plugins.posts.deeds import Post, default_place, find_place, is_for_all, is_open_to, member_of, what
from plugins.posts.grammar import said
from plugins.posts.windows import take_back

OWNER_OR_ADMINS = owner_of("post") | admins
NEXT = 3
"""How many of its next dates a post is shown with."""

KEPT = timedelta(days=1)


async def own_posts(actor: Actor, schedule: Schedule) -> list[Post]:
    """Return what a left-out number can mean: the speaker's own posts."""
    owner = actor.member.name if actor.member else ""
    return [Post(entry) for entry in await schedule.entries(plugin="posts", owner=owner)]


@plugin.converter(Post, candidates=own_posts, example="1")
async def to_post(word: str, schedule: Schedule) -> Post:
    """Find an entry of the schedule by its number."""
    number = word.removeprefix("#")
    if not (number.isascii() and number.isdigit() and len(number) < 10):  # noqa: PLR2004 - no schedule is longer
        raise Usage("A post has a number: !post list tells it.")
    try:
        return Post(await schedule.show(int(number)))
    except NotFound:
        raise NotFound(f"There is no post {int(number)} waiting; !post list names them.") from None


@plugin.command(
    "post add", allow=members, limit="20/10m", example="every friday 18:00 to team | Meeting in an hour"
)
async def post_add(  # noqa: PLR0913 - services, by name
    call: Call,
    *,
    about: About,
    ask: Ask,
    clock: Clock,
    links: Links,
    schedule: Schedule,
    settings: Settings,
    store: Store,
    when: str,
) -> str:
    """Post on time: when, a bar, the text; `to PLACE` before the bar names another room."""
    member, here = member_of(call.actor), call.message.place
    given = said(when, "!post add every friday 18:00 | Meeting in an hour")
    where = find_place(given.place, here, member, links) if given.place else default_place(here, links)
    rule = _rule(given.when, member, about, clock, settings)
    await _check(given.text, settings, ask)
    plan = _plan("post", rule, member, where, given.text)
    return await _added("Post", plan, rule, schedule=schedule, store=store, settings=settings)


@plugin.command("remind", allow=members, limit="20/10m", example="tomorrow 9:00 | Renew the domain")
async def remind(  # noqa: PLR0913 - services, by name
    call: Call,
    about: About,
    ask: Ask,
    clock: Clock,
    schedule: Schedule,
    settings: Settings,
    store: Store,
    *,
    when: str,
) -> str:
    """Remind you directly, on time: when, a bar, the text."""
    member = member_of(call.actor)
    given = said(when, "!remind tomorrow 9:00 | Renew the domain")
    if given.place and given.place.casefold() != "me":
        raise Usage("A reminder goes to you directly; for a room there is !post add.")
    rule = _rule(given.when, member, about, clock, settings)
    await _check(given.text, settings, ask)
    plan = _plan("remind", rule, member, "owner", given.text)
    return await _added("Reminder", plan, rule, schedule=schedule, store=store, settings=settings)


@plugin.command("announce", allow=admins, limit="10/10m", example="The new disks are in")
async def announce(
    call: Call, clock: Clock, ask: Ask, about: About, settings: Settings, *, text: str
) -> Outcome:
    """Say something to the team now, in all its rooms."""
    member, now = member_of(call.actor), clock.now()
    given = " ".join(text.split())
    await _check(given, settings, ask)
    filled = await fields.filled(given, now.astimezone(texts.zone_of(about.zone)), ask)
    notice = Notice("team", texts.marked(member.name, filled), expires=now + KEPT)
    return Outcome(Reply.of("Announced to the team."), (notice,))


@plugin.command("post list", allow=members, reads=True)
async def post_list(
    call: Call, about: About, clock: Clock, links: Links, schedule: Schedule, which: str | None = None
) -> Reply:
    """List what waits to be posted: all, or only yours (mine)."""
    member, now, here = member_of(call.actor), clock.now(), call.message.place
    if which is not None and which.casefold() not in {"mine", "all"}:
        raise Usage("Write !post list, or !post list mine.")
    mine = which is not None and which.casefold() == "mine"
    zone = texts.zone_of(member.zone, about.zone)
    found = [
        entry
        for entry in sorted(await schedule.entries(), key=lambda entry: not entry.plan.where)
        if (entry.plan.owner == member.name if mine else is_open_to(entry, member, links))
    ]
    lines = tuple(texts.listed(entry, what(entry), zone, now) for entry in found)
    aside = not all(is_for_all(entry, here, links) for entry in found)
    return Reply(lines or ("Nothing waits; !post add every friday 18:00 | Meeting begins.",), private=aside)


@plugin.command("post show", allow=members, reads=True)
async def post_show(
    call: Call, about: About, clock: Clock, links: Links, schedule: Schedule, post: Post
) -> Reply:
    """Show one post: its rule, its text and its next dates."""
    member, entry, now = member_of(call.actor), post.entry, clock.now()
    if not is_open_to(entry, member, links):
        raise NotAllowed(f"{entry.number} is not yours to read.")
    zone = texts.zone_of(member.zone, about.zone)
    line = texts.listed(entry, what(entry, whole=True), zone, now)
    dates = f"Dates: {texts.dates(schedule.dates(entry, NEXT), zone, now)}."
    return Reply((line, dates), private=not is_for_all(entry, call.message.place, links))


@plugin.command("post pause", allow=OWNER_OR_ADMINS)
async def post_pause(actor: Actor, schedule: Schedule, store: Store, post: Post) -> str:
    """Let a post rest until it is resumed; what falls due meanwhile does not come."""
    _not_a_window(post)
    number, by = post.entry.number, str(actor)
    await store.write(lambda tx: schedule.pause(tx, number, f"by {by}"))
    return f"{number} rests. !post resume {number}"


@plugin.command("post resume", allow=OWNER_OR_ADMINS)
async def post_resume(
    actor: Actor, about: About, clock: Clock, schedule: Schedule, store: Store, post: Post
) -> str:
    """Let a post go on from its next date."""
    _not_a_window(post)
    number = post.entry.number
    await store.write(lambda tx: schedule.resume(tx, number))
    zone = texts.zone_of(member_of(actor).zone, about.zone)
    dates = schedule.dates(await schedule.show(number), NEXT)
    return f"{number} goes on: {texts.dates(dates, zone, clock.now())}."


@plugin.command("post delete", allow=OWNER_OR_ADMINS)
async def post_delete(schedule: Schedule, store: Store, post: Post) -> str:
    """Take a post away for good; of a maintenance window all that is still to be said."""
    entry = post.entry
    if entry.plan.name:
        raise Conflict(
            f"{entry.number} comes from the plugins or their config; !post pause {entry.number} rests it."
        )
    if entry.plan.kind == "maint" and entry.plan.plugin == "posts":
        return await take_back(entry, schedule, store)
    await store.write(lambda tx: schedule.delete(tx, entry.number))
    return f"{entry.number} is gone."


def _rule(text: str, member: Member, about: About, clock: Clock, settings: Settings) -> When:
    """Read a time of a member's; Usage if it comes more often than the config allows."""
    now = clock.now()
    rule = read_when(text, zone=member.zone or about.zone, now=now)
    dates = rule.upcoming(now, 50)
    least = timedelta(minutes=settings.shortest_minutes)
    if any(later - earlier < least for earlier, later in pairwise(dates)):
        raise Usage(
            f"“{text}” is too often: at most every {counted(settings.shortest_minutes, 'minute')} here."
        )
    return rule


async def _check(text: str, settings: Settings, ask: Ask) -> None:
    if len(text) > settings.longest:
        raise Usage(f"That is {len(text)} characters; at most {settings.longest} can be posted.")
    await fields.check(text, ask)


def _plan(kind: str, rule: When, member: Member, where: Target, text: str) -> Plan:
    return Plan(
        plugin="posts",
        kind=kind,
        when=rule.canonical,
        zone=rule.zone,
        owner=member.name,
        where=(where,),
        payload=json.dumps({"text": text}),
    )


async def _added(
    name: str, plan: Plan, rule: When, *, schedule: Schedule, store: Store, settings: Settings
) -> str:
    """Add a post unless its owner has too many waiting, and say when it comes."""
    at, number = await store.write(lambda tx: _add(tx, schedule, plan, settings.most_waiting))
    dates = texts.dates(rule.upcoming(at, NEXT), texts.zone_of(rule.zone), at)
    return f"{name} {number} to {texts.place(plan.where, plan.owner)}: {dates}. !post delete {number}"


def _add(tx: Tx, schedule: Schedule, plan: Plan, most: int) -> tuple[datetime, int]:
    owner = plan.owner or ""
    if schedule.count(tx, plugin="posts", owner=owner) >= most:
        raise Conflict(f"Of posts and reminders you have {most} waiting, which is all; !post list mine.")
    return tx.at, schedule.add(tx, plan)


def _not_a_window(post: Post) -> None:
    if post.entry.plan.plugin == "posts" and post.entry.plan.kind == "maint":
        raise Conflict(f"A maintenance window takes place or not: !post delete {post.entry.number}.")
