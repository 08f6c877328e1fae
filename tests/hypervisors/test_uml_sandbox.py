import shutil
from pathlib import Path

import pytest

from bot.config import SandboxKind
from bot.errors import Conflict
from bot.hypervisors.uml.sandbox import Means, Sandbox, choose, may_switch, walls

ROOT = "CapInh:\t0\nCapEff:\t000001ffffffffff\n"
ALL = "         0          0 4294967295\n"


@pytest.mark.parametrize(
    ("kind", "switch", "has_walls", "expected"),
    [
        ("auto", True, True, Sandbox(switch=True, walls=True)),
        ("auto", True, False, Sandbox(switch=True, walls=False)),
        ("auto", False, True, Sandbox(switch=False, walls=True)),
        ("uid", True, True, Sandbox(switch=True, walls=True)),
        ("bwrap", True, True, Sandbox(switch=False, walls=True)),
        ("none", True, True, Sandbox(switch=False, walls=False)),
        ("none", False, False, Sandbox(switch=False, walls=False)),
    ],
)
def test_the_strongest_of_the_kind_is_taken(
    kind: SandboxKind,
    switch: bool,  # noqa: FBT001 - a table's column
    has_walls: bool,  # noqa: FBT001 - a table's column
    expected: Sandbox,
) -> None:
    assert choose(kind, Means(switch, has_walls, fixed_addresses=True)) == expected


@pytest.mark.parametrize(
    ("kind", "switch", "has_walls", "cure"),
    [
        ("auto", False, False, "install bubblewrap"),
        ("uid", False, True, "CAP_SETUID"),
        ("bwrap", True, False, "install bubblewrap"),
    ],
)
def test_never_silently_none(
    kind: SandboxKind,
    switch: bool,  # noqa: FBT001 - a table's column
    has_walls: bool,  # noqa: FBT001 - a table's column
    cure: str,
) -> None:
    with pytest.raises(Conflict, match=rf'{cure}.*sandbox = "none"'):
        choose(kind, Means(switch, has_walls, fixed_addresses=True))


def test_what_is_shown() -> None:
    kinds = [Sandbox(switch=a, walls=b).kind for a in (True, False) for b in (True, False)]
    assert kinds == ["uid", "uid", "bwrap", "NONE"]


@pytest.mark.parametrize(
    ("status", "uid_map", "may"),
    [
        (ROOT, ALL, True),
        (ROOT, "0 100000 65536\n", True),
        (ROOT, "0 1000 1\n1 100000 1000\n", False),
        (ROOT, "", False),
        ("CapEff:\t0000000000000000\n", ALL, False),
        ("CapEff:\t00000000000000c0\n", ALL, False),
        ("", ALL, False),
    ],
)
def test_switching_needs_capabilities_and_mapped_uids(status: str, uid_map: str, may: bool) -> None:  # noqa: FBT001 - a table's column
    assert may_switch(status, uid_map) is may


def test_the_walls_let_only_the_named_in(tmp_path: Path) -> None:
    argv = walls({"/kernel": ("ro-bind", tmp_path)}, 4096)
    assert "--unshare-user" in argv
    assert not {"--die-with-parent", "--unshare-pid", "setpriv"} & set(argv)
    assert argv[argv.index("/kernel") - 2 : argv.index("/kernel") + 1] == [
        "--ro-bind",
        str(tmp_path),
        "/kernel",
    ]
    other = walls({}, 4096, 60600)
    assert "--unshare-user" not in other
    assert {"setpriv", "--reuid=60600", "--regid=60600", "--clear-groups", "--no-new-privs"} <= set(other)


def test_a_host_without_the_programs_has_no_means(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Means.probe() == Means(Means.probe().switch, walls=False, fixed_addresses=False)
    assert shutil.which("bwrap") is None
    for name in ("bwrap", "setarch"):
        (tmp_path / name).write_text("no program")
        (tmp_path / name).chmod(0o755)
    assert not Means.probe().walls
