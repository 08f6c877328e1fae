"""What interoperability suites ask of a client: capabilities, every login, TLS by fingerprint, and STS."""

import asyncio
import base64
import hashlib
import hmac
import importlib.util
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.errors import TransportFault
from bot.transports.irc.ecdsa import signer
from bot.transports.irc.sasl import BadChallenge, Ecdsa, available
from bot.transports.irc.sts import LONGEST, MemoryPolicies, Policy
from bot.transports.irc.stsfile import FilePolicies
from bot.transports.irc.transport import IrcTransport
from tests.transports.conftest import Irc, Peer, Server
from tests.transports.pki import OPENSSL, Pair, make_key, make_pair


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


async def asked(irc: Irc, offer: str, password: str | None = "sesame", **settings: Any) -> Peer:  # noqa: ANN401, S107 - any key of the config, and a made-up password
    """Let a bot in up to the answer to its REQ."""
    transport = irc.make(account="jilles", **settings)
    transport._password = password
    irc.serve(transport)
    peer = await irc.server.accept()
    assert await peer.line() == "CAP LS 302"
    assert await peer.line() == "NICK Eddie"
    await peer.expect("USER .*")
    peer.send(f"CAP * LS :{offer}")
    assert await peer.line() == "CAP REQ :sasl"
    peer.send("CAP Eddie ACK :sasl")
    return peer


async def accepted(peer: Peer) -> None:
    peer.send("900 * * jilles :You are now logged in.", "903 * :SASL authentication successful")
    assert await peer.line() == "CAP END"


async def test_capabilities_are_listed_first_and_nothing_on_offer_ends_it(irc: Irc) -> None:
    irc.serve(irc.make())
    peer = await irc.server.accept()
    assert await peer.line() == "CAP LS 302"
    peer.send("CAP * LS :")
    assert [await peer.line() for _ in range(3)][-1] == "CAP END"


async def test_plain(irc: Irc) -> None:
    peer = await asked(irc, "sasl", mechanisms=("PLAIN",))
    assert await peer.line() == "AUTHENTICATE PLAIN"
    peer.send("AUTHENTICATE +")
    assert await peer.line() == "AUTHENTICATE amlsbGVzAGppbGxlcwBzZXNhbWU="
    await accepted(peer)


async def test_a_mechanism_that_is_not_on_offer_ends_it(irc: Irc) -> None:
    peer = await asked(irc, "sasl=EXTERNAL", mechanisms=("PLAIN",))
    assert await peer.line() == "CAP END"


@pytest.mark.parametrize("password", ["barbaz" * 100, "éèà" * 100, "quux" * 148, "éè" * 148])
async def test_a_long_answer_goes_in_pieces_of_400(irc: Irc, password: str) -> None:
    peer = await asked(irc, "sasl", password, mechanisms=("PLAIN",))
    assert await peer.line() == "AUTHENTICATE PLAIN"
    peer.send("AUTHENTICATE +")
    text = b64(f"jilles\0jilles\0{password}".encode())
    wanted = [text[start : start + 400] for start in range(0, len(text), 400)]
    if len(wanted[-1]) == 400:
        wanted.append("+")
    assert [await peer.line() for _ in wanted] == [f"AUTHENTICATE {piece}" for piece in wanted]
    await accepted(peer)


class ScramServer:
    """The server's side of RFC 5802, written from the RFC."""

    def __init__(self, password: str, rounds: int = 4096) -> None:
        self.first = ""
        self.salted = hashlib.pbkdf2_hmac("sha256", password.encode(), b"some salt", rounds)
        self.rounds = rounds
        self.said = ""
        self.bare = ""

    def challenge(self, first: bytes) -> bytes:
        self.bare = first.decode().removeprefix("n,,")
        nonce = self.bare.partition("r=")[2]
        self.said = f"r={nonce}server,s={b64(b'some salt')},i={self.rounds}"
        return self.said.encode()

    def verify(self, final: bytes) -> bytes | None:
        """Return the server's final message, None where the password is not the same."""
        without, _, proof = final.decode().rpartition(",p=")
        auth = f"{self.bare},{self.said},{without}".encode()
        key = hmac.digest(self.salted, b"Client Key", "sha256")
        stored = hashlib.sha256(key).digest()
        signature = hmac.digest(stored, auth, "sha256")
        unmasked = bytes(a ^ b for a, b in zip(base64.b64decode(proof), signature, strict=True))
        if hashlib.sha256(unmasked).digest() != stored:
            return None
        return (
            b"v="
            + b64(hmac.digest(hmac.digest(self.salted, b"Server Key", "sha256"), auth, "sha256")).encode()
        )


