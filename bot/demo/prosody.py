"""Debian's Prosody for the demo, where it is installed: a throwaway authority, accounts, and one room."""

import asyncio
import hashlib
import os
import random
import shutil
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bot.errors import TransportFault

DOMAIN = "localhost"
"""What every client resolves to this computer."""

ROOMS = f"conference.{DOMAIN}"
LOG = "prosody.log"
SECONDS = 20.0
"""How long it may take to begin."""

_PORTS = range(20_000, 32_000)  # below those that Linux gives to outgoing connections (ip(7))
_CONFIG = """\
data_path = "{folder}/data"
pidfile = "{folder}/prosody.pid"
run_as_root = true
daemonize = false
log = {{ info = "{log}" }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
c2s_direct_tls_ports = {{ {tls_port} }}
s2s_ports = {{ }}
modules_enabled = {{ "roster", "saslauth", "tls", "disco", "ping", "carbons", "mam", "smacks", "blocklist",
    "offline", "posix", "pep", "bookmarks", "limits" }}
modules_disabled = {{ "s2s" }}
network_settings = {{ nagle = false }} -- its default costs everybody 44 ms a message
authentication = "internal_hashed"
storage = "internal"
allow_registration = false
c2s_require_encryption = true
ssl = {{ certificate = "{folder}/server.pem", key = "{folder}/server.key" }}
c2s_direct_tls_ssl = {{ certificate = "{folder}/server.pem", key = "{folder}/server.key" }}
{more}
VirtualHost "{domain}"
Component "{rooms}" "muc"
    restrict_room_creation = false
    muc_room_locking = false
    muc_room_default_persistent = true
    muc_room_default_public_jids = true -- the bot believes real addresses alone
"""


@dataclass(frozen=True, slots=True)
class Prosody:
    """A server that runs: STARTTLS on `port`, TLS from the first byte on `tls_port`.

    `ca` is its authority's certificate, `fingerprint` its own one's SHA-256.
    """

    port: int
    tls_port: int
    ca: Path
    fingerprint: str


@asynccontextmanager
async def serving(folder: Path, passwords: Mapping[str, str], more: str = "") -> AsyncIterator[Prosody]:
    """Run it in a new folder, gone at the end but for its log beside it; TransportFault says why not.

    `more` are further settings in Prosody's own language.
    """
    program, openssl = found("prosody"), found("openssl")
    try:
        await asyncio.to_thread(_enroll, folder, passwords)
        await _certify(openssl, folder)
        async with _running(program, folder, more) as made:
            yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def _running(program: str, folder: Path, more: str) -> AsyncIterator[Prosody]:
    port, tls_port = _free_port(), _free_port()
    log = folder.parent / LOG
    values = {"folder": folder, "log": log, "port": port, "tls_port": tls_port, "more": more}
    config = folder / "prosody.cfg.lua"
    config.write_text(_CONFIG.format(domain=DOMAIN, rooms=ROOMS, **values), encoding="utf-8")
    guard = shutil.which(
        "setpriv"
    )  # so that it outlives no demo, however that ends (prctl(2), PR_SET_PDEATHSIG)
    process = await asyncio.create_subprocess_exec(
        *((guard, "--pdeathsig", "KILL") if guard else ()),
        *(program, *(("--root",) if os.geteuid() == 0 else ()), "--config", str(config), "-F"),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the demo, which ends this last
    )
    try:
        await _listening(process, folder / "ca.pem", tls_port, log)
        der = ssl.PEM_cert_to_DER_cert((folder / "server.pem").read_text("ascii"))
        yield Prosody(port, tls_port, folder / "ca.pem", hashlib.sha256(der).hexdigest())
    finally:
        with suppress(ProcessLookupError):
            process.kill()  # its data is not worth a wait
        await process.wait()


async def _listening(process: asyncio.subprocess.Process, ca: Path, port: int, log: Path) -> None:
    """Wait until it answers over TLS."""
    trusted = ssl.create_default_context(cafile=ca)
    try:
        async with asyncio.timeout(SECONDS):
            while process.returncode is None:
                try:
                    _, writer = await asyncio.open_connection(
                        "127.0.0.1", port, ssl=trusted, server_hostname=DOMAIN
                    )
                except OSError:
                    await asyncio.sleep(0.02)
                    continue
                writer.transport.abort()
                return
    except TimeoutError as error:
        raise TransportFault(f"prosody did not answer within {SECONDS:g} s, see {log}") from error
    raise TransportFault(f"prosody ended with status {process.returncode}, see {log}")


async def _certify(openssl: str, folder: Path) -> None:
    """Make an authority for this demo alone, and the server's certificate."""
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-x509")
    names = f"subjectAltName=DNS:{DOMAIN},DNS:{ROOMS}"
    by = ("-CA", "ca.pem", "-CAkey", "ca.key", "-addext", names, "-addext", "basicConstraints=CA:FALSE")
    for name, title, words in (("ca", "shipboard's demo", ()), ("server", DOMAIN, by)):
        process = await asyncio.create_subprocess_exec(
            *(openssl, "req", *curve, *words, "-subj", f"/CN={title}"),
            *("-keyout", f"{name}.key", "-out", f"{name}.pem"),
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
        if process.returncode:
            lines = said.decode("utf-8", "replace").strip().splitlines()
            raise TransportFault(f"openssl made no certificate: {lines[-1] if lines else process.returncode}")


def _enroll(folder: Path, passwords: Mapping[str, str]) -> None:
    """Begin anew, with these accounts; Prosody hashes a password when it is used for the first time."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    accounts = folder / "data" / DOMAIN / "accounts"
    accounts.mkdir(parents=True)
    for name, password in passwords.items():
        (accounts / f"{name}.dat").write_text(f'return {{ ["password"] = "{password}"; }};\n', "utf-8")


def found(program: str) -> str:
    """Return where a program is; TransportFault if it is nowhere on PATH."""
    path = shutil.which(program)
    if path is None:
        raise TransportFault(f"{program} is not installed")
    return path


def _free_port() -> int:
    while True:
        number = random.choice(_PORTS)  # noqa: S311 - no secret
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", number))
            return number
