"""Logging in: https://ircv3.net/specs/extensions/sasl-3.2 and its mechanisms, as state machines. Pure.

A further mechanism is a class with `name`, `complete` and `respond`, and a line in `available`.
"""

import base64
import hashlib
import hmac
import stringprep
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

PIECE = 400
"""Base64 letters of one AUTHENTICATE line; a piece of exactly so many is followed by another, or by `+`."""

LONGEST = 64 * 1024
"""What a server may send as one challenge, in base64 letters."""

ITERATIONS = range(4096, 500_001)
"""Of PBKDF2 that we accept: fewer betray the password (RFC 7677), more would stall the bot."""


class BadChallenge(Exception):  # noqa: N818 - what it is, not that it is an error
    """The server's challenge is not what the mechanism prescribes; the text says how."""


class Mechanism(Protocol):
    """One way to prove who we are; an object serves one attempt."""

    name: str

    @property
    def complete(self) -> bool:
        """Whether success may be believed now."""
        ...

    def respond(self, challenge: bytes) -> bytes:
        """Answer the server's challenge; BadChallenge if it is none."""
        ...


@dataclass(slots=True)
class Plain:
    """PLAIN (RFC 4616); the authorization identity is the account, as services expect it."""

    account: str
    password: str
    name: str = "PLAIN"
    complete: bool = True

    def respond(self, challenge: bytes) -> bytes:
        """Answer the empty challenge with account and password."""
        if challenge:
            raise BadChallenge("PLAIN takes no challenge")
        return f"{self.account}\0{self.account}\0{self.password}".encode()


@dataclass(slots=True)
class External:
    """EXTERNAL (RFC 4422, appendix A): the TLS client certificate is the proof."""

    account: str
    name: str = "EXTERNAL"
    complete: bool = True

    def respond(self, challenge: bytes) -> bytes:
        """Answer the empty challenge with the account that the certificate is meant for."""
        if challenge:
            raise BadChallenge("EXTERNAL takes no challenge")
        return self.account.encode()


@dataclass(slots=True)
class Ecdsa:
    """ECDSA-NIST256P-CHALLENGE, as atheme has it; `sign` returns the DER signature of 32 bytes."""

    account: str
    sign: Callable[[bytes], bytes]
    name: str = "ECDSA-NIST256P-CHALLENGE"
    complete: bool = False

    def respond(self, challenge: bytes) -> bytes:
        """Answer the empty challenge with the account, and then 32 random bytes with their signature."""
        if not challenge and not self.complete:
            return self.account.encode()
        if len(challenge) != 32 or self.complete:  # noqa: PLR2004 - what the curve signs
            raise BadChallenge("an ECDSA challenge has 32 bytes")
        self.complete = True
        return self.sign(challenge)


@dataclass(slots=True)
class ScramSha256:
    """SCRAM-SHA-256 (RFC 5802, RFC 7677) without channel binding; the server proves itself too."""

    account: str
    password: str
    nonce: str
    name: str = "SCRAM-SHA-256"
    complete: bool = False
    _step: int = 0
    _auth: bytes = b""
    _salted: bytes = b""

    def respond(self, challenge: bytes) -> bytes:
        """Answer the three challenges in turn: nothing, the server's first and its final message."""
        self._step += 1
        match self._step:
            case 1 if not challenge:
                return b"n,," + self._first
            case 2:
                return self._prove(challenge)
            case 3:
                return self._check(challenge)
            case _:
                raise BadChallenge("SCRAM has three steps")

    @property
    def _first(self) -> bytes:
        name = saslprep(self.account).replace("=", "=3D").replace(",", "=2C")
        return f"n={name},r={self.nonce}".encode()

    def _prove(self, challenge: bytes) -> bytes:
        fields = _fields(challenge)
        nonce, salt = fields.get("r", ""), _decoded(fields.get("s", ""))
        if "m" in fields or not nonce.startswith(self.nonce) or len(nonce) <= len(self.nonce) or not salt:
            raise BadChallenge("the server's nonce or salt is not as SCRAM prescribes")
        rounds = fields.get("i", "")
        if not (rounds.isascii() and rounds.isdigit() and len(rounds) < 10 and int(rounds) in ITERATIONS):  # noqa: PLR2004 - nine digits are more than enough
            raise BadChallenge("the server asks for too few or too many iterations")
        self._salted = hashlib.pbkdf2_hmac("sha256", saslprep(self.password).encode(), salt, int(rounds))
        final = f"c=biws,r={nonce}".encode()
        self._auth = b",".join((self._first, challenge, final))
        key = _mac(self._salted, b"Client Key")
        signature = _mac(hashlib.sha256(key).digest(), self._auth)
        proof = bytes(one ^ other for one, other in zip(key, signature, strict=True))
        return final + b",p=" + base64.b64encode(proof)

    def _check(self, challenge: bytes) -> bytes:
        wanted = _mac(_mac(self._salted, b"Server Key"), self._auth)
        if not hmac.compare_digest(_decoded(_fields(challenge).get("v", "")), wanted):
            raise BadChallenge("the server could not prove that it knows the password")
        self.complete = True
        return b""


