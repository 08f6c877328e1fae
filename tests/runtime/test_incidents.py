import asyncio
import logging
from pathlib import Path

import pytest

from bot.errors import HypervisorFault
from bot.model import Place
from bot.runtime.clock import SystemEntropy
from bot.runtime.incidents import IncidentLog
from bot.store.database import SqliteStore
from bot.testing import FakeClock


class Unsayable(Exception):  # noqa: N818 - what is tested
    def __str__(self) -> str:
        raise ValueError("nothing to say")


def raised(error: Exception) -> Exception:
    try:
        throw(error)
    except Exception as caught:  # noqa: BLE001 - with its traceback
        return caught
    return error


def throw(error: Exception) -> None:
    raise error


def log(store: SqliteStore | None = None) -> IncidentLog:
    return IncidentLog(FakeClock(), SystemEntropy(), store)


def test_a_fault_gets_a_number_and_its_cause_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    incidents = log()
    number = incidents.report(raised(HypervisorFault("no kernel")), during="vm start at net/#team")
    assert len(number) == 4
    assert int(number, 16) >= 0
    assert str(incidents.recent[number]) == f"{number} in vm start at net/#team: HypervisorFault: no kernel"
    assert "HypervisorFault: no kernel" in caplog.text
    assert "in raised" in caplog.text


def test_of_a_private_one_only_kind_and_place_are_kept(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    incidents = log()
    error = raised(ValueError("xyzzy"))
    error.__cause__ = KeyError("xyzzy")
    number = incidents.report(error, during="vote", private=True)
    assert str(incidents.recent[number]) == f"{number} in vote: ValueError"
    assert "test_incidents.py" in caplog.text
    assert "xyzzy" not in caplog.text


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (Unsayable(), "Unsayable: its text cannot be had (ValueError)"),
        (ValueError("one\ntwo\r\n three"), "ValueError: one two three"),
        (ValueError("x" * 1000), f"ValueError: {'x' * 299}…"),
        (ValueError(), "ValueError"),
        (SystemExit(3), "SystemExit: 3"),
    ],
)
def test_whatever_it_is_it_is_told_in_one_line(error: BaseException, cause: str) -> None:
    incidents = log()
    assert incidents.recent[incidents.report(error, during="x")].cause == cause


def test_only_the_last_ones_are_kept() -> None:
    incidents = log()
    numbers = [incidents.report(ValueError(str(number)), during="x") for number in range(500)]
    assert len(incidents.recent) <= 200
    assert numbers[-1] in incidents.recent


async def test_the_admins_hear_of_each_kind_once_in_ten_minutes(tmp_path: Path) -> None:
    rooms = {"admins": (Place("net", "#admins"),)}
    store = await SqliteStore.open(tmp_path / "x.db", FakeClock(), rooms_of=rooms.__getitem__)
    incidents = log(store)

    async def told() -> int:
        await asyncio.gather(*incidents.tasks)
        count: int = await store.write(lambda tx: tx.db.execute("DELETE FROM outbox").rowcount)
        return count

    for number in range(5):
        incidents.report(ValueError(str(number)), during="x")
    assert await told() == 1
    incidents.report(KeyError("y"), during="x")
    incidents.report(ValueError("z"), during="elsewhere")
    assert await told() == 2
    clock = incidents.clock
    assert isinstance(clock, FakeClock)
    await clock.advance(600)
    incidents.report(ValueError("again"), during="x")
    assert await told() == 1
    await store.close()


async def test_that_the_admins_cannot_be_told_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = await SqliteStore.open(tmp_path / "x.db", FakeClock())
    await store.close()
    incidents = log(store)
    number = incidents.report(ValueError("x"), during="x")
    assert number in incidents.recent
    await asyncio.gather(*incidents.tasks, return_exceptions=True)
    await asyncio.sleep(0)
    assert "the admins could not be told" in caplog.text
    assert incidents.tasks == set()


def test_without_a_loop_it_is_logged_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def closed() -> SqliteStore:
        store = await SqliteStore.open(tmp_path / "x.db", FakeClock())
        await store.close()
        return store

    incidents = log(asyncio.run(closed()))
    assert incidents.report(ValueError("x"), during="x") in caplog.text
    assert incidents.tasks == set()
