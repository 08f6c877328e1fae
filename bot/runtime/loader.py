"""Finds plugins in three places, all on the same API: ours, the entry-point group, folders of the config."""

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from bot.core.plugin import Plugin
from bot.core.reload import Fresh
from bot.errors import PluginError

GROUP = "shipboard.plugins"
OWN = "plugins"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A plugin, the file or folder that its code is in, its module's name, and how that is imported."""

    plugin: Plugin
    path: Path
    module: str
    importing: Callable[[], ModuleType]


@dataclass(frozen=True, slots=True)
class Found:
    """What was loaded, and the plugins that are switched off, each with the first line of its reason."""

    loaded: tuple[Loaded, ...]
    off: tuple[tuple[str, str], ...] = ()

    @property
    def paths(self) -> dict[Path, str]:
        """The names of the plugins by the files and folders of their code."""
        return {loaded.path: loaded.plugin.name for loaded in self.loaded}


@dataclass(frozen=True, slots=True)
class Code:
    """The loaded plugins' code, as bot.core.reload.Code.

    `paths` names them by the files and folders of their code, those of before a reload too: some of it may
    still run.
    """

    loaded: dict[str, Loaded]
    paths: dict[Path, str]

    @classmethod
    def of(cls, found: Found) -> "Code":
        """Return the code of what was loaded."""
        return cls({loaded.plugin.name: loaded for loaded in found.loaded}, found.paths)

    def fresh(self, name: str) -> Fresh:
        """Import a plugin's modules anew from where they were, and put the old ones back.

        It is done on the loop's own thread, where the watchdog sees it should it never end.
        """
        before = self.loaded[name]
        _forget_bytecode(before.path)
        importlib.invalidate_caches()
        running = _take(before.module)
        try:
            after = _load(before.importing, name)
        finally:
            modules = _take(before.module)
            _give(before.module, running)
        return Fresh(after.plugin, partial(self._keep, after, modules))

    def _keep(self, after: Loaded, modules: Mapping[str, ModuleType]) -> None:
        _take(after.module)
        _give(after.module, modules)
        self.loaded[after.plugin.name] = after
        self.paths[after.path] = after.plugin.name


def own_names() -> tuple[str, ...]:
    """Return the names of the plugins that come with shipboard."""
    folder = Path(_import(OWN, OWN).__path__[0])
    return tuple(sorted(path.stem for path in folder.iterdir() if _is_plugin(path)))


def load(names: Sequence[str] | None, folders: Sequence[Path], off: Path | None = None) -> Found:
    """Import plugins: the named ones of ours (None: all), the entry points', and those in folders.

    PluginError names the first that cannot be loaded. `help` is always loaded. A plugin with a file of its
    name in the folder `off` was switched off by the watchdog, and is left out.
    """
    wanted = own_names() if names is None else tuple(dict.fromkeys(("help", *names)))
    reasons = _switched_off(off)
    loaded: dict[str, Loaded] = {}
    for found in (*_ours(wanted, reasons), *_installed(reasons), *_in_folders(folders, reasons)):
        name = found.plugin.name
        if name in loaded:
            raise PluginError(f"plugin {name}: {found.path} and {loaded[name].path} have the same name")
        loaded[name] = found
    return Found(tuple(loaded.values()), tuple(sorted(reasons.items())))


def _switched_off(off: Path | None) -> dict[str, str]:
    if off is None or not off.is_dir():
        return {}
    found = (path for path in sorted(off.iterdir()) if path.is_file() and not path.name.startswith("."))
    return {path.name: path.read_text("utf-8", "replace").split("\n", 1)[0] for path in found}


def _ours(names: Sequence[str], off: dict[str, str]) -> Iterator[Loaded]:
    for name in names:
        if name not in off:
            if importlib.util.find_spec(f"{OWN}.{name}") is None:
                raise PluginError(
                    f"bot.plugins: there is no plugin {name}; ours are {', '.join(own_names())}"
                )
            yield _load(partial(_import, f"{OWN}.{name}", name), name)


def _installed(off: dict[str, str]) -> Iterator[Loaded]:
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        if point.name not in off:
            yield _load(partial(_import, _module_of(point), point.name), point.name)


def _module_of(point: EntryPoint) -> str:
    """Return the module that an entry point names, as in `dice = "shipboard_dice"`."""
    if point.pattern.fullmatch(point.value) is None or point.attr not in {None, "plugin"}:
        raise PluginError(f"plugin {point.name}: the entry point is a module's name, not {point.value!r}")
    return point.module


def _in_folders(folders: Sequence[Path], off: dict[str, str]) -> Iterator[Loaded]:
    for folder in folders:
        if not folder.is_dir():
            raise PluginError(f"bot.plugin_folders: {folder} is no folder")
        for path in sorted(folder.iterdir()):
            if _is_plugin(path) and path.stem not in off:
                yield _load(partial(_import_file, path), path.stem)


def _is_plugin(path: Path) -> bool:
    if path.name.startswith(("_", ".")):
        return False
    return path.suffix == ".py" or (path / "__init__.py").is_file()


def _import(module: str, name: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except (Exception, SystemExit) as error:
        raise _unloadable(name, error) from error


def _import_file(path: Path) -> ModuleType:
    file = path if path.suffix == ".py" else path / "__init__.py"
    name = f"shipboard_plugin_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise PluginError(f"plugin {path.stem}: {file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        sys.modules.pop(name, None)
        raise _unloadable(path.stem, error) from error
    return module


def _unloadable(name: str, error: BaseException) -> PluginError:
    """Say in one line why a plugin's code cannot be imported, and where in it."""
    what = " ".join(f"{type(error).__name__}: {error}".split())
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return PluginError(f"plugin {name}: cannot be imported: {what}{where}")


def _load(importing: Callable[[], ModuleType], name: str) -> Loaded:
    module = importing()
    plugin = getattr(module, "plugin", None)
    file = Path(module.__file__ or name)
    if not isinstance(plugin, Plugin):
        raise PluginError(f"plugin {name}: {file} has no `plugin = Plugin({name!r})`")
    if plugin.name != name:
        raise PluginError(f"plugin {name}: {file} calls itself {plugin.name}; the names must be the same")
    path = file.parent if file.name == "__init__.py" else file
    return Loaded(plugin, path, module.__name__, importing)


def _take(root: str) -> dict[str, ModuleType]:
    """Take a plugin's module and those below it out of what is imported."""
    names = [name for name in sys.modules if name == root or name.startswith(f"{root}.")]
    return {name: sys.modules.pop(name) for name in names}


def _give(root: str, modules: Mapping[str, ModuleType]) -> None:
    sys.modules.update(modules)
    package, _, name = root.rpartition(".")
    if package:
        setattr(sys.modules[package], name, modules[root])


def _forget_bytecode(path: Path) -> None:
    """Let no bytecode be taken for that of a newer file of the same second and size."""
    for file in path.rglob("*.py") if path.is_dir() else (path,):
        with suppress(OSError):
            Path(importlib.util.cache_from_source(file)).unlink()
