"""Members and machines at the shell."""

from pathlib import Path

import pytest

from tests.cli.conftest import ADMIN, Shell


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
        "no network is called “efnet”"
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
