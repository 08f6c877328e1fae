import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import TransportFault
from bot.model import Identity, Place, Relayed
from bot.ports import LinkStatus
from bot.runtime.supervisor import LONGEST, SHORTEST, Supervisor

START = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Stopped(BaseException):
    """Ends a test's run."""


@dataclass
class Clock:
    passed: float = 0.0
    slept: list[float] = field(default_factory=list)
    most: int = 5

    def now(self) -> datetime:
        return START + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if len(self.slept) >= self.most:
            raise Stopped
        self.passed += seconds
        await asyncio.sleep(0)


@dataclass
class Entropy:
    part: float = 1.0

    def token(self, bits: int) -> str:
        return "x" * bits

    def uniform(self, low: float, high: float) -> float:
        return low + self.part * (high - low)


@dataclass
class Network:
    clock: Clock
    lasts: float | None
    error: Exception | None = field(default_factory=lambda: TransportFault("refused"))
    attempts: int = 0
    network: str = "oftc"

    async def serve(self, up: Callable[[], None]) -> None:
        self.attempts += 1
        if self.lasts is not None:
            up()
            self.clock.passed += self.lasts
        if self.error:
            raise self.error

    async def say(self, place: Place, lines: Sequence[str]) -> bool:
        raise NotImplementedError

    async def tell(self, identity: Identity, lines: Sequence[str]) -> bool:
        raise NotImplementedError

    async def leave_word(self, identity: Identity, lines: Sequence[str]) -> bool:
        raise NotImplementedError

    def show(self, text: str) -> None:
        raise NotImplementedError

    def pass_on(self, relayed: Relayed) -> bool:
        raise NotImplementedError

    def status(self) -> LinkStatus:
        raise NotImplementedError


@dataclass
class Incidents:
    causes: list[BaseException] = field(default_factory=list)

    def report(self, cause: BaseException, *, during: str, private: bool = False) -> str:
        assert not private
        assert during == "serving oftc"
        self.causes.append(cause)
        return "7f3a"


async def run(network: Network, entropy: Entropy | None = None) -> tuple[Supervisor, Incidents]:
    incidents = Incidents()
    supervisor = Supervisor(network, network.clock, entropy or Entropy(), incidents)
    with pytest.raises(Stopped):
        await supervisor.run()
    return supervisor, incidents


async def test_pauses_grow_to_their_longest() -> None:
    network = Network(Clock(most=7), None)
    supervisor, incidents = await run(network)
    assert network.clock.slept == [2.0, 4.0, 8.0, LONGEST, LONGEST, LONGEST, LONGEST]
    assert (supervisor.status.count, supervisor.status.error) == (7, "refused")
    assert supervisor.status.next == network.clock.now() + timedelta(seconds=LONGEST)
    assert incidents.causes == []


async def test_pauses_are_never_nothing() -> None:
    network = Network(Clock(), None)
    await run(network, Entropy(0.0))
    assert network.clock.slept == [SHORTEST] * 5


async def test_a_steady_connection_begins_anew() -> None:
    network = Network(Clock(), lasts=60.0)
    await run(network)
    assert network.clock.slept == [1.0] * 5


async def test_others_hear_that_a_connection_is_up() -> None:
    network, heard = Network(Clock(most=2), lasts=1.0), list[str]()
    supervisor = Supervisor(network, network.clock, Entropy(), Incidents(), lambda: heard.append("up"))
    with pytest.raises(Stopped):
        await supervisor.run()
    assert heard == ["up", "up"]


async def test_a_server_that_throws_us_out_at_once_is_not_hammered() -> None:
    network = Network(Clock(), lasts=1.0)
    await run(network)
    assert network.clock.slept == [2.0, 4.0, 8.0, LONGEST, LONGEST]


async def test_what_no_transport_should_raise_is_reported_and_tried_again() -> None:
    network = Network(Clock(most=2), None, RuntimeError("a bug"))
    supervisor, incidents = await run(network)
    assert network.attempts == 2
    assert [str(cause) for cause in incidents.causes] == ["a bug", "a bug"]
    assert supervisor.status.error == "an error of ours, 7f3a"


async def test_a_transport_that_just_ends_is_tried_again() -> None:
    supervisor, _ = await run(Network(Clock(most=2), None, None))
    assert supervisor.status.error == "it ended without saying why"


def test_no_number_of_failures_is_too_large() -> None:
    clock = Clock()
    supervisor = Supervisor(Network(clock, None), clock, Entropy(), Incidents())
    assert supervisor.pause(10**9) == LONGEST