class State(Enum):
    """How far a login has come."""

    TRYING = auto()
    DONE = auto()
    FAILED = auto()


@dataclass(slots=True)
class Login:
    """One login over the mechanisms that we have, in order; lines that it returns are to be sent."""

    mechanisms: Sequence[Mechanism]
    state: State = State.TRYING
    problem: str = ""
    _chunks: list[str] = field(default_factory=list)
    _left: list[Mechanism] = field(default_factory=list)

    def start(self, offered: str) -> tuple[str, ...]:
        """Begin with the value of the capability `sasl`: the mechanisms on offer, or nothing."""
        self._left = list(self.mechanisms)
        if not self._left:
            return self._fail("no password or certificate to log in with")
        self._keep(offered)
        return self._next("the server offers none of our login mechanisms")

    def challenge(self, chunk: str) -> tuple[str, ...]:
        """Take the parameter of an AUTHENTICATE line."""
        if self.state is not State.TRYING or not self._left:
            return ()
        if len(self._chunks) * PIECE > LONGEST:
            return self._abort("the server's challenge is too long")
        if chunk != "+":
            self._chunks.append(chunk[:PIECE])
        if len(chunk) >= PIECE:
            return ()
        text, self._chunks = "".join(self._chunks), []
        try:
            answer = self._left[0].respond(base64.b64decode(text, validate=True))
        except ValueError:
            return self._abort("the server's challenge is not base64")
        except BadChallenge as wrong:
            return self._abort(str(wrong))
        return pieces(answer)

    def numeric(self, code: str, text: str) -> tuple[str, ...]:
        """Take one of 902 to 908; `text` is what it says, for 908 the mechanisms on offer."""
        if self.state is not State.TRYING:
            return ()
        match code:
            case "903" | "907" if self._left and self._left[0].complete:
                self.state = State.DONE
            case "903" | "907":
                self._fail("the server skipped proving that it knows the password")
            case "908":
                self._left[1:] = [spare for spare in self._left[1:] if spare.name in text.split(",")]
            case "902" | "904" | "905":
                del self._left[:1]
                return self._next(f"the login was refused: {text or code}")
            case _:
                self._fail(f"the login was refused: {text or code}")
        return ()

    def expire(self) -> tuple[str, ...]:
        """Give up, since nothing came in time."""
        return self._abort("the services did not answer") if self.state is State.TRYING else ()

    def _keep(self, offered: str) -> None:
        if offered:
            names = offered.upper().split(",")
            self._left = [mechanism for mechanism in self._left if mechanism.name in names]

    def _next(self, otherwise: str) -> tuple[str, ...]:
        self._chunks = []
        return (f"AUTHENTICATE {self._left[0].name}",) if self._left else self._fail(otherwise)

    def _fail(self, problem: str) -> tuple[str, ...]:
        self.state, self.problem = State.FAILED, problem
        return ()

    def _abort(self, problem: str) -> tuple[str, ...]:
        self._fail(problem)
        return ("AUTHENTICATE *",)


def available(
    account: str,
    password: str | None,
    nonce: str,
    *,
    certificate: bool,
    sign: Callable[[bytes], bytes] | None = None,
) -> dict[str, Mechanism]:
    """Return, the best first, the mechanisms by name for which we have what they need; for one login."""
    found: list[Mechanism] = [External(account)] if certificate else []
    if sign is not None:
        found.append(Ecdsa(account, sign))
    if password is not None:
        found += [ScramSha256(account, password, nonce), Plain(account, password)]
    return {mechanism.name: mechanism for mechanism in found}


def pieces(answer: bytes) -> tuple[str, ...]:
    """Return the AUTHENTICATE lines that carry an answer."""
    text = base64.b64encode(answer).decode()
    cut = [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
    if not cut or len(cut[-1]) == PIECE:
        cut.append("+")
    return tuple(f"AUTHENTICATE {piece}" for piece in cut)


def saslprep(text: str) -> str:
    """Bring a name or a password into the form that is hashed (RFC 4013, its mapping and normalization)."""
    kept = (char for char in text if not stringprep.in_table_b1(char))
    return unicodedata.normalize(
        "NFKC", "".join(" " if stringprep.in_table_c12(char) else char for char in kept)
    )


def _fields(message: bytes) -> dict[str, str]:
    parts = message.decode("utf-8", "replace").split(",")
    return {key: value for key, _, value in (part.partition("=") for part in parts)}


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def _mac(key: bytes, text: bytes) -> bytes:
    return hmac.digest(key, text, "sha256")
