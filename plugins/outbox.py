"""Shows what is still to be said, and what was never said."""

from bot import Backlog, Clock, NotFound, Outgoing, Plugin, admins, counted, quoted, span

plugin = Plugin("outbox")
MOST = 50


@plugin.command("outbox", allow=admins, reads=True)
async def outbox(outgoing: Outgoing, clock: Clock) -> str:
    """Show what waits to be said, by place: how much, how old, the next try, and what was never said."""
    found = await outgoing.backlogs()
    lines = [_line(one, clock) for one in found[:MOST]]
    if not any(one.waiting for one in found):
        lines.insert(0, "Nothing waits to be said.")
    if len(found) > MOST:
        lines.append(f"And {counted(len(found) - MOST, 'more place')}.")
    return "\n".join(lines)


async def may_drop(outgoing: Outgoing, place: str) -> None:
    """Refuse a place for which nothing waits."""
    _some(sum(one.waiting for one in await outgoing.backlogs() if one.place == place), place)


@plugin.command(
    "outbox drop",
    allow=admins,
    confirm="Never say what waits for {place}?",
    check=may_drop,
    example="oftc/#ford",
)
async def drop(outgoing: Outgoing, place: str) -> str:
    """Give up what waits for a place, written as !outbox shows it."""
    count = _some(await outgoing.drop(place), place)
    return f"{counted(count, 'message')} for {quoted(place)} will not be said."


def _some(count: int, place: str) -> int:
    if not count:
        raise NotFound(f"Nothing waits for {quoted(place)}; !outbox names the places.")
    return count


def _line(one: Backlog, clock: Clock) -> str:
    now, parts = clock.now(), []
    if one.waiting and one.oldest:
        age = span((now - one.oldest).total_seconds())
        parts.append(f"{counted(one.waiting, 'message')}, the oldest {age} old")
    if one.next_try:
        parts.append(f"next try in {span(max(0.0, (one.next_try - now).total_seconds()))}")
    if one.expired:
        parts.append(f"{one.expired} expired")
    if one.dropped:
        parts.append(f"{one.dropped} dropped")
    return f"{one.place}: {'; '.join(parts)}."
