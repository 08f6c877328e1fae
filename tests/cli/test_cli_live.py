"""shipboard check --live."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot import cli
from bot.cli import live
from bot.runtime.doorbell import SOCKET, Doorbell, reached
from tests.conftest import until

WELL: dict[str, object] = {
    "version": "0.1.0",
    "uptime": 7380,
    "networks": {"oftc": "up", "jabber": "up"},
    "machines": 4,
    "outbox": 1,
    "lag_ms": 0.7,
    "faults": [],
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text('[bot]\nstate = "state"\n')
    (tmp_path / "state").mkdir()
    return path


@asynccontextmanager
async def bot(state: Path, answer: dict[str, object]) -> AsyncIterator[None]:
    running = asyncio.create_task(Doorbell(state, lambda: answer).run())
    await until((state / SOCKET).exists)
    yield
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def asked(config: Path) -> int:
    return await asyncio.to_thread(cli.main, ["check", "--live", "--config", str(config)])


async def test_a_bot_that_is_well_says_so(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with bot(config.parent / "state", WELL):
        assert await asked(config) == 0
    assert capsys.readouterr().out == (
        "well; version 0.1.0, up 2 h 3 min; networks: oftc up, jabber up; 4 machines; 1 message to be said; "
        "loop lag 0.7 ms\n"
    )


async def test_one_that_is_not_says_why(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    faults = ["jabber is down: refused", "the loop was late by 2.5 s"]
    async with bot(config.parent / "state", {**WELL, "faults": faults}):
        assert await asked(config) == 1
    said = capsys.readouterr().out
    assert said.startswith("unwell: jabber is down: refused; the loop was late by 2.5 s; version")


def test_without_a_bot_it_is_a_wrong_use(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "--live", "--config", str(config)]) == 2
    assert "no bot runs there" in capsys.readouterr().err
    (config.parent / "state").rmdir()
    assert cli.main(["check", "--live", "--config", str(config)]) == 2
    assert "no bot runs there" in capsys.readouterr().err


def test_a_bot_that_was_killed_is_not_there(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket(socket.AF_UNIX) as left, reached(config.parent / "state") as path:
        left.bind(path)
    assert cli.main(["check", "--live", "--config", str(config)]) == 2
    assert "no bot runs there" in capsys.readouterr().err


def test_one_that_does_not_answer_is_unwell(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PATIENCE", 0.05)
    with socket.socket(socket.AF_UNIX) as silent, reached(config.parent / "state") as path:
        silent.bind(path)
        silent.listen()
        assert cli.main(["check", "--live", "--config", str(config)]) == 1
    assert "has not answered" in capsys.readouterr().out


def test_one_with_too_many_who_wait_is_there_all_the_same(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PATIENCE", 0.05)
    with socket.socket(socket.AF_UNIX) as stuck, reached(config.parent / "state") as path:
        stuck.bind(path)
        stuck.listen(1)
        for _ in range(4):
            assert cli.main(["check", "--live", "--config", str(config)]) == 1
    assert capsys.readouterr().out.count("unwell: the bot runs, but has not answered") == 4


@pytest.mark.parametrize("answer", [["x"], {"faults": "x"}, {}])
async def test_what_is_no_answer_is_unwell(
    config: Path, capsys: pytest.CaptureFixture[str], answer: dict[str, object]
) -> None:
    async with bot(config.parent / "state", answer):
        assert await asked(config) == 1
    assert "cannot be read" in capsys.readouterr().out
