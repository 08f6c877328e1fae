"""shipboard init and check."""

from pathlib import Path

import pytest

from bot.cli import main
from bot.config import load
from tests.cli.conftest import ADMIN, ROOT, Shell, one_line


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
