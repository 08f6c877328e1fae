import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Usage
from bot.model import Identity, IdentityKind
from bot.store.identity import parse_identity

NETWORKS = {"oftc": "irc", "jabber": "xmpp", "here": "console"}


@pytest.mark.parametrize(
    ("text", "kind", "subject"),
    [
        ("oftc:alice", IdentityKind.IRC_ACCOUNT, "alice"),
        (" OFTC : Alice[m] ", IdentityKind.IRC_ACCOUNT, "alice[m]"),
        ("jabber:alice@ford.example", IdentityKind.XMPP_JID, "alice@ford.example"),
        ("jabber:ÄLICE@Ford.Example/phone", IdentityKind.XMPP_JID, "älice@ford.example"),
        ("here:alice", IdentityKind.CONSOLE, "alice"),
    ],
)
def test_identities_are_read_in_their_networks_folded_form(
    text: str, kind: IdentityKind, subject: str
) -> None:
    identity = parse_identity(text, NETWORKS)
    assert (identity.kind, identity.subject) == (kind, subject)
    assert parse_identity(str(identity), NETWORKS) == identity


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is written NETWORK:SUBJECT, like here:alice, not “”"),
        ("alice", "is written NETWORK:SUBJECT"),
        ("oftc:", "is written NETWORK:SUBJECT"),
        (":alice", "no network is called “”"),
        ("efnet:alice", "no network is called “efnet”; there is here, jabber, oftc"),
        ("oftc:alice!a@host", "“alice!a@host” is no services account: give its bare name"),
        ("oftc:a b", "is no services account"),
        ("oftc:*", "is no services account"),
        ("oftc:" + "a" * 65, "is no services account"),
        ("oftc:a\x01", "is no services account"),
        ("jabber:ford.example", "“ford.example” is a server"),
        ("jabber:@ford.example", "is no Jabber address"),
        ("jabber:a b@ford.example", "is no Jabber address"),
        ("jabber:a@b@c", "is no Jabber address"),
    ],
)
def test_what_is_none_is_named(text: str, said: str) -> None:
    with pytest.raises(Usage) as caught:
        parse_identity(text, NETWORKS)
    assert said in str(caught.value)


def test_the_example_is_of_a_network_that_exists() -> None:
    with pytest.raises(Usage, match=r"like work:alice@example\.org"):
        parse_identity("x", {"work": "xmpp"})
    with pytest.raises(Usage, match="like oftc:alice"):
        parse_identity("x", {})
    with pytest.raises(Usage, match=r"there is none: the config has no \[networks.NAME\]"):
        parse_identity("x:y", {})


@given(st.sampled_from(["oftc:", "jabber:", "here:", ""]), st.text())
def test_any_text_is_an_identity_or_refused(start: str, text: str) -> None:
    try:
        identity = parse_identity(start + text, NETWORKS)
    except Usage:
        return
    assert isinstance(identity, Identity)
    assert identity.subject.strip() == identity.subject != ""
    assert parse_identity(str(identity), NETWORKS) == identity
