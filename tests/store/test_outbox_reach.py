"""Where a member is told something: as they wish, elsewhere where nobody answered, and not in their sleep."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from bot.coop.people import Member, Role
from bot.coop.shares import Share
from bot.model import Identity, IdentityKind, Notice, Urgency
from bot.ports import Tx
from bot.store.database import SqliteStore
from bot.store.outbox import POLL_SECONDS, Outbox
from bot.store.reach import sleeps, ways
from bot.store.roster import SqlRoster
from tests.store.conftest import (
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
SECOND = Identity("work", IdentityKind.XMPP_JID, "alice@work.example")
OFTC, LIBERA = account("alice"), account("alice", "libera")
NETWORKS = ("oftc", "libera", "jabber", "work")


def member(**wishes: str) -> Member:
    return Member("alice", Role.MEMBER, Share.FULL, **wishes)  # type: ignore[arg-type]  # texts all


@pytest.mark.parametrize(
    ("reach", "known", "usual", "elsewhere"),
    [
        (None, [OFTC, JID], [JID, OFTC], [OFTC, JID]),
        ("oftc", [JID, OFTC], [OFTC, JID], [JID, OFTC]),
        ("oftc", [OFTC], [OFTC], [OFTC]),
        (None, [OFTC, LIBERA, JID], [JID, OFTC, LIBERA], [OFTC, LIBERA, JID]),
        (None, [JID, SECOND], [JID, SECOND], [SECOND, JID]),
        ("libera", [OFTC, LIBERA, JID], [LIBERA, JID, OFTC], [JID, OFTC, LIBERA]),
        (None, [account("one"), account("two"), JID], None, [account("one"), account("two"), JID]),
        (None, [], [], []),
    ],
)
def test_elsewhere_is_first_where_it_is_not_usual(
    reach: str | None, known: list[Identity], usual: list[Identity] | None, elsewhere: list[Identity]
) -> None:
    alice = member(**({"reach": reach} if reach else {}))
    if usual is not None:
        assert ways(alice, known, NETWORKS) == usual
    assert ways(alice, known, NETWORKS, elsewhere=True) == elsewhere


def test_a_network_that_is_not_ours_any_more_is_no_way() -> None:
    assert ways(member(), [OFTC, JID], ["oftc"], elsewhere=True) == [OFTC]


@pytest.mark.parametrize(
    ("quiet", "zone", "hour", "asleep"),
    [
        ("22:00-07:00", None, 21, False),
        ("22:00-07:00", None, 22, True),
        ("22:00-07:00", None, 3, True),
        ("22:00-07:00", None, 7, False),
        ("13:00-15:00", None, 14, True),
        ("13:00-15:00", None, 15, False),
        ("22:00-07:00", "Europe/Berlin", 21, True),
        ("22:00-07:00", "Europe/Berlin", 6, False),
        (None, "Europe/Berlin", 3, False),
    ],
)
def test_who_sleeps(quiet: str | None, zone: str | None, hour: int, *, asleep: bool) -> None:
    now = datetime(2026, 11, 22, hour, tzinfo=UTC)
    wishes = {"quiet": quiet, "zone": zone}
    assert sleeps(member(**{name: wish for name, wish in wishes.items() if wish}), now, "UTC") is asleep


@pytest.fixture
def jabber() -> Network:
    return Network("jabber")


@pytest.fixture
async def both(
    store: SqliteStore, oftc: Network, jabber: Network, clock: HandClock, complaints: Complaints
) -> AsyncIterator[Outbox]:
    people = SqlRoster(store, clock)
    made = Outbox(store, [oftc, jabber], clock, people, incidents=complaints, zone="Europe/Berlin")
    store.after_commit(made.wake)
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def left(store: SqliteStore, count: int) -> list[str]:
    """Return the lines of what waits, once only so many do: a row is crossed off just after it is said."""
    async with asyncio.timeout(20):
        while len(rows := await waiting(store)) > count:
            pass
    return [row["lines"] for row in rows]


async def test_elsewhere_goes_to_the_other_network_and_back_where_that_is_deaf(
    store: SqliteStore, both: Outbox, oftc: Network, jabber: Network
) -> None:
    alice = await enrol(store, "alice", OFTC, JID)
    await send(store, Notice(alice, ("usually",)), Notice(alice, ("nobody?",), manner="elsewhere"))
    assert await jabber.next() == (JID.subject, ("usually",))
    assert await oftc.next() == ("alice", ("nobody?",))
    oftc.deaf = {"alice"}
    await send(store, Notice(alice, ("again",), manner="elsewhere"))
    assert await jabber.next() == (JID.subject, ("again",))
    assert both.dropped == 0


async def test_quiet_hours_hold_back_what_is_patient_and_nothing_else(
    store: SqliteStore, both: Outbox, oftc: Network, clock: HandClock
) -> None:
    alice = await enrol(store, "alice", OFTC)

    def wish(tx: Tx) -> Member:
        return REGISTRAR.set_member(tx, alice, "quiet", "22:00-07:00", "alice")

    alice = await store.write(wish)
    clock.at += timedelta(hours=7)  # 22:00 UTC, 23:00 in Berlin, which is the bot's zone
    await send(
        store,
        Notice(alice, ("WARN",), Urgency.ALERT, "w", manner="patient"),
        Notice(alice, ("your post",), manner="patient"),
        Notice(alice, ("CRIT",), Urgency.ALERT, "c"),
        Notice(alice, ("a reminder",)),
    )
    assert [(await oftc.next())[1] for _ in range(2)] == [("CRIT",), ("a reminder",)]
    assert await left(store, 2) == ['["WARN"]', '["your post"]']
    clock.advance(7.5 * 3600)
    await send(store, Notice(alice, ("CRIT again",), Urgency.ALERT))
    assert await oftc.next() == ("alice", ("CRIT again",))
    clock.advance(0.5 * 3600)  # 07:00 in Berlin
    while oftc.heard.qsize() < 2:
        await clock.asked_for(POLL_SECONDS)
        clock.advance(POLL_SECONDS)
    late = [(await oftc.next())[1][0] for _ in range(2)]
    assert [line.rpartition(": ")[2] for line in late] == ["WARN", "your post"]
    assert all(line.startswith("late by 8 h") for line in late)
    await emptied(store)
    assert both.dropped == 0


async def test_what_waits_for_the_morning_is_no_part_of_a_digest(
    store: SqliteStore, both: Outbox, oftc: Network, clock: HandClock
) -> None:
    alice = await enrol(store, "alice", OFTC)
    await store.write(partial(_quiet, member=alice))
    clock.at += timedelta(hours=7)
    oftc.up = False
    await send(store, *(Notice(alice, (f"news {number}",)) for number in range(25)))
    await oftc.next_try()
    await clock.asked_for(2.0)
    clock.advance(120)
    await send(store, Notice(alice, ("tomorrow",), manner="patient"))
    oftc.up = True
    both.poke()
    digest = (await oftc.next())[1]
    assert digest[0].startswith("25 messages waited here")
    assert await left(store, 1) == ['["tomorrow"]']


def _quiet(tx: Tx, member: Member) -> Member:
    return REGISTRAR.set_member(tx, member, "quiet", "22:00-07:00", "alice")