async def scram(irc: Irc, known: str, rounds: int = 4096) -> tuple[Peer, bytes | None]:
    peer = await asked(irc, "sasl", mechanisms=("SCRAM-SHA-256",))
    server = ScramServer(known, rounds)
    assert await peer.line() == "AUTHENTICATE SCRAM-SHA-256"
    peer.send("AUTHENTICATE +")
    first = base64.b64decode((await peer.line()).split()[1])
    assert first.startswith(b"n,,n=jilles,r=")
    peer.send(f"AUTHENTICATE :{b64(server.challenge(first))}")
    return peer, server.verify(base64.b64decode((await peer.line()).split()[1]))


@pytest.mark.parametrize("rounds", [4096, 10_000])
async def test_scram_sha_256(irc: Irc, rounds: int) -> None:
    peer, final = await scram(irc, "sesame", rounds)
    assert final is not None
    peer.send(f"AUTHENTICATE :{b64(final)}")
    assert await peer.line() == "AUTHENTICATE +"
    await accepted(peer)


async def test_scram_with_a_password_that_is_not_the_servers(irc: Irc) -> None:
    peer, final = await scram(irc, "notsesame")
    assert final is None
    peer.send("904 Eddie :SASL authentication failed")
    assert await peer.line() == "CAP END"


@pytest.mark.parametrize("final", ["v=AAAA", "e=invalid-proof", "", "v="])
async def test_a_scram_server_that_does_not_know_the_password_is_not_believed(irc: Irc, final: str) -> None:
    peer, _ = await scram(irc, "sesame")
    peer.send(f"AUTHENTICATE :{b64(final.encode()) or '+'}")
    assert await peer.line() == "AUTHENTICATE *"
    peer.send("900 * * jilles :You are now logged in.", "903 * :SASL authentication successful")
    assert await peer.line() == "CAP END"


async def test_the_list_of_mechanisms_decides(irc: Irc) -> None:
    peer = await asked(irc, "sasl=EXTERNAL,PLAIN,OTHER")
    assert await peer.line() == "AUTHENTICATE PLAIN"


async def test_the_next_mechanism_is_tried_where_the_list_is_told_late(irc: Irc) -> None:
    peer = await asked(irc, "sasl")
    assert await peer.line() == "AUTHENTICATE SCRAM-SHA-256"
    peer.send("908 * PLAIN,EXTERNAL :are available SASL mechanisms", "904 * :SASL authentication failed")
    assert await peer.line() == "AUTHENTICATE PLAIN"


# ECDSA


@pytest.mark.skipif(
    OPENSSL is None or importlib.util.find_spec("cryptography") is None, reason="an extra is not installed"
)
async def test_ecdsa(irc: Irc, tmp_path: Path) -> None:
    settings = {"ecdsa_key": make_key(tmp_path), "mechanisms": ("ECDSA-NIST256P-CHALLENGE",)}
    peer = await asked(irc, "sasl", None, **settings)
    assert await peer.line() == "AUTHENTICATE ECDSA-NIST256P-CHALLENGE"
    peer.send("AUTHENTICATE +")
    assert await peer.line() == "AUTHENTICATE amlsbGVz"
    peer.send(f"AUTHENTICATE {b64(bytes(range(32)))}")
    signature = base64.b64decode((await peer.line()).split()[1])
    assert signature[0] == 0x30
    await accepted(peer)


def test_ecdsa_answers_with_the_account_and_a_signature() -> None:
    made = available("jilles", None, "n", certificate=False, sign=lambda challenge: b"signed " + challenge)
    mechanism = made["ECDSA-NIST256P-CHALLENGE"]
    assert mechanism.respond(b"") == b"jilles"
    assert mechanism.respond(bytes(range(32))) == b"signed " + bytes(range(32))
    assert mechanism.complete
    for strange in (b"", b"x", bytes(32)):
        with pytest.raises(BadChallenge):
            mechanism.respond(strange)


@pytest.mark.parametrize("challenge", [b"x", bytes(31), bytes(33)])
def test_ecdsa_signs_nothing_else(challenge: bytes) -> None:
    with pytest.raises(BadChallenge):
        Ecdsa("jilles", bytes).respond(challenge)


def test_a_key_that_is_no_good_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("no key")
    with pytest.raises(TransportFault, match=r"cannot be read|shipboard\[ecdsa\]"):
        signer(tmp_path / "key.pem")


# STS


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


@pytest.fixture
def make(irc: Irc, pair: Pair) -> Callable[..., IrcTransport]:
    def made(policies: Any, **settings: Any) -> IrcTransport:  # noqa: ANN401 - any policies, any key of the config
        transport = irc.make(**{"tls_ca_file": pair[0], **settings})
        transport._policies = policies
        return transport

    return made


Make = Callable[..., IrcTransport]


