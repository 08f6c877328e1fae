"""Bytes by owner, summed from rows of many lengths, against a naive sum over the minutes."""

from collections import Counter as Tally
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from bot.coop.traffic import Counter, Traffic
from bot.ports import Minute, Slot
from bot.store import rollup, traffic
from bot.store.database import SqliteStore, prepare
from bot.store.history import SqlHistory

FORD, ONE, TWO = ("host", "ford"), ("machine", "ford-1"), ("machine", "ford-2")
DAY = rollup.DAY
NOW = 1_700_000_000 // DAY * DAY


@pytest.fixture
def db() -> Iterator[Database]:
    made = fresh()
    yield made
    made.close()


def fresh() -> Database:
    """Return a copy of an empty database: its migrations take longer than a life in it."""
    made = Database(memory=True)
    made.conn.deserialize(_empty())
    return made


@cache
def _empty() -> bytes:
    db = Database(memory=True)
    prepare(db)
    return bytes(db.conn.serialize())


def sums(found: list[Traffic]) -> dict[tuple[str, str | None], tuple[int, int]]:
    return {(one.name, one.owner): (one.received, one.sent) for one in found}


async def test_each_minute_belongs_to_whoever_owned_the_machine_then(store: SqliteStore) -> None:
    history = SqlHistory(store)
    owners: list[dict[str, str | None]] = [
        {"ford-1": "alice", "ford-2": None},
        {"ford-1": "alice", "ford-2": None},
        {"ford-1": "bob", "ford-2": None},
        {"ford-1": "bob"},
    ]
    for number, owned in enumerate(owners):
        at = NOW + 60 * number
        slots = {ONE: Slot(at, 6, received=10**number, sent=1), TWO: Slot(at, 6, received=5, sent=2)}
        await history.record(Minute(slots, owned, {ONE: Counter("e", number, 7)}), at + 65)
    assert sums(list(await history.traffic(NOW, NOW + 240))) == {
        ("ford-1", "alice"): (11, 2),
        ("ford-1", "bob"): (1100, 2),
        ("ford-2", None): (20, 8),
    }
    assert sums(list(await history.traffic(NOW + 60, NOW + 180)))["ford-1", "alice"] == (10, 1)
    assert await history.counters() == {ONE: Counter("e", 3, 7)}
    assert await history.flow("machine", ["ford-1"], 60, NOW, NOW + 120) == [(NOW, 1, 1), (NOW + 60, 10, 1)]
    rows = await store.read(lambda db: list(db.execute("SELECT since, owner FROM owners ORDER BY 1, 2")))
    assert rows == [(NOW, None), (NOW, "alice"), (NOW + 120, "bob")]


def test_counters_are_replaced_whole(db: Database) -> None:
    traffic.put_counters(db, {ONE: Counter("a", 1, 2), TWO: Counter("b", 3, 4)})
    traffic.put_counters(db, {TWO: Counter("c", 5, 6), FORD: Counter("d", 2**62, 0)})
    assert traffic.counters(db) == {TWO: Counter("c", 5, 6), FORD: Counter("d", 2**62, 0)}


def test_an_owner_from_before_the_clock_was_set_back_counts_no_more(db: Database) -> None:
    for since, owner in ((600, "alice"), (300, "bob"), (360, "bob")):
        traffic.note_owners(db, {"ford-1": owner}, since)
    rollup.record(db, {ONE: Slot(660, 6, received=9)})
    assert sums(traffic.traffic(db, 0, 900)) == {("ford-1", "bob"): (9, 0)}


MACHINES = ("m1", "m2")


@dataclass
class Life:
    """Some years of a host and machines, as rows and as a plain list of minutes."""

    db: Database
    bytes: list[tuple[int, str, int]] = field(default_factory=list)
    owners: dict[str, str | None] = field(default_factory=dict)
    changes: dict[str, list[tuple[int, str | None]]] = field(default_factory=dict)

    def minute(self, at: int, received: int, owners: Mapping[str, str | None]) -> None:
        self.owners.update(owners)
        slots = {("machine", name): Slot(at, 6, received=received, sent=1) for name in MACHINES}
        slots["host", "ford"] = Slot(at, 0, received=received)
        rollup.record(self.db, slots)
        traffic.note_owners(self.db, self.owners, at)
        rollup.roll_up(self.db, at + 65, again_from=at)
        self.bytes += [(at, name, received) for name in (*MACHINES, "ford")]
        for name, owner in self.owners.items():
            known = self.changes.setdefault(name, [])
            if not known or known[-1][1] != owner:
                known[:] = [*(change for change in known if change[0] < at), (at, owner)]

    def owner(self, name: str, at: int) -> str | None:
        return next((who for since, who in reversed(self.changes.get(name, [])) if since <= at), None)

    def naive(self, start: int, until: int) -> dict[tuple[str, str | None], int]:
        found: Tally[tuple[str, str | None]] = Tally()
        for at, name, received in self.bytes:
            if start <= at < until:
                found[name, self.owner(name, at)] += received
        return dict(found)

    def summed(self, start: int, until: int) -> dict[tuple[str, str | None], int]:
        return {(one.name, one.owner): one.received for one in traffic.traffic(self.db, start, until)}


