import ssl
from collections.abc import AsyncIterator

import pytest

from bot.transports.irc.transport import IrcTransport
from tests.transports.conftest import Irc, Peer, Server, settle
from tests.transports.pki import Pair, make_pair

TOLD = "PRIVMSG NickServ@services.test :IDENTIFY eddie sesame"
GENUINE = ("services services.test", "services.test")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make_pair(tmp_path_factory.mktemp("pki"))


@pytest.fixture
async def secure(irc: Irc, pair: Pair) -> AsyncIterator[Server]:
    assert irc.server.port
    offer = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    offer.load_cert_chain(*pair)
    server = Server()
    await server.start(ssl=offer)
    yield server
    await server.stop()


async def admitted(
    irc: Irc, server: Server, pair: Pair, caps: str = "account-notify"
) -> tuple[IrcTransport, Peer]:
    table = {"tls": True, "tls_ca_file": pair[0]} if server is not irc.server else {}
    transport = irc.make(account="eddie", port=server.port, **table)
    transport._password = "sesame"  # noqa: S105 - a made-up password
    irc.serve(transport)
    peer = await server.accept()
    await peer.admit(caps)
    await peer.pending()
    return transport, peer


async def whois(peer: Peer, irc: Irc, nick: str, userhost: str, server: str, account: str = "") -> None:
    for _ in range(100):
        await irc.clock.advance(1)
        if f"WHOIS {nick}" in await peer.pending():
            break
    else:
        raise AssertionError(f"nobody asked for {nick}: {peer.seen[-5:]}")
    if userhost:
        peer.send(f":irc.test 311 Eddie {nick} {userhost} * :x", f":irc.test 312 Eddie {nick} {server} :x")
    if account:
        peer.send(f":irc.test 330 Eddie {nick} {account} :is logged in as")
    peer.send(f":irc.test 318 Eddie {nick} :End")


@pytest.mark.parametrize(
    "confirmed", [":irc.test 900 Eddie Eddie!e@h eddie :You are", ":Eddie!e@h ACCOUNT eddie", ""]
)
async def test_the_genuine_one_is_told_and_the_server_confirms(
    irc: Irc, secure: Server, pair: Pair, confirmed: str
) -> None:
    transport, peer = await admitted(irc, secure, pair)
    await whois(peer, irc, "NickServ", *GENUINE)
    await peer.expect(TOLD)
    peer.say("NickServ!services@services.test", "Eddie", "You are now identified")
    assert transport.status().account is None
    if confirmed:
        peer.send(confirmed)
    else:
        await whois(peer, irc, "Eddie", "e h", "irc.test", "eddie")
    await peer.pending()
    await settle()
    assert transport.status().account == "eddie"
    for _ in range(12):
        await irc.clock.advance(10)
        assert TOLD not in await peer.pending()
    peer.send(":Eddie!e@h ACCOUNT *")
    await peer.pending()
    assert transport.status().account is None


@pytest.mark.parametrize(
    ("userhost", "server", "why"),
    [
        ("", "", "NickServ is not there"),
        ("n evil.example", "irc.test", "NickServ is not the services' own"),
        ("n irc.test", "irc.test", "NickServ is not the services' own"),
        ("n services.test", "other.test", "NickServ is not the services' own"),
        ("n services", "services", "NickServ is not the services' own"),
    ],
)
async def test_an_impostor_is_told_nothing(
    irc: Irc, secure: Server, pair: Pair, userhost: str, server: str, why: str
) -> None:
    transport, peer = await admitted(irc, secure, pair)
    await whois(peer, irc, "NickServ", userhost, server)
    assert not [line for line in await peer.pending() if "IDENTIFY" in line]
    assert why in transport.status().detail
    await whois(peer, irc, "NickServ", *GENUINE)  # it is tried again
    await peer.expect(TOLD)
    await whois(peer, irc, "Eddie", "e h", "irc.test")
    await peer.pending()
    assert "NickServ did not confirm it" in transport.status().detail


async def test_without_tls_or_with_sasl_nickserv_is_told_nothing(
    irc: Irc, secure: Server, pair: Pair
) -> None:
    for server, caps in ((irc.server, "account-notify"), (secure, "account-notify sasl=EXTERNAL")):
        transport, peer = await admitted(irc, server, pair, caps)
        for _ in range(20):
            await irc.clock.advance(10)
            assert not [line for line in await peer.pending() if "NickServ" in line]
        assert "not logged in" in transport.status().detail


async def test_monitor_tells_at_once_that_our_nick_is_free(irc: Irc) -> None:
    transport = irc.make()
    irc.serve(transport)
    peer = await irc.server.accept()
    await peer.negotiate("")
    await peer.expect("CAP END")
    peer.send(":irc.test 433 * Eddie :in use")
    await peer.expect("NICK Eddie_")
    await peer.welcome("Eddie_", isupport="CASEMAPPING=ascii MONITOR=30")
    await peer.expect(r"MONITOR \+ Eddie")
    peer.send(":irc.test 730 Eddie_ :Eddie!g@h", ":irc.test 731 Eddie_ :somebody,", ":irc.test 731 Eddie_")
    assert not [line for line in await peer.pending() if line.startswith("NICK")]
    peer.send(":irc.test 731 Eddie_ :other,eddie")
    await peer.expect("NICK Eddie")
    peer.send(":irc.test 433 Eddie_ Eddie :in use")
    await irc.clock.advance(55)
    await peer.pending()
    await irc.clock.advance(10)
    assert "MONITOR S" in await peer.pending()
