import asyncio
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import pytest

from bot.coop.people import Member, Role
from bot.model import Identity, IdentityKind, Notice, Place, Urgency
from bot.ports import Tx
from bot.store.database import SqliteStore
from bot.store.outbox import FAULT_PAUSE, POLL_SECONDS, Outbox
from bot.store.roster import SqlRoster
from tests.conftest import until
from tests.store.conftest import (
    FORD,
    REGISTRAR,
    Complaints,
    HandClock,
    Network,
    account,
    emptied,
    enrol,
    send,
    waiting,
)

JID = Identity("jabber", IdentityKind.XMPP_JID, "alice@ford.example")


async def test_a_notice_is_said_once_and_crossed_off(
    store: SqliteStore, outbox: Outbox, oftc: Network
) -> None:
    await send(store, Notice(FORD, ("one", "two")))
    assert await oftc.next() == ("#ford", ("one", "two"))
    await emptied(store)
    assert oftc.heard.empty()
    assert outbox.dropped == 0


async def test_a_group_is_one_row_a_room(store: SqliteStore) -> None:
    await send(store, Notice("team", ("hello",)), Notice("alerts", ("load",), Urgency.ALERT))
    assert [(row["network"], row["room"]) for row in await waiting(store)] == [
        ("jabber", "ford@rooms"),
        ("oftc", "#a"),
        ("oftc", "#ford"),
    ]


async def test_a_team_without_rooms_hears_nothing_but_admins_without_one_hear_it_directly(
    store: SqliteStore, clock: HandClock
) -> None:
    await enrol(store, "alice", role=Role.ADMIN)
    await enrol(store, "bob")
    await send(store, Notice("admins", ("a bind",)))
    assert [row["member"] for row in await waiting(store)] == ["alice"]
    homeless = await SqliteStore.open(store.path, clock)
    await send(homeless, Notice("team", ("hello",)))
    assert len(await waiting(homeless)) == 1
    await homeless.close()


async def test_what_is_urgent_goes_first_and_the_rest_in_order(
    store: SqliteStore, outbox: Outbox, oftc: Network
) -> None:
    oftc.up = False
    await send(store, Notice(FORD, ("1",)))
    await oftc.next_try()
    await send(
        store,
        Notice(FORD, ("2",), Urgency.CHATTER),
        Notice(FORD, ("3",)),
        Notice(Place("oftc", "#a"), ("4",), Urgency.ALERT),
        Notice(FORD, ("5",), Urgency.ALERT),
    )
    oftc.up = True
    outbox.poke()
    assert [(await oftc.next())[1][0] for _ in range(5)] == ["4", "5", "1", "3", "2"]


async def test_a_later_notice_with_the_same_key_replaces_one_that_waits(store: SqliteStore) -> None:
    await send(store, Notice("team", ("load 9",), key="A17"), Notice(FORD, ("load 12",), key="A17"))
    await send(
        store, Notice(FORD, ("other",), key="A18"), Notice(FORD, ("keyless",)), Notice(FORD, ("keyless",))
    )
    await send(store, Notice(Place("oftc", "#ford", direct=True), ("a nick",), key="A17"))
    assert [(row["room"], row["lines"]) for row in await waiting(store)] == [
        ("ford@rooms", '["load 9"]'),
        ("#ford", '["load 12"]'),
        ("#ford", '["other"]'),
        ("#ford", '["keyless"]'),
        ("#ford", '["keyless"]'),
        ("#ford", '["a nick"]'),
    ]


