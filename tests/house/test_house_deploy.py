import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.house.conftest import ROOT

UNIT = ROOT / "deploy" / "shipboard.service"
EXPOSED = 2.7
"""What the unit says of itself, in the points of `systemd-analyze security`: 0 is shut, 10 is open."""

analyze = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze here")


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that is there: systemd looks for it."""
    text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text("utf-8"), flags=re.MULTILINE)
    copy = tmp_path / UNIT.name
    copy.write_text(text)
    return copy


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    )


@analyze
def test_systemd_understands_the_unit(unit: Path) -> None:
    result = run("systemd-analyze", "verify", unit)
    assert (result.returncode, result.stderr) == (0, "")


@analyze
def test_systemd_names_a_fault_in_it(unit: Path) -> None:
    unit.write_text(unit.read_text().replace("KillMode=process", "KillMode=proces"))
    assert "Failed to parse kill mode" in run("systemd-analyze", "verify", unit).stderr


@analyze
def test_the_unit_is_as_shut_as_it_says() -> None:
    assert f"says {EXPOSED} (OK)" in UNIT.read_text("utf-8")
    limit = str(int(EXPOSED * 10))
    result = run("systemd-analyze", "security", "--offline=true", f"--threshold={limit}", UNIT)
    assert result.returncode == 0, result.stdout
    assert f"Overall exposure level for shipboard.service: {EXPOSED}" in result.stdout


@pytest.mark.parametrize(
    "line",
    [
        "KillMode=process",  # the default would end every guest with the bot
        "OOMPolicy=continue",  # the default would end the bot with a guest
        "RuntimeDirectoryPreserve=yes",  # where the guests' sockets are
        "LockPersonality=no",  # a guest's kernel switches address randomisation off
        "MemoryDenyWriteExecute=no",  # and maps its memory executable
        "RestrictSUIDSGID=no",  # and has a setgid run folder
        "CapabilityBoundingSet=",
        "NoNewPrivileges=yes",
    ],
)
def test_guests_outlive_the_bot_and_can_be_started(line: str) -> None:
    assert line in UNIT.read_text("utf-8").splitlines()
