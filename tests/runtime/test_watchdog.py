import asyncio
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from bot.runtime import loader
from bot.runtime.watchdog import EX_SOFTWARE, LIMIT, LOOKS, STACKS, Watchdog, culprit, judge
from tests.conftest import until

ROOT = Path(__file__).parents[2]
SPINNING = '''
import re

from bot import Plugin, anyone

plugin = Plugin("spinner")


@plugin.command("spin", allow=anyone)
async def spin() -> None:
    """Spin."""
    while True:
        pass


@plugin.command("match", allow=anyone)
async def match() -> None:
    """Match, which takes longer than the world will last and lets no thread run meanwhile."""
    re.match(r"(a+)+$", "a" * 100 + "b")
'''
BOT = """
import asyncio, sys
from pathlib import Path

from bot.runtime import loader
from bot.runtime.watchdog import Watchdog, judge
from bot.testing import Chat


async def main(folder: Path) -> None:
    found = loader.load((), (folder / "more",), folder / "off")
    if judge(folder / "off", found.paths):
        found = loader.load((), (folder / "more",), folder / "off")
    async with Chat.open(folder, [loaded.plugin for loaded in found.loaded]) as chat:
        watching = asyncio.create_task(Watchdog(folder / "off", found.paths, limit=float(sys.argv[3])).run())
        await asyncio.sleep(0)
        print(await chat.say("zed", sys.argv[2], direct=True))
        watching.cancel()

asyncio.run(main(Path(sys.argv[1])))
"""


def sail(folder: Path, line: str, limit: float = LIMIT) -> subprocess.CompletedProcess[str]:
    """Start a bot that is watched, and say a line to it."""
    (folder / "more").mkdir(exist_ok=True)
    (folder / "more" / "spinner.py").write_text(SPINNING, encoding="utf-8")
    command = [sys.executable, "-c", BOT, str(folder), line, str(limit)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_a_plugin_that_spins_is_named_and_off_at_the_next_start(tmp_path: Path) -> None:
    first = sail(tmp_path, "spin", 1.0)
    assert first.returncode == EX_SOFTWARE, first.stderr
    assert "the loop has not turned for 1 s; spinner" in first.stderr
    assert "spinner.py" in first.stderr
    assert "while True" in (tmp_path / "off" / "spinner").read_text(encoding="utf-8")
    found = loader.load((), (tmp_path / "more",), tmp_path / "off")
    assert found.off == (("spinner", "it held up the bot for 1 s"),)
    second = sail(tmp_path, "spin")
    assert (second.returncode, second.stdout[:18]) == (0, "I know no “spin”; "), second.stderr


def test_one_that_spins_so_that_no_thread_can_act_is_off_at_the_next_start_too(tmp_path: Path) -> None:
    first = sail(tmp_path, "match", 1.0)
    assert first.returncode == 1, first.stderr
    second = sail(tmp_path, "match")
    assert (second.returncode, second.stdout[:19]) == (0, "I know no “match”; "), second.stderr
    assert "the last run was held up by spinner" in second.stderr
    reason = (tmp_path / "off" / "spinner").read_text(encoding="utf-8")
    assert reason.startswith("it held up the bot for 8 s\n")
    assert "spinner.py" in reason


LOOP = "the loop is thread 0x0000000000000001\n"
FIRST = "Thread 0x0000000000000001 (most recent call first):\n"
SECOND = "Thread 0x0000000000000002 (most recent call first):\n"
SPINS = '  File "/spinner.py", line 1 in spin\n'
WAITS = '  File "/select.py", line 1 in select\n\n'


@pytest.mark.parametrize(
    "stacks",
    ["", LOOP, FIRST + SPINS, LOOP + SECOND + SPINS, LOOP + FIRST + WAITS + SECOND + SPINS, "\x00\xff"],
)
def test_stacks_that_say_nothing_of_the_loop_name_nobody(tmp_path: Path, stacks: str) -> None:
    (tmp_path / STACKS).write_bytes(stacks.encode("latin-1"))
    assert judge(tmp_path, {Path("/spinner.py"): "spinner"}) is None
    assert list(tmp_path.iterdir()) == []
    assert judge(tmp_path, {Path("/spinner.py"): "spinner"}) is None


def test_stacks_of_the_loop_name_who_is_innermost_on_it(tmp_path: Path) -> None:
    (tmp_path / STACKS).write_text(LOOP + SECOND + WAITS + "Current t" + FIRST[1:] + SPINS, encoding="utf-8")
    assert judge(tmp_path, {Path("/spinner.py"): "spinner"}) == "spinner"
    assert [path.name for path in tmp_path.iterdir()] == ["spinner"]


def test_it_acts_within_ten_seconds() -> None:
    assert LIMIT + LIMIT / LOOKS <= 10


class Stuck:
    """A loop that does not turn, and the end that was asked for."""

    def __init__(self, folder: Path, plugins: dict[Path, str]) -> None:
        self.ended: list[int] = []
        self.over = threading.Event()
        self.watchdog = Watchdog(folder / "off", plugins, limit=0.2, end=self.end, hard=False)

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
    assert [path.name for path in (tmp_path / "off").iterdir()] == [STACKS]


async def test_a_loop_that_is_busy_but_turns_is_left_alone(tmp_path: Path) -> None:
    stuck = Stuck(tmp_path, {})
    stuck.watchdog.limit = 1.0
    task = asyncio.create_task(stuck.watchdog.run())
    until_then = time.monotonic() + 1.5
    while time.monotonic() < until_then:  # it is never at rest, so it is asked
        time.sleep(0.001)  # noqa: ASYNC251 - as a loop that works
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert stuck.ended == []


async def test_a_loop_that_turns_is_left_alone(tmp_path: Path) -> None:
    stuck = Stuck(tmp_path, {})
    stuck.watchdog.limit = 2.0  # what else runs on this machine may hold up a loop for a while
    task = asyncio.create_task(stuck.watchdog.run())
    await asyncio.sleep(0)
    before = stuck.watchdog.beat
    await until(lambda: stuck.watchdog.beat != before)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert stuck.ended == []
    await until(lambda: not any(thread.name == "watchdog" for thread in threading.enumerate()))


def test_a_process_that_stood_still_as_a_whole_is_given_another_chance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, stopped = Stuck(tmp_path, {}), threading.Event()
    instants = iter([0.0, 0.01, 9.0, 9.02, 9.3])
    monkeypatch.setattr("bot.runtime.watchdog.time.monotonic", lambda: next(instants))
    stuck.watchdog.beat, stuck.watchdog.limit = 0.0, 0.25
    waits = iter([False, False, False, True])
    monkeypatch.setattr(stopped, "wait", lambda _: next(waits))
    with (tmp_path / "stacks").open("w") as stacks, closing(asyncio.new_event_loop()) as loop:
        stuck.watchdog._watch(loop, threading.get_ident(), stopped, stacks)
    assert stuck.ended == []
    assert stuck.watchdog.beat == 9.0


def test_the_innermost_plugin_on_the_stack_is_the_culprit(tmp_path: Path) -> None:
    frame = sys._getframe()
    here = Path(__file__)
    assert culprit(frame, {here: "me"}) == "me"
    assert culprit(frame, {here.parent: "all of us"}) == "all of us"
    assert culprit(frame, {tmp_path: "other"}) is None
    assert culprit(None, {here: "me"}) is None
