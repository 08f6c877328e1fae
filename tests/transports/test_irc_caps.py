from hypothesis import given
from hypothesis import strategies as st

from bot.transports.irc.caps import Caps


def caps() -> Caps:
    return Caps(("message-tags", "account-tag", "sasl"))


def is_settled(made: Caps) -> bool:
    return made.settled


def test_wanted_and_offered_are_requested_once_the_list_is_complete() -> None:
    made = caps()
    assert made.feed(("*", "LS", "*", "away-notify message-tags")).send == ()
    assert not is_settled(made)
    assert made.feed(("*", "LS", "sasl=PLAIN,EXTERNAL")).send == ("CAP REQ :message-tags sasl",)
    assert not is_settled(made)
    assert made.feed(("*", "ACK", "message-tags sasl ")).gained == {"message-tags", "sasl"}
    assert is_settled(made)
    assert made.offered["sasl"] == "PLAIN,EXTERNAL"


def test_nothing_on_offer_is_settled_at_once() -> None:
    made = caps()
    assert made.feed(("*", "LS", "")).send == ()
    assert is_settled(made)


def test_a_refused_list_is_asked_for_one_by_one() -> None:
    made = caps()
    made.feed(("*", "LS", "message-tags account-tag"))
    assert made.feed(("*", "NAK", "message-tags account-tag")).send == (
        "CAP REQ :message-tags",
        "CAP REQ :account-tag",
    )
    made.feed(("*", "ACK", "message-tags"))
    assert not is_settled(made)
    assert made.feed(("*", "NAK", "account-tag")).send == ()
    assert is_settled(made)
    assert made.acked == {"message-tags"}
    assert made.feed(("*", "NAK", "account-tag")).send == ()


def test_capabilities_come_and_go() -> None:
    made = caps()
    made.feed(("*", "LS", "message-tags"))
    made.feed(("*", "ACK", "message-tags"))
    assert made.feed(("Eddie", "NEW", "sasl=PLAIN batch")).send == ("CAP REQ :sasl",)
    assert made.feed(("Eddie", "DEL", "sasl message-tags")).lost == {"message-tags"}
    assert is_settled(made)
    assert made.acked == set()
    assert "sasl" not in made.offered


def test_what_was_refused_is_asked_for_again_when_it_is_new() -> None:
    made = caps()
    made.feed(("*", "LS", "sasl"))
    made.feed(("*", "NAK", "sasl"))
    assert made.feed(("*", "LS", "sasl")).send == ()
    assert made.feed(("*", "NEW", "sasl")).send == ("CAP REQ :sasl",)


def test_a_server_may_take_back_and_may_not_push() -> None:
    made = caps()
    made.feed(("*", "LS", "message-tags"))
    assert made.feed(("*", "ACK", "account-tag")).gained == set()
    made.feed(("*", "ACK", "message-tags"))
    assert made.feed(("*", "ACK", "-message-tags")).lost == {"message-tags"}
    assert made.acked == set()


@given(
    st.lists(
        st.lists(st.sampled_from(["*", "LS", "ACK", "NAK", "NEW", "DEL", "sasl -sasl", "account-tag", ""]))
    )
)
def test_no_order_of_lines_confuses_it(lines: list[list[str]]) -> None:
    made = caps()
    for params in lines:
        made.feed(params)
    assert made.acked <= set(made.wanted)


def test_an_endless_list_is_cut() -> None:
    made = caps()
    for number in range(2000):
        made.feed(("*", "LS", "*", f"cap-{number}"))
    assert len(made.offered) == 500
