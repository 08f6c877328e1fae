"""The command line: every mistake is one line and status 2, whatever the verb."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from bot.cli import main
from bot.cli.house import stranger
from bot.errors import StoreFault
from tests.cli.conftest import ADMIN, MACHINE, ROOT, Shell, one_line

IN_A_REMOVED_FOLDER = """
import os
os.rmdir(os.getcwd())
from bot.cli import main
raise SystemExit(main(["member", "list"]))
"""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "the following arguments are required: VERB; see shipboard --help"),
        (("fly",), "invalid choice: 'fly'"),
        (("fl\ny",), "invalid choice: 'fl\\ny'"),
        (("member",), "the following arguments are required: VERB; see shipboard member --help"),
        (("member", "drop"), "invalid choice: 'drop'"),
        (("member", "add"), "the following arguments are required: NAME; see shipboard member add --help"),
        (("member", "add", "A B"), "“a b” is no member's name"),
        (("member", "add", "co-op"), "“co-op” is no member's name"),
        (("member", "add", "bob", "--role", "god"), "invalid choice: 'god' (choose from 'admin', 'member')"),
        (("member", "add", "bob", "--share", "third"), "invalid choice: 'third'"),
        (("member", "add", "bob", "--rol", "admin"), "unrecognized arguments: --rol admin"),
        (("member", "add", "bob", "--identity"), "argument --identity: expected one argument"),
        (
            ("member", "add", "bob", "--identity", "bob"),
            "an identity is written NETWORK:SUBJECT, like jabber:",
        ),
        (("member", "add", "bob", "--identity", "oftc:b!o@b"), "“b!o@b” is no services account"),
        (("member", "add", "bob", "--identity", "jabber:bob"), "“bob” is a server"),
        (("member", "add", "alice"), "alice is a member already."),
        (("member", "add", "bob", "more"), "unrecognized arguments: more"),
        (("member", "identity", "bob", "oftc:bob"), "Nobody is called bob."),
        (("member", "identity", "alice"), "the following arguments are required: NETWORK:SUBJECT"),
        (("member", "identity", "alice", "x\udc80:y"), "no network is called"),
        (("member", "list", "more"), "unrecognized arguments: more"),
        (("machine", "add", "m1"), "the following arguments are required: --owner, --host"),
        ((*MACHINE[:-1], "mars"), "--host: no host is called 'mars' in"),
        (("machine", "add", "m1", "--owner", "bob", "--host", "ford"), "Nobody is called bob."),
        (("machine", "add", "M_1", "--owner", "alice", "--host", "ford"), "“M_1” is no machine's name"),
        ((*MACHINE, "--memory", "much"), "argument --memory: invalid int value: 'much'"),
        ((*MACHINE, "--memory", "-1"), "a machine has 24 to 65536 MiB, not -1"),
        ((*MACHINE, "--kernel", "/dev/null"), "--kernel and --initrd go together"),
        ((*MACHINE, "--initrd", "/dev/null"), "--kernel and --initrd go together"),
        ((*MACHINE, "--disk", "/nowhere"), "--disk: there is no file /nowhere"),
        ((*MACHINE, "--disk", "/x", "--kernel", "/y"), "--disk goes without --kernel and --initrd"),
        (("backup",), "the following arguments are required: FILE"),
        (("backup", "/"), "/: choose another file for the backup"),
        (("backup", "/dev/null/x"), "/dev/null/x: cannot be written: Not a directory"),
        (("backup", "/nowhere/x.db"), "/nowhere/x.db: cannot be written: No such file or directory"),
        (("backup", "/etc/passwd"), "/etc/passwd: holds something else"),
        (("verify", "--head", "xyz"), "--head: 'xyz' is no head; one has 12 to 64 hex digits"),
        (("verify", "--head"), "argument --head: expected one argument"),
        (("init",), "the following arguments are required: DIR"),
        (("init", "/dev/null/x"), "Not a directory"),
        (("check", "now"), "unrecognized arguments: now"),
        (("run", "away"), "unrecognized arguments: away"),
        (("demo", "tape"), "unrecognized arguments: tape"),
        (("when", "every freitag 18:00"), "“freitag” is no day"),
        (("when", "every day 18:00 UTC", "--zone", "Europe/Berlim"), "“Europe/Berlim” is no time zone"),
        (("when", "every day 18:00", "--from", "yesterday"), "--from yesterday: write an instant like"),
        (("when", "every day 18:00", "--from", "0001-01-01T00:00+14"), "--from 0001-01-01T00:00+14: write"),
        (("when", "every day 18:00", "--count", "0"), "--count 0: write a number from 1 to 10000"),
        (("when", "every day 18:00", "--count", "9" * 30), f"--count {'9' * 30}: write a number"),
        (("when", "every day 18:00", "--count", "few"), "argument --count: invalid int value: 'few'"),
        (("when",), "the following arguments are required: EXPRESSION"),
        (("tally", "file.json"), "file.json: No such file or directory"),
        (("version", "2"), "unrecognized arguments: 2"),
    ],
)
def test_wrong_use_is_one_line(shell: Shell, words: tuple[str, ...], said: str) -> None:
    shell.ok(*ADMIN)
    assert said in shell.wrong(*words)


def test_when_prints_the_next_instants_and_needs_no_config(capsys: pytest.CaptureFixture[str]) -> None:
    friday = ["when", "every friday 18:00", "--zone", "Europe/Berlin"]
    assert main([*friday, "--from", "2026-10-23T16:00:00Z"]) == 0
    assert capsys.readouterr().out.split() == [
        "2026-10-30T17:00:00Z", "2026-11-06T17:00:00Z", "2026-11-13T17:00:00Z",
    ]  # fmt: skip
    assert main(["when", "on 2026-12-24 18:00 Europe/Berlin", "--from", "2026-11-01", "--count", "9"]) == 0
    assert capsys.readouterr().out == "2026-12-24T17:00:00Z\n"
    assert main(["when", "in 3h"]) == 0
    assert len(capsys.readouterr().out) == len("2026-12-24T17:00:00Z\n")


NEEDS_A_CONFIG = [
    ("run",), ("check",), ("member", "list"), ADMIN, ("member", "identity", "a", "b:c"), MACHINE,
    ("machine", "list"), ("backup", "x.db"), ("verify",), ("vote", "export", "1", "x"),
]  # fmt: skip


@pytest.mark.parametrize("words", NEEDS_A_CONFIG, ids=" ".join)
def test_a_wrong_config_is_one_line_whatever_the_verb(shell: Shell, words: tuple[str, ...]) -> None:
    shell.config.write_text("[bot]\nnik = 'Eddie'")
    assert shell.wrong(*words) == f"{shell.config}: bot.nik: unknown key; did you mean nick?"
    shell.config.write_text("[bot")
    assert f"{shell.config}: not TOML: " in shell.wrong(*words)
    shell.config.unlink()
    assert shell.wrong(*words) == f"{shell.config}: cannot be read: No such file or directory"
    shell.config.mkdir()
    assert shell.wrong(*words) == f"{shell.config}: cannot be read: Is a directory"


@pytest.mark.parametrize("words", NEEDS_A_CONFIG, ids=" ".join)
def test_no_config_at_all_is_one_line(
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {"HOME": str(tmp_path), "XDG_CONFIG_HOME": "", "SHIPBOARD_CONFIG": ""}.items():
        monkeypatch.setenv(name, value)
    assert main(words) == 2
    assert one_line(capsys.readouterr().err).startswith("no config file: name one with --config, or make one")


def test_config_is_accepted_before_and_after_the_verb(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.ok(*ADMIN)
    for words in (
        ["--config", str(shell.config), "member", "list"],
        ["member", "--config", str(shell.config), "list"],
        ["--config", "/nowhere", "member", "list", "--config", str(shell.config)],
        [f"--config={shell.config}", "member", "list"],
    ):
        assert main(words) == 0
        assert capsys.readouterr().out.startswith("alice")


def test_the_version(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shell.ok("version") == "shipboard 0.1.0\n"

    def missing(_name: str) -> str:
        raise PackageNotFoundError

    monkeypatch.setattr("bot.cli.serve.installed", missing)
    assert shell.ok("version") == "shipboard 0.1.0\n"


@pytest.mark.parametrize("verb", ["run", "check", "demo"])
def test_plugins_of_another_house_are_refused(
    shell: Shell, process: Callable[..., "subprocess.Popen[str]"], verb: str
) -> None:
    (shell.config.parent / "plugins").mkdir()
    (shell.config.parent / "plugins" / "__init__.py").touch()
    running = process(verb)
    out, err = running.communicate(timeout=30)
    assert (running.returncode, out) == (2, "")
    stray = shell.config.parent / "plugins"
    assert one_line(err).startswith(
        f"bot is {ROOT}/bot but plugins is {stray}: start shipboard in another folder"
    )


def test_what_a_house_is(tmp_path: Path) -> None:
    ours = tmp_path / "bot"
    assert stranger(ours, [str(tmp_path / "plugins")]) is None
    assert str(stranger(ours, [])).startswith("this installation lacks its plugins")
    assert str(stranger(ours, ["/elsewhere/plugins"])).startswith(
        f"bot is {ours} but plugins is /elsewhere/plugins"
    )


def test_run_and_demo_pass_the_status_on(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.launch.run", lambda config: 7 if config.source == shell.config else 1)
    monkeypatch.setattr("bot.demo.main", lambda: 5)
    assert shell.run("run")[0] == 7
    assert shell.run("demo")[0] == 5


def test_a_fault_while_running_is_one_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_config: object) -> int:
        raise StoreFault("the disk\nis gone")

    monkeypatch.setattr("bot.launch.run", broken)
    assert shell.wrong("run") == "the disk is gone"


def test_ctrl_c_is_130(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_config: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("bot.launch.run", interrupted)
    assert shell.run("run") == (130, "", "")


def test_a_mistake_of_ours_is_not_hidden(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.launch.run", lambda _config: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        shell.run("run")


def test_a_reader_that_went_away_is_silent(
    shell: Shell, process: Callable[..., "subprocess.Popen[str]"]
) -> None:
    shell.ok(*ADMIN)
    read, write = os.pipe()
    os.close(read)
    running = process("member", "list", stdout=write)
    os.close(write)
    _, err = running.communicate(timeout=30)
    assert (running.returncode, err) == (141, "")


def test_a_full_standard_output_is_one_line(
    shell: Shell, process: Callable[..., "subprocess.Popen[str]"]
) -> None:
    shell.ok(*ADMIN)
    with Path("/dev/full").open("w") as full:
        running = process("member", "list", stdout=full)
        _, err = running.communicate(timeout=30)
    assert running.returncode == 2
    assert one_line(err) == "No space left on device"


def test_a_folder_that_was_removed_is_one_line(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    words = [sys.executable, "-c", IN_A_REMOVED_FOLDER]
    environ = {"PYTHONPATH": str(ROOT), "HOME": "/"}
    ended = subprocess.run(
        words, cwd=gone, env=environ, capture_output=True, text=True, timeout=30, check=False
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert one_line(ended.stderr) == "No such file or directory"


def test_help_is_no_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["member", "add", "--help"])
    assert ended.value.code == 0
    assert "--identity NETWORK:SUBJECT" in capsys.readouterr().out


def test_sigint_to_a_waiting_process_ends_it(
    shell: Shell, process: Callable[..., "subprocess.Popen[str]"]
) -> None:
    shell.ok(*ADMIN)
    with closing(sqlite3.connect(shell.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        running = process("member", "add", "bob")
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(1.5)
        running.send_signal(signal.SIGINT)
        other.execute("ROLLBACK")
        _, err = running.communicate(timeout=30)
    assert running.returncode in {0, 130}
    assert err == ""
