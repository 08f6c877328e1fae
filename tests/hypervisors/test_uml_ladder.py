import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.errors import ShipboardError
from bot.hypervisors.uml import ladder
from bot.hypervisors.uml.agent import NoAgent
from bot.hypervisors.uml.mconsole import GuestRefused, GuestSilent
from bot.ports import Clock


class Stub:
    """A guest that goes down at one of its rungs; the rungs in `broken` fail."""

    def __init__(self, clock: Clock, goes_by: str, broken: dict[str, ShipboardError]) -> None:
        self.name, self.site, self.mconsole = "ford-1", SimpleNamespace(clock=clock), Path("mconsole")
        self.gone = asyncio.Event()
        self.agent = SimpleNamespace(say=self.say)
        self.did: list[str] = []
        self._goes_by, self._broken = goes_by, broken

    def step(self, what: str) -> None:
        self.did.append(what)
        if what in self._broken:
            raise self._broken[what]
        if what == self._goes_by:
            self.gone.set()

    def say(self, command: str) -> None:
        assert "poweroff" in command
        self.step("poweroff")

    async def ask(self, _: Path, line: str) -> str:
        self.step(line)
        return ""

    async def end(self) -> None:
        self.step("kill")


@pytest.mark.parametrize(
    ("goes_by", "grace", "tried"),
    [
        ("cad", 30, ("cad",)),
        ("poweroff", 0.06, ("cad", "poweroff")),
        ("halt", 0.06, ("cad", "poweroff", "halt")),
        ("halt", 0, ("halt",)),
        ("kill", 0, ("halt", "kill")),
    ],
)
async def test_the_first_rung_that_works_is_the_last(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, goes_by: str, grace: float, tried: tuple[str, ...]
) -> None:
    guest: Any = Stub(clock, goes_by, {})
    monkeypatch.setattr(ladder, "ask", guest.ask)
    monkeypatch.setattr(ladder, "HALT_SECONDS", 0.02)
    result = await ladder.descend(guest, grace)
    assert (result.rung, result.tried) == (goes_by, tried)
    assert [step for step in guest.did if step != "sysrq s"] == list(tried)


async def test_a_rung_that_fails_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    broken: dict[str, ShipboardError] = {
        "cad": GuestSilent("x"),
        "poweroff": NoAgent("x"),
        "sysrq s": GuestRefused("x"),
        "halt": GuestSilent("x"),
    }
    guest: Any = Stub(clock, "kill", broken)
    monkeypatch.setattr(ladder, "ask", guest.ask)
    result = await ladder.descend(guest, 1000)
    assert result.tried == ("cad", "poweroff", "halt", "kill")
    assert result.seconds < 10
    assert guest.did == ["cad", "poweroff", "sysrq s", "halt", "kill"]
