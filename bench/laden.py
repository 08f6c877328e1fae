"""Shipboard with all that it has, and then idle: both networks, metrics, 40 machines that are up."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from bench.arithmetic import Figures
from bench.bots import Bot, Failed, Running
from bench.server import Server
from bot.config import load
from bot.coop.machines import Machine
from bot.coop.people import Role
from bot.coop.shares import Share
from bot.model import Identity, IdentityKind
from bot.store.connection import connect, transaction
from bot.store.database import FILE, prepare
from bot.store.registrar import SqlRegistrar

MACHINES = 40
IDLE = 60.0
"""Seconds that are measured."""

WRITTEN = 90.0
"""Seconds after them until a minute of all machines is surely written, else they were not looked at."""

_ADMIN = "asker"
_CONFIG = """
[http]
listen = "127.0.0.1:{port}"

[hosts.ford]
hypervisor = "fake"
"""


def laden(bot: Bot, jid: str) -> Bot:
    """Return the same bot with a host, machines whose admin has this address, and its metrics shown."""

    def words(nick: str, server: Server, folder: Path) -> Sequence[str]:
        line = bot.words(nick, server, folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            text = _CONFIG.format(port=free.getsockname()[1])
        with (folder / "config.toml").open("a", encoding="utf-8") as config:
            config.write(text)
        _enter(folder / "state" / FILE, jid)
        return line

    return Bot(bot.name, words)


def _enter(path: Path, jid: str) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    office = SqlRegistrar({"jabber": "xmpp"})
    with closing(connect(path)) as db:
        prepare(db)
        with transaction(db, datetime.now(UTC)) as tx:
            admin = office.add_member(tx, _ADMIN, Role.ADMIN, Share.FULL, "bench")
            office.bind(tx, admin, Identity("jabber", IdentityKind.XMPP_JID, jid), "bench")
            for number in range(MACHINES):
                office.add_machine(tx, Machine(f"m{number}", "ford", _ADMIN), "bench")


async def measure(
    running: Running, folder: Path, say: Callable[[str], None], ask: Callable[[], Awaitable[object]]
) -> Figures:
    """Start all machines, and return what an idle time then takes of a core, and the memory at its end.

    `say` says a line to the bot, `ask` waits until it has answered all before.
    """
    for number in range(MACHINES):
        say(f"!vm start m{number}")
    await ask()
    cpu = running.cpu()
    await asyncio.sleep(IDLE)
    used = running.cpu() - cpu
    await _look(folder)
    return {"laden_percent": used / IDLE * 100, "laden_mib": running.rss()}


async def _look(folder: Path) -> None:
    """Fail unless the metrics can be had, and all machines were measured."""
    config = load(folder / "config.toml")
    assert config.http is not None  # noqa: S101 - it was just written
    reader, writer = await asyncio.open_connection(*config.http.address)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    page = await reader.read()
    writer.close()
    if b"shipboard_commands_total" not in page:
        raise Failed(f"no metrics, but {page[:200]!r}")
    until = time.monotonic() + WRITTEN
    while (measured := _measured(folder)) != MACHINES:
        if time.monotonic() > until:
            raise Failed(f"{measured} of {MACHINES} machines were measured")
        await asyncio.sleep(0.5)


def _measured(folder: Path) -> int:
    rows = "SELECT count(DISTINCT subject) FROM minutes JOIN subjects ON id = subject WHERE kind = 'machine'"
    with closing(connect(folder / "state" / FILE)) as db:
        return int(db.execute(rows).fetchone()[0])
