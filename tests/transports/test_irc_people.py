"""Channels, nicks and rooms: the pure parts that follow who is where."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.transports.irc import channels as module
from bot.transports.irc.channels import Channels, fold_account
from bot.transports.irc.nicks import NickKeeper
from bot.transports.irc.rooms import Rooms


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


def test_nicks_are_tried_in_turn_and_cut_to_fit() -> None:
    keeper = NickKeeper("Eddie", longest=6)
    assert [keeper.alternative() for _ in range(4)] == ["Eddie_", "Eddi__", "Eddie2", "Eddie3"]
    tried = {keeper.alternative() for _ in range(17)}
    assert None in tried
    assert all(nick is None or len(nick) <= 6 for nick in tried)


def test_a_nick_that_is_fought_over_is_left_alone_ever_longer() -> None:
    keeper = NickKeeper("Eddie")
    assert keeper.may_try(0.0)
    keeper.renamed("Guest1", 100.0)
    assert not keeper.may_try(159.0)
    assert keeper.may_try(160.0)
    keeper.renamed("Eddie", 160.0)
    keeper.renamed("Guest2", 170.0)
    assert not keeper.may_try(289.0)
    assert keeper.may_try(290.0)


def test_rooms_are_asked_for_until_we_are_in() -> None:
    rooms = Rooms(["#Ford", "#b"], str.lower)
    assert rooms.due(10.0) == ("#Ford", "#b")
    assert rooms.due(11.0) == ()
    assert rooms.due(40.0) == ("#Ford", "#b")
    rooms.joined("#ford", 41.0)
    rooms.left("#b", "banned", 41.0)
    assert (rooms.inside, rooms.missing) == (("#Ford",), ("#b: banned",))
    assert rooms.due(45.9) == ()
    assert rooms.due(46.0) == ("#b",)
    rooms.left("#b", "banned", 46.0)
    assert rooms.due(55.9) == ()
    assert rooms.due(56.0) == ("#b",)
    rooms.joined("#b", 56.0)
    rooms.left("#b", "kicked", 57.0)
    assert rooms.due(76.9) == ()
    rooms.hurry(70.0, "#other")
    assert rooms.due(70.0) == ()
    rooms.hurry(70.0, "#B")
    assert rooms.due(70.0) == ("#b",)
    rooms.joined("#b", 71.0)
    rooms.left("#b", "kicked", 171.0)
    assert rooms.due(176.0) == ("#b",)
    rooms.left("#unknown", "x", 1.0)
    rooms.joined("#unknown", 1.0)
    assert (rooms.spelled("#FORD"), rooms.spelled("#Other")) == ("#Ford", "#other")


def test_the_wait_for_a_room_has_an_end() -> None:
    rooms = Rooms(["#a"], str.lower)
    now = 0.0
    for _ in range(12):
        rooms.left("#a", "banned", now)
    assert rooms.due(now + 299.0) == ()
    assert rooms.due(now + 300.0) == ("#a",)