async def upgraded(irc: Irc, secure: Server) -> Peer:
    peer = await irc.server.accept()
    assert await peer.line() == "CAP LS 302"
    peer.send(
        f"CAP * LS * :sts=port={secure.port},duration=5 sasl", "CAP * LS :echo-message", "001 Eddie :hi"
    )
    safe = await secure.accept()
    assert await safe.line() == "CAP LS 302"
    await peer.ended()
    assert not [line for line in peer.seen if not line.startswith(("CAP LS", "NICK", "USER")) and line]
    return safe


async def test_an_insecure_connection_is_left_for_tls_before_anything_is_said(
    irc: Irc, secure: Server, make: Make
) -> None:
    policies = MemoryPolicies()
    transport = make(policies, account="jilles")
    task = irc.serve(transport)
    safe = await upgraded(irc, secure)
    assert policies.known == {}  # an insecure connection tells no duration
    assert irc.ups == []
    safe.send("CAP * LS :sts=duration=10,port=12345")
    await safe.expect("CAP END")
    assert policies.known["127.0.0.1"] == Policy(secure.port, irc.clock.now() + timedelta(seconds=10))
    await irc.clock.advance(5)
    safe.send("ERROR :closing link")
    await asyncio.sleep(0)
    while not task.done():
        await irc.clock.advance(1)
        await asyncio.sleep(0.01)
    with pytest.raises(TransportFault, match="closing link"):
        await task
    left = policies.known["127.0.0.1"].until - irc.clock.now()
    assert left > timedelta(seconds=5)  # renewed at the end of the connection
    irc.serve(transport)
    assert await (await secure.accept()).line() == "CAP LS 302"
    assert irc.server.connections == 1


async def test_a_policy_outlives_the_process_and_is_not_broken_while_it_lasts(
    irc: Irc, secure: Server, make: Make, tmp_path: Path
) -> None:
    FilePolicies(tmp_path / "sts.json").put(
        "127.0.0.1", Policy(secure.port, irc.clock.now() + timedelta(hours=1))
    )
    task = irc.serve(make(FilePolicies(tmp_path / "sts.json"), tls_ca_file=None))
    with pytest.raises(TransportFault, match="cannot be reached"):
        await task  # the certificate is not trusted: no way back to plain text
    assert irc.server.connections == 0
    await irc.clock.advance(3601)
    irc.serve(make(FilePolicies(tmp_path / "sts.json")))
    assert await (await irc.server.accept()).line() == "CAP LS 302"


async def test_an_upgrade_to_a_certificate_that_is_not_trusted_ends_it(
    irc: Irc, secure: Server, make: Make
) -> None:
    task = irc.serve(make(MemoryPolicies(), tls_ca_file=None))
    peer = await irc.server.accept()
    peer.send(f"CAP * LS :sts=port={secure.port}")
    with pytest.raises(TransportFault, match="cannot be reached"):
        await task


async def test_a_duration_of_none_ends_a_policy(irc: Irc, secure: Server, make: Make) -> None:
    policies = MemoryPolicies({"127.0.0.1": Policy(secure.port, irc.clock.now() + timedelta(hours=1))})
    irc.serve(make(policies))
    safe = await secure.accept()
    safe.send("CAP * LS :sts=port=1", "PING one")
    await safe.expect("PONG :one")
    assert policies.known
    safe.send("CAP * NEW :sts=duration=0", "PING two")
    await safe.expect("PONG :two")
    assert policies.known == {}
    safe.send(f"CAP * NEW :sts=duration={10**15 - 1}", "PING three")
    await safe.expect("PONG :three")
    assert policies.known["127.0.0.1"].until == irc.clock.now() + timedelta(seconds=LONGEST)


@pytest.mark.parametrize(
    "value", ["", "=", "=port=", "=port=0", "=port=99999", "=port=x", "=duration=5", "=port=²"]
)
async def test_what_is_no_policy_changes_nothing(irc: Irc, make: Make, value: str) -> None:
    irc.serve(make(MemoryPolicies()))
    peer = await irc.server.accept()
    peer.send(f"CAP * LS :sts{value}")
    await peer.expect("CAP END")


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1}', '{"a": ["x", "y"]}'])
async def test_a_file_of_policies_that_is_no_good_is_a_fault(
    irc: Irc, make: Make, tmp_path: Path, text: str
) -> None:
    (tmp_path / "sts.json").write_text(text)
    with pytest.raises(TransportFault, match=r"sts\.json cannot be read, mend or remove it"):
        await irc.serve(make(FilePolicies(tmp_path / "sts.json")))
    assert irc.server.connections == 0


def test_a_file_of_policies_keeps_each_host(tmp_path: Path, irc: Irc) -> None:
    policies = FilePolicies(tmp_path / "sts.json")
    policy = Policy(6697, irc.clock.now())
    policies.put("one", policy)
    policies.put("two", policy)
    policies.put("one", policy)
    policies.put("one", None)
    assert FilePolicies(tmp_path / "sts.json").get("two") == policy
    assert policies.get("one") is None
