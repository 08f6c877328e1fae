"""`.ci/packages` on a made-up Debian, a folder with its own apt-get, dpkg-query, services and policy-rc.d."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.house.conftest import ROOT

APT = """#!/bin/sh
echo "$@" >> "$SHIP/asked"
case "$*" in
*install*)
    cp "$SHIP/usr/sbin/policy-rc.d" "$SHIP/policy-then"
    [ -e "$SHIP/stall" ] && { mkfifo "$SHIP/gate" && echo stalled > "$SHIP/ready"; cat "$SHIP/gate"; }
    [ -e "$SHIP/broken" ] && exit 100
    [ -e "$SHIP/lists" ] || exit 100
    ln -s /lib/ngircd.service "$SHIP/etc/systemd/system/multi-user.target.wants/ngircd.service"
    ln -s ../init.d/ngircd "$SHIP/etc/rc3.d/S01ngircd"
    touch "$SHIP/installed" ;;
*update*) touch "$SHIP/lists" ;;
esac
"""
DPKG_QUERY = """#!/bin/sh
[ -e "$SHIP/installed" ] && printf installed || exit 1
"""
ID = """#!/bin/sh
cat "$SHIP/uid"
"""
UPDATE_RC_D = """#!/bin/sh
mv "$SHIP/etc/rc3.d/S01$1" "$SHIP/etc/rc3.d/K01$1"
"""
POLICY = b"#!/bin/sh\n# the operator's own\nexit 104\n"


class Debian:
    """A folder that plays Debian to the script."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.policy = folder / "usr/sbin/policy-rc.d"
        self.wants = folder / "etc/systemd/system/multi-user.target.wants"
        self.runlevel = folder / "etc/rc3.d"
        for path in (self.policy.parent, self.wants, self.runlevel):
            path.mkdir(parents=True)
        (self.wants / "cron.service").symlink_to("/lib/cron.service")
        (self.runlevel / "S01cron").symlink_to("../init.d/cron")
        programs = {"apt-get": APT, "dpkg-query": DPKG_QUERY, "id": ID, "update-rc.d": UPDATE_RC_D}
        for name, text in programs.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        self.i_am(0)

    def i_am(self, uid: int) -> None:
        (self.folder / "uid").write_text(f"{uid}\n")

    def start(self, **more: str) -> subprocess.Popen[str]:
        system = str(self.folder)
        return subprocess.Popen(
            # who starts the tests may ignore signals (nohup, &), and a shell cannot trap what it inherits so
            ["/usr/bin/env", "--default-signal", ROOT / ".ci" / "packages"],
            env={"PATH": f"{self.folder}:{os.defpath}", "SHIP": system, "SHIPBOARD_SYSTEM": system, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, **more: str) -> tuple[int, str]:
        with self.start(**more) as process:
            out, _ = process.communicate(timeout=30)
            return process.returncode, out

    def stalled(self) -> subprocess.Popen[str]:
        """A run in which apt-get waits until something is written to `gate`."""
        self.have("lists", "stall")
        os.mkfifo(self.folder / "ready")
        process = self.start()
        assert (self.folder / "ready").read_text() == "stalled\n"
        return process

    def policy_now(self) -> bytes | None:
        assert not self.policy.with_name("policy-rc.d.before-shipboard").exists()
        return self.policy.read_bytes() if self.policy.exists() else None

    def have(self, *things: str) -> None:
        for thing in things:
            (self.folder / thing).touch()

    def asked(self) -> list[str]:
        asked = self.folder / "asked"
        return [
            line.split()[-1] if "update" in line else "install" for line in asked.read_text().splitlines()
        ]


@pytest.fixture
def debian(tmp_path: Path) -> Debian:
    return Debian(tmp_path)


def test_nothing_is_done_where_nothing_is_missing(debian: Debian) -> None:
    debian.have("installed")
    assert debian.run() == (0, "")
    assert not (debian.folder / "asked").exists()


def test_what_is_missing_is_named_and_installed_with_services_forbidden(debian: Debian) -> None:
    debian.have("lists")
    status, out = debian.run(CI="true")
    assert status == 0
    assert "user-mode-linux" in out
    assert "bubblewrap" in out
    assert debian.asked() == ["install"]
    assert (debian.folder / "policy-then").read_text().splitlines()[-1] == "exit 101"
    assert not debian.policy.exists()


def test_the_lists_are_fetched_only_when_it_does_not_go_without(debian: Debian) -> None:
    assert debian.run(CI="true")[0] == 0
    assert debian.asked() == ["install", "update", "install"]


@pytest.mark.parametrize("things", [("lists",), ("lists", "broken")], ids=["works", "fails"])
def test_the_operators_policy_comes_back_byte_for_byte(debian: Debian, things: tuple[str, ...]) -> None:
    debian.policy.write_bytes(POLICY)
    debian.policy.chmod(0o751)
    before = debian.policy.stat()
    debian.have(*things)
    status, out = debian.run()
    after = debian.policy.stat()
    assert status == 0
    assert ("Not everything could be installed" in out) is ("broken" in things)
    assert debian.policy.read_bytes() == POLICY
    assert (after.st_ino, after.st_mode, after.st_mtime_ns) == (
        before.st_ino,
        before.st_mode,
        before.st_mtime_ns,
    )
    assert (debian.folder / "policy-then").read_bytes() != POLICY


@pytest.mark.parametrize("policy", [None, POLICY], ids=["none before", "one before"])
@pytest.mark.parametrize(
    ("end", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_an_interrupt_waits_for_apt_and_puts_the_policy_back(
    debian: Debian, end: signal.Signals, status: int, policy: bytes | None
) -> None:
    if policy:
        debian.policy.write_bytes(policy)
    with debian.stalled() as process:
        process.send_signal(end)
        assert debian.policy.read_bytes() != policy
        (debian.folder / "gate").write_text("go on\n")
        assert process.wait(timeout=30) == status
    assert debian.asked() == ["install"]
    assert debian.policy_now() == policy


@pytest.mark.parametrize("policy", [None, POLICY], ids=["none before", "one before"])
def test_what_a_killed_run_could_not_put_back_the_next_one_does(debian: Debian, policy: bytes | None) -> None:
    if policy:
        debian.policy.write_bytes(policy)
    with debian.stalled() as process:
        os.killpg(process.pid, signal.SIGKILL)
    assert debian.policy.read_bytes() != policy
    debian.have("installed")
    assert debian.run() == (0, "")
    assert debian.policy_now() == policy


def test_with_ci_what_is_still_missing_is_a_failure(debian: Debian) -> None:
    debian.have("lists", "broken")
    status, out = debian.run(CI="true")
    assert status == 1
    assert "CI=true and missing: user-mode-linux" in out


def test_an_ordinary_user_is_told_the_one_line(debian: Debian) -> None:
    debian.i_am(1000)
    status, out = debian.run()
    assert status == 0
    assert out.count("\n") == 1
    assert "apt-get install --no-install-recommends user-mode-linux" in out
    assert not (debian.folder / "asked").exists()


def test_with_ci_an_ordinary_user_fails_too(debian: Debian) -> None:
    debian.i_am(1000)
    assert debian.run(CI="true")[0] == 1


def test_what_the_packages_enabled_is_disabled_again_and_nothing_else(debian: Debian) -> None:
    debian.have("lists")
    debian.run()
    assert [path.name for path in debian.wants.iterdir()] == ["cron.service"]
    assert sorted(path.name for path in debian.runlevel.iterdir()) == ["K01ngircd", "S01cron"]
