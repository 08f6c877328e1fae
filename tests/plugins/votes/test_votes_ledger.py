"""What casting a ballot reads of a motion is what the motion is, whatever happened to it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlite_utils import Database

from bot.store import schema
from bot.store.connection import Transaction, connect, transaction
from bot.store.database import prepare
from plugins.votes import ballots, deeds, ledger
from plugins.votes.declared import EVENTS, plugin
from plugins.votes.motion import Motion, Record
from tests.plugins.votes.conftest import NAMES, START, House, members


@pytest.fixture
def db(tmp_path: Path) -> Database:
    made = connect(tmp_path / "shipboard.db")
    prepare(made, schema.migrations)
    for step in plugin.migrations:
        step(made)
    return made


def write(db: Database, records: Sequence[Record]) -> None:
    with transaction(db, START) as tx:
        for record in records:
            ledger.append(tx, record)


def stories() -> dict[str, House]:
    """Motions of all sorts, each with what may happen to a ballot."""
    objected, secret, busy, early = (House(dict(members())) for _ in range(4))
    objected.opened("lazy")
    alice = objected.person("alice")
    objected.write("alice", ballots.object_(objected.motion, alice, "too dear", objected.scene))
    objected.second()
    objected.tick(objected.motion.discussed_until - objected.now)  # type: ignore[operator]  # it is discussed
    objected.votes(alice="no", ford="yes")
    secret.opened("admit", subject="zoe")
    secret.votes(alice="yes", arthur="no")
    busy.opened()
    busy.votes(alice="yes", arthur="no", ford="abstain")
    busy.write("alice", ballots.retract(busy.motion, busy.person("alice"), busy.scene))
    busy.write("ford", ballots.recuse(busy.motion, busy.person("ford"), busy.scene))
    busy.write("", (deeds.Noted("arthur", "is suspended"), deeds.Reminded(1)))
    busy.votes(arthur="yes", zaphod="no")
    early.propose()
    return {"objected": objected, "secret": secret, "busy": busy, "early": early}


@pytest.mark.parametrize("story", stories())
def test_a_voter_sees_the_motion_and_their_own_ballot(db: Database, story: str) -> None:
    house = stories()[story]
    write(db, house.records)
    whole = ledger.motion(db, house.number)
    for name in (*NAMES, "stranger"):
        own = {who: cast for who, cast in whole.ballots.items() if who == name}
        seen = ledger.for_voter(db, house.number, name)
        assert replace(seen, last_seq=whole.last_seq, head=whole.head) == replace(whole, ballots=own)
        assert seen.opening is None or (seen.count, seen.elector(name)) == (
            len(whole.electors),
            next((one for one in whole.electors if one.name == name), None),
        )


def test_what_was_rolled_back_is_not_remembered(db: Database) -> None:
    house, other = House(dict(members())), House(dict(members(NAMES[:3])))
    house.opened(by="alice")
    other.opened(by="alice")

    def seen(db: Database) -> Motion:
        return ledger.for_voter(db, 7, "alice")

    def half(tx: Transaction) -> None:
        for record in house.records:
            ledger.append(tx, record)
        assert seen(tx.db).count == len(NAMES)
        raise InterruptedError

    with pytest.raises(InterruptedError), transaction(db, START) as tx:
        half(tx)
    write(db, other.records)
    assert (seen(db).count, seen(db).elector("zaphod")) == (3, None)


def test_the_last_ballot_is_the_one_that_all_wait_for(db: Database) -> None:
    house = House(dict(members()))
    house.opened()
    house.votes(**dict.fromkeys(NAMES[:5], "yes"))
    write(db, house.records)
    last = {name: ledger.is_last(db, ledger.for_voter(db, 7, name), name) for name in NAMES}
    assert last == {name: name == NAMES[5] for name in NAMES}
    house.write("alice", ballots.retract(house.motion, house.person("alice"), house.scene))
    house.vote("arthur", "no")
    write(db, house.records[-2:])
    assert not any(ledger.is_last(db, ledger.for_voter(db, 7, name), name) for name in NAMES)
    house.write("alice", ballots.recuse(house.motion, house.person("alice"), house.scene))
    write(db, house.records[-1:])
    assert ledger.is_last(db, ledger.for_voter(db, 7, "zaphod"), "zaphod")


def test_a_ballot_is_found_by_indexes_alone(db: Database) -> None:
    """However many others have voted, and however long the chain is."""
    for sql in (ledger._LATER, ledger._OWN, ledger._LAST):
        plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", ["?"] * sql.count("?"))]
        assert plan.pop(0).startswith(f"SEARCH {EVENTS} USING"), plan
        assert plan in ([], ["USE TEMP B-TREE FOR ORDER BY"])  # of a voter's own ballots, or of none
