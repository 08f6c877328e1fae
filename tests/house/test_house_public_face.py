import ast
import importlib
import inspect
import subprocess
import sys

import pytest

from tests.house.conftest import ROOT

FACES = ("bot", "bot.words", "bot.testing")
HEAVY = {"apscheduler", "asyncio", "irc", "psutil", "slixmpp", "sqlite3", "sqlite_utils", "ssl", "subprocess"}


@pytest.mark.parametrize("name", FACES)
def test_every_public_name_is_there_once_and_says_what_it_is(name: str) -> None:
    face = importlib.import_module(name)
    names = face.__all__
    assert names
    assert len(set(names)) == len(names)
    for public in names:
        thing = getattr(face, public)
        assert not public.startswith("_")
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert inspect.getdoc(thing), f"{name}.{public} does not say what it is"


@pytest.mark.parametrize("name", FACES)
def test_what_a_face_imports_of_ours_is_public(name: str) -> None:
    face = importlib.import_module(name)
    tree = ast.parse(inspect.getsource(face))
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "bot"
        for alias in node.names
    }
    if name != "bot.testing":  # which has code of its own, and needs more than it gives
        assert imported <= set(face.__all__)


def test_the_face_imports_nothing_heavy() -> None:
    code = (
        "import sys; before = set(sys.modules); import bot; bot.Plugin; print(*(set(sys.modules) - before))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(result.stdout.split())
    assert "bot.model" in loaded
    assert HEAVY & loaded == set()


def test_the_face_imports_nothing_before_it_is_asked_for() -> None:
    code = "import sys, bot; print(*(name for name in sys.modules if name.startswith('bot.')))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
    with pytest.raises(AttributeError, match="no attribute 'deepthought'"):
        _ = importlib.import_module("bot").deepthought


def test_the_face_gives_what_its_types_say() -> None:
    face = importlib.import_module("bot")
    typed = {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(ast.parse(inspect.getsource(face)))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("bot.")
        for alias in node.names
    }
    assert set(typed) | {"words"} == set(face.__all__)
    for name, (module, there) in typed.items():
        assert getattr(face, name) is getattr(importlib.import_module(module), there), name
