"""What systemd and the host hear of the bot."""

import asyncio
import json
import os
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.coop.about import About
from bot.errors import TransportFault
from bot.ports import Backlog, LinkStatus
from bot.runtime import health
from bot.runtime.doorbell import MOST, SOCKET, Doorbell, reached
from bot.runtime.health import LAGGING, WRITE_SECONDS, Health
from bot.runtime.supervisor import STUCK, Supervisor
from bot.runtime.systemd import Notifier
from bot.store.database import SqliteStore
from bot.store.roster import SqlRoster
from bot.testing import FakeClock, FakeEntropy, FakeIncidents, settle
from tests.conftest import until


class Manager:
    """What listens in systemd's place."""

    def __init__(self, address: str) -> None:
        self.door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.door.bind(address)
        self.door.setblocking(False)  # noqa: FBT003 - socket's own way to say it

    def heard(self) -> list[str]:
        found: list[str] = []
        while True:
            try:
                found.append(self.door.recv(4096).decode())
            except BlockingIOError:
                return found


def notifier(**more: str) -> Notifier:
    return Notifier.of(dict(more))


# --- sd_notify


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told_at_a_path_or_an_abstract_name(tmp_path: Path, abstract: bool) -> None:  # noqa: FBT001 - a case
    name = f"shipboard-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    manager = Manager(f"\0{name}" if abstract else name)
    environment = {"NOTIFY_SOCKET": f"@{name}" if abstract else name, "WATCHDOG_USEC": "60000000", "A": "b"}
    made = Notifier.of(environment)
    made.tell("READY=1", "STATUS=all\nis well")
    assert manager.heard() == ["READY=1\nSTATUS=all is well"]
    assert (made.watchdog, environment) == (60.0, {"A": "b"})
    manager.door.close()


def test_a_reader_whose_queue_is_full_holds_up_nothing(tmp_path: Path) -> None:
    manager = Manager(str(tmp_path / "notify"))
    made = notifier(NOTIFY_SOCKET=str(tmp_path / "notify"))
    for _ in range(2000):
        made.tell("WATCHDOG=1")
    assert 0 < len(manager.heard()) < 2000
    manager.door.close()