@st.composite
def lives(draw: st.DrawFn) -> list[tuple[int, int, dict[str, str | None]]]:
    """Minutes in bursts with gaps between them, owners that change, clocks that are set back."""
    owner = st.sampled_from(["alice", "bob", None])
    gaps = st.one_of(
        st.just(60), st.integers(1, 300).map(lambda n: n * 60), st.integers(-30, 20).map(lambda d: d * 3600)
    )
    at, found = NOW, []
    for _ in range(draw(st.integers(1, 40))):
        owners = draw(st.dictionaries(st.sampled_from(MACHINES), owner, max_size=2))
        found.append((at, draw(st.integers(0, 10**12)), owners))
        at += draw(gaps)
    return found


@settings(max_examples=60, deadline=None)
@given(lives(), st.lists(st.integers(-60, 60 * 24 * 20), min_size=2, max_size=6))
def test_the_traffic_of_any_time_is_the_sum_of_its_minutes(
    life: list[tuple[int, int, dict[str, str | None]]], bounds: list[int]
) -> None:
    lived = Life(fresh())
    for at, received, owners in life:
        lived.minute(at, received, owners)
    for start, until in pairwise(sorted(NOW + bound * 60 for bound in bounds)):
        assert lived.summed(start, until) == lived.naive(start, until)
    lived.db.close()


@settings(max_examples=40, deadline=None)
@given(lives(), st.lists(st.integers(0, 60 * 24 * 20), min_size=3, max_size=6), st.integers(0, 700))
def test_pruning_neither_loses_nor_doubles_a_byte(
    life: list[tuple[int, int, dict[str, str | None]]], bounds: list[int], days: int
) -> None:
    lived = Life(fresh())
    for at, received, owners in life:
        lived.minute(at, received, owners)
    last = max(at for at, _, _ in life) + 60
    now = last + days * DAY
    rollup.roll_up(lived.db, now)
    rollup.prune(lived.db, now)
    marks = rollup.pruned(lived.db)
    low, high = NOW - 700 * DAY, now + DAY
    whole = sum(lived.naive(low, high).values())
    assert sum(lived.summed(low, high).values()) == whole
    cuts = [low, *sorted(NOW + bound * 60 for bound in bounds), high]
    parts = [lived.summed(start, until) for start, until in pairwise(cuts)]
    assert sum(sum(part.values()) for part in parts) == whole
    for (start, until), part in zip(pairwise(cuts), parts, strict=True):
        first, last = (at // step * step for at in (start, until) for step in [rollup.finest(marks, at).step])
        assert sum(part.values()) == sum(lived.naive(first, last).values())
    lived.db.close()


def test_a_file_from_before_owners_were_kept_gives_its_traffic_to_the_present_ones() -> None:
    db = fresh()
    slots = {at: Slot(at, 6, received=1) for at in range(NOW, NOW + 1200, 60)}
    for at, slot in slots.items():
        rollup.record(db, {ONE: slot, TWO: slot})
        rollup.roll_up(db, at + 65, again_from=at)
    for table in ("owners", "counters", "pruned"):
        db.execute(f"DROP TABLE {table}")
    db.execute("UPDATE fives SET cpu = 12.34, memory = 2097152")
    db.execute("DELETE FROM _sqlite_migrations WHERE name IN ('whose_traffic', 'whole_numbers')")
    db.execute("DELETE FROM minutes WHERE at < ?", [NOW + 400])
    row = ["ford-1", "ford", None, "full", 64, None, None, None]
    db.execute("INSERT INTO machines VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    db.execute("INSERT INTO members VALUES ('alice', 'member', 'full', 'good', '', NULL, NULL, NULL)")
    db.execute("UPDATE machines SET owner = 'alice'")
    db.conn.commit()
    prepare(db)
    (first, *_) = rollup.series(db, *ONE, "fives", NOW, NOW + 300)
    assert (first.cpu, first.memory) == (12.34, 2097152)
    assert rollup.pruned(db) == {"minutes": NOW + 600, "fives": 0, "hours": 0, "days": 0}
    assert sums(traffic.traffic(db, NOW, NOW + 1200)) == {
        ("ford-1", "alice"): (20, 0),
        ("ford-2", None): (20, 0),
    }
    rollup.record(db, {ONE: Slot(NOW + 60, 6, received=1)})
    rollup.roll_up(db, NOW + 1300, again_from=NOW + 60)
    assert sums(traffic.traffic(db, NOW, NOW + 1200))["ford-1", "alice"] == (21, 0)
    db.close()


def test_the_pieces_of_a_time_are_the_coarsest_that_fit() -> None:
    done = {"fives": 10 * DAY, "hours": 10 * DAY, "days": 9 * DAY, "minutes": 0}
    found = list(traffic.pieces(done, DAY - 7260, 10 * DAY + 120))
    assert found == [
        ("minutes", DAY - 7260, DAY - 7200),
        ("hours", DAY - 7200, DAY),
        ("days", DAY, 9 * DAY),
        ("hours", 9 * DAY, 10 * DAY),
        ("minutes", 10 * DAY, 10 * DAY + 120),
    ]
    assert list(traffic.pieces(done, 0, 0)) == [("minutes", 0, 0)]
