"""Real IRC servers for the tests: InspIRCd and ngIRCd with atheme's services, a throwaway authority, a proxy.

Each has a folder and free ports of its own on 127.0.0.1, and is started and ended by its process id.
"""

import asyncio
import contextlib
import hashlib
import os
import random
import shutil
import signal
import socket
import ssl
import struct
import subprocess
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.real.irc.configs import ATHEME, INSPIRCD, INSPIRCD_LINK, MODULES, NGIRCD, NGIRCD_SERVICES

PATIENCE = 60.0
ROUNDS = 10_000
_PORTS, _WORKERS = 10_000, 8
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"


def program(name: str) -> str:
    """Return where a program is; skip, loudly, where it is missing, fail with CI=true."""
    found = shutil.which(name, path=_PATH)
    if found is None:
        reason = f"NOT TESTED on real IRC servers: {name} is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def free_port() -> int:
    """Return a port for a server to listen on.

    It is none of those that the kernel gives to whoever asks for any (ip(7), ip_local_port_range): such a one
    could be taken before the server starts or while it is away, even by the bot's own next attempt. Each
    worker of pytest-xdist has ports of its own, so that none is another's as soon as it was looked at.
    """
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    each = (low - _PORTS) // _WORKERS
    first = _PORTS + each * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % _WORKERS)
    for _ in range(100):
        number = random.randrange(first, first + each) if each > 0 else 0  # noqa: S311 - no secret
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", number))
            found: int = probe.getsockname()[1]
            return found
    raise AssertionError("no port is free")


async def listening(port: int) -> None:
    """Wait until somebody listens there."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(ConnectionError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.transport.abort()
                return
            await asyncio.sleep(0.02)


@dataclass
class Pki:
    """An authority, the server's certificate, and one for the bot to log in with."""

    folder: Path

    def __post_init__(self) -> None:
        self._make("ca", "-x509", "-subj", "/CN=a throwaway authority")
        for name in ("irc", "bot"):
            names = f"subjectAltName=DNS:{name}.test,DNS:localhost,IP:127.0.0.1"
            by = ("-CA", str(self.ca), "-CAkey", str(self.folder / "ca.key"))
            self._make(name, "-x509", *by, "-subj", f"/CN={name}.test", "-addext", names)

    def _make(self, name: str, *words: str) -> None:
        files = ("-keyout", str(self.folder / f"{name}.key"), "-out", str(self.folder / f"{name}.pem"))
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
        subprocess.run([program("openssl"), "req", *curve, *words, *files], check=True, capture_output=True)

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def bot(self) -> tuple[Path, Path]:
        return self.folder / "bot.pem", self.folder / "bot.key"

    def fingerprint(self, name: str) -> str:
        der = ssl.PEM_cert_to_DER_cert((self.folder / f"{name}.pem").read_text())
        return hashlib.sha256(der).hexdigest()


@dataclass
class Daemon:
    """A server in the foreground; `kill` is SIGKILL, and it can be started again."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def launch(self) -> None:
        with (self.folder / "out.txt").open("ab") as out:
            self.process = subprocess.Popen(self.command(), cwd=self.folder, stdout=out, stderr=out)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    async def listening(self, port: int) -> None:
        """Wait until it listens there; a server that ended instead is named with its last words."""
        waiting = asyncio.create_task(listening(port))
        try:
            while not (await asyncio.wait([waiting], timeout=0.5))[0]:
                ended = self.process is None or self.process.poll() is not None
                assert not ended, (self.folder / "out.txt").read_text("utf-8", "replace")[-2000:]
            await waiting
        finally:
            waiting.cancel()

    def freeze(self, *, on: bool) -> None:
        """Stop it, so that its sockets are open and nothing answers; or let it go on."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP if on else signal.SIGCONT)


@dataclass
class InspIrcd(Daemon):
    """InspIRCd 3 with everything of IRCv3 that Debian's has."""

    pki: Pki | None = None
    name: str = "irc.test"
    number: str = "001"
    linked: str = ""
    fakelag: bool = True
    port: int = field(default_factory=free_port)
    tls_port: int = field(default_factory=free_port)
    link_port: int = field(default_factory=free_port)
    protocol: str = "inspircd"

    def command(self) -> list[str]:
        return [
            program("inspircd"),
            "--runasroot",
            "--nofork",
            "--config",
            str(self.folder / "inspircd.conf"),
        ]

    async def start(self) -> None:
        assert self.pki is not None
        for name in ("data", "log"):
            (self.folder / name).mkdir(exist_ok=True)
        pace = 'pingfreq="20" threshold="10" fakelag="yes"'
        if not self.fakelag:  # then it drops who is quick, and with a few seconds' pings who does not read
            pace = 'pingfreq="300" threshold="10000" fakelag="no"'
        values = {
            "DIR": self.folder, "PKI": self.pki.folder, "NAME": self.name, "ID": self.number,
            "PORT": self.port, "TLS": self.tls_port, "LINK": self.link_port, "PACE": pace,
            "MORE": self.linked,
            "MODULES": "".join(f'<module name="{name}">' for name in MODULES.split()),
        }  # fmt: skip
        (self.folder / "inspircd.conf").write_text(filled(INSPIRCD, values))
        self.launch()
        await self.listening(self.tls_port)

    def linked_to(self, name: str, port: int, *, calls: bool) -> None:
        """Let another server link; with `calls` it is we who connect, again and again."""
        again = f'<autoconnect period="1" server="{name}">' if calls else ""
        self.linked += filled(INSPIRCD_LINK, {"NAME": name, "PORT": port}) + again


