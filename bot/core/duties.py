"""What plugins do when entries of the schedule are due: bound at load, called with their services."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from bot.core import occurrences
from bot.core.binding import bind_services, inject
from bot.core.invoke import Hands, name_of, within
from bot.core.plugin import DueHandler, Function, Job, Plugin
from bot.core.registry import Heard, Registry
from bot.errors import PluginError, Usage
from bot.model import Outcome, Place, Reply
from bot.ports import Clock, Declared, Due, Plan, Scheduled, Target

_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_GROUPS = frozenset({"team", "alerts", "admins"})
SECONDS = 600.0
"""How long a handler may take."""


@dataclass(slots=True)
class Duties:
    """The handlers of the schedule's entries; `services` is what they are given."""

    registry: Registry
    services: Mapping[type, object]
    clock: Clock
    hands: Hands

    @property
    def kinds(self) -> Collection[str]:
        """The kinds of entries that have a handler, each as "PLUGIN KIND"."""
        return self.registry.duties.keys()

    async def __call__(self, entry: Scheduled, due: Due) -> Outcome:
        """Run an entry's handler for one date; what it raises comes out, a Fault if it takes too long."""
        duty = self.registry.duties[f"{entry.plan.plugin} {entry.plan.kind}"]
        given = inject(duty.signature, {**self.services, Scheduled: entry, Due: due})
        work = self.hands.invoke(duty.plugin, duty.handler, given)
        result = await within(self.clock, SECONDS, work, name_of(duty.handler))
        return Outcome.of(cast("str | Reply | Outcome | None", result))


def bind_duties(plugins: Sequence[Plugin], services: frozenset[type]) -> dict[str, Heard]:
    """Bind the handlers of jobs and of kinds of entries; PluginError names what is wrong."""
    duties: dict[str, Heard] = {}
    for plugin in plugins:
        jobs = [DueHandler(job.plugin, job.name, job.handler) for job in plugin.jobs]
        for one in (*jobs, *plugin.due_handlers):
            where = f"plugin {plugin.name}: {name_of(one.handler)}"
            if not _NAME.fullmatch(one.kind):
                raise PluginError(f"{where}: {one.kind!r} is no kind of entry; write one lower-case word")
            signature = bind_services(one.handler, services | {Scheduled, Due}, where=where)
            key = f"{plugin.name} {one.kind}"
            if key in duties:
                raise PluginError(f"{where}: {one.kind} is handled already")
            duties[key] = Heard(plugin.name, Scheduled, one.handler, signature)
    return duties


def declared(plugins: Sequence[Plugin], settings: Mapping[type, object], zone: str) -> tuple[Declared, ...]:
    """Return what the plugins' code and config put into the schedule; PluginError names what is wrong.

    `zone` holds for rules that name none.
    """
    found: list[Declared] = []
    for plugin in plugins:
        own = [_of_job(job, zone) for job in plugin.jobs]
        plans = [plan for planner in plugin.planners for plan in _planned(plugin, planner, settings)]
        own += [Declared(replace(plan, zone=plan.zone or zone)) for plan in plans]
        names: set[tuple[str, str]] = set()
        for one in own:
            key = (one.plan.kind, one.plan.name)
            _check(plugin.name, one.plan)
            if key in names:
                raise PluginError(
                    f"plugin {plugin.name}: two entries of the schedule are called {one.plan.name}"
                )
            names.add(key)
        found += own
    return tuple(found)


def _of_job(job: Job, zone: str) -> Declared:
    plan = Plan(
        plugin=job.plugin,
        kind=job.name,
        when=job.when,
        zone=zone,
        name=job.name,
        where=job.where,
        catch_up=job.catch_up,
        most=job.most,
        grace=job.grace,
    )
    return Declared(plan, job.at_once)


def _planned(plugin: Plugin, planner: Function, settings: Mapping[type, object]) -> Iterable[Plan]:
    where = f"plugin {plugin.name}: {name_of(planner)}"
    signature = bind_services(planner, frozenset({plugin.settings} if plugin.settings else ()), where=where)
    try:
        plans = tuple(planner(**inject(signature, settings)))
    except Exception as error:
        raise PluginError(f"{where}: {type(error).__name__}: {error}") from error
    for plan in plans:
        if not isinstance(plan, Plan) or plan.plugin != plugin.name or not plan.name:
            raise PluginError(f"{where}: {plan!r} is no Plan of this plugin with a name")
    return plans


def _check(plugin: str, plan: Plan) -> None:
    where = f"plugin {plugin}: {plan.name}"
    try:
        occurrences.declared(plan.when, plan.zone)
    except Usage as error:
        raise PluginError(f"{where}: {error}") from error
    if plan.most < 1 or plan.grace < 0:
        raise PluginError(f"{where}: most is at least 1, and grace at least 0 seconds")
    for target in plan.where:
        if not _is_place(target, plan):
            raise PluginError(
                f"{where}: nothing can be said at {target!r}; write team, alerts, admins or a Place"
            )


def _is_place(target: Target, plan: Plan) -> bool:
    return isinstance(target, Place) or target in _GROUPS or (target == "owner" and plan.owner is not None)
