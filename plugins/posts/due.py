"""What is said when a post is due."""

from datetime import timedelta

from bot import About, Ask, Clock, DigestPart, Due, Links, Reply, Roster, Scheduled, span
from plugins.posts import fields, texts
from plugins.posts.declared import plugin
from plugins.posts.deeds import payload, still_there


@plugin.due("post")
@plugin.due("remind")
async def post(entry: Scheduled, due: Due, ask: Ask, clock: Clock, links: Links, roster: Roster) -> Reply:
    """Say a person's text, marked as theirs, and how late it is if it is."""
    await still_there(entry, links, roster)
    plan = entry.plan
    local = clock.now().astimezone(texts.zone_of(plan.zone))
    text = await fields.filled(str(payload(entry).get("text", "")), local, ask)
    return Reply(texts.marked(plan.owner or "nobody", f"{texts.late(due.late_seconds)}{text}"))


@plugin.due("digest")
async def digest(due: Due, ask: Ask, about: About, clock: Clock) -> Reply:
    """Tell what every plugin has to tell."""
    week = clock.now().astimezone(texts.zone_of(about.zone)).isocalendar().week
    parts = [line for part in await ask(DigestPart()) for line in part.splitlines() if line]
    head = f"{texts.late(due.late_seconds)}Digest of week {week}: "
    if len(parts) <= 1:
        return Reply((f"{head}{parts[0] if parts else 'nothing to tell'}.",))
    return Reply((head.rstrip(), *parts))


@plugin.due("meeting")
async def meeting(entry: Scheduled, due: Due, clock: Clock) -> Reply:
    """Remind of a meeting that is so many hours ahead."""
    kept, now = payload(entry), clock.now()
    begins = due.due_utc + timedelta(hours=int(kept["hours"]))
    left = (begins - now).total_seconds()
    when = texts.date(begins, texts.zone_of(entry.plan.zone), now)
    how = f"in {span(left)}: {when}" if left > 0 else f"was to begin {when}"
    text = f". {kept['text']}" if kept.get("text") else ""
    return Reply((f"{texts.late(due.late_seconds)}{kept['name']} {how}{text}",))
