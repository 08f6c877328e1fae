"""XMPP (RFC 6120, 6121, https://xmpp.org/extensions): `slixmpp` holds the stream, everything else our own."""
