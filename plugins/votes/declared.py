"""The plugin itself, which its modules add to, and its tables."""

from typing import TYPE_CHECKING

from bot import Plugin, chained_table

if TYPE_CHECKING:
    from sqlite_utils import Database

plugin = Plugin("votes")

EVENTS = "votes_events"
"""The chain of all that happens to motions."""


@plugin.migration
def first_votes(db: "Database") -> None:
    """Create the chain of events, and what must not stand in it.

    A secret ballot's words and its token are kept beside the chain, which has their seal, until the time for
    an appeal is over; so is a lot's seed, which the chain promised, until the close. `votes_away` knows when
    the bot was there last.
    """
    text = "TEXT NOT NULL"
    columns = {"motion": "INTEGER NOT NULL", "at": text, "kind": text, "actor": text, "body": text}
    for statement in chained_table(EVENTS, columns):
        db.execute(statement)
    db.execute(f"CREATE INDEX votes_events_motion ON {EVENTS} (motion, kind, actor)")
    db.execute(
        f"CREATE TABLE votes_sealed (motion INTEGER NOT NULL, member {text}, token {text}, words {text}, "
        "PRIMARY KEY (motion, member)) STRICT, WITHOUT ROWID"
    )
    db.execute(f"CREATE TABLE votes_seeds (motion INTEGER PRIMARY KEY, seed {text}) STRICT")
    db.execute("CREATE TABLE votes_timers (motion INTEGER PRIMARY KEY, entry INTEGER NOT NULL) STRICT")
    db.execute(f"CREATE TABLE votes_away (id INTEGER PRIMARY KEY, started {text}, beat {text}) STRICT")


@plugin.migration
def last_of_a_motion(db: "Database") -> None:
    """Find a motion's events in their order, and the last of them, without looking at others."""
    db.execute(f"CREATE INDEX votes_events_order ON {EVENTS} (motion)")
