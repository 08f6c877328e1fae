"""Which nick to take, and the rooms that we want to be in."""

from bot.transports.nicks import NickKeeper
from bot.transports.rooms import Rooms


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
