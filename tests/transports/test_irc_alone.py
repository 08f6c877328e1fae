"""`shipboard run` with a config of nothing but one IRC network, as interoperability suites drive a client."""

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.ship import running
from tests.transports.conftest import Peer, Server
from tests.transports.pki import Pair, make_pair

CONFIG = """\
[bot]
state = "state"
[networks.net]
kind = "irc"
host = "0.0.0.0"
port = {port}
tls = false
tls_fingerprints = ["{pin}"]
nick = "bot"
account = "jilles"
password_file = "password"
mechanisms = ["PLAIN"]
"""


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return make_pair(tmp_path)


@pytest.fixture
async def plain() -> AsyncIterator[Server]:
    made = Server()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def secure(pair: Pair) -> AsyncIterator[Server]:
    offer = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    offer.load_cert_chain(*pair)
    made = Server()
    await made.start(ssl=offer)
    yield made
    await made.stop()


@pytest.fixture
def config(tmp_path: Path, plain: Server, pair: Pair) -> Path:
    pin = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pair[0].read_text())).hexdigest().upper()
    (tmp_path / "password").write_text("sesame")
    (tmp_path / "password").chmod(0o600)
    (tmp_path / "config.toml").write_text(CONFIG.format(port=plain.port, pin=pin))
    return tmp_path / "config.toml"


async def logged_in(peer: Peer, offer: str) -> None:
    """Let a bot in as far as suites do."""
    assert await peer.line() == "CAP LS 302"
    peer.send(f"CAP * LS :sasl {offer}")
    await peer.expect("CAP REQ :sasl")
    peer.send("CAP bot ACK :sasl")
    assert await peer.line() == "AUTHENTICATE PLAIN"
    peer.send("AUTHENTICATE +")
    assert await peer.line() == "AUTHENTICATE amlsbGVzAGppbGxlcwBzZXNhbWU="
    peer.send("900 * * jilles :You are now logged in.", "903 * :SASL authentication successful")
    assert await peer.line() == "CAP END"


async def test_it_goes_over_to_tls_and_stays_there_over_its_own_end(
    plain: Server, secure: Server, config: Path
) -> None:
    async with running(config) as bot:
        first = await plain.accept()
        assert await first.line() == "CAP LS 302"
        first.send(f"CAP * LS :sasl sts=port={secure.port}")
        await first.ended()
        safe = await secure.accept()
        await logged_in(safe, "sts=duration=1000,port=12345")
        safe.send("ERROR :closing link")
        assert await (await secure.accept()).line() == "CAP LS 302"
        await bot.kill()
    async with running(config) as bot:
        assert await (await secure.accept()).line() == "CAP LS 302"
        await bot.kill()
    assert plain.connections == 1
    assert not any("AUTHENTICATE" in line for line in first.seen)


async def test_a_certificate_that_is_not_the_pinned_one_hears_nothing(
    plain: Server, config: Path, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    offer = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    offer.load_cert_chain(*make_pair(tmp_path / "other"))
    other = Server()
    await other.start(ssl=offer)
    async with running(config) as bot:
        first = await plain.accept()
        first.send(f"CAP * LS :sasl sts=port={other.port}")
        refused = await other.accept()
        await refused.ended()
        assert [line for line in refused.seen if line] == []
        again = await asyncio.wait_for(plain.accept(), 60)  # nothing was told over TLS that had to be kept
        assert await again.line() == "CAP LS 302"
        await bot.kill()
    await other.stop()
