"""Importing libraries without what they bring along and nobody here uses: memory, and time at each start."""

import sys
from collections.abc import Mapping
from concurrent.futures import BrokenExecutor
from functools import partial
from importlib import import_module
from importlib.resources import files
from types import ModuleType
from typing import Any, TypeAlias

Has: TypeAlias = Mapping[str, Mapping[str, object]]
"""What is in modules, by their names."""


def import_slixmpp(*, lookups: bool) -> None:
    """Import it without what colours a log that nobody keeps, 3 MiB, and what runs a program that nobody has.

    What it does `lookups` with, 1 MiB, comes along only where a network has no address.
    """
    unwanted = ("pygments",) if lookups else ("pygments", "aiodns")
    import_without("slixmpp", *unwanted, stand_ins={"gnupg": {"GPG": object}})


def import_irc() -> None:
    """Import it without a client for the web, a parser of dates, and ctypes, which it has for Windows: 1 MiB.

    It finds its table of numerics by looking through all modules, in 30 ms, unless it is told where that is.
    """
    import_without("jaraco.context", stand_ins={"urllib.request": {}})
    import_without("dateutil.tz", "dateutil.tz.win")
    import_without("tempora", stand_ins={"dateutil.parser": {}})
    import_without("irc.events", stand_ins={"importlib_resources": {"files": partial(files, "irc")}})


def import_sqlite_utils() -> None:
    """Import it without numpy, 12 MiB and 0.1 s, which comes with what draws charts in a process of its own.

    Nor with click, which it has for a command line of its own: 1 MiB.
    """
    unused: Has = {"click": {"Group": object}, "dateutil.parser": {}}
    import_without("sqlite_utils", "numpy", stand_ins=unused)


def import_apscheduler() -> None:
    """Import it without its pools of processes, 1 MiB: one alarm in the event loop is all that it rings."""
    pools: Has = {"multiprocessing": {}, "concurrent.futures.process": {"BrokenProcessPool": BrokenExecutor}}
    import_without("apscheduler.executors.pool", stand_ins=pools)


class StandIn(ModuleType):
    """A module that has only what another one wants of it while that is imported."""

    def __init__(self, name: str, has: Mapping[str, object]) -> None:
        super().__init__(name)
        vars(self).update(has)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - it returns nothing at all
        raise AttributeError(f"{self.__name__}.{name}: {self.__name__} was left out, see bot.imports")


def import_without(library: str, *unwanted: str, stand_ins: Has | None = None) -> None:
    """Import a library as if others, which it takes where it finds them, were not there.

    `stand_ins` are those that it cannot do without: for each, what it wants of it at its import. It keeps
    them; whoever else imports the real ones later still gets them, and a version of the library that wants
    more gets all at once. What is imported already stays as it is.
    """
    if library in sys.modules:
        return
    before = dict(sys.modules)
    missing: dict[str, ModuleType | None] = dict.fromkeys(unwanted)
    missing |= {name: StandIn(name, has) for name, has in (stand_ins or {}).items()}
    missing = {name: module for name, module in missing.items() if name not in before}
    sys.modules.update(missing)  # type: ignore[arg-type]  # an import of None fails, as in Python's manual
    try:
        import_module(library)
    except Exception:  # noqa: BLE001 - whatever it lacked, it is imported again with all
        for name in sys.modules.keys() - before.keys():
            del sys.modules[name]
        import_module(library)
    finally:
        for name, module in missing.items():
            if sys.modules.get(name) is module:
                sys.modules.pop(name, None)
