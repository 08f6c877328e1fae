"""Certificates that are trusted by their fingerprints, whoever signed them."""

import hashlib
import hmac

from bot.errors import TransportFault


def check_pins(certificate: bytes | None, pins: tuple[str, ...]) -> None:
    """Compare the server's certificate (DER) with the pinned SHA-256 fingerprints, if there are any.

    TransportFault, naming the fingerprint that was seen, if it is none of them.
    """
    if not pins:
        return
    seen = hashlib.sha256(certificate or b"").hexdigest()
    if not any(hmac.compare_digest(seen, pin) for pin in pins):
        raise TransportFault(f"the server's certificate is not a pinned one: sha256:{seen}")
