from pathlib import Path

import pytest

from bot import paths
from bot.errors import ConfigError

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("name", "place"),
    [("policies", "policies"), ("seed", "data/seed"), ("config.example.toml", "config.example.toml")],
)
def test_a_checkout_has_what_is_shipped(name: str, place: str) -> None:
    assert paths.share(name) == ROOT / place


def test_what_was_installed_with_the_package_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "bot"
    (package / "_share" / "policies").mkdir(parents=True)
    (tmp_path / "policies").mkdir()
    monkeypatch.setattr(paths, "_PACKAGE", package)
    assert paths.share("policies") == package / "_share" / "policies"


def test_an_installation_that_lacks_something_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "_PACKAGE", tmp_path / "bot")
    with pytest.raises(ConfigError, match="this installation lacks seed: install shipboard again"):
        paths.share("seed")
