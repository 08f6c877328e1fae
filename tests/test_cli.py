"""The command line: what it does, and that every mistake is one line and status 2."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from bot.cli import main
from bot.cli.house import stranger
from bot.config import load
from bot.errors import StoreFault
from bot.store import connection

ROOT = Path(__file__).parents[1]
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


IN_A_REMOVED_FOLDER = """
import os
os.rmdir(os.getcwd())
from bot.cli import main
raise SystemExit(main(["member", "list"]))
"""


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


def test_the_first_admin(shell: Shell) -> None:
    assert not shell.state.exists()
    out = shell.ok(*ADMIN, "--identity", "jabber:Alice@Ford.Example/phone", "--identity", "oftc:alice")
    assert (
        out == "alice is in the co-op: admin, full share; known by oftc:alice, jabber:alice@ford.example.\n"
    )
    assert shell.ok("member", "list") == (
        "alice  admin  full share  good  jabber:alice@ford.example, oftc:alice\n"
    )
    assert shell.ok("member", "add", "bob").startswith(
        "bob is in the co-op: member, full share; known by nothing yet"
    )
    assert shell.ok("member", "identity", "BOB", "oftc:rob") == "oftc:rob is bob from now on.\n"
    assert shell.ok("verify").startswith("audit: 5 rows, whole; head ")


def test_nothing_is_half_done(shell: Shell) -> None:
    shell.ok(*ADMIN)
    assert shell.wrong("member", "add", "bob", "--identity", "oftc:alice") == "oftc:alice is alice's already."
    assert "bob" not in shell.ok("member", "list")
    assert shell.wrong("member", "add", "bob", "--identity", "efnet:bob").startswith(
        "no network is called 'efnet'"
    )


def test_machines(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.ok(*ADMIN)
    assert shell.ok("machine", "list") == "No machines yet: shipboard machine add enters the first.\n"
    assert shell.ok("machine", "add", "ford-1", "--owner", "alice", "--host", "ford", "--share", "half") == (
        "ford-1 is entered: on ford, owner alice, half share, 48 MiB.\n"
    )
    for name in ("linux", "initrd", "disk.img"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    kernel = ("--kernel", "linux", "--initrd", "initrd", "--memory", "128")
    shell.ok("machine", "add", "ours", "--owner", "co-op", "--host", "zaphod", *kernel)
    shell.ok("machine", "add", "z-2", "--owner", "Alice", "--host", "zaphod", "--disk", "disk.img")
    assert shell.ok("machine", "list").splitlines() == [
        "ford-1  ford    alice  half share  48 MiB   demo image".rstrip(),
        f"ours    zaphod  co-op  full share  128 MiB  {tmp_path}/linux",
        f"z-2     zaphod  alice  full share  64 MiB   {tmp_path}/disk.img",
    ]


MACHINE = ("machine", "add", "m1", "--owner", "alice", "--host", "ford")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "the following arguments are required: VERB; see shipboard --help"),
        (("fly",), "invalid choice: 'fly'"),
        (("fl\ny",), "invalid choice: 'fl\\ny'"),
        (("member",), "the following arguments are required: VERB; see shipboard member --help"),
        (("member", "drop"), "invalid choice: 'drop'"),
        (("member", "add"), "the following arguments are required: NAME; see shipboard member add --help"),
        (("member", "add", "A B"), "'a b' is no member's name"),
        (("member", "add", "co-op"), "'co-op' is no member's name"),
        (("member", "add", "bob", "--role", "god"), "invalid choice: 'god' (choose from 'admin', 'member')"),
        (("member", "add", "bob", "--share", "third"), "invalid choice: 'third'"),
        (("member", "add", "bob", "--rol", "admin"), "unrecognized arguments: --rol admin"),
        (("member", "add", "bob", "--identity"), "argument --identity: expected one argument"),
        (
            ("member", "add", "bob", "--identity", "bob"),
            "an identity is written NETWORK:SUBJECT, like jabber:",
        ),
        (("member", "add", "bob", "--identity", "oftc:b!o@b"), "'b!o@b' is no services account"),
        (("member", "add", "bob", "--identity", "jabber:bob"), "'bob' is a server"),
        (("member", "add", "alice"), "alice is a member already."),
        (("member", "add", "bob", "more"), "unrecognized arguments: more"),
        (("member", "identity", "bob", "oftc:bob"), "Nobody is called bob."),
        (("member", "identity", "alice"), "the following arguments are required: NETWORK:SUBJECT"),
        (("member", "identity", "alice", "x\udc80:y"), "no network is called"),
        (("member", "list", "more"), "unrecognized arguments: more"),
        (("machine", "add", "m1"), "the following arguments are required: --owner, --host"),
        ((*MACHINE[:-1], "mars"), "--host: no host is called 'mars' in"),
        (("machine", "add", "m1", "--owner", "bob", "--host", "ford"), "Nobody is called bob."),
        (("machine", "add", "M_1", "--owner", "alice", "--host", "ford"), "'M_1' is no machine's name"),
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
        (("when", "every freitag 18:00"), '"freitag" is no day'),
        (("when", "every day 18:00 UTC", "--zone", "Europe/Berlim"), '"Europe/Berlim" is no time zone'),
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


BOB = (
    "bob is in the co-op: member, full share; "
    "known by nothing yet: shipboard member identity binds what proves them."
)
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


@pytest.mark.parametrize(
    "words",
    [("member", "list"), ("machine", "list"), ("verify",), ("backup", "x.db"), ("vote", "export", "1", "x")],
    ids=" ".join,
)
def test_reading_makes_no_database(shell: Shell, words: tuple[str, ...]) -> None:
    said = f"{shell.database}: there is no database yet; shipboard member add makes it"
    assert shell.wrong(*words) == said
    assert not shell.state.exists()


def spoil(shell: Shell, how: str) -> None:
    match how:
        case "text":
            shell.database.write_text("Dear diary, " * 1000)
        case "damaged":
            raw = bytearray(shell.database.read_bytes())
            raw[4096:] = b"\x55" * (len(raw) - 4096)
            shell.database.write_bytes(raw)
        case "empty":
            shell.database.write_bytes(b"")
        case "folder":
            shell.database.unlink()
            shell.database.mkdir()
        case "newer":
            with closing(sqlite3.connect(shell.database)) as db, db:
                db.execute(
                    "UPDATE _sqlite_migrations SET name = 'of_the_future' "
                    "WHERE id = (SELECT max(id) FROM _sqlite_migrations WHERE migration_set = 'shipboard')"
                )
        case "spoilt":
            with closing(sqlite3.connect(shell.database)) as db, db:
                db.execute("UPDATE members SET joined = 'once'")


@pytest.mark.parametrize(
    ("how", "words", "said"),
    [
        ("text", ("member", "list"), "file is not a database: move it away, or restore a backup"),
        ("text", ("member", "add", "bob"), "file is not a database"),
        ("text", ("verify",), "file is not a database"),
        ("text", ("backup", "none.db"), "file is not a database"),
        ("text", ("check",), "file is not a database"),
        ("damaged", ("member", "list"), "malformed: it is damaged, restore a backup"),
        ("damaged", ("member", "add", "bob"), "malformed"),
        ("damaged", ("machine", "list"), "malformed"),
        ("damaged", ("check",), "malformed"),
        ("empty", ("member", "list"), "no such table: members"),
        ("folder", ("member", "list"), "shipboard.db: is no file; move it away"),
        ("folder", ("member", "add", "bob"), "cannot be opened for writing: Is a directory"),
        ("newer", ("member", "add", "bob"), "shipboard tables are newer than this program (of_the_future)"),
        ("spoilt", ("member", "list"), "'once' is no instant: something else wrote to the database"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_line(
    shell: Shell, how: str, words: tuple[str, ...], said: str
) -> None:
    shell.ok(*ADMIN)
    for side in ("-wal", "-shm"):
        shell.database.with_name(f"shipboard.db{side}").unlink(missing_ok=True)
    spoil(shell, how)
    assert said in shell.wrong(*words)


def test_a_database_that_is_damaged_is_broken_for_verify(shell: Shell) -> None:
    shell.ok(*ADMIN)
    spoil(shell, "damaged")
    status, out, err = shell.run("verify")
    assert (status, out or err) != (0, "")
    assert "malformed" in out + err


def test_a_full_disk_is_one_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.ok(*ADMIN)

    def full(*_: object, **__: object) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr("bot.store.audit.append", full)
    assert (
        shell.wrong("member", "add", "bob") == f"{shell.database}: database or disk is full: make room there"
    )
    assert "bob" not in shell.ok("member", "list")


def test_who_writes_for_too_long_is_one_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.ok(*ADMIN)
    monkeypatch.setattr("bot.cli.desk.connect", partial(connection.connect, busy=0.05))
    with closing(sqlite3.connect(shell.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        said = shell.wrong("member", "add", "bob")
        what = "database is locked: another process writes to it and does not end, try again"
        assert said == f"{shell.database}: {what}"
        assert "alice" in shell.ok("member", "list")
        other.execute("ROLLBACK")
    shell.ok("member", "add", "bob")


def test_the_command_line_waits_for_a_running_bot(
    shell: Shell, process: Callable[..., "subprocess.Popen[str]"]
) -> None:
    shell.ok(*ADMIN)
    with closing(sqlite3.connect(shell.database, isolation_level=None)) as bot:
        bot.execute("BEGIN IMMEDIATE")
        adding = process("member", "add", "bob")
        with pytest.raises(subprocess.TimeoutExpired):
            adding.wait(1.5)
        bot.execute("COMMIT")
        assert adding.communicate(timeout=30) == (
            f"{BOB}\n",
            "",
        )


def test_many_at_once_are_one_chain(shell: Shell, process: Callable[..., "subprocess.Popen[str]"]) -> None:
    adding = [process("member", "add", f"m{number}") for number in range(8)]
    assert [one.communicate(timeout=50)[1] for one in adding] == [""] * 8
    assert shell.ok("verify").startswith("audit: 8 rows, whole; head ")
    assert len(shell.ok("member", "list").splitlines()) == 8


def test_one_row_is_told_as_one(shell: Shell) -> None:
    shell.ok("member", "add", "ann")
    assert shell.ok("verify").startswith("audit: 1 row, whole; head ")


def test_backup_and_verify(shell: Shell, tmp_path: Path) -> None:
    shell.ok(*ADMIN)
    target = tmp_path / "kept.db"
    assert shell.ok("backup", str(target)).startswith(
        f"{target}: a whole copy of {shell.database}, checked; "
    )
    head = shell.ok("verify").split()[-1]
    assert shell.ok("verify", "--head", head[:12].upper()) == f"audit: 2 rows, whole; head {head}\n"
    shell.ok("member", "add", "bob")
    assert "3 rows" in shell.ok("verify", "--head", head)
    shell.database.unlink()
    target.rename(shell.database)
    assert "2 rows" in shell.ok("verify", "--head", head)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE audit SET words = 'nothing' WHERE seq = 1", "audit: BROKEN: row 1 was changed.\n"),
        ("UPDATE audit SET at = 'x' WHERE seq = 2", "audit: BROKEN: row 2 was changed.\n"),
        ("DELETE FROM audit WHERE seq = 1", "audit: BROKEN: row 1 is missing.\n"),
        (
            "DELETE FROM audit WHERE seq = 3",
            "audit: BROKEN: row 3 is missing: the record tells of 3 rows, the tail was cut.\n",
        ),
        ("DROP TABLE audit", "audit: BROKEN: the table cannot be read: no such table: audit.\n"),
        ("DROP TABLE chain_heads", "audit: BROKEN: the table cannot be read: no such table: chain_heads.\n"),
    ],
)
def test_verify_names_the_row(shell: Shell, statement: str, said: str) -> None:
    shell.ok(*ADMIN)
    shell.ok("member", "add", "bob")
    with closing(sqlite3.connect(shell.database)) as db, db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        db.execute(statement)
    assert shell.run("verify") == (1, said, "")


def test_verify_finds_a_rewritten_book_by_its_published_head(shell: Shell) -> None:
    shell.ok(*ADMIN)
    status, out, err = shell.run("verify", "--head", "f" * 12)
    assert (status, err) == (1, "")
    assert out.startswith("audit: BROKEN: no row has the published head ffffffffffff")


@pytest.fixture
def made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    folder = tmp_path / "co op"
    assert main(["init", str(folder)]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0] == f"'{folder}' is ready. The next three things to do:"
    assert [line[:2] for line in out.splitlines() if line[0].isdigit()] == ["1.", "2.", "3."]
    return folder


def test_init_makes_a_config_that_works(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = load(made / "config.toml")
    assert config.bot.policies == made / "policies"
    assert sorted(path.name for path in made.iterdir()) == ["config.toml", "policies", "secrets"]
    assert (made / "secrets").stat().st_mode & 0o777 == 0o700
    shipped = sorted(path.relative_to(ROOT / "policies") for path in (ROOT / "policies").rglob("*"))
    assert sorted(path.relative_to(made / "policies") for path in (made / "policies").rglob("*")) == shipped
    assert main(["--config", str(made / "config.toml"), "check"]) == 0
    assert "all is well; networks: 1, hosts: 1" in capsys.readouterr().out
    first = ["member", "add", "you", "--role", "admin", "--share", "full", "--identity", "home:YOUR-ACCOUNT"]
    assert main(["--config", str(made / "config.toml"), *first]) == 0
    assert main(["--config", str(made / "config.toml"), "check"]) == 0


def test_init_never_touches_what_is_there(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (made / "config.toml").write_text("# mine")
    (made / "policies" / "README.md").write_text("edited")
    assert main(["init", str(made)]) == 2
    assert (
        one_line(capsys.readouterr().err) == f"{made}/config.toml: is there already; give init another folder"
    )
    (made / "config.toml").unlink()
    assert main(["init", str(made)]) == 0
    assert (made / "policies" / "README.md").read_text() == "edited"


def test_init_in_a_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["init", str(tmp_path / "file")]) == 2
    assert one_line(capsys.readouterr().err).endswith("Not a directory")


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ('tls_ca_file = "none.pem"', "networks.oftc.tls_ca_file: {here}/none.pem is no file of certificates"),
        (
            'tls_ca_file = "config.toml"',
            "networks.oftc.tls_ca_file: {here}/config.toml is no file of certificates",
        ),
        ('password_file = "none"', "networks.oftc.password_file: {here}/none cannot be read"),
        ('client_certificate = "none"', "networks.oftc.client_certificate: there is no file {here}/none"),
        ('[bot]\npolicies = "none"', "bot.policies: there is no folder {here}/none"),
        ('[bot]\nplugin_folders = ["none"]', "none"),
        ('[bot]\nplugins = ["none"]', "none"),
        ('[hosts.x]\nhypervisor = "uml"\nkernel = "none"', "hosts.x.kernel: there is no file {here}/none"),
    ],
)
def test_check_names_what_is_missing(shell: Shell, extra: str, said: str) -> None:
    shell.config.write_text('[networks.oftc]\nkind = "irc"\nhost = "irc.example.org"\n' + extra)
    assert said.format(here=shell.config.parent) in shell.wrong("check")


def test_check_names_every_fault_once_in_its_line(shell: Shell) -> None:
    table = '[networks.oftc]\nkind = "irc"\nhost = "irc.example.org"\n'
    shell.config.write_text(table + 'password_file = "none"\ntls_ca_file = "none"')
    said = shell.wrong("check")
    assert said.count("networks.oftc.password_file") == said.count("networks.oftc.tls_ca_file") == 1


def test_check_advises_on_a_password_that_everybody_can_read(shell: Shell) -> None:
    secret = shell.config.parent / "oftc"
    secret.write_text("hunter2")
    shell.config.write_text(
        '[networks.oftc]\nkind = "irc"\nhost = "irc.example.org"\npassword_file = "oftc"\n'
    )
    advice = f"networks.oftc.password_file: everybody on this host can read it: chmod 600 {secret}"
    for mode, said in ((0o644, True), (0o640, False), (0o600, False)):
        secret.chmod(mode)
        assert (advice in shell.ok("check")) is said


def test_check_advises_on_an_uplink_that_is_not_there(shell: Shell) -> None:
    for uplink, said in (("nowhere0", True), ("lo", False)):
        shell.config.write_text(f'[hosts.ford]\nhypervisor = "fake"\nuplink = "{uplink}"\n')
        assert (f"hosts.ford.uplink: there is no interface {uplink} now" in shell.ok("check")) is said


def test_who_is_on_call_and_no_member_is_advised_on(shell: Shell) -> None:
    network = '[networks.oftc]\nkind = "irc"\nhost = "irc.example.org"\n'
    shell.config.write_text(network + '[plugins.alerts]\non_call = ["alice", "nobody"]\n')
    assert "no member" not in shell.ok("check")  # as yet there is no database
    shell.ok(*ADMIN)
    said = [line for line in shell.ok("check").splitlines() if "no member" in line]
    assert said == ["plugins.alerts.on_call: nobody is no member"]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('raise = "policy:nope.x"', "plugins.alerts: rule hot: no policy has the number nope.x"),
        ('raise = "policy:bandwidth.nope"', "rule hot: no policy has the number bandwidth.nope"),
        ('raise = 1\nfree = "policy:bandwidth.no"', "rule hot: no policy has the number bandwidth.no_from"),
    ],
)
def test_check_names_a_policys_number_that_is_not_there(shell: Shell, rule: str, said: str) -> None:
    table = '[[plugins.alerts.rule]]\nname = "hot"\nmetric = "load"\n'
    shell.config.write_text(table + rule)
    assert said in shell.wrong("check")
    shell.config.write_text(table + 'raise = "policy:bandwidth.warn_at_pct"')
    shell.ok("check")


def test_a_bot_without_networks_is_advised_on(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.launch.run", lambda _: 0)
    network = '[networks.oftc]\nkind = "irc"\nhost = "irc.example.org"\n'
    for text, said in (("", True), (network, False)):
        shell.config.write_text(text)
        assert ("no network: nobody can talk to it" in shell.ok("check")) is said
        assert ("no network: nobody can talk to it" in shell.run("run")[2]) is said


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
