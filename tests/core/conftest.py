import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot import (
    Actor,
    Identity,
    IdentityKind,
    Machine,
    Member,
    Message,
    Place,
    Plugin,
    Refusal,
    Reply,
    Report,
    admins,
    anyone,
    members,
    owner_of,
)
from bot.testing import Chat


@dataclass(slots=True)
class Probe:
    """A plugin that records what ran, and whose slow commands go on when they are let."""

    plugin: Plugin = field(default_factory=lambda: Plugin("probe"))
    runs: list[str] = field(default_factory=list)
    began: dict[str, asyncio.Event] = field(default_factory=dict)
    gates: dict[str, asyncio.Event] = field(default_factory=dict)

    async def has_begun(self, name: str) -> None:
        await self.began.setdefault(name, asyncio.Event()).wait()

    def let(self, name: str) -> None:
        self.gates.setdefault(name, asyncio.Event()).set()

    async def wait(self, name: str) -> None:
        self.runs.append(name)
        self.began.setdefault(name, asyncio.Event()).set()
        await self.gates.setdefault(name, asyncio.Event()).wait()


def declare_quick(probe: Probe) -> None:
    """Commands that end at once."""

    @probe.plugin.command("note", allow=members)
    async def note(actor: Actor, *, text: str) -> str:
        """Note a text."""
        probe.runs.append(f"{actor}: {text}")
        return f"noted {text}"

    @probe.plugin.command("look", allow=members, reads=True)
    async def look(machine: Machine) -> str:
        """Look at a machine."""
        probe.runs.append(f"look {machine}")
        return f"{machine} is there."

    @probe.plugin.command("wave", allow=anyone)
    def wave(actor: Actor) -> None:
        """Wave, without a word."""
        probe.runs.append(f"{actor} waved")

    @probe.plugin.command("few", allow=anyone, limit="3/10m")
    async def few() -> str:
        """Do what may be done but rarely."""
        probe.runs.append("few")
        return "done"

    @probe.plugin.command("praise", allow=members & ~admins)
    async def praise(member: Member, times: int = 1) -> Reply:
        """Praise a member, to yourself."""
        probe.runs.append(f"praise {member} {times}")
        return Reply((f"{member} is great.",) * times, private=True)


def declare_asking(probe: Probe) -> None:
    """Commands that ask first."""

    @probe.plugin.command(
        "wipe", allow=owner_of("machine") | admins, confirm="Wipe {machine.name} of {machine.owner}?"
    )
    async def wipe(machine: Machine) -> str:
        """Wipe a machine."""
        probe.runs.append(f"wipe {machine}")
        return f"{machine} is wiped."

    @probe.plugin.command(
        "raze",
        allow=owner_of("machine") | admins,
        confirm="Raze {machine.name}?",
        second=~owner_of("machine"),
    )
    async def raze(machine: Machine, how: str = "gently") -> Reply:
        """Raze a machine; another's needs a second admin."""
        probe.runs.append(f"raze {machine} {how}")
        return Reply((f"{machine} is razed {how}.",), private=how == "quietly")


def declare_slow(probe: Probe) -> None:
    """Commands that end when they are let."""

    @probe.plugin.command("wait", allow=members)
    async def wait(actor: Actor, name: str) -> str:
        """Wait until it is let."""
        await probe.wait(name)
        return f"{actor} waited for {name}"

    @probe.plugin.command("work", allow=members)
    async def work(report: Report, name: str, machine: Machine | None = None) -> str:
        """Work as a job."""
        await report(0.25, f"at {name}")
        await probe.wait(name)
        await report(7, "nearly")
        return f"worked on {machine or name}"


def declare_private(probe: Probe) -> None:
    """Commands with a private word."""

    @probe.plugin.command("vote", allow=members, private=("choice",))
    async def vote(number: int, choice: str) -> str:
        """Vote, in one of the ways in which a vote can end."""
        probe.runs.append(f"vote {number}")
        if number == 1:
            raise Refusal(f"{choice} is closed")
        if number == 2:
            raise RuntimeError(f"{choice} broke")
        if number == 3:
            await probe.wait("the vote")
        if number == 4:
            raise SystemExit(choice)
        return f"recorded {choice}"

    @probe.plugin.command(
        "bury", allow=members, private=("what",), confirm="Bury it in {place}?", second=members
    )
    async def bury(report: Report, place: str, what: str) -> str:
        """Bury a thing."""
        await report(0.5, "digging")
        probe.runs.append(f"bury {place}")
        return f"buried {what}"


@pytest.fixture
def probe() -> Probe:
    probe = Probe()
    for declare in (declare_quick, declare_asking, declare_slow, declare_private):
        declare(probe)
    return probe


@pytest.fixture
async def talk(tmp_path: Path, probe: Probe) -> AsyncIterator[Chat]:
    """A conversation with the probe alone."""
    async with Chat.open(tmp_path, [probe.plugin]) as chat:
        yield chat


async def book(chat: Chat) -> list[str]:
    """The audit book, the oldest row first: kind, command, words, outcome."""
    rows = [row.entry for row in reversed(await chat.book.recent(100))]
    return [f"{e.kind} | {e.command} | {e.words} | {e.outcome}".rstrip(" |") for e in rows]


async def also_known(chat: Chat, subject: str, member: str) -> Identity:
    """Give a member another account."""
    other = Identity("net", IdentityKind.IRC_ACCOUNT, subject)
    row = {"network": "net", "kind": "irc-account", "subject": subject, "member": member, "bound": "x"}
    seen = "2026-11-22T12:00:00.000000Z"
    await chat.store.write(lambda tx: tx.db.table("identities").insert({**row, "seen": seen}))
    return other


def message(chat: Chat, who: str, text: str) -> Message:
    """A line in the team's room, as a transport hands it over."""
    identity = Identity("net", IdentityKind.IRC_ACCOUNT, who)
    return Message(Place("net", "#team"), who, text, chat.clock.now(), identity)
