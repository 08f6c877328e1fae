"""What is said after an outage: alerts first, with their age; of the rest not too much; what expired."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

import pytest

from bot.model import Identity, IdentityKind, Notice, Place, Urgency
from bot.ports import Backlog, Tx
from bot.store.database import SqliteStore
from bot.store.lane import OUTAGE
from bot.store.outbox import DIGEST, Outbox
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


@pytest.fixture
def jabber() -> Network:
    return Network("jabber")


@pytest.fixture
async def both(
    store: SqliteStore, oftc: Network, jabber: Network, clock: HandClock, complaints: Complaints
) -> AsyncIterator[Outbox]:
    """An outbox with two networks; Jabber is the second in the config."""
    made = Outbox(store, [oftc, jabber], clock, SqlRoster(store, clock), incidents=complaints)
    store.after_commit(made.wake)
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def outage(oftc: Network, outbox: Outbox, clock: HandClock, seconds: float) -> None:
    """Let the network, which somebody tried already, be out of reach for so long."""
    await clock.asked_for(2.0)
    clock.advance(seconds)
    while not oftc.tries.empty():
        oftc.tries.get_nowait()
    oftc.up = True
    outbox.poke()


async def said(oftc: Network, store: SqliteStore) -> list[tuple[str, ...]]:
    await emptied(store)
    return [oftc.heard.get_nowait()[1] for _ in range(oftc.heard.qsize())]


async def test_alerts_come_first_in_order_with_their_age_and_the_rest_as_a_digest(
    store: SqliteStore, outbox: Outbox, oftc: Network, clock: HandClock
) -> None:
    oftc.up = False
    news = [Notice(FORD, (f"news {number}", "and more of it"), Urgency(number % 2)) for number in range(60)]
    await send(store, *news[:30], Notice(FORD, ("A1",), Urgency.ALERT), *news[30:])
    clock.advance(180)
    await send(store, Notice(FORD, ("A2",), Urgency.ALERT))
    await oftc.next_try()
    await outage(oftc, outbox, clock, 3600)
    assert await said(oftc, store) == [
        ("late by 1 h 3 min: A1",),
        ("late by 1 h: A2",),
        (
            "60 messages waited here, for up to 1 h 3 min; the newest 3:",
            "late by 1 h 3 min: news 57…",
            "late by 1 h 3 min: news 58…",
            "late by 1 h 3 min: news 59…",
        ),
    ]


async def test_a_thousand_alerts_are_none_too_many(
    store: SqliteStore, outbox: Outbox, oftc: Network, clock: HandClock
) -> None:
    oftc.up = False
    await send(store, *(Notice(FORD, (f"A{number}",), Urgency.ALERT) for number in range(1000)))
    await oftc.next_try()
    await outage(oftc, outbox, clock, 600)
    heard = await said(oftc, store)
    assert heard == [(f"late by 10 min: A{number}",) for number in range(1000)]


async def test_as_much_as_may_wait_is_said_one_by_one(
    store: SqliteStore, outbox: Outbox, oftc: Network, clock: HandClock
) -> None:
    oftc.up = False
    await send(store, *(Notice(FORD, (f"news {number}",)) for number in range(DIGEST)))
    await oftc.next_try()
    await outage(oftc, outbox, clock, OUTAGE)
    assert await said(oftc, store) == [(f"news {number}",) for number in range(DIGEST)]


async def test_a_short_outage_makes_no_digest_and_nothing_late(
    store: SqliteStore, outbox: Outbox, oftc: Network, clock: HandClock
) -> None:
    oftc.up = False
    await send(store, *(Notice(FORD, (f"news {number}",)) for number in range(100)))
    await oftc.next_try()
    await outage(oftc, outbox, clock, OUTAGE - 1)
    assert await said(oftc, store) == [(f"news {number}",) for number in range(100)]


async def test_much_to_say_without_an_outage_is_all_said(
    store: SqliteStore, outbox: Outbox, oftc: Network
) -> None:
    await send(store, *(Notice(FORD, (f"news {number}",)) for number in range(100)))
    assert await said(oftc, store) == [(f"news {number}",) for number in range(100)]
    assert outbox.dropped == 0


async def test_only_the_place_that_was_out_of_reach_hears_a_digest(
    store: SqliteStore, outbox: Outbox, oftc: Network, clock: HandClock
) -> None:
    oftc.deaf.add("#closed")
    closed = Place("oftc", "#closed")
    await send(store, *(Notice(place, (str(n),)) for n in range(30) for place in (closed, FORD)))
    heard = [await oftc.next() for _ in range(30)]
    assert heard == [("#ford", (str(n),)) for n in range(30)]
    await clock.asked_for(2.0)
    clock.advance(600)
    oftc.deaf.clear()
    outbox.poke()
    head, *newest = (await oftc.next())[1]
    assert (head, len(newest)) == ("30 messages waited here, for up to 10 min; the newest 3:", 3)
    await send(store, *(Notice(closed, (f"then {n}",)) for n in range(30)))
    assert [(await oftc.next())[1] for _ in range(30)] == [(f"then {n}",) for n in range(30)]


async def test_both_networks_down_for_an_hour_each_room_hears_alerts_then_a_digest(
    store: SqliteStore, both: Outbox, oftc: Network, jabber: Network, clock: HandClock
) -> None:
    networks = (oftc, jabber)
    for network in networks:
        network.up = False
    for place in (FORD, Place("jabber", "ford@rooms.ford.example")):
        news = [Notice(place, (f"news {number}",)) for number in range(60)]
        alerts = [Notice(place, (f"A{number}",), Urgency.ALERT) for number in range(2)]
        await send(store, *news, *alerts)
    for network in networks:
        await network.next_try()
    clock.advance(3600)
    for network in networks:
        while not network.tries.empty():
            network.tries.get_nowait()
        network.up = True
    both.poke()
    await emptied(store)
    for network in networks:
        heard = [network.heard.get_nowait()[1] for _ in range(network.heard.qsize())]
        assert heard[:2] == [("late by 1 h: A0",), ("late by 1 h: A1",)]
        assert heard[2][0] == "60 messages waited here, for up to 1 h; the newest 3:"
        assert len(heard) == 3


async def test_a_digest_that_was_not_taken_is_made_anew(
    store: SqliteStore, outbox: Outbox, oftc: Network, clock: HandClock
) -> None:
    oftc.up = False
    await send(store, *(Notice(FORD, (f"news {number}",)) for number in range(30)))
    await oftc.next_try()
    await clock.asked_for(2.0)
    clock.advance(120)
    await oftc.next_try()
    await send(store, Notice(FORD, ("the newest",)))
    oftc.up = True
    outbox.poke()
    (lines,) = await said(oftc, store)
    assert lines[0] == "31 messages waited here, for up to 2 min; the newest 3:"
    assert lines[-1] == "the newest"


async def test_what_expired_is_told_with_its_count_however_often_it_happens(
    store: SqliteStore, outbox: Outbox, oftc: Network, clock: HandClock
) -> None:
    oftc.up = False
    for seconds in (10, 20):
        expires = clock.now() + timedelta(seconds=seconds)
        await send(store, *(Notice(FORD, (f"old {n}",), expires=expires) for n in range(seconds)))
    await send(store, Notice(FORD, ("A1",), Urgency.ALERT), Notice(FORD, ("news",)))
    await oftc.next_try()
    for seconds, dropped in ((12, 10), (30, 30)):
        clock.advance(seconds)
        outbox.wake()
        await until(lambda dropped=dropped: outbox.dropped == dropped)  # type: ignore[misc]  # mypy#12557
    oftc.up = True
    outbox.poke()
    assert await said(oftc, store) == [
        ("A1",),
        ("news",),
        ("30 messages expired before I could be heard.",),
    ]
    assert await outbox.backlogs() == (Backlog("oftc/#ford", 0, expired=30),)


async def test_what_is_told_as_expired_is_not_told_again(
    store: SqliteStore, outbox: Outbox, oftc: Network, clock: HandClock
) -> None:
    for _ in range(2):
        oftc.up = False
        await send(store, Notice(FORD, ("old",), expires=clock.now() + timedelta(seconds=1)))
        before = outbox.dropped
        clock.advance(10)
        outbox.wake()
        await until(lambda before=before: outbox.dropped > before)  # type: ignore[misc]  # mypy#12557
        oftc.up = True
        outbox.poke()
        assert await oftc.next() == ("#ford", ("1 message expired before I could be heard.",))
        await emptied(store)


async def test_even_that_is_told_no_more_after_a_week(
    store: SqliteStore, outbox: Outbox, oftc: Network, clock: HandClock
) -> None:
    oftc.up = False
    await send(store, Notice(FORD, ("old",), expires=clock.now() + timedelta(seconds=1)))
    clock.advance(10)
    outbox.wake()
    await until(lambda: outbox.dropped == 1)
    clock.advance(8 * 86400)
    outbox.wake()
    await emptied(store)
    assert (outbox.dropped, oftc.heard.qsize()) == (1, 0)


# --- members


async def test_jabber_comes_first_if_somebody_is_there(
    store: SqliteStore, both: Outbox, oftc: Network, jabber: Network
) -> None:
    alice = await enrol(store, "alice", account("alice"), JID)
    await send(store, Notice(alice, ("1",)))
    assert await jabber.next() == ("alice@ford.example", ("1",))
    jabber.deaf.add("alice@ford.example")
    jabber.keeps = True
    await send(store, Notice(alice, ("2",)))
    assert await oftc.next() == ("alice", ("2",))
    assert (jabber.kept, both.dropped) == ([], 0)


async def test_what_a_member_set_wins(
    store: SqliteStore, both: Outbox, oftc: Network, jabber: Network
) -> None:
    alice = await enrol(store, "alice", JID, account("alice"))
    await store.write(lambda tx: REGISTRAR.set_member(tx, alice, "reach", "oftc", "alice"))
    await send(store, Notice(alice, ("1",)))
    assert await oftc.next() == ("alice", ("1",))
    oftc.deaf.add("alice")
    await send(store, Notice(alice, ("2",)))
    assert await jabber.next() == ("alice@ford.example", ("2",))
    assert both.dropped == 0


async def test_for_who_is_nowhere_word_is_left_with_a_server_that_keeps_it(
    store: SqliteStore, both: Outbox, oftc: Network, jabber: Network
) -> None:
    alice = await enrol(store, "alice", account("alice"), JID)
    oftc.up = jabber.up = False
    jabber.keeps = True
    await send(store, Notice(alice, ("1",)), Notice(alice, ("2",)))
    await emptied(store)
    assert jabber.kept == [("alice@ford.example", ("1",)), ("alice@ford.example", ("2",))]
    assert both.dropped == 0


async def test_where_no_server_keeps_it_it_waits(
    store: SqliteStore, both: Outbox, oftc: Network, jabber: Network, clock: HandClock
) -> None:
    alice = await enrol(store, "alice", account("alice"), JID)
    oftc.up = jabber.up = False
    await send(store, Notice(alice, ("1",)))
    assert await jabber.next_try() == "alice@ford.example"
    assert await oftc.next_try() == "alice"
    await clock.asked_for(2.0)
    jabber.up = True
    both.poke()
    assert await jabber.next() == ("alice@ford.example", ("1",))


# --- for those who look after it


async def test_what_waits_is_told_by_place_with_the_next_try(
    store: SqliteStore, both: Outbox, oftc: Network, clock: HandClock
) -> None:
    alice = await enrol(store, "alice", account("alice"))
    oftc.up = False
    began = clock.now()
    await send(store, Notice(FORD, ("1",)), Notice(FORD, ("2",)), Notice(alice, ("3",)))
    await oftc.next_try()
    await oftc.next_try()
    await until(lambda: sum(len(lane.pauses) for lane in both._lanes.values()) == 2)
    clock.advance(1)
    due = began + timedelta(seconds=2)
    assert await both.backlogs() == (
        Backlog("oftc/#ford", 2, began, due),
        Backlog("alice", 1, began, due),
    )


async def test_what_is_given_up_is_counted(
    store: SqliteStore, both: Outbox, oftc: Network, clock: HandClock
) -> None:
    oftc.up = False
    nick = Place("oftc", "#ford", direct=True)
    await send(store, Notice(FORD, ("1",)), Notice(nick, ("2",)), Notice(Place("oftc", "#a"), ("3",)))
    await clock.asked_for(2.0)
    assert await both.drop("oftc/#ford") == 2
    assert await both.drop("oftc/nowhere") == await both.drop("") == 0
    assert [row["lines"] for row in await waiting(store)] == ['["3"]']
    found = await both.backlogs()
    assert [(one.place, one.waiting, one.dropped) for one in found] == [
        ("oftc/#a", 1, 0),
        ("oftc/#ford", 0, 1),
        ("oftc/#ford", 0, 1),
    ]


async def test_what_is_for_who_left_counts_as_dropped(
    store: SqliteStore, both: Outbox, oftc: Network
) -> None:
    alice = await enrol(store, "alice", account("alice"))
    oftc.up = False
    await send(store, Notice(alice, ("1",)))
    await oftc.next_try()
    await store.write(lambda tx: REGISTRAR.remove_member(tx, alice, "test"))
    both.poke()
    await emptied(store)
    assert await both.backlogs() == (Backlog("alice", 0, dropped=1),)


async def test_what_is_urgent_for_the_admins_goes_to_each_of_them_too(store: SqliteStore) -> None:
    for name, role in (("ann", "admin"), ("abe", "admin"), ("bob", "member")):
        await store.write(partial(_join, name=name, role=role))
    await store.write(
        lambda tx: tx.db.execute("UPDATE members SET standing = 'suspended' WHERE name = 'abe'")
    )
    await send(store, Notice("admins", ("a head",)), Notice("admins", ("a fault",), Urgency.ALERT))
    told = [(row["destination"], row["lines"]) for row in await waiting(store)]
    assert told == [("member ann", '["a fault"]'), ("member ann", '["a head"]')]


def _join(tx: Tx, name: str, role: str) -> None:
    row = {
        "name": name,
        "role": role,
        "share": "full",
        "standing": "good",
        "joined": "2026-11-22T15:00:00.000000Z",
    }
    tx.db.table("members").insert(row)
