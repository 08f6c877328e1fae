"""TLS to an XMPP server; there is no way without."""

import ssl

from bot.config import XmppNetwork
from bot.errors import TransportFault


def https(settings: XmppNetwork) -> ssl.SSLContext:
    """Return how to speak TLS to what belongs to the server, such as its file store."""
    return ssl.create_default_context(cafile=settings.tls_ca_file)


def context(settings: XmppNetwork) -> ssl.SSLContext:
    """Return how to speak TLS; TransportFault if the config's file of authorities is no good.

    With pins no authority is asked: the certificate itself decides.
    """
    try:
        made = ssl.create_default_context(cafile=settings.tls_ca_file)
    except (OSError, ValueError) as error:
        raise TransportFault(f"the TLS files cannot be read: {error}") from error
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.direct_tls:
        made.set_alpn_protocols(["xmpp-client"])  # XEP-0368
    if settings.tls_fingerprints:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made
