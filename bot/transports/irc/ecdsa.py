"""Signing for the SASL mechanism ECDSA-NIST256P-CHALLENGE, by the `cryptography` package, an extra."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from bot.errors import TransportFault


def signer(key_file: Path) -> Callable[[bytes], bytes]:
    """Return what signs a challenge, used as the digest itself, with a PEM key on NIST P-256; it answers DER.

    TransportFault if the package is missing or the key is no good.
    """
    try:
        serialization = import_module("cryptography.hazmat.primitives.serialization")
        ec = import_module("cryptography.hazmat.primitives.asymmetric.ec")
        digest = import_module("cryptography.hazmat.primitives.hashes").SHA256()
        prehashed = import_module("cryptography.hazmat.primitives.asymmetric.utils").Prehashed(digest)
    except ImportError as error:
        raise TransportFault("ecdsa_key needs a package: in a checkout, pip install '.[ecdsa]'") from error
    try:
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise TransportFault(f"{key_file} cannot be read: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise TransportFault(f"{key_file} is no key on the curve NIST P-256")
    return lambda challenge: bytes(key.sign(challenge, ec.ECDSA(prehashed)))
