"""Channels: who is where, and under which account."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.transports.irc import channels as module
from bot.transports.irc.channels import Channels, fold_account


def test_accounts_are_followed_and_forgotten() -> None:
    channels = Channels(str.lower)
    channels.joined("#a", "Alice", "alice")
    channels.joined("#b", "alice")
    channels.joined("#a", "bob", "*")
    channels.joined("#a", "carol")
    assert (channels.account("ALICE"), channels.account("bob"), channels.account("carol")) == (
        "alice",
        "",
        None,
    )
    assert channels.account("nobody") is None
    assert channels.holders("alice") == ("Alice",)
    channels.learned("carol", "Carol")
    assert channels.holders("carol") == ("carol",)
    channels.learned("carol", "0")
    channels.learned("nobody", "x")
    assert channels.account("carol") == ""
    channels.renamed("alice", "alice2")
    channels.renamed("nobody", "x")
    assert channels.account("alice2") is None
    assert not channels.sees("alice")
    assert not channels.left("#a", "alice2")
    assert channels.left("#b", "alice2")
    assert not channels.left("#b", "alice2")
    channels.gone("bob")
    channels.learned("carol", "carol")
    channels.forget_accounts()
    assert channels.account("carol") is None
    channels.emptied("#A")
    assert channels.people == {}


def test_names_come_with_prefixes_and_hosts() -> None:
    channels = Channels(str.lower)
    channels.listed("#a", ["@+alice!a@h", "~&bob", "carol", "@", ""], "~&@%+")
    assert sorted(channels.people) == ["alice", "bob", "carol"]


def test_the_crowd_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    channels = Channels(str.lower)
    for number in range(9):
        channels.joined("#a", f"n{number}")
    channels.joined("#b", "n1")
    assert len(channels.people) == 3


def test_only_ascii_is_folded_in_accounts() -> None:
    assert fold_account("Al|CE[ÄSS]") == "al|ce[Äss]"


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("ab"), st.sampled_from("xyz"))))
def test_nobody_stays_who_is_in_no_room(moves: list[tuple[int, str, str]]) -> None:
    channels = Channels(str.lower)
    for move, room, nick in moves:
        match move:
            case 0:
                channels.joined(f"#{room}", nick)
            case 1:
                channels.left(f"#{room}", nick)
            case 2:
                channels.gone(nick)
            case 3:
                channels.renamed(nick, "xyz".replace(nick, "")[0])
            case 4:
                channels.emptied(f"#{room}")
            case _:
                channels.listed(f"#{room}", [nick], "@")
    assert all(person.rooms for person in channels.people.values())
