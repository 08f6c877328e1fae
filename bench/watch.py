"""What the watch costs: ticks, alerts, and a file of many years, with the real sampler, meter and store."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median

from sqlite_utils import Database

from bench import years
from bot import Machine, Tick
from bot.hypervisors.fake import FakeHypervisor
from bot.meters.fake import FakeMeter
from bot.meters.host import HostMeter
from bot.meters.interfaces import Kernel, Wires
from bot.ports import Meter, Slot
from bot.runtime.clock import SystemClock, SystemEntropy
from bot.runtime.incidents import IncidentLog
from bot.runtime.sampler import TICK_SECONDS, Sampler
from bot.store import rollup, traffic
from bot.store.database import FILE, SqliteStore
from bot.store.history import SqlHistory
from plugins.alerts.board import Board, evaluate
from plugins.alerts.rules import Rule, Severity
from plugins.alerts.watch import Alert, Ears

MACHINES, MANY, TICKS, ALERTS = 40, 1_000, 60, 10_000
MONTH = 31 * rollup.DAY

_NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
_RULE = Rule(
    name="cpu",
    scope="machine",
    metric="cpu",
    severity=Severity.WARN,
    raise_at=90,
    clear_at=70,
    hold=60,
    text="busy",
)


class Ahead(SystemClock):
    """A clock that is put forward."""

    by = 0.0

    def now(self) -> datetime:
        """Return the time by this clock."""
        return super().now() + timedelta(seconds=self.by)

    def monotonic(self) -> float:
        """Return the seconds by this clock."""
        return super().monotonic() + self.by


@dataclass(frozen=True, slots=True)
class Roll:
    """A roster of machines only."""

    all: Sequence[Machine]

    async def machines(self) -> Sequence[Machine]:
        """Return them all."""
        return self.all


class Taps:
    """A kernel in a folder, with interfaces that pass bytes."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self.kernel = Kernel(folder / "dev", folder / "net", folder / "boot_id")
        self.kernel.boot.write_text("b00t\n")
        self.names, self.passed = names, 0
        for index, name in enumerate(names):
            (self.kernel.interfaces / name).mkdir(parents=True)
            (self.kernel.interfaces / name / "ifindex").write_text(f"{index}\n")

    def pass_on(self) -> None:
        """Let some more bytes pass, by each."""
        self.passed += 123_457
        lines = [f"{name:>6}: {self.passed} 9 0 0 0 0 0 0 {self.passed} 9 0 0 0 0 0 0" for name in self.names]
        self.kernel.devices.write_text("\n".join(lines))


async def ticks(folder: Path, machines: int, count: int, meter: Meter, turn: Callable[[], None]) -> float:
    """Return the ms of a processor that a tick takes, the writing of minutes in it."""
    clock = Ahead()
    store = await SqliteStore.open(folder / FILE, clock)
    roll = [Machine(f"m{number}", "ford", memory_mib=512) for number in range(machines)]
    hypervisor = FakeHypervisor("ford", clock)
    for machine in roll:
        await hypervisor.start(machine)
    sampler = Sampler(
        meter=meter,
        hypervisor=hypervisor,
        roster=Roll(roll),  # type: ignore[arg-type]  # only its machines are asked for
        clock=clock,
        incidents=IncidentLog(clock, SystemEntropy()),
        history=SqlHistory(store),
        pulse=_unwatched,
    )
    await sampler.tick()
    took = 0.0
    for _ in range(count):
        turn()
        clock.by += TICK_SECONDS
        before = time.process_time()
        await sampler.tick()
        took += time.process_time() - before
    await store.close()
    return took / count * 1000


async def _unwatched(tick: Tick) -> None:
    """Have nobody who watches."""


def alerts(count: int) -> float:
    """Return the ms that so many evaluations take while every twentieth is bad."""
    rules = {("cpu", f"m{number}"): _RULE for number in range(count)}
    board, took = Board(), []
    for turn in range(8):
        values = {key: 95.0 if number % 20 == 0 else turn + 5.0 for number, key in enumerate(rules)}
        before = time.perf_counter()
        board, _ = evaluate(board, rules, values, _ears, _NOW + timedelta(seconds=turn * TICK_SECONDS))
        took.append(time.perf_counter() - before)
    if len(board.active) < count // 20:
        raise AssertionError(f"not what was measured: {len(board.active)} alerts")
    return median(took) * 1000


def _ears(alert: Alert, rule: Rule) -> Ears:
    del alert, rule
    return Ears(frozenset({"alerts"}))


def in_years(path: Path) -> dict[str, float]:
    """Return what a file of years takes: MB on the disk, and ms for what is asked of it and done to it."""
    end = years.NOW
    slots = {("machine", f"ford-{number}"): Slot(end, 6, cpu=1.5, received=9) for number in range(MACHINES)}
    with years.years(path) as db:
        found = {"years_mb": path.stat().st_size / 1e6}
        asked: dict[str, Callable[[], object]] = {
            "chart_ms": partial(rollup.series, db, "machine", "ford-7", "hours", end - MONTH, end),
            "bars_ms": partial(_bars, db),
            "flow_ms": partial(rollup.flow, db, "machine", ["ford-7"], "fives", end - MONTH, end),
            "traffic_ms": partial(traffic.traffic, db, end - MONTH - 5400, end - 5400),
        }
        found |= {name: _timed(work, 5) for name, work in asked.items()}
        db.conn.execute("BEGIN IMMEDIATE")
        done: dict[str, Callable[[], object]] = {
            "minute_ms": partial(_write_minute, db, slots),
            "hour_ms": partial(rollup.roll_up, db, end + 3605, end),
            "prune_ms": partial(rollup.prune, db, end + 3600),
        }
        found |= {name: _timed(work, 1) for name, work in done.items()}
        db.conn.execute("ROLLBACK")
    return found


def _bars(db: Database) -> None:
    ledger = traffic.Ledger(db)
    for day in range(years.NOW - MONTH, years.NOW, rollup.DAY):
        ledger.traffic(day, day + rollup.DAY)


def _write_minute(db: Database, slots: Mapping[tuple[str, str], Slot]) -> None:
    rollup.record(db, slots)
    rollup.roll_up(db, years.NOW + 65, years.NOW)


def _timed(work: Callable[[], object], times: int) -> float:
    took = []
    for _ in range(times):
        before = time.perf_counter()
        work()
        took.append(time.perf_counter() - before)
    return median(took) * 1000


async def measure(
    folder: Path, many: int = MANY, count: int = TICKS, *, old: bool = True
) -> dict[str, float]:
    """Return all figures of the watch; `old`: also of a file of years, which takes half a minute to make."""
    for name in ("few", "many"):
        (folder / name).mkdir()
    taps = Taps(folder / "few", ["eth0", *(f"tm{number}" for number in range(MACHINES))])
    taps.pass_on()
    clock = SystemClock()
    real = HostMeter({"ford": folder}, clock, wires={"ford": Wires(uplink="eth0")}, kernel=taps.kernel)
    few = await ticks(folder / "few", MACHINES, count, real, taps.pass_on)
    fake = FakeMeter(("ford",), clock)
    most = await ticks(folder / "many", many, max(count // 4, 7), fake, lambda: None)
    found = {
        "tick_ms": few,
        "tick_percent": few / TICK_SECONDS / 10,
        "many_ms": most,
        "many_percent": most / TICK_SECONDS / 10,
        "alerts_ms": alerts(ALERTS),
    }
    return found | (await asyncio.to_thread(in_years, folder / "years.db") if old else {})
