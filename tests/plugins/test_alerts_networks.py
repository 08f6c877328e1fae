"""Who hears what where and when: two admins on two networks, and a network that is down meanwhile."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot import Identity, Place, Tx
from bot.model import Relayed
from bot.ports import Clock, LinkStatus
from bot.store.outbox import Outbox
from bot.store.roster import SqlRoster
from bot.testing import START, Chat
from bot.testing import chat as chats
from plugins.alerts import plugin
from tests.conftest import until

ROOMS = {
    "team": (Place("net", "#team"),),
    "alerts": (Place("net", "#alerts"), Place("jabber", "alerts@rooms")),
    "admins": (Place("net", "#admins"),),
}
HOT, COOL = (14.2, 9.0, 4.0), (2.1, 2.0, 2.0)
PATIENCE = 30.0


@dataclass
class Network:
    """A network that takes what it is told while it is up, and remembers when."""

    network: str
    clock: Clock
    all: list[tuple[float, str, str]] = field(default_factory=list)
    up: bool = True

    async def say(self, place: Place, lines: Sequence[str]) -> bool:
        return self._take(place.name, lines)

    async def tell(self, identity: Identity, lines: Sequence[str]) -> bool:
        return self._take(identity.subject, lines)

    async def leave_word(self, _: Identity, __: Sequence[str]) -> bool:
        return False

    async def serve(self, up: object) -> None:
        raise NotImplementedError

    def show(self, text: str) -> None:
        raise NotImplementedError

    def pass_on(self, relayed: Relayed) -> bool:
        raise NotImplementedError

    def status(self) -> LinkStatus:
        return LinkStatus(self.network, self.up)

    def _take(self, who: str, lines: Sequence[str]) -> bool:
        if self.up:
            minutes = (self.clock.now() - START).total_seconds() / 60
            self.all += [(minutes, f"{self.network}/{who}", line) for line in lines]
        return self.up


@dataclass
class Town:
    """A bot on two networks."""

    chat: Chat
    net: Network
    jabber: Network
    outbox: Outbox

    async def heard(self) -> list[tuple[float, str, str]]:
        """Wait until all that can be said is said; return it, with the minute, and forget it."""
        down = [f"network {one.network}" for one in (self.net, self.jabber) if not one.up]
        async with asyncio.timeout(PATIENCE):
            while await self._waits(down):  # noqa: ASYNC110 - a row that is crossed off tells nobody
                await asyncio.sleep(0)
        heard = [*self.net.all, *self.jabber.all]
        self.net.all.clear()
        self.jabber.all.clear()
        return sorted(heard)

    async def _waits(self, down: Sequence[str]) -> bool:
        lanes = await self.chat.store.read(lambda db: list(db.query("SELECT DISTINCT lane FROM outbox")))
        return any(row["lane"] not in down for row in lanes)

    async def hot(self) -> None:
        """Let ford's load be too much for long enough."""
        self.chat.meter.set("ford", load=HOT)
        await self.chat.ticks(19)


@asynccontextmanager
async def living(folder: Path, *on_call: str, rules: Sequence[object] = ()) -> AsyncIterator[Town]:
    async with Chat.open(folder, [plugin], {"alerts": {"on_call": on_call, "rule": rules}}) as chat:
        await chat.store.write(_on_jabber)
        net, jabber = Network("net", chat.clock), Network("jabber", chat.clock)
        people = SqlRoster(chat.store, chat.clock)
        outbox = Outbox(chat.store, [net, jabber], chat.clock, people, incidents=chat.incidents)
        chat.store.after_commit(outbox.wake)
        running = asyncio.create_task(outbox.run())
        try:
            yield Town(chat, net, jabber, outbox)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def _on_jabber(tx: Tx) -> None:
    """Let both admins be on Jabber too; abe wishes to be told on IRC."""
    for name in ("ann", "abe"):
        row = {"network": "jabber", "kind": "xmpp-jid", "subject": f"{name}@ford"}
        at = START.isoformat().replace("+00:00", ".000000Z")
        tx.db.table("identities").insert({**row, "member": name, "bound": at, "seen": at})
    tx.db.execute("UPDATE members SET reach = 'net' WHERE name = 'abe'")


@pytest.fixture(autouse=True)
def two_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chats, "_rooms", ROOMS.__getitem__)


