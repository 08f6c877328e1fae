import os
import site
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.house.conftest import ROOT, python_files

SHIPPED = ("policies/README.md", "seed/coop.toml", "config.example.toml")
"""What an installation has below bot/_share."""


def run(*words: str | Path, cwd: Path = ROOT, **environ: str) -> str:
    env = {"PATH": os.defpath, "HOME": str(cwd), **environ}
    done = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and a wheel that was built from it, as an index's user would get it."""
    folder = tmp_path_factory.mktemp("built")
    run(sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", folder)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as sdist:
        sdist.extractall(folder, filter="data")
    unpacked = next(path for path in folder.iterdir() if path.is_dir())
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder, cwd=unpacked)
    return folder


@pytest.fixture(scope="session")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it; the dependencies it borrows from this one, offline."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    wheel = next(built.glob("*.whl"))
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        wheel,
    )
    packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"))
    (packages / "borrowed.pth").write_text("\n".join(site.getsitepackages()))
    return folder


def test_the_wheel_holds_the_code_and_what_it_ships(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
    code = {path.relative_to(ROOT).as_posix() for path in python_files("bot", "plugins")}
    assert {name for name in names if name.endswith(".py")} == code
    assert {f"bot/_share/{name}" for name in SHIPPED} <= names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_sdist_holds_what_a_packager_needs(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        names = {name.split("/", 1)[-1] for name in sdist.getnames()}
    assert {
        "README.md",
        "LICENSE",
        "Makefile",
        "requirements.lock",
        "deploy/shipboard.service",
        ".ci/run",
    } <= names
    assert {"tests/house/test_house_packaging.py", "docs/security.md", "data/seed/coop.toml"} <= names
    assert not any(name.startswith((".venv", "data/cache", "data/shipboard")) for name in names)


def test_an_installation_knows_its_version_and_its_own_code(
    installed: Path, pyproject: dict[str, Any]
) -> None:
    version = run(installed / "bin" / "shipboard", "version", cwd=installed)
    assert pyproject["project"]["version"] in version
    code = "import bot, plugins; print(bot.__file__, plugins.__file__)"
    where = run(installed / "bin" / "python", "-c", code, cwd=installed).split()
    assert all(path.startswith(str(installed)) for path in where)


@pytest.mark.parametrize("name", ["policies", "seed", "config.example.toml"])
def test_an_installation_finds_what_it_ships(installed: Path, name: str) -> None:
    code = f"from bot.paths import share; print(share({name!r}))"
    path = Path(run(installed / "bin" / "python", "-c", code, cwd=installed))
    assert path.exists()
    assert path.is_relative_to(installed)