async def test_what_comes_under_the_same_key_during_a_delivery_is_said_too(
    store: SqliteStore, outbox: Outbox, oftc: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    speaking, go_on = asyncio.Event(), asyncio.Event()
    say = oftc.say

    async def slow(place: Place, lines: Sequence[str]) -> bool:
        speaking.set()
        await go_on.wait()
        return await say(place, lines)

    monkeypatch.setattr(oftc, "say", slow)
    await send(store, Notice(FORD, ("load 9",), key="A17"))
    await asyncio.wait_for(speaking.wait(), 20)
    await send(store, Notice(FORD, ("load 12",), key="A17"))
    go_on.set()
    assert [(await oftc.next())[1] for _ in range(2)] == [("load 9",), ("load 12",)]
    assert outbox.dropped == 0


async def test_what_has_expired_is_dropped_and_counted(
    store: SqliteStore, outbox: Outbox, oftc: Network, clock: HandClock
) -> None:
    oftc.up = False
    soon, later = (clock.now() + timedelta(seconds=s) for s in (3, 3600))
    await send(store, Notice(FORD, ("old",), expires=soon), Notice(FORD, ("good",), expires=later))
    await oftc.next_try()
    await clock.asked_for(2.0)
    clock.advance(3)
    oftc.up = True
    outbox.poke()
    assert await oftc.next() == ("#ford", ("good",))
    await emptied(store)
    await until(lambda: outbox.dropped == 1)  # it is counted just after its row is gone


async def test_a_link_that_is_down_is_tried_more_and_more_seldom_and_at_once_when_it_is_back(
    store: SqliteStore, outbox: Outbox, oftc: Network, clock: HandClock
) -> None:
    oftc.up = False
    await send(store, Notice(FORD, ("hello",)))
    for pause in (2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 300.0, 300.0):
        assert await oftc.next_try() == "#ford"
        await clock.asked_for(pause)
        clock.advance(pause - 0.5)
        clock.advance(0.5)
    await oftc.next_try()
    await clock.asked_for(300.0)
    oftc.up = True
    outbox.poke()
    assert await oftc.next() == ("#ford", ("late by 18 min 30 s: hello",))


async def test_a_room_that_cannot_be_reached_holds_up_no_other(
    store: SqliteStore, outbox: Outbox, oftc: Network
) -> None:
    oftc.deaf.add("#closed")
    await send(store, Notice(Place("oftc", "#closed"), ("1",)), Notice(FORD, ("2",)))
    assert await oftc.next() == ("#ford", ("2",))
    await send(store, Notice(Place("oftc", "#closed"), ("3",)), Notice(FORD, ("4",)))
    assert await oftc.next() == ("#ford", ("4",))
    oftc.deaf.clear()
    outbox.poke()
    assert [(await oftc.next())[1] for _ in range(2)] == [("1",), ("3",)]


async def test_a_network_that_hangs_holds_up_no_other(
    store: SqliteStore, oftc: Network, clock: HandClock, complaints: Complaints
) -> None:
    class Hanging(Network):
        async def say(self, place: Place, lines: Sequence[str]) -> bool:
            self.tries.put_nowait(f"{place} {lines}")
            await asyncio.Event().wait()
            return False

    jabber = Hanging("jabber")
    made = Outbox(store, [jabber, oftc], clock, SqlRoster(store, clock), incidents=complaints)
    await send(store, Notice(Place("jabber", "ford@rooms"), ("1",)))
    running = asyncio.create_task(made.run())
    await jabber.next_try()
    await send(store, Notice(FORD, ("2",)))
    made.wake()
    assert await oftc.next() == ("#ford", ("2",))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [row["lines"] for row in await waiting(store) if row["network"] == "jabber"] == ['["1"]']


async def test_a_member_is_told_where_they_were_seen_last(
    store: SqliteStore, outbox: Outbox, oftc: Network, clock: HandClock
) -> None:
    member = await enrol(store, "alice", account("old"), account("new"), JID)
    clock.advance(7200)
    await SqlRoster(store, clock).holder(account("new"))
    clock.advance(7200)
    await SqlRoster(store, clock).holder(JID)
    await send(store, Notice(member, ("it crashed",)))
    assert await oftc.next() == ("new", ("it crashed",))
    oftc.deaf = {"new"}
    await send(store, Notice(member, ("again",)))
    assert await oftc.next() == ("old", ("again",))
    assert outbox.dropped == 0


async def test_a_member_is_told_on_the_network_that_they_prefer(
    store: SqliteStore, oftc: Network, clock: HandClock, complaints: Complaints
) -> None:
    member = await enrol(store, "alice", account("alice"), JID)
    member = await store.write(partial(_prefer, member=member))
    jabber = Network("jabber")
    made = Outbox(store, [oftc, jabber], clock, SqlRoster(store, clock), incidents=complaints)
    running = asyncio.create_task(made.run())
    await send(store, Notice(member, ("hello",)))
    made.wake()
    assert await jabber.next() == ("alice@ford.example", ("hello",))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


def _prefer(tx: Tx, member: Member) -> Member:
    return REGISTRAR.set_member(tx, member, "reach", "jabber", "alice")


async def test_a_member_nobody_can_reach_waits_and_one_who_left_does_not(
    store: SqliteStore, outbox: Outbox, oftc: Network
) -> None:
    alice = await enrol(store, "alice", account("alice"))
    oftc.deaf = {"alice"}
    await send(store, Notice(alice, ("1",)), Notice(FORD, ("room",)))
    await oftc.next()
    oftc.deaf.clear()
    outbox.poke()
    assert await oftc.next() == ("alice", ("1",))
    oftc.deaf = {"alice"}
    await send(store, Notice(alice, ("2",)))
    await store.write(lambda tx: REGISTRAR.remove_member(tx, alice, "test"))
    outbox.poke()
    await emptied(store)
    await until(lambda: outbox.dropped == 1)


async def test_a_transport_that_raises_has_not_delivered(
    store: SqliteStore, outbox: Outbox, oftc: Network, complaints: Complaints
) -> None:
    await send(store, Notice(FORD, ("explode",), key="k"))
    await asyncio.wait_for(complaints.came.wait(), 20)
    assert complaints.all[0] == "delivery to room oftc/#ford: a mistake in the transport"
    await send(store, Notice(FORD, ("calm",), key="k"))
    outbox.poke()
    assert await oftc.next() == ("#ford", ("calm",))


async def test_what_cannot_be_crossed_off_is_not_said_again_and_again(
    store: SqliteStore, outbox: Outbox, oftc: Network, complaints: Complaints, clock: HandClock
) -> None:
    full = "CREATE TRIGGER full BEFORE DELETE ON outbox BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
    await store.write(lambda tx: tx.db.execute(full))
    await send(store, Notice(FORD, ("hello",)))
    assert await oftc.next() == ("#ford", ("hello",))
    await clock.asked_for(FAULT_PAUSE)
    assert "delivery, network oftc: " in complaints.all[0]
    assert "the disk is full" in complaints.all[0]
    clock.advance(FAULT_PAUSE)
    await clock.asked_for(FAULT_PAUSE)
    await store.write(lambda tx: tx.db.execute("DROP TRIGGER full"))
    clock.advance(FAULT_PAUSE)
    await emptied(store)
    assert oftc.heard.empty()
    assert outbox.dropped == 0


async def test_a_look_that_fails_is_reported_and_repeated(
    store: SqliteStore, outbox: Outbox, oftc: Network, complaints: Complaints, clock: HandClock
) -> None:
    await clock.asked_for(POLL_SECONDS)
    await store.write(lambda tx: tx.db.execute("ALTER TABLE outbox RENAME TO hidden"))
    outbox.wake()
    await asyncio.wait_for(complaints.came.wait(), 20)
    assert complaints.all[0].startswith("a look at the outbox: ")
    await store.write(lambda tx: tx.db.execute("ALTER TABLE hidden RENAME TO outbox"))
    await send(store, Notice(FORD, ("hello",)))
    assert await oftc.next() == ("#ford", ("hello",))


async def test_what_another_process_wrote_is_seen_within_seconds(
    store: SqliteStore, outbox: Outbox, oftc: Network, clock: HandClock
) -> None:
    await clock.asked_for(POLL_SECONDS)
    other = await SqliteStore.open(store.path, clock)
    await send(other, Notice(FORD, ("from the shell",)))
    await other.close()
    clock.advance(POLL_SECONDS)
    assert await oftc.next() == ("#ford", ("from the shell",))
    assert outbox.dropped == 0


async def test_after_a_restart_all_that_was_not_crossed_off_is_said(
    store: SqliteStore, oftc: Network, clock: HandClock, complaints: Complaints
) -> None:
    await send(store, *(Notice(FORD, (str(number),)) for number in range(20)))
    heard: list[str] = []
    while await waiting(store):
        made = Outbox(store, [oftc], clock, SqlRoster(store, clock), incidents=complaints)
        running = asyncio.create_task(made.run())
        heard.append((await oftc.next())[1][0])
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await store.write(lambda _tx: None)  # what was being crossed off is done now
        while not oftc.heard.empty():
            heard.append(oftc.heard.get_nowait()[1][0])
    assert list(dict.fromkeys(heard)) == [str(number) for number in range(20)]


async def test_lines_that_utf_8_cannot_hold_are_stored_all_the_same(
    store: SqliteStore, outbox: Outbox, oftc: Network
) -> None:
    await send(store, Notice(FORD, ("a\udc80b \x00 😀",), key="k\ud800"))
    assert await oftc.next() == ("#ford", ("a?b \x00 😀",))
    assert outbox.dropped == 0
