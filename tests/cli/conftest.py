"""`shipboard` with one config, in this process or in one of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.cli import main

ROOT = Path(__file__).parents[2]
CONFIG = """
[networks.oftc]
kind = "irc"
host = "irc.example.org"
rooms = ["#ford"]
[networks.jabber]
kind = "xmpp"
jid = "eddie@ford.example"
[hosts.ford]
hypervisor = "fake"
memory_mib = 48
[hosts.zaphod]
hypervisor = "uml"
"""
ADMIN = ("member", "add", "alice", "--role", "admin", "--share", "full", "--identity", "oftc:Alice")
MACHINE = ("machine", "add", "m1", "--owner", "alice", "--host", "ford")


class Shell:
    """Runs verbs with one config, in this process."""

    def __init__(self, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.config, self._capsys = config, capsys
        self.state = config.parent / "data"
        self.database = self.state / "shipboard.db"

    def run(self, *words: str) -> tuple[int, str, str]:
        status = main([*words, "--config", str(self.config)])
        said = self._capsys.readouterr()
        return status, said.out, said.err

    def ok(self, *words: str) -> str:
        status, out, err = self.run(*words)
        assert (status, err) == (0, "")
        return out

    def wrong(self, *words: str) -> str:
        status, out, err = self.run(*words)
        assert (status, out) == (2, "")
        return one_line(err)


def one_line(err: str) -> str:
    assert err.startswith("shipboard: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    return err.removeprefix("shipboard: ").rstrip("\n")


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    config = tmp_path / "config.toml"
    config.write_text(CONFIG)
    return Shell(config, capsys)


@pytest.fixture
def process(shell: Shell) -> Callable[..., "subprocess.Popen[str]"]:
    """Start `shipboard` as a process of its own."""

    def start(*words: str, **options: object) -> "subprocess.Popen[str]":
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "SHIPBOARD_CONFIG": str(shell.config)}
        given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "cwd": shell.config.parent, **options}
        return subprocess.Popen([sys.executable, "-m", "bot.cli", *words], env=environ, text=True, **given)  # type: ignore[call-overload, no-any-return]  # options as they come

    return start
