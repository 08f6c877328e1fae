"""The rules in force: the config's tables with the policies' numbers in them."""

from datetime import datetime, time

from bot import Policies, is_within, zone_named
from bot.words import MEASURES, Measure, PolicyBook
from plugins.alerts.declared import Settings, plugin
from plugins.alerts.metrics import FALLING, FLAGS
from plugins.alerts.rules import Rule
from plugins.alerts.table import POLICY, RuleTable

UNITS = {"load": ""}
CLEARS = 0.9
"""Where a rule names no level at which it is over, it is this part of the one at which it is raised.

Where small values are the bad ones, the one at which it is raised is this part of it.
"""

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
    return _read(settings, policies.book())


@plugin.checks
def faults(settings: Settings, book: PolicyBook) -> tuple[str, ...]:
    """Say which rules name a policy's number that is not there."""
    return _read(settings, book)[1]


def _read(settings: Settings, book: PolicyBook) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    rules, wrong = [], []
    for table in settings.tables:
        try:
            rules.append(_rule(table, book))
        except KeyError as error:
            wrong.append(f"rule {table.name}: no policy has the number {error.args[0]}")
        except ValueError:
            wrong.append(f"rule {table.name}: {table.free} are no hours like 22:00 and 06:00")
    return tuple(rules), tuple(wrong)


def is_free(rule: Rule, now: datetime, zone: str) -> bool:
    """Tell whether a rule lets pass now what it watches: in its own zone if it names one, else in that."""
    if not rule.free:
        return False
    hours, _, own = rule.free.partition(" ")
    return is_within(hours, now, zone_named(own or zone))


def _rule(table: RuleTable, book: PolicyBook) -> Rule:
    raise_at = _number(table.raise_at, book)
    flag, measure = table.metric in FLAGS, MEASURES[table.scope].get(table.metric)
    measure = measure or Measure(WORDS.get(table.metric, table.metric), UNITS.get(table.metric, "%"))
    clear = raise_at / CLEARS if table.metric in FALLING else raise_at * CLEARS
    if table.clear_at is not None:
        clear = _number(table.clear_at, book)
    return Rule(
        name=table.name,
        scope=table.scope,
        metric=table.metric,
        severity=table.severity,
        raise_at=raise_at,
        clear_at=0.5 if flag else clear,
        hold=_number(table.hold, book, in_seconds=True),
        text=table.text or measure.text,
        unit=measure.unit,
        flag=flag,
        per_cpu=table.per_cpu,
        free=_free(table.free, book),
        to=table.to,
        clear_for=_number(table.clear_for, book, in_seconds=True),
    )


def _number(given: float | str, book: PolicyBook, *, in_seconds: bool = False) -> float:
    if not isinstance(given, str):
        return float(given)
    path = given.removeprefix(POLICY)
    scale = SCALES.get(path.rpartition("_")[2], 1) if in_seconds else 1
    return float(book.number(path) * scale)


def _free(given: str, book: PolicyBook) -> str:
    """Return hours as 22:00-06:00; of a policy those from its KEY_from until its KEY_until, in UTC."""
    if not given.startswith(POLICY):
        return given
    path = given.removeprefix(POLICY)
    start, end = (time.fromisoformat(str(book.value(f"{path}_{key}"))) for key in ("from", "until"))
    return f"{start:%H:%M}-{end:%H:%M} UTC"
