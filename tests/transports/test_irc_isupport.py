import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.transports.irc.isupport import Isupport


@pytest.mark.parametrize(
    ("casemapping", "folded"),
    [("ascii", "al[\\]~{|}^"), ("rfc1459", "al{|}^{|}^"), ("rfc1459-strict", "al{|}~{|}^")],
)
def test_names_are_folded_as_the_server_says(casemapping: str, folded: str) -> None:
    isupport = Isupport()
    isupport.feed([f"CASEMAPPING={casemapping}"])
    assert isupport.fold("AL[\\]~{|}^") == folded
    assert isupport.same("Alice", "aLICE")
    assert not isupport.same("Ä", "ä")


def test_the_tokens_that_we_need_are_taken() -> None:
    isupport = Isupport()
    isupport.feed(
        ["PREFIX=(qaohv)~&@%+", "CHANTYPES=#", "NICKLEN=31", "STATUSMSG=@+", "WHOX", "TOPICLEN=300"]
    )
    assert (isupport.prefixes, isupport.chantypes, isupport.nicklen) == ("~&@%+", "#", 31)
    assert (isupport.statusmsg, isupport.whox) == ("@+", True)
    assert isupport.is_channel("#a")
    assert not isupport.is_channel("&a")
    assert not isupport.is_channel("")
    isupport.feed(["-PREFIX", "-CHANTYPES", "-WHOX", "-UNKNOWN", "-feed"])
    assert isupport == Isupport(nicklen=31, statusmsg="@+")


BAD = [
    "CHANLIMIT=#&:x",
    "TARGMAX=a:b",
    "PREFIX=x",
    "PREFIX=(ov)@",
    "NICKLEN=",
    "NICKLEN=x",
    "NICKLEN=99999999",
    "-",
    "",
]
BAD += [
    "CASEMAPPING=klingon",
    "CASEMAPPING",
    "CHANTYPES=",
    "CHANTYPES=abc",
    "NICKLEN=0",
    "NICKLEN=²",
    "=",
    "PREFIX=()",
]


def test_bad_tokens_are_ignored() -> None:
    isupport = Isupport()
    isupport.feed([token for token in BAD if token != "PREFIX=()"])  # noqa: S105 - a token of the protocol
    assert isupport == Isupport()


@given(st.lists(st.text(max_size=30) | st.sampled_from(BAD)))
def test_no_token_raises(tokens: list[str]) -> None:
    isupport = Isupport()
    isupport.feed(tokens)
    assert isupport.fold("Abc") == "abc"
