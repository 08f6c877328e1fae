"""Identities as people type them: NETWORK:SUBJECT. Pure."""

import re
from collections.abc import Mapping

from bot.coop.quotes import quoted
from bot.errors import Usage
from bot.model import Identity, IdentityKind

_ACCOUNT = re.compile(r"[^\s\x00-\x20\x7f-\x9f:,*?!@#&]{1,64}")


def parse_identity(text: str, networks: Mapping[str, str]) -> Identity:
    r"""Read NETWORK:SUBJECT; `networks` has each network's kind (irc, xmpp, console) by its name.

    The subject is a services account, folded to lower case (two accounts that differ only in the letters that
    RFC 1459 also folds, []\~ and {}|^, stay two: a missed proof, never a false one), or a bare JID, prepared
    as RFC 7622 says. Usage for anything else.
    """
    network, colon, subject = text.strip().partition(":")
    network, subject = network.strip().lower(), subject.strip()
    if not colon or not subject:
        raise Usage(f"an identity is written NETWORK:SUBJECT, like {_example(networks)}, not {quoted(text)}")
    match networks.get(network):
        case "irc":
            return Identity(network, IdentityKind.IRC_ACCOUNT, _account(subject))
        case "xmpp":
            return Identity(network, IdentityKind.XMPP_JID, _bare_jid(subject))
        case "console":
            return Identity(network, IdentityKind.CONSOLE, _account(subject))
    known = ", ".join(sorted(networks)) or "none: the config has no [networks.NAME]"
    raise Usage(f"no network is called {quoted(network)}; there is {known}")


def _example(networks: Mapping[str, str]) -> str:
    for name, kind in sorted(networks.items()):
        return f"{name}:alice@example.org" if kind == "xmpp" else f"{name}:alice"
    return "oftc:alice"


def _account(subject: str) -> str:
    if not _ACCOUNT.fullmatch(subject):
        raise Usage(f"{quoted(subject)} is no services account: give its bare name, no hostmask")
    return subject.lower()


def _bare_jid(subject: str) -> str:
    from slixmpp import JID, InvalidJID  # noqa: PLC0415 - a third of a second, which only XMPP needs to pay

    try:
        jid = JID(subject)
        bare, local = str(jid.bare), str(jid.local)
    except (InvalidJID, ValueError) as error:
        raise Usage(f"{quoted(subject)} is no Jabber address: write it like alice@example.org") from error
    if not local:
        raise Usage(f"{quoted(subject)} is a server: write the address like alice@example.org")
    return bare