@pytest.mark.parametrize(
    "environment",
    [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:1:2"}, {"NOTIFY_SOCKET": "/nowhere/at/all"}],
)
def test_without_a_listener_nothing_happens(environment: dict[str, str]) -> None:
    made = Notifier.of(environment)
    made.tell("READY=1")
    assert made.watchdog == 0.0


@pytest.mark.parametrize(
    ("micros", "pid", "seconds"),
    [
        ("1500000", "", 1.5),
        ("1500000", "our own", 1.5),
        ("1500000", "1", 0.0),
        ("x", "", 0.0),
        ("²", "", 0.0),
    ],
)
def test_the_watchdog_is_read_if_it_is_ours(micros: str, pid: str, seconds: float) -> None:
    pid = str(os.getpid()) if pid == "our own" else pid
    assert notifier(WATCHDOG_USEC=micros, WATCHDOG_PID=pid).watchdog == seconds


# --- health


@dataclass
class Queue:
    waiting: int = 0

    async def backlogs(self) -> tuple[Backlog, ...]:
        return (Backlog("net/#team", self.waiting),)

    async def drop(self, place: str) -> int:
        raise NotImplementedError


@dataclass
class Held:
    """A supervisor."""

    seconds: float = 0.0

    def stuck(self) -> float:
        return self.seconds


@dataclass
class Patient:
    """A bot as far as its health goes."""

    health: Health
    store: SqliteStore
    clock: FakeClock
    manager: Manager
    held: Held
    links: list[LinkStatus] = field(default_factory=list)
    first: list[str] = field(default_factory=list)

    async def passes(self, seconds: float) -> list[str]:
        """Let time pass, and return what systemd heard at the next look."""
        self.manager.heard()
        await self.clock.advance(seconds)
        heard: list[str] = []
        async with asyncio.timeout(20):
            while not heard:
                await asyncio.sleep(0)
                heard = self.manager.heard()
            await until(lambda: self.clock.sleepers == 2)
        return heard


@asynccontextmanager
async def patient(folder: Path) -> AsyncIterator[Patient]:
    clock, held, links = FakeClock(), Held(), [LinkStatus("net", up=True)]
    store = await SqliteStore.open(folder / "shipboard.db", clock)
    await store.migrate(health.migrations)
    manager = Manager(str(folder / "notify"))
    made = Health(
        notifier=notifier(NOTIFY_SOCKET=str(folder / "notify"), WATCHDOG_USEC="20000000"),
        about=About("Eddie", "!", clock.now()),
        clock=clock,
        store=store,
        roster=SqlRoster(store, clock),
        outgoing=Queue(3),
        links=lambda: links,
        supervisors=lambda: [held],
    )
    running = asyncio.create_task(made.run())
    one = Patient(made, store, clock, manager, held, links)
    while len(one.first) < 2:
        one.first += manager.heard()
        await asyncio.sleep(0)
    await until(lambda: clock.sleepers == 2)
    try:
        yield one
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert manager.heard()[-1:] == ["STOPPING=1\nSTATUS=on the way out"]
        await store.close()
        manager.door.close()


async def test_systemd_hears_when_all_is_ready_then_at_half_its_time_and_at_the_end(tmp_path: Path) -> None:
    async with patient(tmp_path) as one:
        assert one.first == [
            "READY=1\nSTATUS=net up, 0 machines",
            "WATCHDOG=1\nSTATUS=net up, 0 machines",
        ]
        assert await one.passes(10) == ["WATCHDOG=1\nSTATUS=net up, 0 machines"]


async def test_a_network_that_is_down_is_a_fault_but_alive(tmp_path: Path) -> None:
    async with patient(tmp_path) as one:
        one.links[0] = LinkStatus("net", up=False, detail="refused")
        assert await one.passes(10) == ["WATCHDOG=1\nSTATUS=net down, 0 machines"]
        assert one.health.answer() == {
            "version": "0.1.0",
            "uptime": 10,
            "networks": {"net": "down: refused"},
            "machines": 0,
            "outbox": 3,
            "lag_ms": 0.0,
            "faults": ["net is down: refused"],
        }


async def test_one_that_is_not_even_tried_lets_the_watchdog_bite(tmp_path: Path) -> None:
    async with patient(tmp_path) as one:
        one.held.seconds = STUCK
        assert await one.passes(10) == ["STATUS=net up, 0 machines, net was not tried again for 5 min"]
        assert one.health.answer()["faults"] == ["net was not tried again for 5 min"]
        one.held.seconds = 0.0
        assert await one.passes(10) == ["WATCHDOG=1\nSTATUS=net up, 0 machines"]


async def test_so_does_a_store_that_does_not_write(tmp_path: Path) -> None:
    async with patient(tmp_path) as one:
        says = "SELECT RAISE(ABORT, 'the disk is full')"
        full = f"CREATE TRIGGER full BEFORE INSERT ON heartbeat BEGIN {says}; END"
        await one.store.write(lambda tx: tx.db.execute(full))
        (heard,) = await one.passes(10)
        assert "WATCHDOG" not in heard
        assert "the store does not write" in heard
        assert "the disk is full" in heard


async def test_and_one_that_takes_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with patient(tmp_path) as one:

        async def hang(_: object) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(one.store, "write", hang)
        await one.clock.advance(10)
        (heard,) = await one.passes(WRITE_SECONDS)
        assert heard == "STATUS=net up, 0 machines, the store does not write: it takes too long"


async def test_a_loop_that_was_held_up_is_a_fault_for_a_while(tmp_path: Path) -> None:
    async with patient(tmp_path) as one:
        one.health.pulse.lags = [LAGGING + 1.5]
        assert one.health.answer()["faults"] == ["the loop was late by 2.5 s"]
        for _ in range(70):
            await one.clock.advance(1)
        assert one.health.answer()["faults"] == []


async def test_the_pulse_is_how_late_the_loop_is(tmp_path: Path) -> None:
    async with patient(tmp_path) as one:
        one.clock._passed += 5  # the clock goes on, and nobody has been woken
        await one.clock.advance(0)
        await until(lambda: one.health.pulse.worst)
        assert one.health.pulse.worst == pytest.approx(4.0)


# --- supervisors


class Link:
    network = "net"

    def __init__(self) -> None:
        self.up = False
        self.hangs = asyncio.Event()

    async def serve(self, _: object) -> None:
        await self.hangs.wait()
        raise TransportFault("lost")

    def status(self) -> LinkStatus:
        return LinkStatus("net", self.up)


async def test_a_supervisor_is_stuck_only_if_it_is_neither_up_nor_tries() -> None:
    link, clock = Link(), FakeClock()
    supervisor = Supervisor(link, clock, FakeEntropy(), FakeIncidents())  # type: ignore[arg-type]  # as much as is used
    running = asyncio.create_task(supervisor.run())
    await clock.advance(STUCK - 1)
    assert supervisor.stuck() == 0.0
    await clock.advance(1)
    assert supervisor.stuck() == STUCK
    link.up = True
    assert supervisor.stuck() == 0.0
    await clock.advance(STUCK * 3)
    assert supervisor.stuck() == 0.0
    link.up = False
    assert supervisor.stuck() == 0.0
    link.hangs.set()
    for _ in range(30):
        await clock.advance(STUCK / 10)
        assert supervisor.stuck() == 0.0
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


# --- the doorbell


@asynccontextmanager
async def doorbell(state: Path, answer: dict[str, object] | None = None) -> AsyncIterator[Doorbell]:
    bell = Doorbell(state, lambda: answer or {"faults": []})
    running = asyncio.create_task(bell.run())
    await until((state / SOCKET).exists)
    try:
        yield bell
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert not (state / SOCKET).exists()


async def rung(state: Path) -> bytes:
    with reached(state) as path:
        reader, writer = await asyncio.open_unix_connection(path)
    try:
        return await asyncio.wait_for(reader.read(), 20)
    finally:
        writer.close()


@pytest.mark.parametrize("depth", [1, 12])
async def test_whoever_rings_gets_a_line_however_long_the_path_is(tmp_path: Path, depth: int) -> None:
    state = tmp_path.joinpath(*["a long name of a folder"] * depth)
    state.mkdir(parents=True)
    async with doorbell(state):
        assert json.loads(await rung(state)) == {"faults": []}
        assert stat.S_IMODE((state / SOCKET).stat().st_mode) == 0o600


async def test_a_socket_that_was_left_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left, reached(tmp_path) as path:
        left.bind(path)
    async with doorbell(tmp_path):
        await settle()
        assert json.loads(await rung(tmp_path)) == {"faults": []}


async def test_who_rings_and_takes_nothing_holds_up_nobody(tmp_path: Path) -> None:
    async with doorbell(tmp_path, {"faults": ["x" * 5_000_000]}) as bell:
        idle = []
        for _ in range(MOST):
            with reached(tmp_path) as path:
                idle.append(await asyncio.open_unix_connection(path, limit=1))
        await until(lambda: bell.open == MOST)
        assert await rung(tmp_path) == b""
        for _, writer in idle:
            writer.transport.abort()
        await until(lambda: bell.open == 0)
        assert len(await rung(tmp_path)) > 5_000_000


async def test_words_of_who_rings_are_not_read(tmp_path: Path) -> None:
    async with doorbell(tmp_path) as bell:
        with reached(tmp_path) as path:
            _, writer = await asyncio.open_unix_connection(path)
        writer.write(b"x" * 1_000_000)
        await until(lambda: bell.open == 0)
        writer.transport.abort()
        assert json.loads(await rung(tmp_path)) == {"faults": []}
