"""What the schedule's tables take over from the one before them, and what they do not let in."""

import sqlite3

import pytest
from sqlite_utils import Database

from bot.core import builtin, occurrences
from bot.ports import Due
from bot.store import schedule

DAYS = "CREATE TABLE days (date TEXT PRIMARY KEY) STRICT"


@pytest.mark.parametrize("told", ["2026-11-22", None])
async def test_the_day_told_last_is_not_told_again(told: str | None) -> None:
    db = Database(memory=True)
    db.execute(DAYS)
    if told:
        db.execute("INSERT INTO days VALUES (?)", [told])
    schedule.create(db)
    schedule.take_over_days(db)
    assert not db["days"].exists()
    found = [schedule.scheduled(row) for row in db.query("SELECT * FROM schedule")]
    if not told:
        assert found == []
        return
    (entry,) = found
    (job,) = builtin.plugin.jobs
    rule = occurrences.declared(job.when, "UTC").canonical
    assert (entry.plan.kind, entry.plan.name, entry.plan.when) == (job.name, job.name, rule)
    assert f"{entry.next_due:%F %H:%M}" == "2026-11-23 00:00"
    assert entry.next_due is not None
    day = await builtin.begin_day(Due(entry.next_due, 0.0, 2))
    assert [str(event.date) for event in day.events] == ["2026-11-23"]  # type: ignore[attr-defined]  # it is a DayBegan


def test_no_row_is_active_without_a_time() -> None:
    db = Database(memory=True)
    schedule.create(db)
    schedule.take_over_days(db)
    sql = (
        "INSERT INTO schedule (plugin, kind, rule, zone, places, payload, catch_up, most, grace, since, "
        "next_due, wake) VALUES ('a', 'b', 'c', 'UTC', '[]', '{}', 'once', 1, 0, '', ?, ?)"
    )
    for wrong in (None, "tomorrow", "zzz"):
        with pytest.raises(sqlite3.IntegrityError):
            db.execute(sql, [wrong, wrong])
