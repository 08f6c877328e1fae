"""Real guests that are hostile: their root mounts the host's files by hostfs, and gains nothing of the bot's.

The first test shows that the attack is a real one: without a sandbox it succeeds.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.config import SandboxKind
from bot.coop.machines import Machine
from bot.hypervisors.uml.sandbox import Means

pytestmark = pytest.mark.real

Site = Any
WORDS = "the bot's own words"
NOBODY = 65534
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: switching to another uid needs root")


def attack(folder: Path) -> str:
    """Mount the bot's folder every way there is; read the secret, write beside it, look into its process."""
    return f"""
        for option in {folder} / ../ ../../../../../.. {folder}/../{folder.name}; do
            mkdir -p /mnt && mount -t hostfs none /mnt -o $option || continue
            for place in /mnt /mnt/{folder.name} /mnt{folder} /mnt/..; do
                cat $place/secret
                echo pwned > $place/pwned
                echo pwned > $place/secret
                echo pwned > $place/ford/ford-1/record.json
                cat $place/ford/ford-1/record.json
            done
            cat /mnt/proc/{os.getpid()}/environ /mnt/proc/{os.getpid()}/mem | head -c 100
            umount /mnt
        done 2>/dev/null
        true
    """


def lay(folder: Path) -> None:
    (folder / "secret").write_text(WORDS)
    (folder / "secret").chmod(0o600)


def harm(folder: Path, output: str) -> list[str]:
    """Return what the attack gained."""
    gained = [name for name in ("wanted", WORDS, "PATH=") if name in output]
    gained += ["secret"] if (folder / "secret").read_text() != WORDS else []
    gained += ["pwned"] if list(folder.rglob("pwned")) else []
    return gained + (["record"] if "pwned" in (folder / "ford/ford-1/record.json").read_text() else [])


async def attacked(
    site: Site, machine: Machine, sandbox: SandboxKind, means: Means | None = None
) -> tuple[str, str]:
    lay(site.folder)
    bot = site.bot(sandbox)
    if means:
        bot._site.__dict__["means"] = means
    info = await bot.start(machine)
    result = await bot.run(machine, attack(site.folder))
    assert result.status == 0
    return info.limits.sandbox, result.output.decode("utf-8", "replace")


async def test_without_a_sandbox_the_attack_succeeds_and_it_is_shown(site: Site, machine: Machine) -> None:
    sandbox, output = await attacked(site, machine, "none")
    assert sandbox == "NONE"
    assert {"pwned", "secret"} <= set(harm(site.folder, output))


@AS_ROOT
@pytest.mark.parametrize("walls", [False, True])
async def test_under_another_uid_it_gains_nothing(site: Site, machine: Machine, walls: bool) -> None:  # noqa: FBT001 - a table's column
    if walls and not shutil.which("bwrap"):
        pytest.skip("NOT TESTED: bwrap is not installed")
    means = Means(switch=True, walls=walls, fixed_addresses=True)
    sandbox, output = await attacked(site, machine, "uid", means)
    assert sandbox == "uid"
    assert harm(site.folder, output) == []


async def test_behind_bubblewrap_it_gains_nothing(
    site: Site, machine: Machine, need: Callable[..., None]
) -> None:
    need("bwrap")
    sandbox, output = await attacked(site, machine, "bwrap")
    assert sandbox == "bwrap"
    assert harm(site.folder, output) == []


@pytest.fixture
def nobodys() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="ship"))
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    lay(folder)
    if os.geteuid() == 0:
        os.chown(folder / "secret", NOBODY, NOBODY)
    yield folder
    shutil.rmtree(folder)


def test_an_ordinary_users_guest_gains_nothing(
    nobodys: Path, uml_cache: Path, need: Callable[..., None]
) -> None:
    need("bwrap", "setpriv")
    script = Path(__file__).parent / "uml_bot.py"
    become = (
        ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.geteuid() == 0 else []
    )
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(script.parents[2])}
    probe = [*become, sys.executable, "-c", "import bot.hypervisors.uml.hypervisor"]
    if subprocess.run(probe, check=False, capture_output=True, env=env).returncode:
        pytest.skip("NOT TESTED: an ordinary user cannot read this checkout or its Python")
    command = base64.b64encode(attack(nobodys).encode()).decode()
    done = subprocess.run(
        [
            *become,
            sys.executable,
            str(script),
            str(nobodys),
            str(uml_cache),
            "auto",
            "start",
            f"run:{command}",
            "kill",
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=150,
        env=env,
    )
    started, (status, output), killed = (json.loads(line) for line in done.stdout.splitlines())
    assert started[0::2] == ["running", "bwrap"]
    assert status == 0
    assert harm(nobodys, output) == []
    assert killed == "killed"
