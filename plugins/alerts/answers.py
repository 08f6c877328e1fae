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
    Tick,
    counted,
)
from plugins.alerts import force, kept, texts
from plugins.alerts.board import Board
from plugins.alerts.declared import Settings, plugin
from plugins.alerts.deeds import scene
from plugins.alerts.rules import Rule
from plugins.alerts.watch import Alert, Kind

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
    now = clock.now()
    tick = samples.latest() or Tick(now, 0.0, {}, {})  # it can be the first thing that we do
    seen, board = await scene(tick, settings, policies, roster, ask, about), await store.read(kept.load)
    alerts, rules = public(board, settings, policies)
    held = seen.held(board).keys() & {alert.key for alert in alerts}
    quiet = f"{counted(len(board.silences), 'silence')} in force" if board.silences else ""
    told = texts.summary(alerts, board.silences, rules, held)
    parts = [part for part in (told, quiet, await _cleared(store, now)) if part]
    first = f"Alerts: {'; '.join(parts)}. !alert list" if parts else None
    return f"{first}\n{texts.names(alerts, now)}" if alerts else first


@plugin.answers(DigestPart)
async def digest_part(
    _: DigestPart, clock: Clock, policies: Policies, settings: Settings, store: Store
) -> str | None:
    """Tell how many alerts are open, and how many a day has seen the end of."""
    board = await store.read(kept.load)
    alerts, rules = public(board, settings, policies)
    parts = [texts.summary(alerts, board.silences, rules), await _cleared(store, clock.now())]
    told = "; ".join(part for part in parts if part)
    return f"alerts: {told}" if told else None


@plugin.answers(StatusPart)
async def status_part(_: StatusPart, policies: Policies, settings: Settings, store: Store) -> str:
    """Count the open alerts; nothing where there is none."""
    count = len(public(await store.read(kept.load), settings, policies)[0])
    return f"alerts: {count}" if count else ""


@plugin.answers(PostField)
async def alerts_field(
    question: PostField, policies: Policies, settings: Settings, store: Store
) -> str | None:
    """Fill `{alerts}` in."""
    if question.name != "alerts":
        return None
    board = await store.read(kept.load)
    alerts, rules = public(board, settings, policies)
    return texts.summary(alerts, board.silences, rules) or "no alert"


def public(board: Board, settings: Settings, policies: Policies) -> tuple[tuple[Alert, ...], dict[str, Rule]]:
    """Return the open alerts that are everybody's business, and the rules by name."""
    rules = {rule.name: rule for rule in force.in_force(settings, policies)[0]}
    return tuple(one for one in board.active if one.rule not in rules or not rules[one.rule].private), rules


async def _cleared(store: Store, now: datetime) -> str:
    count = await store.read(lambda db: kept.count(db, Kind.OVER.value, now - DAY))
    return f"{count} over within a day" if count else ""
