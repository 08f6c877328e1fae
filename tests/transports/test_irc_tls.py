import asyncio
import hashlib
import ssl
from pathlib import Path

import pytest

from bot.config import IrcNetwork
from bot.errors import TransportFault
from bot.transports.irc.tls import context
from bot.transports.pins import check_pins
from tests.transports.conftest import Irc, Server
from tests.transports.pki import Pair, make_pair


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make_pair(tmp_path_factory.mktemp("pki"))


def fingerprint(certificate: Path) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.read_text())).hexdigest()


async def served(irc: Irc, pair: Pair) -> Server:
    await irc.server.stop()
    offer = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    offer.load_cert_chain(*pair)
    await irc.server.start(ssl=offer)
    return irc.server


async def test_ones_own_authority_is_trusted(irc: Irc, pair: Pair) -> None:
    await served(irc, pair)
    transport, peer = await irc.admitted(tls=True, tls_ca_file=pair[0])
    peer.say("alice!a@h", "#ford", "!ping tls", tags="account=alice")
    await peer.expect("PRIVMSG #ford :pong tls")
    assert transport.status().up


async def test_an_unknown_authority_is_not(irc: Irc, pair: Pair) -> None:
    await served(irc, pair)
    with pytest.raises(TransportFault, match="certificate verify failed"):
        await asyncio.wait_for(irc.serve(irc.make(tls=True)), 60)


async def test_a_pinned_certificate_needs_no_authority(irc: Irc, pair: Pair) -> None:
    await served(irc, pair)
    pin = fingerprint(pair[0]).upper()
    transport, _ = await irc.admitted(tls=True, tls_fingerprints=("0" * 64, f"sha256:{pin}"))
    assert transport.status().up


async def test_another_certificate_than_the_pinned_one_hears_nothing_from_us(irc: Irc, pair: Pair) -> None:
    server = await served(irc, pair)
    task = irc.serve(irc.make(tls=True, tls_fingerprints=("0" * 64,), account="eddie"))
    peer = await server.accept()
    await peer.ended()
    assert [line for line in peer.seen if line] == []
    with pytest.raises(TransportFault, match=f"not a pinned one: sha256:{fingerprint(pair[0])}"):
        await asyncio.wait_for(task, 60)


def test_files_that_are_no_good_are_a_fault(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    for settings in (
        {"tls_ca_file": broken},
        {"tls_ca_file": tmp_path / "none"},
        {"client_certificate": broken},
    ):
        made = IrcNetwork.model_validate({"kind": "irc", "host": "irc.example.org", **settings})
        with pytest.raises(TransportFault, match="TLS files"):
            context(made)


def test_without_tls_there_is_no_context_and_without_pins_nothing_to_compare() -> None:
    plain = IrcNetwork(kind="irc", host="localhost", tls=False)
    assert context(plain) is None
    check_pins(None, ())
    with pytest.raises(TransportFault, match="not a pinned one"):
        check_pins(None, ("0" * 64,))


def test_old_tls_is_not_spoken(pair: Pair) -> None:
    made = context(IrcNetwork(kind="irc", host="localhost", client_certificate=pair[0], client_key=pair[1]))
    assert made is not None
    assert made.minimum_version == ssl.TLSVersion.TLSv1_2
    assert made.check_hostname
