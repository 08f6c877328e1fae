"""Killed at any point: no alert is lost, and at most the one that is being said comes twice."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlite_utils import Database

from bot import HostSample, MachineSample, MachineState, Member, Place, Role, Share, Tick, Urgency
from bot.core.crew import migrations
from bot.store import notices, schema
from bot.store.connection import transaction
from bot.testing import START
from plugins.alerts import plugin
from plugins.alerts.deeds import Scene, turn
from plugins.alerts.metrics import keyed
from plugins.alerts.rules import Rule, Severity

ANN = Member("ann", Role.ADMIN, Share.FULL)
LOAD = Rule(
    name="load", scope="host", metric="load", severity=Severity.CRIT, raise_at=8, clear_at=6, hold=0,
    text="load", clear_for=0,
)  # fmt: skip
CRASHED = Rule(
    name="crashed", scope="machine", metric="crashed", severity=Severity.WARN, raise_at=1, clear_at=0.5,
    hold=0, text="crashed", flag=True, to="both", clear_for=0,
)  # fmt: skip
RULES = (LOAD, CRASHED)
HOST = HostSample(
    name="ford", cpus=2, cpu=1.0, load=1.0, memory_total=1, memory_used=1, swap_total=1, swap_used=1,
    disk_total=1, disk_used=1,
)  # fmt: skip
STORY = (("ford-1",), ("load",), ("load", "ford-2"), ("load",), ())
"""What is wrong at each tick, ten minutes apart: so what is critical goes on to the next."""


class Killed(BaseException):
    """The process is gone; what it held in memory too."""


class Mortal(sqlite3.Connection):
    """A connection whose process is killed before its n-th statement."""

    left = -1

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:  # noqa: ANN401 - as sqlite3's own
        if self.left == 0:
            raise Killed
        self.left -= 1
        return super().execute(sql, *args)


@dataclass
class World:
    """The database, which outlives the bot, and what people heard."""

    conn: Mortal
    heard: list[tuple[str, str]] = field(default_factory=list)

    @property
    def db(self) -> Database:
        return Database(self.conn, execute_plugins=False)

    def live(self) -> None:
        """One bot after the other goes on where the story is, until all of it is told."""
        at = 0
        while at < len(STORY):
            try:
                with transaction(self.db, START + timedelta(minutes=10 * at), rooms) as tx:
                    turn(scene(at), tx)
                self.deliver()
                at += 1
            except Killed:
                self.conn.rollback()  # as the database does when it is opened again
                self.conn.left = -1  # the next bot measures this tick once more

    def deliver(self) -> None:
        """Say what waits: first it is said, then crossed off."""
        for lane in notices.lanes(self.db):
            while row := notices.first(self.db, lane, START, ()):
                self.heard += [(row.destination, line) for line in row.lines]
                with transaction(self.db, START) as tx:
                    notices.remove(tx.db, row)


def rooms(_: str) -> Sequence[Place]:
    return (Place("oftc", "#a"), Place("jabber", "a@rooms"))


def scene(at: int) -> Scene:
    """What the bot finds at a tick."""
    wrong, now = STORY[at], START + timedelta(minutes=10 * at)
    load = 9.0 if "load" in wrong else 1.0
    states = {
        name: MachineState.CRASHED if name in wrong else MachineState.RUNNING for name in ("ford-1", "ford-2")
    }
    tick = Tick(
        now,
        600.0,
        {"ford": replace(HOST, load=load)},
        {name: MachineSample(name=name, host="ford", state=state) for name, state in states.items()},
    )
    owners = {"ford-1": "ann", "ford-2": None}
    rules, people = keyed(tick, RULES), {"ann": ANN}
    return Scene(tick, rules, RULES, (), people, ("ann",), frozenset(), "UTC", owners)


@pytest.fixture(scope="module")
def template() -> Iterator[sqlite3.Connection]:
    """A database with all tables, and ann."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as conn:
        db = Database(conn, execute_plugins=False)
        for steps in (schema.migrations, *migrations([plugin])):
            steps.apply(db)
        row = {"name": "ann", "role": "admin", "share": "full", "standing": "good", "joined": "2026"}
        db.table("members").insert(row)
        conn.commit()
        yield conn


@contextmanager
def world(template: sqlite3.Connection) -> Iterator[World]:
    with closing(sqlite3.connect(":memory:", isolation_level=None, factory=Mortal)) as conn:
        template.backup(conn)
        yield World(conn)


def told(template: sqlite3.Connection) -> tuple[list[tuple[str, str]], int]:
    """All that is heard where nobody is killed, and how many statements that takes."""
    with world(template) as made:
        made.conn.left = 1_000_000
        made.live()
        return made.heard, 1_000_000 - made.conn.left


def test_the_story_is_worth_it(template: sqlite3.Connection) -> None:
    heard, statements = told(template)
    words = Counter(line.split(" ")[1] for to, line in heard if to == "room oftc/#a")
    assert words == {"WARN": 2, "CRIT": 1, "over:": 3, "CRIT,": 1}
    assert {to for to, _ in heard} == {"room oftc/#a", "room jabber/a@rooms", "member ann"}
    assert ("member ann", "A2 CRIT, nobody has it yet: ford load 9.0 (limit 8) for 10 min. !ack 2") in heard
    assert statements > 100


def test_killed_at_any_statement_nothing_is_lost_and_one_line_is_doubled_at_most(
    template: sqlite3.Connection,
) -> None:
    whole, statements = told(template)
    doubled = 0
    for statement in range(statements):
        with world(template) as made:
            made.conn.left = statement
            made.live()
            heard, events = (
                Counter(made.heard),
                list(made.db.query("SELECT number, kind, line FROM alerts_events")),
            )
            assert heard >= Counter(whole), statement
            more = heard - Counter(whole)
            assert more.total() <= 1, (statement, more)
            assert made.heard[-1] == whole[-1]
            assert len(events) == len({json.dumps(event) for event in events}), statement
            assert not notices.lanes(made.db)
            doubled += more.total()
    assert doubled > 0  # killed between the word and the crossing off: it cannot be known that it was heard


def test_alerts_are_urgent(template: sqlite3.Connection) -> None:
    with world(template) as made, transaction(made.db, START, rooms) as tx:
        turn(scene(0), tx)
        assert {row["urgency"] for row in notices.waiting(tx.db)} == {int(Urgency.ALERT)}
