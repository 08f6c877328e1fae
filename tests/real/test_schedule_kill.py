"""A hundred posts that are due, and a bot killed around it, in the rooms of a real ngIRCd and Prosody."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import pytest

from bot import Plan
from bot.runtime.clock import SystemClock
from bot.store.agenda import SqlAgenda
from bot.store.connection import connect, transaction
from bot.store.database import FILE, SqliteStore, prepare
from tests.real.irc.servers import NgIrcd, Pki
from tests.real.test_ship_kill import PLACES, Sea
from tests.real.xmpp.prosody import Prosody, certify
from tests.ship import running

pytestmark = pytest.mark.real

COUNT = 100
PLUGIN = '''
"""Posts; the one that a file names kills the bot."""
import os
import signal
from pathlib import Path

from bot import Plugin, Scheduled

plugin = Plugin("clockwork")
DIE = Path({die!r})


@plugin.due("post")
async def come(entry: Scheduled) -> str:
    if DIE.exists() and DIE.read_text() == entry.plan.payload:
        DIE.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    return f"row {{entry.plan.payload}}"
'''


@pytest.fixture
async def sea(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sea]:
    for name in ("irc", "jabber", "more"):
        (tmp_path / name).mkdir()
    (tmp_path / "more" / "clockwork.py").write_text(PLUGIN.format(die=str(tmp_path / "die")))
    prosody = Prosody(tmp_path / "jabber", pki=certify(Pki(tmp_path_factory.mktemp("pki"))))
    made = Sea(tmp_path, NgIrcd(tmp_path / "irc"), prosody)
    await made.start()
    text = made.config.read_text()
    made.config.write_text(text.replace("plugins = []", 'plugins = []\nplugin_folders = ["more"]'))
    yield made
    await made.down()


async def post(sea: Sea, when: str, first: int) -> None:
    """Add the posts to the schedule, as the bot's own store does."""
    path = sea.folder / "state" / FILE
    with closing(connect(path)) as db:
        prepare(db)
    agenda = SqlAgenda(await _unused(path), SystemClock())
    with closing(connect(path)) as db, transaction(db, datetime.now(UTC)) as tx:
        for number in range(first, first + COUNT):
            where = tuple(PLACES.values())
            plan = Plan(plugin="clockwork", kind="post", when=when, where=where, payload=str(number))
            agenda.add(tx, plan)


async def _unused(path: Path) -> SqliteStore:
    store = await SqliteStore.open(path, SystemClock())
    await store.close()
    return store


def heard(sea: Sea, since: int, count: int) -> bool:
    return all(len({row for row in sea.rows(network) if row >= since}) >= count for network in PLACES)


async def killed_around_due_times(sea: Sea, rounds: int) -> None:
    """In each round, a hundred are due: die in a handler, in the middle of them, and while they are said."""
    kills = 0
    for first in range(0, rounds * COUNT, COUNT):
        await post(sea, "in 2s", first)
        for die in (first, first + COUNT // 2):
            (sea.folder / "die").write_text(str(die))
            async with running(sea.config) as bot:
                await bot.ends()
            kills += 1
        for count in (COUNT // 2 + 1, COUNT * 3 // 4):
            async with running(sea.config) as bot:
                await sea.until(lambda first=first, count=count: heard(sea, first, count))  # type: ignore[misc]  # mypy#12557
                await bot.kill()
            kills += 1
    last = rounds * COUNT
    async with running(sea.config) as bot:
        await sea.until(lambda: heard(sea, 0, last))
        assert (await bot.terminate())[0] == 0
    for network in PLACES:
        said = sea.rows(network)
        rows = [row for row, _ in groupby(said)]  # what is said again follows at once
        assert rows == list(range(last)), network
        assert len(said) <= last + kills, (network, Counter(said).most_common(kills + 1))


async def test_killed_around_due_times_it_loses_none_and_doubles_at_most_one_a_kill(sea: Sea) -> None:
    await killed_around_due_times(sea, 1)


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_killed_around_due_times_again_and_again(sea: Sea) -> None:
    await killed_around_due_times(sea, 10)
