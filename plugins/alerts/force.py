"""The rules in force: the config's tables with the policies' numbers in them."""

from datetime import time

from bot import Policies
from bot.words import PolicyBook
from plugins.alerts.declared import POLICY, RuleTable, Settings
from plugins.alerts.metrics import FLAGS
from plugins.alerts.rules import Rule

UNITS = {"load": ""}
CLEARS = 0.9
"""Where a rule names no level at which it is over, it is this part of the one at which it is raised."""

WORDS = {
    "pressure-cpu": "CPU pressure",
    "pressure-memory": "memory pressure",
    "pressure-io": "I/O pressure",
    "cpu": "CPU",
    "disk": "disk",
    "swap": "swap",
}
SCALES = {"minutes": 60, "hours": 3600}


def in_force(settings: Settings, policies: Policies) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """Return the rules, and what is wrong with those that cannot be in force."""
    rules, wrong = [], []
    for table in settings.tables:
        try:
            rules.append(_rule(table, policies.book()))
        except KeyError as error:
            wrong.append(f"rule {table.name}: no policy has the number {error.args[0]}")
    return tuple(rules), tuple(wrong)


def is_free(rule: Rule, now: time) -> bool:
    """Tell whether a rule lets pass, at that time of the day, what it watches."""
    if not rule.free:
        return False
    start, end = map(time.fromisoformat, rule.free.split("-"))
    return start <= now < end if start <= end else now >= start or now < end


def _rule(table: RuleTable, book: PolicyBook) -> Rule:
    raise_at = _number(table.raise_at, book)
    flag = table.metric in FLAGS
    clear = raise_at * CLEARS if table.clear_at is None else _number(table.clear_at, book)
    return Rule(
        name=table.name,
        scope=table.scope,
        metric=table.metric,
        severity=table.severity,
        raise_at=raise_at,
        clear_at=0.5 if flag else clear,
        hold=_number(table.hold, book),
        text=table.text or WORDS.get(table.metric, table.metric),
        unit=UNITS.get(table.metric, "%"),
        flag=flag,
        per_cpu=table.per_cpu,
        free=_free(table.free, book),
    )


def _number(given: float | str, book: PolicyBook) -> float:
    if not isinstance(given, str):
        return float(given)
    path = given.removeprefix(POLICY)
    return float(book.number(path) * SCALES.get(path.rpartition("_")[2], 1))


def _free(given: str, book: PolicyBook) -> str:
    """Return hours as 22:00-06:00; of a policy those from its KEY_from until its KEY_until."""
    if not given.startswith(POLICY):
        return given
    path = given.removeprefix(POLICY)
    return f"{book.value(f'{path}_from')}-{book.value(f'{path}_until')}"