@dataclass
class NgIrcd(Daemon):
    """ngIRCd: no account tags, no echoes, and a bare CR ends a line there."""

    pki: Pki | None = None
    penalty: int = 0
    services: bool = False
    port: int = field(default_factory=free_port)
    tls_port: int = field(default_factory=free_port)
    protocol: str = "ngircd"

    @property
    def link_port(self) -> int:
        return self.port

    def command(self) -> list[str]:
        return [program("ngircd"), "-n", "-f", str(self.folder / "ngircd.conf")]

    async def start(self) -> None:
        (self.folder / "none").mkdir(exist_ok=True)
        self.folder.chmod(0o755)
        pki = self.pki
        tls = (
            f"[SSL]\nCertFile={pki.folder}/irc.pem\nKeyFile={pki.folder}/irc.key\nPorts={self.tls_port}\n"
            if pki
            else ""
        )
        values = {
            "DIR": self.folder, "PORT": self.port, "PENALTY": self.penalty, "TLS": tls,
            "SERVICES": NGIRCD_SERVICES if self.services else "",
        }  # fmt: skip
        (self.folder / "ngircd.conf").write_text(filled(NGIRCD, values))
        self.launch()
        await self.listening(self.port)


@dataclass
class Atheme(Daemon):
    """Services; each account's password is its name with `pw` behind it."""

    ircd: InspIrcd | NgIrcd | None = None
    accounts: tuple[str, ...] = ("eddie", "alice", "bob")

    def command(self) -> list[str]:
        files = ("-c", "atheme.conf", "-l", "atheme.log", "-p", "atheme.pid", "-D", ".")
        words = [str(self.folder / word) if not word.startswith("-") else word for word in files]
        return [program("atheme-services"), "-n", *words]

    def start(self) -> None:
        assert self.ircd is not None
        (self.folder / "services.db").write_text(services_db(self.accounts))
        values = {"PROTOCOL": self.ircd.protocol, "LINK": self.ircd.link_port}
        (self.folder / "atheme.conf").write_text(filled(ATHEME, values))
        self.launch()


class Proxy:
    """A TCP proxy that can cut (RST), stall and heal, and counts the connections in flight."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.most = 0
        self.accepted = 0
        self._flows: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter | None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self.port = self.port or free_port()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        flow: tuple[asyncio.StreamWriter, asyncio.StreamWriter | None] = (writer, None)
        self._flows.add(flow)
        self.most = max(self.most, len(self._flows))
        try:
            far_reader, far = await asyncio.open_connection("127.0.0.1", self.target)
            self._flows.discard(flow)
            flow = (writer, far)
            self._flows.add(flow)
            ways = [
                asyncio.create_task(self._carry(reader, far)),
                asyncio.create_task(self._carry(far_reader, writer)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            pass
        finally:
            self._flows.discard(flow)
            for end in filter(None, flow):
                end.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()

    def cut(self) -> None:
        """Reset every connection."""
        for near, _ in tuple(self._flows):
            reset = struct.pack("ii", 1, 0)
            near.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            near.transport.abort()

    def stall(self) -> None:
        """Let nothing through, without closing anything."""
        self._flowing.clear()

    def heal(self) -> None:
        self._flowing.set()

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for flow in tuple(self._flows):
            for end in filter(None, flow):
                end.transport.abort()


def services_db(accounts: Sequence[str]) -> str:
    """Return atheme's database with these accounts; registering them would take NickServ seconds each."""
    rows = []
    for number, name in enumerate(accounts):
        salt = name.encode().ljust(32, b".")
        digest = hashlib.pbkdf2_hmac("sha512", f"{name}pw".encode(), salt, ROUNDS)
        hashed = f"$z$26${ROUNDS}${b64encode(salt).decode()}${b64encode(digest).decode()}"
        rows.append(f"MU AAAAAAAA{chr(ord('B') + number)} {name} {hashed} {name}@irc.test 1 1 +C default")
        rows.append(f"MN {name} {name} 1 1")
    return "\n".join(
        ["GRVER 1", "DBV 12", "MDEP crypto/pbkdf2v2", "LUID AAAAAAAAZA", "CF +AFHORVabefhioqrstv", *rows, ""]
    )


def filled(text: str, values: dict[str, object]) -> str:
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text
