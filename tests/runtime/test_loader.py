import importlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.core.plugin import Plugin
from bot.errors import PluginError
from bot.runtime import loader

GOOD = 'from bot import Plugin\nplugin = Plugin("{name}")\n'
Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, text: str) -> Path:
        path = tmp_path / "more" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture(autouse=True)
def clean_modules() -> Iterator[None]:
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("shipboard_"):
            del sys.modules[name]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, str], None]:
    """Install a distribution with one entry point, on a path of its own."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)

    def install(name: str, value: str, text: str) -> None:
        info = site / f"{name}_x-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}-x\nVersion: 1.0\n", encoding="utf-8"
        )
        (info / "entry_points.txt").write_text(f"[{loader.GROUP}]\n{name} = {value}\n", encoding="utf-8")
        (site / f"shipboard_{name}.py").write_text(text, encoding="utf-8")
        importlib.invalidate_caches()

    return install


def names(found: loader.Found) -> list[str]:
    return [loaded.plugin.name for loaded in found.loaded]


def fault(*args: object) -> str:
    with pytest.raises(PluginError) as caught:
        loader.load(*args)  # type: ignore[arg-type]  # the caller's to know
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_all_of_ours_are_loaded_where_none_is_named() -> None:
    assert names(loader.load(None, ())) == list(loader.own_names())
    assert {"help", "audit", "members", "vms", "hosts"} <= set(loader.own_names())


def test_help_is_always_there() -> None:
    assert names(loader.load((), ())) == ["help"]
    assert names(loader.load(("vms", "help"), ())) == ["help", "vms"]


def test_an_unknown_one_of_ours_is_named() -> None:
    assert fault(("vsm",), ()) == (
        f"bot.plugins: there is no plugin vsm; ours are {', '.join(loader.own_names())}"
    )


def test_files_and_folders_are_plugins_and_nothing_else(write: Write, tmp_path: Path) -> None:
    file = write("dice.py", GOOD.format(name="dice"))
    write("cards/__init__.py", "from .deck import plugin\n__all__ = ['plugin']\n")
    write("cards/deck.py", GOOD.format(name="cards"))
    for name in ("_private.py", ".hidden.py", "README.md", "notes/readme.txt"):
        write(name, "raise RuntimeError")
    found = loader.load((), (tmp_path / "more",))
    assert names(found) == ["help", "cards", "dice"]
    assert [loaded.path for loaded in found.loaded[1:]] == [tmp_path / "more" / "cards", file]


def test_an_installed_plugin_is_found_by_its_entry_point(install: Callable[[str, str, str], None]) -> None:
    install("dice", "shipboard_dice", GOOD.format(name="dice"))
    install("cards", "shipboard_cards:plugin", GOOD.format(name="cards"))
    found = loader.load((), ())
    assert names(found) == ["help", "cards", "dice"]
    assert found.loaded[2].path.name == "shipboard_dice.py"


@pytest.mark.parametrize("value", ["shipboard_dice:other", "not a module!", "a:b:c"])
def test_an_entry_point_that_is_no_module_is_named(
    install: Callable[[str, str, str], None], value: str
) -> None:
    install("dice", value, GOOD.format(name="dice"))
    assert fault((), ()) == f"plugin dice: the entry point is a module's name, not {value!r}"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (
            "import nowhere_to_be_found",
            "cannot be imported: ModuleNotFoundError: No module named 'nowhere_to_be_found'",
        ),
        ("def x(:", "cannot be imported: SyntaxError: invalid syntax"),
        ("raise ValueError('one\\ntwo')", "cannot be imported: ValueError: one two"),
        ("import sys; sys.exit(0)", "cannot be imported: SystemExit: 0"),
        ("plugin = None", "has no `plugin = Plugin('dice')`"),
        (GOOD.format(name="cards"), "calls itself cards; the names must be the same"),
    ],
)
def test_one_that_cannot_be_imported_is_named_in_one_line(
    write: Write, tmp_path: Path, install: Callable[[str, str, str], None], text: str, what: str
) -> None:
    path = write("dice.py", text)
    in_folder = fault((), (tmp_path / "more",))
    assert in_folder.startswith("plugin dice: ")
    assert what in in_folder
    if "Plugin" not in text and "plugin" not in text:
        assert "shipboard_plugin_dice" not in sys.modules
    path.unlink()
    install("dice", "shipboard_dice", text)
    installed = fault((), ())
    assert installed.startswith("plugin dice: ")
    assert what in installed


def test_where_an_import_fails_is_named(write: Write, tmp_path: Path) -> None:
    path = write("dice.py", "one = 1\nraise ValueError('two')\n")
    assert fault((), (tmp_path / "more",)).endswith(f"ValueError: two ({path}:2)")


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    assert fault((), (tmp_path / "no",)) == f"bot.plugin_folders: {tmp_path / 'no'} is no folder"


def test_two_plugins_of_one_name_are_named(write: Write, tmp_path: Path) -> None:
    path = write("help.py", GOOD.format(name="help"))
    assert fault((), (tmp_path / "more",)).startswith(f"plugin help: {path} and ")


def test_one_that_was_switched_off_is_left_out_wherever_it_is(
    write: Write, tmp_path: Path, install: Callable[[str, str, str], None]
) -> None:
    write("dice.py", "while True: pass")
    install("cards", "shipboard_cards", "while True: pass")
    off = tmp_path / "off"
    (off / "folder").mkdir(parents=True)
    (off / ".keep").touch()
    for name in ("dice", "cards", "vms"):
        (off / name).write_bytes(b"it held up the bot for 8 s\nstack \xff")
    found = loader.load(None, (tmp_path / "more",), off)
    assert {"dice", "cards", "vms"}.isdisjoint(names(found))
    assert found.off == tuple((name, "it held up the bot for 8 s") for name in ("cards", "dice", "vms"))


def test_a_file_that_python_cannot_load_is_named(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("dice.py", GOOD.format(name="dice"))
    monkeypatch.setattr("importlib.util.spec_from_file_location", lambda *_: None)
    assert fault((), (tmp_path / "more",)) == f"plugin dice: {path} is no Python file"


def test_where_nothing_was_switched_off_nothing_is_left_out(tmp_path: Path) -> None:
    assert loader.load((), (), tmp_path / "nothing").off == ()


# --- anew

CARDS = """\
from bot import Plugin, anyone
from {package} import {words}
plugin = Plugin("cards")
@plugin.command("ask", allow=anyone)
def ask():
    from {package} import {words}
    return {words}.WORD
