"""The whole ship, killed again and again while it speaks on a real ngIRCd and a real Prosody."""

import asyncio
import contextlib
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.config import load
from bot.demo.client import Person, Said
from bot.model import Notice, Place, Urgency
from bot.ports import Tx
from bot.store import notices
from bot.store.connection import connect, transaction
from bot.store.database import FILE, prepare
from bot.wiring import rooms
from tests.real.irc.servers import NgIrcd, Pki
from tests.real.xmpp.people import Person as Jabberer
from tests.real.xmpp.prosody import DOMAIN, TEAM, Prosody, certify
from tests.ship import running

pytestmark = pytest.mark.real

PATIENCE = 120.0
CONFIG = """\
[bot]
state = "state"
plugins = []
[networks.irc]
kind = "irc"
host = "127.0.0.1"
port = {irc}
tls = false
pace = "off"
rooms = ["#team"]
[networks.jabber]
kind = "xmpp"
jid = "eddie@{domain}"
password_file = "password"
address = "127.0.0.1:{jabber}"
tls_ca_file = "{ca}"
pace = "off"
rooms = ["{room}"]
"""
PLACES = {"irc": Place("irc", "#team"), "jabber": Place("jabber", TEAM)}


class Sea:
    """Both servers, somebody on each who writes down what is said, and the bot's folder."""

    def __init__(self, folder: Path, ngircd: NgIrcd, prosody: Prosody) -> None:
        self.folder, self.ngircd, self.prosody = folder, ngircd, prosody
        self.heard: dict[str, list[str]] = {"irc": [], "jabber": []}
        self.news = asyncio.Event()
        self._people: contextlib.AsyncExitStack = contextlib.AsyncExitStack()

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    async def start(self) -> None:
        await asyncio.gather(self.ngircd.start(), self.prosody.start())
        assert self.prosody.pki is not None
        text = CONFIG.format(
            irc=self.ngircd.port,
            jabber=self.prosody.port,
            domain=DOMAIN,
            room=TEAM,
            ca=self.prosody.pki.ca,
        )
        self.config.write_text(text)
        (self.folder / "password").write_text("eddiepw")
        await self.listen()

    async def listen(self) -> None:
        """Let somebody come to each room, and write down what is said there."""
        reader = await Person.enter(self.ngircd.port, "reader", None, ["#team"])
        self._people.push_async_callback(reader.leave)
        listening = asyncio.create_task(self._listen(reader))
        self._people.callback(listening.cancel)
        alice = Jabberer("alice", self.prosody)
        alice.client.add_filter("in", self._read)
        self._people.push_async_callback(alice.leave)
        await alice.login()
        await alice.join()

    async def _listen(self, reader: Person) -> None:
        async for event in reader.events():
            if isinstance(event, Said):
                self._hear("irc", event.text)

    def _read(self, stanza: Any) -> Any:  # noqa: ANN401 - slixmpp's own type
        if body := stanza.xml.findtext("{jabber:client}body"):
            self._hear("jabber", body)
        return stanza

    def _hear(self, network: str, text: str) -> None:
        self.heard[network] += text.split("\n")
        self.news.set()

    async def down(self) -> None:
        await self._people.aclose()
        self.ngircd.kill()
        self.prosody.kill()

    def put(self, *what: Notice) -> None:
        """Put notices into the outbox, as another process does."""
        config = load(self.config)
        with closing(connect(config.bot.state / FILE)) as db:
            prepare(db)
            with transaction(db, datetime.now(UTC), lambda group: rooms(config, group)) as tx:
                for notice in what:
                    tx.notice(notice)

    def waiting(self) -> int:
        with closing(connect(self.folder / "state" / FILE, read_only=True)) as db:
            return len(list(notices.waiting(db)))

    def rows(self, network: str) -> list[int]:
        """The numbers of the rows heard, in the order that they came in."""
        found = (re.search(r"row (\d+)$", text) for text in self.heard[network])
        return [int(match[1]) for match in found if match]

    async def until(self, so: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not so():
                self.news.clear()
                await self.news.wait()


@pytest.fixture
async def sea(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sea]:
    for name in ("irc", "jabber"):
        (tmp_path / name).mkdir()
    prosody = Prosody(tmp_path / "jabber", pki=certify(Pki(tmp_path_factory.mktemp("pki"))))
    made = Sea(tmp_path, NgIrcd(tmp_path / "irc"), prosody)
    await made.start()
    yield made
    await made.down()


def numbered(count: int) -> Iterator[Notice]:
    for number in range(count):
        for place in PLACES.values():
            yield Notice(place, (f"row {number}",))


async def killed_while_speaking(sea: Sea, rows: int, kills: int, seed: int) -> None:
    """Kill the bot at random points, each after every network that has more to say said something new."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    sea.put(*numbered(rows))
    for _ in range(kills):
        before = {network: len(set(sea.rows(network))) for network in PLACES}
        more = {network: dice.randint(1, max(1, 2 * rows // kills - 2)) for network in PLACES}

        def spoken(before: dict[str, int] = before, more: dict[str, int] = more) -> bool:
            return all(len(set(sea.rows(n))) >= min(rows, before[n] + more[n]) for n in PLACES)

        async with running(sea.config) as bot:
            await sea.until(spoken)
            await bot.kill()
    sea.put(*(Notice(place, (f"row {rows}",)) for place in PLACES.values()))
    async with running(sea.config) as bot:
        await sea.until(lambda: all(len(set(sea.rows(network))) > rows for network in PLACES))
        async with asyncio.timeout(PATIENCE):
            while sea.waiting():  # noqa: ASYNC110 - nothing tells that a row is gone
                await asyncio.sleep(0.05)
        assert (await bot.terminate())[0] == 0
    for network in PLACES:
        heard = sea.rows(network)
        assert list(dict.fromkeys(heard)) == list(range(rows + 1)), network
        assert len(heard) <= rows + 1 + kills, (network, Counter(heard).most_common(3))  # one again a kill
        assert heard == sorted(heard), network


async def test_killed_again_and_again_it_loses_nothing_and_keeps_the_order(sea: Sea) -> None:
    await killed_while_speaking(sea, rows=100, kills=10, seed=1)


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_killed_fifty_times_too(sea: Sea) -> None:
    await killed_while_speaking(sea, rows=100, kills=50, seed=2)


async def test_after_both_servers_were_down_alerts_come_first(sea: Sea) -> None:
    now = datetime.now(UTC)
    async with running(sea.config) as bot:
        sea.put(Notice(PLACES["irc"], ("row 0",)), Notice(PLACES["jabber"], ("row 0",)))
        await sea.until(lambda: all(sea.rows(network) for network in PLACES))
        await sea.down()
        for place in PLACES.values():
            sea.put(
                Notice(place, ("row 1",)),
                Notice(place, ("old",), expires=now),
                Notice(place, ("row 2",)),
                Notice(place, ("A1 row 3",), Urgency.ALERT),
                Notice(place, ("A2 row 4",), Urgency.ALERT),
            )
        age(sea.folder / "state" / FILE)
        await asyncio.gather(sea.ngircd.start(), sea.prosody.start())
        sea.heard = {"irc": [], "jabber": []}
        await sea.listen()
        await sea.until(lambda: all("expired" in " ".join(lines) for lines in sea.heard.values()))
        assert (await bot.terminate())[0] == 0
    for lines in sea.heard.values():
        assert [re.sub(r"late by 1 h( \d+ (s|min))?", "late by an hour", line) for line in lines] == [
            "late by an hour: A1 row 3",
            "late by an hour: A2 row 4",
            "late by an hour: row 1",
            "late by an hour: row 2",
            "1 message expired before I could be heard.",
        ]


def age(database: Path) -> None:
    """Let an hour have passed since everything that waits was put."""
    with closing(connect(database)) as db, transaction(db, datetime.now(UTC)) as tx:
        _age(tx)


def _age(tx: Tx) -> None:
    then = (datetime.now(UTC) - timedelta(hours=1)).replace(tzinfo=None).isoformat(timespec="microseconds")
    tx.db.execute("UPDATE outbox SET at = ?", [f"{then}Z"])
