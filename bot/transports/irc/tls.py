"""TLS to an IRC server: trusted by the system's authorities, by one's own, or by pinned fingerprints."""

import ssl

from bot.config import IrcNetwork
from bot.errors import TransportFault


def context(settings: IrcNetwork) -> ssl.SSLContext | None:
    """Return how to speak TLS, None where the config says not to; TransportFault if a file of it is no good.

    With pins no authority is asked: the certificate itself decides, see `bot.transports.pins`.
    """
    if not settings.tls:
        return None
    try:
        made = ssl.create_default_context(cafile=settings.tls_ca_file)
        if settings.client_certificate:
            made.load_cert_chain(settings.client_certificate, settings.client_key)
    except (OSError, ValueError) as error:
        raise TransportFault(f"the TLS files cannot be read: {error}") from error
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.tls_fingerprints:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made
