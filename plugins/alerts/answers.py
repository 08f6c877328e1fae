"""What other plugins, and the daily digest, are told of alerts."""

from datetime import datetime, timedelta

from bot import (
    About,
    Ask,
    Clock,
    DigestPart,
    Policies,
    PostField,
    Roster,
    Samples,
    StatusPart,
    Store,
    counted,
)
from plugins.alerts import kept, texts
from plugins.alerts.declared import Settings, plugin
from plugins.alerts.deeds import scene
from plugins.alerts.watch import Kind

DAY = timedelta(days=1)


@plugin.job(when="every day 09:00", where="alerts")
async def digest(  # noqa: PLR0913 - services, by name
    *,
    about: About,
    ask: Ask,
    clock: Clock,
    policies: Policies,
    roster: Roster,
    samples: Samples,
    settings: Settings,
    store: Store,
) -> str | None:
    """Tell what is open, and what a day has brought; nothing where there was nothing."""
    tick, now = samples.latest(), clock.now()
    if tick is None:
        return None
    seen, board = await scene(tick, settings, policies, roster, ask, about), await store.read(kept.load)
    told = texts.summary(board.active, seen.held(board), seen.rules)
    quiet = f"{counted(len(board.silences), 'silence')} in force" if board.silences else ""
    parts = [part for part in (told, quiet, await _cleared(store, now)) if part]
    return f"Alerts: {'; '.join(parts)}. !alert list" if parts else None


@plugin.answers(DigestPart)
async def digest_part(_: DigestPart, clock: Clock, store: Store) -> str | None:
    """Tell how many alerts are open, and how many a day has seen the end of."""
    board = await store.read(kept.load)
    parts = [texts.summary(board.active, {}, {}), await _cleared(store, clock.now())]
    told = "; ".join(part for part in parts if part)
    return f"alerts: {told}" if told else None


@plugin.answers(StatusPart)
async def status_part(_: StatusPart, store: Store) -> str:
    """Count the open alerts; nothing where there is none."""
    count = len((await store.read(kept.load)).active)
    return f"alerts: {count}" if count else ""


@plugin.answers(PostField)
async def alerts_field(question: PostField, store: Store) -> str | None:
    """Fill `{alerts}` in."""
    if question.name != "alerts":
        return None
    return texts.summary((await store.read(kept.load)).active, {}, {}) or "no alert"


async def _cleared(store: Store, now: datetime) -> str:
    count = await store.read(lambda db: kept.count(db, Kind.OVER.value, now - DAY))
    return f"{count} over within a day" if count else ""
