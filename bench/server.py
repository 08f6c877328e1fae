"""Debian's ngIRCd with no throttle, on a free port of 127.0.0.1, and services that vouch for people."""

import asyncio
import contextlib
import os
import shutil
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 20.0
"""Seconds that anything may take that should take none."""

NAME, SERVICES = "irc.bench", "services.bench"

_CONFIG = """
[Global]
    Name = {name}
    Info = bench
    Listen = 127.0.0.1
    Ports = {port}
    AdminInfo1 = bench
    AdminEMail = bench@{name}
    MotdPhrase = bench
    ServerUID = nobody
    ServerGID = nogroup
[Limits]
    MaxConnections = 0
    MaxConnectionsIP = 0
    MaxJoins = 0
    MaxNickLength = 31
    MaxPenaltyTime = 0
[Options]
    DNS = no
    Ident = no
    IncludeDir = {folder}
    PAM = no
[Server]
    Name = {services}
    MyPassword = bench
    PeerPassword = bench
    Passive = yes
"""


class Missing(Exception):  # noqa: N818 - it says what is missing
    """There is no ngIRCd here."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs."""

    port: int
    services: "Services"


class Services(asyncio.Protocol):
    """The other end of a server link, as ngIRCd wants it (its doc/Protocol.txt): it says who is logged in."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce ourselves, and end the list of what we can do."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a TCP connection is one
        self.transport = transport
        self._send(
            "PASS bench 0210-IRC+ bench|1:CHLMSX", f"SERVER {SERVICES} 1 :bench", f":{SERVICES} 376 {NAME} :."
        )

    def data_received(self, data: bytes) -> None:
        """Show that we are there."""
        if b" PING " in data or data.startswith(b"PING "):
            self._send(f":{SERVICES} PONG {NAME}")

    def vouch(self, nick: str, account: str) -> None:
        """Log somebody in."""
        self._send(f":{SERVICES} METADATA {nick} accountname :{account}")

    def _send(self, *lines: str) -> None:
        self.transport.write("".join(f"{line}\r\n" for line in lines).encode())


@contextlib.asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Server]:
    """Run a server until the end of the block; Missing where it is not installed."""
    program = shutil.which("ngircd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise Missing("ngircd is not installed: apt-get install ngircd, without starting its service")
    port = _free_port()
    config = folder / "ngircd.conf"
    (folder / "none").mkdir()
    config.write_text(_CONFIG.format(name=NAME, services=SERVICES, port=port, folder=folder / "none"))
    nowhere = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        program, "-n", "-f", str(config), stdin=nowhere, stdout=nowhere, stderr=nowhere
    )
    try:
        services = await asyncio.wait_for(_linked(port, process), PATIENCE)
        yield Server(port, services)
        services.transport.close()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _linked(port: int, process: asyncio.subprocess.Process) -> Services:
    while process.returncode is None:
        try:
            _, services = await asyncio.get_running_loop().create_connection(Services, "127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        return services
    raise Missing(f"ngircd ended at once, with status {process.returncode}")
