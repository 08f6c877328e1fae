import os
from pathlib import Path

import pytest

from bot.errors import HypervisorFault
from bot.hypervisors.uml import runfolder
from bot.hypervisors.uml.runfolder import LONGEST, run_folder


def test_the_same_folder_gives_the_same_place_each_time(short: Path) -> None:
    environ = {"RUNTIME_DIRECTORY": f"{short}:/other", "XDG_RUNTIME_DIR": "/nowhere"}
    first = run_folder(short / "ford", environ)
    assert first.parent == short
    assert first == run_folder(short / "ford", environ) != run_folder(short / "zaphod", environ)
    assert first.stat().st_mode & 0o777 == 0o711


def test_root_and_an_ordinary_user_have_places_of_their_own(short: Path) -> None:
    environ = {"XDG_RUNTIME_DIR": str(short)}
    assert next(runfolder._bases(environ, 1000)) == short
    assert next(runfolder._bases(environ, 0)) == Path("/run")
    last = list(runfolder._bases({}, os.geteuid()))[-1]
    assert last.name == f"shipboard-{os.geteuid()}"
    assert last.stat().st_mode & 0o777 == 0o711


def test_a_place_that_is_too_long_or_anothers_is_not_taken(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = short / ("x" * LONGEST)
    long.mkdir()
    (short / "link").symlink_to(long)
    monkeypatch.setattr(runfolder, "_bases", lambda *_: iter([long, Path("/proc"), Path("/proc/version")]))
    with pytest.raises(
        HypervisorFault, match=rf"longer than {LONGEST} bytes.*/proc: .*version: Not a directory"
    ):
        run_folder(short / "ford", {})


def test_a_link_in_its_place_is_not_followed(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runfolder, "_bases", lambda *_: iter([short]))
    place = run_folder(short / "ford", {})
    place.rmdir()
    place.symlink_to("/etc")
    with pytest.raises(HypervisorFault, match="not ours"):
        run_folder(short / "ford", {})
    assert Path("/etc").stat().st_mode & 0o777 == 0o755
