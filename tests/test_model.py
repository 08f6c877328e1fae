from datetime import UTC, datetime

from bot.coop.people import Member, Role
from bot.coop.shares import Share
from bot.model import Actor, Call, Identity, IdentityKind, Message, Outcome, Place, Reply, Urgency

ALICE = Member("alice", Role.MEMBER, Share.FULL)


def test_values_say_what_they_are() -> None:
    assert str(Identity("oftc", IdentityKind.IRC_ACCOUNT, "alice")) == "oftc:alice"
    assert str(Place("oftc", "#ford")) == "oftc/#ford"
    assert str(Actor(ALICE, Role.MEMBER)) == "alice"
    assert str(Actor()) == "a guest"


def test_a_reply_is_made_of_what_a_handler_returns() -> None:
    assert Reply.of(None) == Reply.of("") == Reply()
    assert Reply.of("one\ntwo") == Reply(("one", "two"))
    whole = Reply(("x",), private=True)
    assert Reply.of(whole) is whole


def test_an_outcome_is_made_of_what_a_handler_returns() -> None:
    assert Outcome.of(None) == Outcome()
    assert Outcome.of("x") == Outcome(Reply(("x",)))
    whole = Outcome(Reply(("x",)))
    assert Outcome.of(whole) is whole


def test_alerts_go_before_news_before_chatter() -> None:
    assert sorted([Urgency.NEWS, Urgency.ALERT, Urgency.CHATTER], reverse=True) == [
        Urgency.ALERT,
        Urgency.NEWS,
        Urgency.CHATTER,
    ]


def test_a_message_proves_nothing_unless_it_says_so() -> None:
    message = Message(Place("oftc", "#ford"), "alice", "hi", datetime(2026, 11, 22, tzinfo=UTC))
    assert message.identity is None
    assert not any((message.named, message.replayed, message.place.direct))
    assert Call(message, Actor()).values == {}
