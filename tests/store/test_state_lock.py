import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.store.lock import hold

ROOT = Path(__file__).parents[2]
HOLDER = """
import sys
from pathlib import Path
from bot.store.lock import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_second_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, state], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as holder:
        assert holder.stdout
        assert holder.stdin
        assert holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(ConfigError, match=f"{state} is in use by process {holder.pid}: stop that bot"),
            hold(state),
        ):
            pytest.fail("both hold it")
        holder.kill()
        holder.wait(20)
        with hold(state) as path:
            assert path.read_text() == f"{os.getpid()}\n"


def test_it_is_let_go_of_at_the_end_and_after_an_error(tmp_path: Path) -> None:
    with hold(tmp_path):
        pass
    with pytest.raises(ZeroDivisionError), hold(tmp_path):
        raise ZeroDivisionError
    with hold(tmp_path):
        assert (tmp_path / "lock").exists()


def test_a_holder_without_a_number_is_another_process(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as file:
        file.write("nobody knows\n")
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(ConfigError, match="in use by another process"), hold(tmp_path):
            pytest.fail("both hold it")


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ConfigError, match=r"bot\.state: .*file/lock cannot be written: "),
        hold(tmp_path / "file"),
    ):
        pytest.fail("it was held")
