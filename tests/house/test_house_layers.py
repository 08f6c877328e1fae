import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.conftest import OURS, ROOT

LINT = Path(sys.executable).with_name("lint-imports")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINT, "--no-logo", "--no-cache"],
        cwd=folder,
        env={"PATH": os.defpath, "PYTHONPATH": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_contract_is_kept() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout
    assert "0 broken" in result.stdout


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in OURS:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("files", "contract"),
    [
        ({"bot/core/zaphod.py": "import plugins.help"}, "1. the ship knows no plugin"),
        ({"bot/coop/zaphod.py": "import bot.core.rules"}, "2. layers"),
        ({"bot/store/zaphod.py": "import bot.transports.lines"}, "2. layers"),
        ({"bot/zaphod.py": ""}, "2. layers"),
        (
            {"plugins/ford.py": "", "plugins/zaphod.py": "import plugins.ford"},
            "3. plugins do not know each other",
        ),
        ({"plugins/zaphod.py": "from bot.store import x"}, "4. plugins know of ours only the public face"),
        ({"bot/coop/zaphod.py": "import asyncio"}, "5a. pure modules do not touch the world"),
        ({"bot/core/zaphod.py": "from time import time"}, "5a. pure modules do not touch the world"),
        ({"plugins/zaphod/__init__.py": "", "plugins/zaphod/tally.py": "import random"}, "5a. pure modules"),
        (
            {"plugins/zaphod/__init__.py": "", "plugins/zaphod/rules.py": "import bot"},
            "5b. a plugin's pure modules",
        ),
    ],
)
def test_a_contract_that_is_broken_is_named(copy: Path, files: dict[str, str], contract: str) -> None:
    for path, text in files.items():
        (copy / path).parent.mkdir(exist_ok=True)
        (copy / path).write_text(text + "\n")
    result = lint(copy)
    assert result.returncode == 1
    broken = [line for line in result.stdout.splitlines() if "BROKEN" in line or "not defined" in line]
    assert any(line.startswith(contract) for line in broken), result.stdout


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("bot/coop/zaphod.py", "datetime.datetime.now(datetime.UTC)"),
        ("bot/core/zaphod.py", "uuid.uuid4()"),
        ("bot/core/zaphod.py", 'pathlib.Path("x")'),
        ("plugins/zaphod.py", "datetime.date.today()"),
    ],
)
def test_the_clock_and_the_disk_are_banned_where_the_world_is_not_touched(
    copy: Path, path: str, fault: str
) -> None:
    text = f"import {fault.split('.', maxsplit=1)[0]}\n\nx = {fault}\n"
    (copy / path).write_text(text)
    (copy / "bot" / "store" / "zaphod.py").write_text(text)
    result = subprocess.run(
        [LINT.with_name("ruff"), "check", "--no-cache", "--select=TID251", "--output-format=concise", "."],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"{path}:3:5: TID251" in result.stdout
    assert "bot/store" not in result.stdout