"""


def cards(write: Write, word: str, *, words: str = "words") -> None:
    """Write a plugin in a folder that looks up its word only when it is asked."""
    write("cards/__init__.py", CARDS.format(package=".", words=words))
    write(f"cards/{words}.py", f"WORD = {word!r}\n")


def code_of(folder: Path) -> loader.Code:
    return loader.Code.of(loader.load((), (folder / "more",)))


def ask(plugin: Plugin) -> object:
    return plugin.commands[0].handler()


def modules(root: str) -> dict[str, object]:
    return {name: module for name, module in sys.modules.items() if name.startswith(root)}


def test_a_file_that_was_rewritten_is_imported_anew_even_within_a_second(
    write: Write, tmp_path: Path
) -> None:
    path = write("dice.py", GOOD.format(name="dice") + "x = 1\n")
    code = code_of(tmp_path)
    at = path.stat().st_mtime_ns
    write("dice.py", GOOD.format(name="dice") + "x = 2\n")
    os.utime(path, ns=(at, at))
    before = sys.modules["shipboard_plugin_dice"]
    fresh = code.fresh("dice")
    assert sys.modules["shipboard_plugin_dice"] is before
    fresh.keep()
    assert sys.modules["shipboard_plugin_dice"].x == 2
    assert code.loaded["dice"].plugin is fresh.plugin
    assert code.paths[path] == "dice"


def test_a_folders_modules_are_the_old_ones_until_the_new_ones_are_kept(write: Write, tmp_path: Path) -> None:
    cards(write, "old")
    code = code_of(tmp_path)
    old, before = code.loaded["cards"].plugin, modules("shipboard_plugin_cards")
    cards(write, "new", words="verba")
    fresh = code.fresh("cards")
    assert modules("shipboard_plugin_cards") == before
    assert ask(old) == "old"
    fresh.keep()
    assert set(modules("shipboard_plugin_cards")) == {
        "shipboard_plugin_cards",
        "shipboard_plugin_cards.verba",
    }
    assert ask(fresh.plugin) == "new"
    assert code.loaded["cards"].plugin is fresh.plugin


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import nowhere_to_be_found", "cannot be imported: ModuleNotFoundError"),
        ("from . import nothing", "cannot be imported: ImportError"),
        ("def x(:", "cannot be imported: SyntaxError"),
        ("raise SystemExit(1)", "cannot be imported: SystemExit: 1"),
        ("import sys\ndel sys.modules[__name__]\nraise ValueError", "cannot be imported: ValueError"),
        ("", "has no `plugin = Plugin('cards')`"),
        (GOOD.format(name="dice"), "calls itself dice; the names must be the same"),
    ],
)
def test_where_the_new_one_cannot_be_imported_the_old_modules_are_put_back(
    write: Write, tmp_path: Path, text: str, why: str
) -> None:
    cards(write, "old")
    code = code_of(tmp_path)
    before, loaded = modules("shipboard_plugin_cards"), code.loaded["cards"]
    write("cards/words.py", "WORD = 'half new'\n")
    write("cards/__init__.py", f"from . import words\n{text}")
    with pytest.raises(PluginError) as caught:
        code.fresh("cards")
    assert str(caught.value).startswith("plugin cards: ")
    assert why in str(caught.value)
    assert modules("shipboard_plugin_cards") == before
    assert code.loaded["cards"] is loaded
    assert ask(loaded.plugin) == "old"
    cards(write, "mended")
    code.fresh("cards").keep()
    assert ask(code.loaded["cards"].plugin) == "mended"


def test_one_below_a_package_is_found_there_and_its_neighbours_are_untouched(
    tmp_path: Path, install: Callable[[str, str, str], None]
) -> None:
    box = tmp_path / "site" / "shipboard_box"
    box.mkdir()
    (box / "__init__.py").write_text("")
    (box / "other.py").write_text("")
    (box / "words.py").write_text("WORD = 'old'")
    (box / "cards.py").write_text(
        "from shipboard_box import other\n" + CARDS.format(package="shipboard_box", words="words")
    )
    install("cards", "shipboard_box.cards", "")
    code = loader.Code.of(loader.load((), ()))
    package, other = sys.modules["shipboard_box"], sys.modules["shipboard_box.other"]
    before = sys.modules["shipboard_box.cards"]
    fresh = code.fresh("cards")
    assert package.cards is sys.modules["shipboard_box.cards"] is before
    fresh.keep()
    assert package.cards is sys.modules["shipboard_box.cards"]
    assert package.cards is not before
    assert package.cards.plugin is fresh.plugin
    assert sys.modules["shipboard_box.other"] is other


def test_a_file_that_became_a_folder_keeps_the_name_of_both(
    tmp_path: Path, install: Callable[[str, str, str], None]
) -> None:
    install("dice", "shipboard_dice", GOOD.format(name="dice"))
    code = loader.Code.of(loader.load((), ()))
    file = tmp_path / "site" / "shipboard_dice.py"
    file.unlink()
    (tmp_path / "site" / "shipboard_dice").mkdir()
    (tmp_path / "site" / "shipboard_dice" / "__init__.py").write_text(GOOD.format(name="dice"))
    code.fresh("dice").keep()
    assert {path for path, name in code.paths.items() if name == "dice"} == {file, file.with_suffix("")}


def test_ours_can_be_imported_anew() -> None:
    code = loader.Code.of(loader.load((), ()))
    before = modules("plugins")
    fresh = code.fresh("help")
    assert modules("plugins") == before
    assert fresh.plugin is not code.loaded["help"].plugin
    assert [c.name for c in fresh.plugin.commands] == [c.name for c in code.loaded["help"].plugin.commands]
