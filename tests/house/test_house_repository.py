import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.conftest import ROOT, written_files

LOCKS = ("requirements.lock", "requirements-dev.lock")
PIN = re.compile(
    r"^([a-z0-9-]+)==(\S+)((?: ;[^\\\n]*)?)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE
)
MACHINE = re.compile(r"(?:^|[^A-Za-z0-9_.])/(?:work|root|home)/")
SECRET = re.compile(
    r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----|\bgh[pousr]_[A-Za-z0-9]{30}|\bAKIA[0-9A-Z]{16}\b"
)


def pins(lock: str) -> dict[str, str]:
    return {name: version for name, version, *_ in PIN.findall((ROOT / lock).read_text("utf-8"))}


def test_continuous_integration_has_one_command() -> None:
    for script in ("run", "packages"):
        assert os.access(ROOT / ".ci" / script, os.X_OK)
    text = (ROOT / ".ci" / "run").read_text("utf-8")
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "set -euo pipefail" in text
    assert "make test < /dev/null" in text


@pytest.mark.parametrize("lock", LOCKS)
def test_everything_in_a_lock_is_pinned_and_has_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    rest = PIN.sub("", text)
    assert len(pins(lock)) > 20
    assert [line for line in rest.splitlines() if line.strip() and not line.lstrip().startswith("#")] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_no_address(lock: str) -> None:
    assert (
        re.findall(r"\w+://\S*|--(?:extra-)?index-url|--find-links", (ROOT / lock).read_text("utf-8")) == []
    )


def test_the_lock_for_running_has_what_running_needs_and_no_more(pyproject: dict[str, Any]) -> None:
    wanted = [*pyproject["project"]["dependencies"], *pyproject["dependency-groups"]["build"]]
    locked = pins("requirements.lock")
    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(locked[canonicalize_name(requirement.name)]), requirement
    assert "tzdata" in locked
    assert {"libvirt-python", "matplotlib", "pytest", "mypy", "ruff"} & set(locked) == set()


def test_the_lock_for_development_adds_to_it_and_changes_nothing(pyproject: dict[str, Any]) -> None:
    locked, running = pins("requirements-dev.lock"), pins("requirements.lock")
    assert {name: locked.get(name) for name in running} == running
    for requirement in map(Requirement, pyproject["dependency-groups"]["dev"]):
        assert requirement.specifier.contains(locked[canonicalize_name(requirement.name)]), requirement


def test_the_lock_of_another_tool_is_not_kept() -> None:
    assert not (ROOT / "uv.lock").exists()


def test_nothing_names_the_machine_that_it_was_written_on() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in written_files()
        if not path.is_relative_to(ROOT / "tests")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if MACHINE.search(line)
    ]
    assert found == []


def test_no_secret_is_kept() -> None:
    found = [
        path for path in written_files() if SECRET.search(path.read_text("utf-8")) and path != Path(__file__)
    ]
    assert found == []


def test_what_a_bot_writes_in_its_checkout_is_not_kept() -> None:
    inside = ["git", "-c", "safe.directory=*", "-C", str(ROOT)]
    if subprocess.run([*inside, "rev-parse"], capture_output=True, check=False).returncode:
        pytest.skip("this is no git checkout")
    paths = [
        "data/shipboard.db",
        "data/cache/x",
        "config.toml",
        "secrets/oftc",
        ".venv/x",
        "uv.lock",
        ".coverage.json",
    ]
    kept = ["data/README.md", "data/seed/x", "policies/x.md", "config.example.toml", "bot/x.py"]
    result = subprocess.run(
        [*inside, "check-ignore", "--no-index", *paths, *kept], capture_output=True, text=True, check=False
    )
    assert result.stdout.split() == paths