async def test_what_nobody_takes_goes_from_one_to_the_next_and_then_to_their_other_network(
    tmp_path: Path,
) -> None:
    async with living(tmp_path, "ann", "abe") as town:
        await town.hot()
        first = "A1 CRIT ford load 14.2 (limit 8) for 3 min. !ack 1 · !top ford"
        told = await town.heard()
        for _ in range(6):
            await town.chat.ticks(1, 600)
            told += await town.heard()
        line = "A1 CRIT, nobody has it yet: ford load 14.2 (limit 8) for {} min. !ack 1"
        assert [(round(at, 2), where) for at, where, said in told if said == first] == [
            (3.17, "jabber/alerts@rooms"),
            (3.17, "jabber/ann@ford"),
            (3.17, "net/#alerts"),
        ]
        assert [(round(at, 2), where, said) for at, where, said in told if said != first] == [
            (13.17, "net/abe", line.format(13)),
            (23.17, "net/ann", line.format(23)),
            (33.17, "jabber/abe@ford", line.format(33)),
            (43.17, "jabber/alerts@rooms", line.format(43)),
            (43.17, "jabber/ann@ford", line.format(43)),
            (43.17, "net/#admins", line.format(43)),
            (43.17, "net/#alerts", line.format(43)),
            (43.17, "net/abe", line.format(43)),
        ]
        town.chat.meter.set("ford", load=COOL)
        await town.chat.ticks(13)
        over = await town.heard()
        assert {said for _, _, said in over} == {"A1 over: ford load 2.1 after 1 h 3 min, peak 14.2."}
        assert sorted(where for _, where, _ in over) == [
            "jabber/alerts@rooms",
            "jabber/ann@ford",
            "net/#admins",
            "net/#alerts",
            "net/abe",
        ]


async def test_what_irc_missed_comes_once_with_its_age_and_jabber_heard_it_meanwhile(tmp_path: Path) -> None:
    async with living(tmp_path, "ann") as town:
        town.net.up = False
        await town.hot()
        line = "A1 CRIT ford load 14.2 (limit 8) for 3 min. !ack 1 · !top ford"
        at_once = await town.heard()
        assert [(where, said) for _, where, said in at_once] == [
            ("jabber/alerts@rooms", line),
            ("jabber/ann@ford", line),
        ]
        await town.chat.say("ann", "!ack 1 4h")
        assert [where for _, where, _ in await town.heard()] == ["jabber/alerts@rooms"]
        await town.chat.clock.advance(1800)
        town.net.up = True
        town.outbox.poke()
        late = await town.heard()
        assert [(where, said) for _, where, said in late] == [
            ("net/#alerts", f"late by 30 min: {line}"),
            ("net/#alerts", "late by 30 min: ann has A1 until 16:03 UTC"),
        ]
        await town.chat.ticks(30)
        assert await town.heard() == []


async def test_who_is_on_one_network_alone_is_told_there_again(tmp_path: Path) -> None:
    async with living(tmp_path, "ann") as town:
        await town.chat.store.write(lambda tx: tx.db.execute("DELETE FROM identities WHERE network = 'net'"))
        await town.hot()
        await town.heard()
        await town.chat.ticks(1, 600)
        assert [where for _, where, _ in await town.heard()] == ["jabber/ann@ford"]


async def test_quiet_hours_hold_back_a_warning_to_an_owner_and_nothing_critical(tmp_path: Path) -> None:
    rules = (
        {"name": "crashed", "scope": "machine", "metric": "crashed", "to": "both"},
        {"name": "load", "metric": "load", "severity": "CRIT", "raise": 8, "clear": 6},
    )
    async with living(tmp_path, "ann", rules=rules) as town:
        chat = town.chat
        await chat.store.write(
            lambda tx: tx.db.execute("UPDATE members SET quiet = '10:00-12:30' WHERE name IN ('bob', 'ann')")
        )
        await chat.hypervisor.start(chats.MACHINES[0])
        chat.hypervisor.crash("ford-1")
        chat.meter.set("ford", load=HOT)
        await chat.ticks()
        await until(lambda: len([*town.net.all, *town.jabber.all]) == 5)
        heard = [(where, said.split(" ")[1]) for _, where, said in (*town.net.all, *town.jabber.all)]
        assert sorted(heard) == [
            ("jabber/alerts@rooms", "CRIT"),
            ("jabber/alerts@rooms", "WARN"),
            ("jabber/ann@ford", "CRIT"),
            ("net/#alerts", "CRIT"),
            ("net/#alerts", "WARN"),
        ]
        town.net.all.clear()
        await chat.clock.advance(1800)
        (line,) = [said for _, where, said in await town.heard() if where == "net/bob"]
        assert re.fullmatch(r"late by \d\d min.*: A2 WARN ford-1 crashed\. !alert show 2", line)
