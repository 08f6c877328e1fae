"""Libraries made up for a test, in a folder on the path."""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from bot.imports import import_without

NAMES = ("ship_library", "ship_extra", "ship_other")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "ship_extra.py").write_text("class Wanted:\n    pass\n\n\nREAL = True\n")
    yield tmp_path
    for name in NAMES:
        sys.modules.pop(name, None)


def library(folder: Path, text: str) -> None:
    (folder / "ship_library.py").write_text(text)


def test_what_is_unwanted_is_not_there_for_the_library_and_is_for_others(folder: Path) -> None:
    library(folder, "try:\n    import ship_extra\nexcept ImportError:\n    ship_extra = None\n")
    import_without("ship_library", "ship_extra")
    assert import_module("ship_library").ship_extra is None
    assert import_module("ship_extra").REAL


def test_what_is_there_already_stays(folder: Path) -> None:
    extra = import_module("ship_extra")
    library(folder, "import ship_extra\n")
    import_without("ship_library", "ship_extra")
    first = import_module("ship_library")
    assert first.ship_extra is extra
    assert sys.modules["ship_extra"] is extra
    import_without("ship_library", "ship_extra")
    assert import_module("ship_library") is first


def test_a_stand_in_has_what_is_named_and_says_what_it_is(folder: Path) -> None:
    library(
        folder, "import ship_extra\nfrom ship_extra import Wanted\n\n\ndef use(it: ship_extra.Wanted): ...\n"
    )
    import_without("ship_library", stand_ins={"ship_extra": {"Wanted": KeyError}})
    found = import_module("ship_library")
    assert found.Wanted is KeyError
    with pytest.raises(AttributeError, match=r"ship_extra\.REAL: ship_extra was left out, see bot\.imports"):
        found.ship_extra.REAL  # noqa: B018 - to look is what is tried
    assert import_module("ship_extra").REAL


@pytest.mark.parametrize(
    "more",
    [
        "from ship_extra import REAL",
        "import ship_extra\nREAL = ship_extra.REAL",
        "from ship_extra import Wanted\n\n\nclass Real(Wanted, int):\n    pass\n\n\nREAL = Real(1)",
    ],
)
def test_a_library_that_wants_more_of_a_stand_in_gets_all(folder: Path, more: str) -> None:
    (folder / "ship_other.py").write_text("import ship_extra\n")
    library(folder, f"import ship_other\n{more}\n")
    import_without("ship_library", stand_ins={"ship_extra": {"Wanted": KeyError}})
    assert import_module("ship_library").REAL
    assert import_module("ship_other").ship_extra is import_module("ship_extra")


def test_what_is_wrong_with_a_library_itself_is_told(folder: Path) -> None:
    library(folder, "import ship_other\n")
    with pytest.raises(ModuleNotFoundError, match="ship_other"):
        import_without("ship_library", "ship_extra")
    assert not set(NAMES) & sys.modules.keys()
