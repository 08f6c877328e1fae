"""Hands each tick to the plugins that watch: side by side, each within its time, a bad one contained."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

from bot.coop.samples import Tick
from bot.core.binding import bind_services, inject
from bot.core.hub import enact
from bot.core.invoke import Hands, name_of, within
from bot.core.plugin import Plugin
from bot.core.registry import Heard, Registry
from bot.model import Outcome
from bot.ports import Clock, Incidents, Store

SECONDS = 5.0
"""How long a plugin may take for one tick."""

QUIET = 600.0
"""Seconds for which the next faults of a plugin at its ticks are not reported."""


@dataclass(slots=True)
class Pulse:
    """The handlers of ticks; `services` is what they are given."""

    registry: Registry
    services: Mapping[type, object]
    store: Store
    clock: Clock
    incidents: Incidents
    hands: Hands
    _told: dict[str, float] = field(default_factory=dict)

    async def __call__(self, tick: Tick) -> None:
        """Let every plugin that watches have this tick."""
        await asyncio.gather(*(self._tell(heard, tick) for heard in self.registry.ticks))

    async def _tell(self, heard: Heard, tick: Tick) -> None:
        try:
            given = inject(heard.signature, {**self.services, Tick: tick})
            work = self.hands.invoke(heard.plugin, heard.handler, given)
            result = await within(self.clock, SECONDS, work, name_of(heard.handler))
            outcome = Outcome.of(cast("Outcome | None", result))
            if outcome.notices or outcome.events:
                await self.store.write(lambda tx: enact(tx, outcome))
        except Exception as error:  # noqa: BLE001 - one plugin's failure must not end what the others watch
            self._report(heard.plugin, error)

    def _report(self, plugin: str, error: Exception) -> None:
        now = self.clock.monotonic()
        if now - self._told.get(plugin, -QUIET) >= QUIET:
            self._told[plugin] = now
            self.incidents.report(error, during=f"plugin {plugin} at a tick")


def bind_ticks(plugins: Iterable[Plugin], services: frozenset[type]) -> tuple[Heard, ...]:
    """Bind the handlers of ticks; PluginError names what is wrong."""
    found = []
    for plugin in plugins:
        for handler in plugin.tick_handlers:
            where = f"plugin {plugin.name}: {name_of(handler)}"
            signature = bind_services(handler, services | {Tick}, where=where)
            found.append(Heard(plugin.name, Tick, handler, signature))
    return tuple(found)
