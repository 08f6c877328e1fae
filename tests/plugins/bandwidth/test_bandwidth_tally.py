"""The sums of a month as tables and properties."""

import doctest
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot import Member, Role, Share, Traffic
from bot.config.policies import read, read_folder
from bot.paths import share
from plugins.bandwidth import texts
from plugins.bandwidth.rules import GIB, Terms, unfair
from plugins.bandwidth.tally import (
    ALL,
    DAY,
    FIVE,
    HOUR,
    WEEK,
    Amount,
    Billed,
    Outlook,
    Survey,
    Who,
    Window,
    billed,
    month,
    most,
    owners,
    percentile_95,
    window,
)

ALICE = Member("alice", Role.MEMBER, Share.FULL)
BOB = Member("bob", Role.MEMBER, Share.HALF)
BYTES = st.integers(0, 2**60)
TIMES = st.integers(0, 2**33).map(lambda at: at // 60 * 60)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


NOW = at("2026-11-22T12:00")


def row(name: str, owner: str | None, received: int = 0, sent: int = 0, kind: str = "machine") -> Traffic:
    return Traffic(kind, name, owner, received, sent)


# --- months


@pytest.mark.parametrize(
    ("now", "start", "end"),
    [
        ("2026-11-22T12:00", "2026-11-01", "2026-12-01"),
        ("2026-12-31T23:59", "2026-12-01", "2027-01-01"),
        ("2027-01-01T00:00", "2027-01-01", "2027-02-01"),
        ("2028-02-29T23:59", "2028-02-01", "2028-03-01"),
        ("2026-03-29T02:30", "2026-03-01", "2026-04-01"),
        ("2026-10-25T01:30", "2026-10-01", "2026-11-01"),
    ],
)
def test_a_month_is_that_of_utc(now: str, start: str, end: str) -> None:
    found = month(at(now))
    assert (found.start, found.end, found.step) == (at(start), at(end), DAY)


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_the_clocks_of_berlin_change_no_month(day: str) -> None:
    """Where the wall's day has 23 or 25 hours, the month still has whole days of UTC."""
    local = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    hours = ((local + timedelta(days=1)).astimezone(UTC) - local.astimezone(UTC)).total_seconds() / HOUR
    assert hours in {23, 25}
    found = month(at(f"{day}T12:00"))
    assert found.end - found.start == 31 * DAY
    assert all((high - low) == DAY and low % DAY == 0 for low, high in found.edges[:-1])


@given(TIMES, st.sampled_from(["", "month", "today", "week"]))
def test_the_steps_of_a_time_touch_and_reach_until_now(now: int, over: str) -> None:
    found = window(over, now)
    assert found.start <= now <= found.end
    assert (found.end - found.start) % found.step == 0
    joined = [found.start, *(edge for _, edge in found.edges)]
    assert joined == [*(low for low, _ in found.edges), now] or found.start == now
    assert len(found.edges) <= 31


def test_a_time_has_the_steps_that_a_line_can_show() -> None:
    assert len(window("today", NOW).edges) == 12
    assert len(window("week", NOW).edges) == 28
    assert len(window("", NOW).edges) == 22
    assert window("", at("2026-12-01")).edges == ()


# --- whose


def test_what_was_used_counts_for_who_owned_the_machine_then() -> None:
    """A machine that is gone, and one that changed hands in mid-month."""
    rows = [
        row("old", "alice", 10, 1),
        row("web", "alice", 20, 2),
        row("web", "bob", 40, 4),
        row("ford-9", None, 80, 8),
        row("ford", None, 160, 16, "host"),
    ]
    assert Who("member", "alice").amount(rows) == Amount(30, 3)
    assert Who("member", "bob").amount(rows) == Amount(40, 4)
    assert Who("machine", "web").amount(rows) == Amount(60, 6)
    assert ALL.amount(rows) == Amount(150, 15)
    assert owners(rows) == {"alice": 33, "bob": 44, "": 88}
    assert Who("member", "alice").machines(rows) == {"old": 11, "web": 22}
    assert most(owners(rows), 2) == [("", 88), ("bob", 44)]
    assert most({"a": 0, "b": 1, "c": 1}, 3) == [("b", 1), ("c", 1)]


@given(st.lists(st.builds(row, st.sampled_from("abc"), st.sampled_from(["x", "y", None]), BYTES, BYTES)))
def test_owners_and_machines_add_up_to_all(rows: list[Traffic]) -> None:
    whole = ALL.amount(rows).total
    assert sum(owners(rows).values()) == whole
    assert sum(ALL.machines(rows).values()) == whole
    assert sum(Who("machine", name).amount(rows).total for name in "abc") == whole


# --- how it goes on


def test_the_projection_is_of_the_last_days_and_told_beside_an_even_one() -> None:
    """210 GiB in 21 days; of them 140 in the last 7, so that the rest of the month takes 20 a day."""
    now = at("2026-11-22")
    found = Outlook(now, at("2026-12-01"), 210 * GIB, Fraction(20 * GIB, DAY), Fraction(10 * GIB, DAY))
    assert found.projected == 390 * GIB
    assert found.linear == 300 * GIB
    assert found.differ
    assert found.runs_out(250 * GIB) == at("2026-11-24")
    assert found.runs_out(390 * GIB) is None
    assert found.runs_out(210 * GIB) == now
    even = Outlook(now, at("2026-12-01"), 210 * GIB, Fraction(10 * GIB, DAY), Fraction(10 * GIB, DAY))
    assert (even.projected, even.differ) == (300 * GIB, False)


def test_where_nothing_is_known_nothing_is_projected() -> None:
    found = Outlook(NOW, NOW + DAY, 5, None)
    assert (found.projected, found.linear, found.differ, found.runs_out(6)) == (None, None, False, None)
    assert found.runs_out(5) == NOW
    assert Outlook(NOW, NOW + DAY, 5, Fraction(0)).runs_out(6) is None
    assert not Outlook(NOW, NOW + DAY, 5, Fraction(1)).differ


def test_the_hours_that_are_left_are_told_within_the_month_only() -> None:
    found = Outlook(NOW, NOW + 10 * HOUR, 90, None)
    assert found.hours_left(100, 2) == 5
    assert found.hours_left(100, 1) is None
    assert found.hours_left(100, 0) is None
    assert found.hours_left(90, 7) is None
    assert found.hours_left(80, 7) is None


PACES = st.fractions(0, 2**40, max_denominator=WEEK)


@given(BYTES, st.integers(0, 31 * DAY), PACES, BYTES)
def test_what_is_projected_and_when_it_runs_out_agree(
    used: int, left: int, pace: Fraction, part: int
) -> None:
    found = Outlook(NOW, NOW + left, used, pace)
    assert found.projected is not None
    assert found.projected >= used
    assert left or found.projected == used
    out = found.runs_out(part)
    if out is None:
        assert used + pace * left <= part or used + pace * (left - 1) < part
    else:
        assert NOW <= out < NOW + left or used >= part
        assert used + pace * (out - NOW) >= part
        assert out == NOW or used + pace * (out - NOW - 1) < part


# --- a survey


def survey(used: int, lately: int, since: int, now: int = NOW) -> Survey:
    return Survey(month(now), (row("web", "alice", used),), (row("web", "alice", lately),), since)


def test_the_last_week_is_that_of_the_last_month_too() -> None:
    """On the second of a month: little of it is known, but the seven days before now are."""
    now = at("2026-12-02")
    found = survey(10 * GIB, 70 * GIB, at("2026-01-01"), now).outlook(Who("member", "alice"))
    assert found.pace == Fraction(10 * GIB, DAY)
    assert found.evenly == Fraction(10 * GIB, DAY)
    assert found.projected == 10 * GIB + 30 * 10 * GIB
    first = survey(GIB, 70 * GIB, at("2026-01-01"), at("2026-12-01T00:05")).outlook(Who("member", "alice"))
    assert (first.used, first.evenly) == (GIB, None)
    assert first.projected is not None


def test_who_joined_in_mid_month_is_projected_from_there() -> None:
    found = survey(8 * GIB, 8 * GIB, at("2026-01-01"))
    alice, joined = Who("member", "alice"), datetime(2026, 11, 18, 12, tzinfo=UTC)
    assert found.outlook(alice, joined).pace == Fraction(2 * GIB, DAY)
    assert found.outlook(alice, joined).evenly == Fraction(2 * GIB, DAY)
    assert found.outlook(alice).pace == Fraction(8 * GIB, WEEK)
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    assert found.outlook(alice, long_ago) == found.outlook(alice)
    today = datetime(2026, 11, 22, 1, tzinfo=UTC)
    assert found.outlook(alice, today).projected is None


def test_a_new_bot_projects_from_its_first_measurement_on() -> None:
    found = survey(3 * GIB, 3 * GIB, NOW - 3 * DAY).outlook(ALL)
    assert (found.pace, found.evenly) == (Fraction(GIB, DAY), Fraction(GIB, DAY))
    assert survey(3 * GIB, 3 * GIB, NOW - DAY + 60).outlook(ALL).projected is None


# --- the 95th percentile


@pytest.mark.parametrize(
    ("count", "index"),
    [(1, 0), (2, 1), (3, 2), (10, 9), (20, 18), (30, 27), (50, 47), (100, 94), (8640, 8207), (8928, 8481)],
)
def test_the_percentile_is_taken_where_vnstat_takes_it(count: int, index: int) -> None:
    """The value at lrint(count * 0.95) - 1 of the sorted ones; lrint rounds a half to the even number."""
    assert percentile_95(range(count)[::-1]) == index


def test_five_percent_of_a_month_are_free() -> None:
    """36 hours of 30 days may burst: 432 of 8,640 intervals, which a provider does not bill."""
    assert percentile_95([10] * 8208 + [1000] * 432) == 10
    assert percentile_95([10] * 8207 + [1000] * 433) == 1000
    assert percentile_95([]) is None


@given(st.lists(BYTES, min_size=1))
def test_the_percentile_is_one_of_the_values_and_no_more_than_a_twentieth_is_larger(
    values: list[int],
) -> None:
    found = percentile_95(values)
    assert found in values
    assert sum(value > found for value in values) <= len(values) * 0.05 + 0.5


def test_the_larger_direction_is_billed_with_its_coverage() -> None:
    """A month of 30 days in which 112 intervals were lost: 98.7 % of 8,640."""
    time = month(at("2026-11-30T23:59") + 60 - 1)
    whole = Window(time.start, time.end, time.step, time.end)
    fives = dict.fromkeys(range(whole.start, whole.end - 112 * FIVE, FIVE), (FIVE * 7, FIVE * 9))
    found = billed(fives, fives, whole)
    assert found == Billed(Fraction(9), 8528, 8640)


def test_where_a_machine_was_down_it_had_no_traffic_but_a_gap_does_not_count() -> None:
    time = Window(0, 100 * FIVE, DAY, 100 * FIVE)
    fives = {number * FIVE: (FIVE, 0) for number in range(50)}
    alone = billed(fives, (), time)
    measured = billed(fives, range(0, 100 * FIVE, FIVE), time)
    assert alone == Billed(Fraction(1), 50, 100)
    assert measured == Billed(Fraction(1), 100, 100)
    rare = {0: (FIVE, 0)}
    assert billed(rare, range(0, 100 * FIVE, FIVE), time) == Billed(Fraction(0), 100, 100)
    assert billed({}, (), time) is None
    assert billed({100 * FIVE: (1, 0)}, (-FIVE,), time) is None
    assert billed({0: (FIVE, 0)}, (), Window(0, DAY, DAY, 60)) == Billed(Fraction(1), 1, 1)


# --- what is allowed


def test_a_half_share_has_half() -> None:
    terms = Terms.of(read_folder(share("policies")))
    assert terms == Terms(200 * GIB, 80, 150)
    assert (terms.allowance(ALICE), terms.allowance(BOB)) == (200 * GIB, 100 * GIB)
    assert terms.parts((ALICE, BOB)) == {"alice": 200 * GIB, "bob": 100 * GIB}


def test_a_policy_without_the_numbers_is_no_fault() -> None:
    folder = share("policies")
    texts = {path.stem: path.read_text("utf-8") for path in folder.glob("*.md") if path.stem != "README"}
    del texts["bandwidth"]
    texts["shares"] = texts["shares"].replace("transfer_gib_month", "other_gib_month")
    terms = Terms.of(read(texts))
    assert terms == Terms(None, 80, 150)
    assert (terms.allowance(ALICE), terms.parts((ALICE, BOB))) == (None, {})


def test_the_unfair_are_named_only_while_the_pool_runs_low() -> None:
    terms, parts = Terms(200), {"alice": 200, "bob": 100}
    used = {"alice": 100, "bob": 151, "": 9}
    assert unfair(used, parts, 240, terms) == {}
    assert unfair(used, parts, 241, terms) == {"bob": Fraction(151, 100)}
    assert unfair({"alice": 300, "bob": 150}, parts, 450, terms) == {}
    assert unfair({}, parts, 241, terms) == {}
    assert unfair(used, {}, 241, terms) == {}


@given(
    st.dictionaries(st.sampled_from("abcd"), BYTES), st.dictionaries(st.sampled_from("abcd"), st.integers(1))
)
def test_who_keeps_to_their_part_is_never_unfair(used: dict[str, int], parts: dict[str, int]) -> None:
    assume(parts)
    found = unfair(used, parts, sum(used.values()), Terms(None))
    assert all(many * 2 > 3 for many in found.values())
    assert not any(used.get(name, 0) <= part for name, part in parts.items() if name in found)


def test_the_examples_of_the_texts_are_true() -> None:
    result = doctest.testmod(texts)
    assert result.attempted
    assert result.failed == 0
