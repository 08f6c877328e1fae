"""Months of traffic, as if they had been measured."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot import Slot, Tx
from bot.ports import Minute
from bot.testing import PEOPLE, Chat
from plugins.bandwidth import plugin

GIB = 2**30
DAY = 86400
OWNERS: Mapping[str, str | None] = {"ford-1": "bob", "ford-3": "alice", "ford-9": None}


def unix(text: str) -> int:
    """Return the Unix time of an instant in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


async def measured(
    chat: Chat,
    start: str,
    until: str,
    *,
    step: int = DAY,
    owners: Mapping[str, str | None] = OWNERS,
    uplink: int = 0,
    **gib: float,
) -> None:
    """Let machines have received so many GiB in the first minute of each step, and sent a third of it.

    A machine is written with _ for -; `uplink` is in bytes.
    """
    each = {name.replace("_", "-"): int(amount * GIB) for name, amount in gib.items()}
    for begin in range(unix(start), unix(until), step):
        slots = {
            ("machine", name): Slot(begin, 6, received=amount, sent=amount // 3)
            for name, amount in each.items()
        }
        slots["host", "ford"] = Slot(begin, 6, received=uplink, sent=uplink // 2)
        await chat.sampler.history.record(Minute(slots, owners), min(begin + step, unix(until)))


async def joined(chat: Chat, when: str, *names: str) -> None:
    """Let members have joined at another time."""

    def write(tx: Tx) -> None:
        for name in names:
            tx.db.execute("UPDATE members SET joined = ? WHERE name = ?", [f"{when}.000000Z", name])

    await chat.store.write(write)


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    """A conversation with this plugin alone, whose members have been there since long ago."""
    async with Chat.open(tmp_path, [plugin]) as chat:
        await joined(chat, "2020-01-01T00:00:00", *PEOPLE)
        yield chat
