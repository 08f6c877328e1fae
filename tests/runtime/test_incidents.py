import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.errors import HypervisorFault
from bot.model import Place
from bot.ports import Tx
from bot.runtime.bulletin import LOOK_SECONDS, MOST, QUIET
from bot.runtime.clock import SystemEntropy
from bot.runtime.incidents import IncidentLog
from bot.store import notices
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


ADMINS = Place("net", "#admins")


@dataclass
class Told:
    """What a log tells the admins."""

    store: SqliteStore
    incidents: IncidentLog
    clock: FakeClock

    async def lines(self) -> list[str]:
        await asyncio.gather(*self.incidents.bulletin.tasks)

        def take(tx: Tx) -> list[str]:
            rows = [str(row["lines"]) for row in notices.waiting(tx.db)]
            tx.db.execute("DELETE FROM outbox")
            return rows

        return await self.store.write(take)


@pytest.fixture
async def told(tmp_path: Path) -> AsyncIterator[Told]:
    clock = FakeClock()
    store = await SqliteStore.open(tmp_path / "x.db", clock, rooms_of=lambda _: (ADMINS,))
    made = IncidentLog(clock, SystemEntropy(), store)
    running = asyncio.create_task(made.run())
    yield Told(store, made, clock)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await asyncio.gather(*made.bulletin.tasks)
    await store.close()


async def test_the_same_cause_is_told_once_and_then_with_its_count(told: Told) -> None:
    for number in range(5):
        told.incidents.report(ValueError(str(number)), during=f"vm stop at net/#room{number}")
    (first,) = await told.lines()
    assert "vm stop at net/#room0: ValueError: 0" in first
    told.incidents.report(KeyError("y"), during="vm stop at net/#room0")
    told.incidents.report(ValueError("z"), during="elsewhere")
    assert len(await told.lines()) == 2
    await told.clock.advance(QUIET + LOOK_SECONDS)
    (again,) = await told.lines()
    assert "ValueError: 4 (again: 4 times more since 12:00 UTC)" in again


async def test_what_goes_on_for_hours_is_a_few_lines_an_hour(told: Told) -> None:
    lines = []
    for _ in range(6 * 60):
        told.incidents.report(ValueError("x"), during="x")
        await told.clock.advance(60)
        lines += await told.lines()
    assert 3 < len(lines) <= 9
    assert "(again: 3" in lines[-1]


async def test_what_has_ended_is_forgotten_and_told_anew(told: Told) -> None:
    told.incidents.report(ValueError("x"), during="x")
    await told.clock.advance(QUIET + LOOK_SECONDS)
    told.incidents.report(ValueError("x"), during="x")
    first, second = await told.lines(), told.incidents.bulletin.groups
    assert len(first) == 1  # the newer took the place of the one that still waited
    assert "again" not in first[0]
    assert len(second) == 1


async def test_causes_without_number_are_counted_as_one(told: Told) -> None:
    for number in range(MOST + 30):
        told.incidents.warn(f"cause {number}", f"text {number}")
    assert len(await told.lines()) == MOST + 1
    assert len(told.incidents.bulletin.groups) == MOST + 1
    await told.clock.advance(QUIET + LOOK_SECONDS)
    (others,) = await told.lines()
    assert "text 79 (again: 29 times more since" in others


async def test_some_news_are_told_a_few_times_before_they_are_counted(told: Told) -> None:
    for number in range(6):
        told.incidents.warn("network net", f"net is lost {number}", burst=4)
    assert await told.lines() == [f'["net is lost {number}"]' for number in range(4)]
    await told.clock.advance(QUIET + LOOK_SECONDS)
    assert await told.lines() == ['["net is lost 5 (again: 2 times more since 12:00 UTC)"]']


async def test_that_the_admins_cannot_be_told_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = await SqliteStore.open(tmp_path / "x.db", FakeClock())
    await store.close()
    incidents = log(store)
    number = incidents.report(ValueError("x"), during="x")
    assert number in incidents.recent
    await asyncio.gather(*incidents.bulletin.tasks, return_exceptions=True)
    await asyncio.sleep(0)
    assert "the admins could not be told" in caplog.text
    assert incidents.bulletin.tasks == set()


def test_without_a_loop_it_is_logged_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def closed() -> SqliteStore:
        store = await SqliteStore.open(tmp_path / "x.db", FakeClock())
        await store.close()
        return store

    incidents = log(asyncio.run(closed()))
    assert incidents.report(ValueError("x"), during="x") in caplog.text
    assert incidents.bulletin.tasks == set()
