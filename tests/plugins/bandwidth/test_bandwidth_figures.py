"""What alerts are told once a minute."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from bot import Clock, Figure, Figures, Machine, Member, Role, Share, Traffic
from bot.testing import Chat
from plugins.bandwidth import watch
from plugins.bandwidth.rules import GIB, Terms
from plugins.bandwidth.tally import DAY, HOUR, WEEK, Survey, month
from tests.plugins.bandwidth.conftest import joined, measured, unix

ALICE = Member("alice", Role.MEMBER, Share.FULL)
TERMS = Terms(200 * GIB)
NOON = unix("2026-11-22T12:00")
LONG = 744.0


def row(amount: float) -> Traffic:
    return Traffic("machine", "web", "alice", int(amount * GIB), 0)


def of_alice(now: int, used: float, lately: float, last_hour: float = 0.0) -> dict[str, float]:
    survey = Survey(month(now), (row(used),), (row(lately),), 0)
    found = list(watch.members((ALICE,), TERMS, survey, (row(last_hour),)))
    assert {(one.scope, one.subject) for one in found} == {("member", "alice")}
    return {one.measure: one.value for one in found}


def test_a_members_figures() -> None:
    """176 of 200 GiB on the 22nd at noon, at 8 a day and 2 in the last hour."""
    assert of_alice(NOON, 176, 56, 2) == {
        "bandwidth": 88.0,
        "bandwidth-projected": 122.0,
        "bandwidth-hours": 12.0,
    }


def test_what_lasts_longer_than_the_month_lasts_long() -> None:
    """So that an alert of it ends, which a figure that is missing would not let it do."""
    assert of_alice(NOON, 100, 56, 0.25)["bandwidth-hours"] == LONG
    assert of_alice(NOON, 100, 56, 0)["bandwidth-hours"] == LONG
    assert "bandwidth-hours" not in of_alice(NOON, 200, 56, 2)
    end = unix("2026-12-01") - HOUR
    assert of_alice(end, 190, 56, 5)["bandwidth-hours"] == LONG
    assert of_alice(end, 190, 56, 20)["bandwidth-hours"] == 0.5


@pytest.mark.parametrize(("day", "projected"), [("01", 5.0), ("03", 5.0), ("04", 275.0)])
def test_nothing_is_projected_before_the_fourth_day(day: str, projected: float) -> None:
    """Until then it is what was used: last month's projection is over."""
    assert of_alice(unix(f"2026-11-{day}"), 10, 140)["bandwidth-projected"] == projected


def test_who_joined_a_moment_ago_is_not_projected() -> None:
    survey = Survey(month(NOON), (row(10),), (row(10),), 0)
    fresh = Member("alice", Role.MEMBER, Share.FULL, joined=datetime(2026, 11, 22, 6, tzinfo=UTC))
    found = {one.measure: one.value for one in watch.members((fresh,), TERMS, survey, ())}
    assert found["bandwidth-projected"] == found["bandwidth"] == 5.0


def test_without_a_policy_there_is_no_figure() -> None:
    survey = Survey(month(NOON), (row(10),), (row(10),), 0)
    assert list(watch.members((ALICE,), Terms(None), survey, ())) == []


def spike(usual_a_second: float, now_a_second: float, known: int = WEEK) -> Sequence[Figure]:
    week = Traffic("machine", "web", "alice", int(usual_a_second * known), 0)
    five = Traffic("machine", "web", "alice", 0, int(now_a_second * 300))
    survey = Survey(month(NOON), (), (week,), NOON - known)
    return list(watch.spikes((Machine("web", "ford"),), survey, (five,)))


MIB = 2**20


def test_being_slashdotted_is_many_times_the_usual() -> None:
    assert spike(MIB, 12 * MIB) == [Figure("machine", "web", "traffic-spike", 12.0)]
    assert spike(MIB, MIB) == [Figure("machine", "web", "traffic-spike", 1.0)]


def test_a_quiet_machines_first_mib_is_no_spike() -> None:
    assert spike(0, MIB) == [Figure("machine", "web", "traffic-spike", 4.0)]
    assert spike(0, 0) == [Figure("machine", "web", "traffic-spike", 0.0)]


def test_what_is_usual_takes_a_day_to_know() -> None:
    assert spike(MIB, 12 * MIB, DAY - 60) == []
    assert spike(MIB, 12 * MIB, DAY) == [Figure("machine", "web", "traffic-spike", 12.0)]


# --- asked


async def figures(chat: Chat) -> dict[tuple[str, str], float]:
    answers = await chat.crew.hub(Figures(chat.clock.now()))
    assert chat.incidents.reported == []
    return {(one.subject, one.measure): one.value for answer in answers for one in answer}


async def test_the_bot_answers_for_all_members_and_machines(chat: Chat) -> None:
    assert await figures(chat) == {}
    await measured(chat, "2026-11-01", "2026-11-22", ford_3=6)
    await measured(chat, "2026-11-22T11:00", "2026-11-22T12:00", ford_3=0.075, step=300)
    await chat.clock.advance(60)
    found = await figures(chat)
    assert len(found) == 4 * 3 + 3
    assert found["alice", "bandwidth"] == pytest.approx(100 * (168 + 1.2) / 200)
    assert found["alice", "bandwidth-hours"] == pytest.approx(30.8 / 1.2)
    assert found["bob", "bandwidth"] == 0
    assert found["bob", "bandwidth-hours"] == LONG
    usual = (7 * 8 - 8 + 1.2) * GIB / WEEK
    now = 0.1 * GIB / 300
    assert found["ford-3", "traffic-spike"] == pytest.approx(now / max(usual, 256 * 1024), rel=0.01)
    assert found["ford-9", "traffic-spike"] == 0


async def test_a_new_month_takes_back_what_the_old_one_had(chat: Chat) -> None:
    await measured(chat, "2026-11-01", "2026-12-01", ford_3=7.5)
    await chat.clock.advance(unix("2026-12-01") - NOON)
    found = await figures(chat)  # the last minute of the old month, as the newest is not written yet
    assert found["alice", "bandwidth"] == pytest.approx(150)
    await chat.clock.advance(60)
    found = await figures(chat)
    assert (found["alice", "bandwidth"], found["alice", "bandwidth-projected"]) == (0, 0)


async def test_a_bot_that_began_an_hour_ago_answers_what_it_knows(chat: Chat) -> None:
    """Nothing is rolled up to an hour yet."""
    await joined(chat, "2026-11-22T11:50:00", "alice")
    await measured(chat, "2026-11-22T11:50", "2026-11-22T12:00", ford_3=7.5, step=60)
    found = await figures(chat)
    assert found["alice", "bandwidth"] == found["alice", "bandwidth-projected"] == pytest.approx(45)
    assert ("ford-3", "traffic-spike") not in found


async def test_where_no_host_answered_nothing_is_known(chat: Chat) -> None:
    clock: Clock = chat.clock
    await measured(chat, "2026-11-01", "2026-11-02", ford_3=7.5)
    await chat.store.write(lambda tx: tx.db.execute("DELETE FROM days"))
    await chat.store.write(lambda tx: tx.db.execute("DELETE FROM hours"))
    await chat.store.write(lambda tx: tx.db.execute("DELETE FROM minutes"))
    assert await chat.crew.hub(Figures(clock.now())) == ()
