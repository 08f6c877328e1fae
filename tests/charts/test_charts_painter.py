"""The process that draws: its limits, its end, and what is told where it does not draw."""

import asyncio
import logging
import os
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from bot.charts.painter import COMMAND, LARGEST, SECONDS, WAITING, Painter
from bot.runtime.clock import SystemClock
from bot.testing import FakeClock
from tests.charts.conftest import load, month

PNG = b"\x89PNG\r\n\x1a\n"
PATIENCE = 60.0


class Told:
    """Takes what the admins are told."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def report(self, cause: BaseException, *, during: str, private: bool = False) -> str:
        assert not private
        self.faults.append(f"{during}: {cause}")
        return "0000"


def painter(folder: Path, program: str | None = None, clock: FakeClock | None = None) -> tuple[Painter, Told]:
    """What draws, with a program in Python in the place of ours, where one is given."""
    told = Told()
    command = COMMAND if program is None else (sys.executable, "-c", program)
    return Painter(clock or SystemClock(), told, folder, command), told


async def line_in(path: Path) -> str:
    """Wait for a file with a whole line."""
    async with asyncio.timeout(PATIENCE):
        while not (text := _text(path)).endswith("\n"):  # noqa: ASYNC110 - nothing tells of a file
            await asyncio.sleep(0.01)
    return text.strip()


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


async def test_a_chart_is_drawn_by_a_process_whatever_people_are_called(tmp_path: Path) -> None:
    made, told = painter(tmp_path / "fonts")
    evil = "日本 🚀 $\\frac{a}{$ \x1b[31m\u202e __\n"
    picture = await made.draw(replace(month(0.6), title=evil, note=evil, unit=evil))
    assert told.faults == []
    assert picture is not None
    assert picture.startswith(PNG)
    assert any((tmp_path / "fonts").iterdir())


async def test_one_that_hangs_is_killed_with_all_that_it_began(tmp_path: Path) -> None:
    clock, pids = FakeClock(), tmp_path / "pids"
    hangs = (
        "import os, subprocess, sys, time\n"
        "two = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{two.pid}}\\n')\n"
        "time.sleep(600)"
    )
    made, told = painter(tmp_path, hangs, clock)
    drawing = asyncio.create_task(made.draw(month(0.6)))
    processes = [psutil.Process(int(pid)) for pid in (await line_in(pids)).split()]
    await clock.advance(SECONDS - 1)
    assert not drawing.done()
    await clock.advance(2)
    assert await asyncio.wait_for(drawing, PATIENCE) is None
    assert told.faults == ["drawing a picture: the process did not end within 20 s"]
    _, alive = await asyncio.to_thread(psutil.wait_procs, processes, PATIENCE)
    assert [one for one in alive if one.status() != psutil.STATUS_ZOMBIE] == []


async def test_the_bots_end_is_the_drawings_end(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    hangs = f"import os, time; open({str(pids)!r}, 'w').write(f'{{os.getpid()}}\\n'); time.sleep(600)"
    made, told = painter(tmp_path, hangs)
    drawing = asyncio.create_task(made.draw(month(0.6)))
    process = psutil.Process(int(await line_in(pids)))
    drawing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await drawing
    assert not process.is_running()
    assert told.faults == []


@pytest.mark.parametrize(
    ("program", "fault"),
    [
        (
            "import sys; sys.exit('first\\n\\x1b[31mno\\tfont')",
            "no picture was drawn, status 1: [31mno font",
        ),
        ("print('a text')", "no picture was drawn, status 0: it said nothing"),
        ("import os; os.kill(os.getpid(), 9)", "no picture was drawn, status -9: it said nothing"),
        (
            f"import sys; sys.stdout.buffer.write({PNG!r} + bytes({LARGEST}))",
            "no picture was drawn, status 0: it said nothing",
        ),
        (
            "import sys; sys.stderr.write('x' * 999999); sys.exit(4)",
            f"no picture was drawn, status 4: {'x' * 199}…",
        ),
    ],
)
async def test_what_goes_wrong_is_told_to_the_admins(tmp_path: Path, program: str, fault: str) -> None:
    made, told = painter(tmp_path, program)
    assert await made.draw(load((1.0,) * 40_000)) is None
    assert told.faults == [f"drawing a picture: {fault}"]


async def test_where_it_cannot_even_begin_and_what_is_too_much(tmp_path: Path) -> None:
    made, told = painter(tmp_path)
    made.command = (str(tmp_path / "nothing"),)
    assert await made.draw(month(0.6)) is None
    assert await made.draw(load((1.0,) * 60_000)) is None
    assert "No such file" in told.faults[0]
    assert "more than 50,000 values" in told.faults[1]


async def test_without_matplotlib_it_says_once_what_would_draw(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "matplotlib.py").write_text("raise ModuleNotFoundError(\"No module named 'matplotlib'\")\n")
    begin = f"import runpy, sys; sys.path.insert(0, {str(tmp_path)!r}); "
    made, told = painter(tmp_path, begin + "runpy.run_module('bot.charts', run_name='__main__')")
    with caplog.at_level(logging.INFO, "shipboard.charts"):
        assert await made.draw(month(0.6)) is None
        made.command = ("never begun",)
        assert await made.draw(month(0.6)) is None
    assert [record.getMessage() for record in caplog.records] == [
        "Charts are not drawn: No module named 'matplotlib'; for them, pip install '.[charts]'."
    ]
    assert told.faults == []


async def test_one_is_drawn_at_a_time_and_few_wait(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    program = (
        "import os, sys\n"
        f"os.close(os.open({str(lock)!r}, os.O_CREAT | os.O_EXCL))\n"
        f"sys.stdout.buffer.write({PNG!r})\n"
        f"os.unlink({str(lock)!r})"
    )
    made, told = painter(tmp_path, program)
    drawn = await asyncio.gather(*(made.draw(month(0.6)) for _ in range(WAITING + 3)))
    assert drawn == [PNG] * WAITING + [None] * 3
    assert told.faults == []
    assert await made.draw(month(0.6)) == PNG


async def test_it_inherits_nothing_of_the_bots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "sesame")
    seen = tmp_path / "seen"
    program = f"import os; open({str(seen)!r}, 'w').write(f'{{sorted(os.environ)}} {{os.getcwd()}}\\n')"
    made, _ = painter(tmp_path, program)
    await made.draw(month(0.6))
    text = await line_in(seen)
    assert "OURS" not in text
    assert "PATH'" not in text.replace("PYTHONPATH", "")
    assert text.endswith("] /")
    assert os.environ["OURS"] == "sesame"
