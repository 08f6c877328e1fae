import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.address import Addressed, addressed, named


@pytest.mark.parametrize(
    ("text", "room", "direct"),
    [
        ("!vm list", "vm list", "vm list"),
        ("vm list", None, "vm list"),
        ("Eddie: vm list", "vm list", "vm list"),
        ("eDDIE, !vm list", "vm list", "vm list"),
        ("Eddie vm list", None, "Eddie vm list"),
        ("Eddies: x", None, "Eddies: x"),
        ("Eddie:", "", ""),
        ("hello Eddie: x", None, "hello Eddie: x"),
        ("!", None, ""),
        ("! well", None, "well"),
        ("!!!", None, "!!"),
        ("! ", None, ""),
        ("", None, ""),
        ("  ", None, ""),
        ("!help  ", "help", "help"),
    ],
)
def test_a_line_is_for_the_bot_or_chatter(text: str, room: str | None, direct: str | None) -> None:
    in_room = addressed(text, nick="Eddie", prefix="!", direct=False)
    directly = addressed(text, nick="Eddie", prefix="!", direct=True)
    assert (in_room and in_room.text) == room
    assert directly == Addressed(direct or "", named=True)


def test_only_the_prefix_in_a_room_leaves_the_bot_unnamed() -> None:
    assert addressed("!x", nick="Eddie", prefix="!", direct=False) == Addressed("x", named=False)
    assert addressed("Eddie: x", nick="Eddie", prefix="!", direct=False) == Addressed("x", named=True)


def test_a_prefix_may_be_long() -> None:
    assert addressed(">>x", nick="Eddie", prefix=">>", direct=False) == Addressed("x", named=False)
    assert addressed(">x", nick="Eddie", prefix=">>", direct=False) is None


@given(st.text(), st.booleans())
def test_any_line_is_taken_and_loses_nothing_but_the_address(text: str, direct: bool) -> None:  # noqa: FBT001 - hypothesis fills it
    found = addressed(text, nick="Eddie", prefix="!", direct=direct)
    assert found is not None or not direct
    if found is not None:
        assert found.text == found.text.strip()
        assert text.rstrip().endswith(found.text)


def test_who_is_named_is_here_and_stands_among_the_first_words() -> None:
    here = {"alice", "[bob]"}.__contains__
    assert named("@alice: and ([bob]), or alice; trillian", here) == ("alice", "[bob]")
    assert named("word " * 49 + "alice", here) == ("alice",)
    assert named("word " * 50 + "alice", here) == ()
    assert named("", here) == ()
