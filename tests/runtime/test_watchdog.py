import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bot.runtime import loader
from bot.runtime.watchdog import EX_SOFTWARE, LIMIT, Watchdog, culprit
from tests.conftest import until

ROOT = Path(__file__).parents[2]
SPINNING = '''
from bot import Plugin, anyone

plugin = Plugin("spinner")


@plugin.command("spin", allow=anyone)
async def spin() -> None:
    """Spin."""
    while True:
        pass
'''
BOT = """
import asyncio, sys
from pathlib import Path

from bot.runtime import loader
from bot.runtime.watchdog import Watchdog
from bot.testing import Chat


async def main(folder: Path) -> None:
    found = loader.load((), (folder / "more",), folder / "off")
    paths = {loaded.path: loaded.plugin.name for loaded in found.loaded}
    async with Chat.open(folder, [loaded.plugin for loaded in found.loaded]) as chat:
        watching = asyncio.create_task(Watchdog(folder / "off", paths, limit=0.4).run())
        await asyncio.sleep(0)
        print(await chat.say("zed", "spin", direct=True))
        watching.cancel()

asyncio.run(main(Path(sys.argv[1])))
"""


def test_a_plugin_that_spins_is_named_and_off_at_the_next_start(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "spinner.py").write_text(SPINNING, encoding="utf-8")
    command = [sys.executable, "-c", BOT, str(tmp_path)]
    first = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert first.returncode == EX_SOFTWARE, first.stderr
    assert "the loop has not turned for 0 s; spinner" in first.stderr
    assert "spinner.py" in first.stderr
    (_, (name, reason)) = (None, loader.load((), (tmp_path / "more",), tmp_path / "off").off[0])
    assert (name, reason) == ("spinner", "it held up the bot for 0 s")
    assert "while True" in (tmp_path / "off" / "spinner").read_text(encoding="utf-8")
    second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert second.returncode == 0, second.stderr
    assert second.stdout.startswith("I know no “spin”")


def test_it_acts_within_ten_seconds() -> None:
    assert LIMIT + LIMIT / 8 <= 10


class Stuck:
    """A loop that does not turn, and the end that was asked for."""

    def __init__(self, folder: Path, plugins: dict[Path, str]) -> None:
        self.ended: list[int] = []
        self.over = threading.Event()
        self.watchdog = Watchdog(folder / "off", plugins, limit=0.2, end=self.end)

    def end(self, status: int) -> None:
        self.ended.append(status)
        self.over.set()

    async def hang(self) -> None:
        task = asyncio.create_task(self.watchdog.run())
        await asyncio.sleep(0)
        self.over.wait(20)
        task.cancel()


async def test_what_holds_up_the_loop_is_named(tmp_path: Path) -> None:
    stuck = Stuck(tmp_path, {Path(__file__): "me"})
    await stuck.hang()
    assert stuck.ended == [EX_SOFTWARE]
    assert (tmp_path / "off" / "me").read_text(encoding="utf-8").startswith("it held up the bot for 0 s\n")


async def test_where_no_plugin_is_at_fault_none_is_switched_off(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stuck = Stuck(tmp_path, {tmp_path / "other.py": "other"})
    await stuck.hang()
    assert stuck.ended == [EX_SOFTWARE]
    assert "no plugin's fault" in caplog.text
    assert not (tmp_path / "off").exists()


async def test_a_loop_that_turns_is_left_alone(tmp_path: Path) -> None:
    stuck = Stuck(tmp_path, {})
    task = asyncio.create_task(stuck.watchdog.run())
    await asyncio.sleep(0)
    before = stuck.watchdog.beat
    await until(lambda: stuck.watchdog.beat != before)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert stuck.ended == []
    assert stuck.watchdog.stopped.is_set()


def test_a_process_that_stood_still_as_a_whole_is_given_another_chance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = Stuck(tmp_path, {})
    instants = iter([0.0, 0.01, 9.0, 9.02, 9.3])
    monkeypatch.setattr("bot.runtime.watchdog.time.monotonic", lambda: next(instants))
    stuck.watchdog.beat, stuck.watchdog.limit = 0.0, 0.25
    waits = iter([False, False, False, True])
    monkeypatch.setattr(stuck.watchdog.stopped, "wait", lambda _: next(waits))
    stuck.watchdog._watch(threading.get_ident())
    assert stuck.ended == []
    assert stuck.watchdog.beat == 9.0


def test_the_innermost_plugin_on_the_stack_is_the_culprit(tmp_path: Path) -> None:
    frame = sys._getframe()
    here = Path(__file__)
    assert culprit(frame, {here: "me"}) == "me"
    assert culprit(frame, {here.parent: "all of us"}) == "all of us"
    assert culprit(frame, {tmp_path: "other"}) is None
    assert culprit(None, {here: "me"}) is None
