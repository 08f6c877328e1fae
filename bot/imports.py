"""Importing libraries without what they bring along and nobody here uses: memory, and time at each start."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType
from typing import Any


class StandIn(ModuleType):
    """A module that has only what another one wants of it while that is imported."""

    def __init__(self, name: str, has: Mapping[str, object]) -> None:
        super().__init__(name)
        vars(self).update(has)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - it returns nothing at all
        raise AttributeError(f"{self.__name__}.{name}: {self.__name__} was left out, see bot.imports")


def import_without(
    library: str, *unwanted: str, stand_ins: Mapping[str, Mapping[str, object]] | None = None
) -> None:
    """Import a library as if others, which it takes where it finds them, were not there.

    `stand_ins` are those that it cannot do without: for each, what it wants of it at its import. Whoever
    wants the real ones later still gets them. What is imported already stays as it is.
    """
    if library in sys.modules:
        return
    missing: dict[str, ModuleType | None] = dict.fromkeys(unwanted)
    missing |= {name: StandIn(name, has) for name, has in (stand_ins or {}).items()}
    missing = {name: module for name, module in missing.items() if name not in sys.modules}
    sys.modules.update(missing)  # type: ignore[arg-type]  # an import of None fails, as in Python's manual
    try:
        import_module(library)
    finally:
        for name in missing:
            del sys.modules[name]


@contextmanager
def later(*names: str) -> Iterator[None]:
    """Have these modules, where they are imported meanwhile, run only once something of them is used."""
    finder = _Later(frozenset(names))
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Later(MetaPathFinder):
    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to find one of the modules; None for all others."""
        spec = PathFinder.find_spec(fullname, path, target) if fullname in self._names else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec
