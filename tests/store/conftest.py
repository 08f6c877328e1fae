"""A clock that goes when told to, people, and a network that remembers what it was told."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.coop.people import Member, Role
from bot.coop.shares import Share
from bot.model import Identity, IdentityKind, Notice, Place, Relayed
from bot.ports import Entry, LinkStatus, Tx
from bot.store import audit, notices
from bot.store.database import SqliteStore
from bot.store.outbox import Outbox
from bot.store.registrar import SqlRegistrar
from bot.store.roster import SqlRoster

DEADLINE = 20.0
FORD = Place("oftc", "#ford")
REGISTRAR = SqlRegistrar({"oftc": "irc", "jabber": "xmpp"})


class HandClock:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
        self.seconds = 0.0
        self.sleepers: dict[asyncio.Future[None], float] = {}
        self.changed = asyncio.Event()

    def now(self) -> datetime:
        return self.at + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sleepers[woken] = self.seconds + seconds
        self.changed.set()
        try:
            await woken
        finally:
            self.sleepers.pop(woken, None)

    def advance(self, seconds: float) -> None:
        self.seconds += seconds
        for woken, due in list(self.sleepers.items()):
            if due <= self.seconds and not woken.done():
                woken.set_result(None)

    async def asked_for(self, seconds: float) -> None:
        """Wait until somebody sleeps for that long from now."""
        async with asyncio.timeout(DEADLINE):
            while self.seconds + seconds not in self.sleepers.values():
                self.changed.clear()
                await self.changed.wait()


@dataclass
class Network:
    """A transport that takes what it is told while it is up."""

    network: str = "oftc"
    up: bool = True
    deaf: set[str] = field(default_factory=set)
    heard: "asyncio.Queue[tuple[str, tuple[str, ...]]]" = field(default_factory=asyncio.Queue)
    tries: "asyncio.Queue[str]" = field(default_factory=asyncio.Queue)
    keeps: bool = False
    kept: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    async def serve(self, up: object) -> None:
        raise NotImplementedError

    async def say(self, place: Place, lines: Sequence[str]) -> bool:
        return self._take(place.name, lines)

    async def tell(self, identity: Identity, lines: Sequence[str]) -> bool:
        return self._take(identity.subject, lines)

    async def leave_word(self, identity: Identity, lines: Sequence[str]) -> bool:
        if self.keeps:
            self.kept.append((identity.subject, tuple(lines)))
        return self.keeps

    def show(self, text: str) -> None:
        raise NotImplementedError

    def pass_on(self, relayed: Relayed) -> bool:
        raise NotImplementedError

    def _take(self, who: str, lines: Sequence[str]) -> bool:
        self.tries.put_nowait(who)
        if "explode" in lines:
            raise RuntimeError("a mistake in the transport")
        if not self.up or who in self.deaf:
            return False
        self.heard.put_nowait((who, tuple(lines)))
        return True

    def status(self) -> LinkStatus:
        return LinkStatus(self.network, self.up)

    async def next(self) -> tuple[str, tuple[str, ...]]:
        return await asyncio.wait_for(self.heard.get(), DEADLINE)

    async def next_try(self) -> str:
        return await asyncio.wait_for(self.tries.get(), DEADLINE)


@dataclass
class Complaints:
    """Incidents as a list."""

    all: list[str] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    def report(self, cause: BaseException, *, during: str, private: bool = False) -> str:  # noqa: ARG002 - the port's
        self.all.append(f"{during}: {cause}")
        self.came.set()
        return "7f3a"


def account(subject: str, network: str = "oftc") -> Identity:
    return Identity(network, IdentityKind.IRC_ACCOUNT, subject)


def rooms(group: str) -> Sequence[Place]:
    return {
        "team": (Place("oftc", "#ford"), Place("jabber", "ford@rooms")),
        "alerts": (Place("oftc", "#a"),),
    }.get(group, ())


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def complaints() -> Complaints:
    return Complaints()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "shipboard.db"


@pytest.fixture
async def store(path: Path, clock: HandClock) -> AsyncIterator[SqliteStore]:
    opened = await SqliteStore.open(path, clock, rooms_of=rooms)
    yield opened
    await opened.close()


@pytest.fixture
def oftc() -> Network:
    return Network("oftc")


@pytest.fixture
async def outbox(
    store: SqliteStore, oftc: Network, clock: HandClock, complaints: Complaints
) -> AsyncIterator[Outbox]:
    made = Outbox(store, [oftc], clock, SqlRoster(store, clock), incidents=complaints)
    store.after_commit(made.wake)
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def send(store: SqliteStore, *all_of_them: Notice) -> None:
    def put(tx: Tx) -> None:
        for notice in all_of_them:
            tx.notice(notice)

    await store.write(put)


async def enrol(store: SqliteStore, name: str, *identities: Identity, role: Role = Role.MEMBER) -> Member:
    def put(tx: Tx) -> Member:
        member = REGISTRAR.add_member(tx, name, role, Share.FULL, "test")
        for identity in identities:
            REGISTRAR.bind(tx, member, identity, "test")
        return member

    return await store.write(put)


async def waiting(store: SqliteStore) -> list[dict[str, Any]]:
    return await store.read(lambda db: list(notices.waiting(db)))


async def emptied(store: SqliteStore) -> None:
    async with asyncio.timeout(20):
        while await waiting(store):
            pass


def write_row(tx: Tx) -> int:
    return audit.append(tx, Entry("asked", "alice", "vm stop", "ford-3", "oftc:alice", "oftc/#ford"))
