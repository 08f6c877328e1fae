"""Processes that really die, and two that really write at once."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bot.store.chains import verify_all
from bot.store.connection import connect
from bot.store.database import SqliteStore
from tests.store.conftest import HandClock, write_row

ROOT = Path(__file__).parents[2]
WRITER = """
import asyncio, sys
from pathlib import Path
from bot.coop.events import DayBegan
from bot.model import Notice, Place
from bot.ports import Entry
from bot.store import audit
from bot.store.database import SqliteStore
from tests.store.conftest import HandClock, rooms

def deed(tx, number):
    tx.notice(Notice(Place("oftc", "#ford"), (f"row {number}",)))
    tx.event(DayBegan(date=str(number)))
    return audit.append(tx, Entry("asked", sys.argv[2], "vm stop", str(number)))

async def main():
    store = await SqliteStore.open(Path(sys.argv[1]), HandClock(), rooms_of=rooms)
    print("open", flush=True)
    for number in range(int(sys.argv[3])):
        print(await store.write(lambda tx: deed(tx, number)), flush=True)
    await store.close()

asyncio.run(main())
"""
Start = Callable[[str, int], Awaitable[Process]]


@pytest.fixture
async def start(path: Path) -> AsyncIterator[Start]:
    started: list[Process] = []

    async def starter(name: str, count: int) -> Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITER, str(path), name, str(count), stdout=PIPE, cwd=ROOT
        )
        started.append(process)
        return process

    yield starter
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def heard(process: Process, lines: int) -> list[str]:
    assert process.stdout
    return [(await asyncio.wait_for(process.stdout.readline(), 30)).decode().strip() for _ in range(lines)]


@pytest.mark.parametrize("after", [1, 7, 40, 150])
async def test_kill_9_loses_nothing_that_was_acknowledged(start: Start, path: Path, after: int) -> None:
    process = await start("eddie", 1_000_000)
    assert (await heard(process, 1)) == ["open"]
    acknowledged = int((await heard(process, after))[-1])
    process.send_signal(signal.SIGKILL)
    assert process.stdout
    rest = (await process.stdout.read()).decode().split("\n")
    acknowledged = max([acknowledged, *(int(line) for line in rest[:-1])])
    await process.wait()
    db = connect(path)
    verdict = verify_all(db)["audit"]
    assert verdict.whole
    assert acknowledged <= verdict.length <= acknowledged + 1
    assert db.table("outbox").count == db.table("events").count == verdict.length
    db.close()


async def test_two_processes_append_to_one_chain(start: Start, path: Path, clock: HandClock) -> None:
    processes = [await start(name, 150) for name in ("eddie", "marvin")]
    for process in processes:
        assert process.stdout
        await asyncio.wait_for(process.stdout.read(), 40)
        assert await process.wait() == 0
    store = await SqliteStore.open(path, clock)
    await store.write(write_row)
    verdicts = await store.read(verify_all)
    assert (verdicts["audit"].whole, verdicts["audit"].length) == (True, 301)
    seen = await store.read(lambda db: db.execute("SELECT actor FROM audit").fetchall())
    assert {actor for (actor,) in seen[:150]} | {actor for (actor,) in seen[150:]} >= {"eddie", "marvin"}
    await store.close()
