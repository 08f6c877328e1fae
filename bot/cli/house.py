"""Whether `bot` and `plugins` are of one house: both are common names that something else may answer to."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import bot
from bot.errors import ConfigError


def one_house() -> None:
    """See that Python would take our own plugins; ConfigError that says whose it would take instead.

    A `plugins` folder where Python was started wins over an installed one; so does a second package.
    """
    spec = find_spec("plugins")
    places = list(spec.submodule_search_locations or ()) if spec else []
    if fault := stranger(Path(bot.__file__).parent, places):
        raise ConfigError(fault)


def stranger(ours: Path, plugins: Sequence[str]) -> str | None:
    """Name what is wrong if the first of the places of `plugins` is not beside our package."""
    house = ours.parent
    if not plugins:
        return f"this installation lacks its plugins (looked in {house}): install shipboard again"
    found = Path(plugins[0]).resolve()
    if found != (house / "plugins").resolve():
        return f"bot is {ours} but plugins is {found}: start shipboard in another folder, or rename that one"
    return None
