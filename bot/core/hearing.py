"""Which plugins hear which rooms: bound at load, so that a wrong handler or a wrong room stops the start."""

import inspect
from collections.abc import Iterable, Mapping

from bot.core.binding import bind_services
from bot.core.plugin import Hearing, Plugin
from bot.core.registry import Heard
from bot.errors import PluginError
from bot.model import Place, Remark


def bind_ears(
    plugins: Iterable[Plugin],
    settings: Mapping[type, object],
    services: frozenset[type],
    rooms: frozenset[str] | None,
) -> dict[Place, tuple[Heard, ...]]:
    """Return who hears what is said in each room; `rooms` are those that there are, None for any.

    PluginError names the first thing that is wrong.
    """
    ears: dict[Place, tuple[Heard, ...]] = {}
    for plugin in plugins:
        for hearing in plugin.hearings:
            where = f"plugin {plugin.name}: {hearing.handler.__name__}"
            signature = bind_services(hearing.handler, services | {Remark}, where=where)
            heard = Heard(plugin.name, Remark, hearing.handler, signature)
            for room in _rooms(plugin, hearing, settings, where):
                if rooms is not None and room not in rooms:
                    what = f"no network joins {room}, add it to that network's rooms"
                    raise PluginError(f"plugins.{plugin.name}: {what}")
                network, _, name = room.partition("/")
                place = Place(network, name)
                ears[place] = (*ears.get(place, ()), heard)
    return ears


def _rooms(plugin: Plugin, hearing: Hearing, settings: Mapping[type, object], where: str) -> tuple[str, ...]:
    if plugin.settings is None:
        raise PluginError(f"{where}: which rooms it hears stands in settings, and the plugin has none")
    if len(inspect.signature(hearing.rooms).parameters) != 1:
        raise PluginError(f"{where}: which rooms it hears is a function of the settings alone")
    try:
        found = tuple(dict.fromkeys(hearing.rooms(settings[plugin.settings])))
    except Exception as error:
        raise PluginError(f"{where}: which rooms it hears cannot be told: {error}") from error
    for room in found:
        if not (isinstance(room, str) and all(room.partition("/"))):
            raise PluginError(f"{where}: {room!r} is no room, write it as network/room")
    return found
