"""What it takes to load one plugin's code anew while everything else goes on. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bot.core.plugin import Plugin


@dataclass(frozen=True, slots=True)
class Fresh:
    """A plugin, imported anew beside the one that runs; `keep` makes its modules the imported ones."""

    plugin: Plugin
    keep: Callable[[], None]


class Code(Protocol):
    """Where the code of the loaded plugins is."""

    def fresh(self, name: str) -> Fresh:
        """Import a plugin's modules anew, and leave the old ones in their place until the new are kept.

        PluginError says why that cannot be.
        """


class Reloader(Protocol):
    """Knows the loaded plugins, and puts a newer one in the place of a running one."""

    def loaded(self) -> tuple[str, ...]:
        """Return the names of the loaded plugins."""

    def off(self) -> tuple[str, ...]:
        """Return the names of the plugins that are switched off."""

    async def reload(self, name: str) -> str:
        """Load a plugin anew, and tell what has changed.

        NotFound for one that is not loaded; Conflict says why the old one goes on.
        """
