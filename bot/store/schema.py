"""The ship's own tables, step by step; steps are only ever added, for there is no way back."""

from sqlite_utils import Database, Migrations

from bot.store import chains, events, notices, rollup, schedule, traffic

migrations = Migrations("shipboard")


@migrations()
def first_voyage(db: Database) -> None:
    """Create what version 0.1 needs."""
    chains.create_heads(db)
    text = "TEXT NOT NULL"
    cells = dict.fromkeys(
        ("at", "kind", "actor", "command", "words", "identity", "place", "outcome"), "TEXT NOT NULL"
    )
    chains.create(db, chains.AUDIT, {**cells, "ref": "INTEGER"})
    db.execute(f"CREATE TABLE stamps (stamp TEXT PRIMARY KEY, at {text}) STRICT, WITHOUT ROWID")
    db.execute("CREATE INDEX stamps_at ON stamps (at)")
    notices.create(db)
    events.create(db)
    db.execute(
        f"CREATE TABLE members (name TEXT PRIMARY KEY, role {text} CHECK (role IN ('member', 'admin')), "
        f"share {text} CHECK (share IN ('full', 'half')), "
        f"standing {text} CHECK (standing IN ('good', 'suspended')), "
        f"joined {text}, zone TEXT, reach TEXT, quiet TEXT) STRICT"
    )
    db.execute(
        f"CREATE TABLE identities (network {text}, kind {text}, subject {text}, "
        f"member {text} REFERENCES members ON DELETE CASCADE, bound {text}, seen {text}, "
        "PRIMARY KEY (network, kind, subject)) STRICT, WITHOUT ROWID"
    )
    db.execute("CREATE INDEX identities_member ON identities (member)")
    db.execute(
        f"CREATE TABLE link_codes (code_sha256 TEXT PRIMARY KEY, member {text} UNIQUE REFERENCES members "
        f"ON DELETE CASCADE, expires {text}) STRICT, WITHOUT ROWID"
    )
    db.execute(
        f"CREATE TABLE machines (name TEXT PRIMARY KEY, host {text}, owner TEXT REFERENCES members, "
        f"share {text} CHECK (share IN ('full', 'half')), memory_mib INTEGER NOT NULL, "
        "kernel TEXT, initrd TEXT, disk TEXT) STRICT"
    )


@migrations()
def what_was_never_said(db: Database) -> None:
    """Create the counts of what expired or was dropped before anybody heard it."""
    notices.create_counts(db)


@migrations()
def on_time(db: Database) -> None:
    """Create the schedule, and put what told of each new day into it."""
    schedule.create(db)
    schedule.take_over_days(db)


@migrations()
def what_is_measured(db: Database) -> None:
    """Create the measurements of hosts and machines."""
    rollup.create(db)


@migrations()
def whose_traffic(db: Database) -> None:
    """Create the owners and counters behind the traffic, and the marks of what was pruned."""
    rollup.create_marks(db)
    traffic.create(db)


@migrations()
def how_members_are_told(db: Database) -> None:
    """Let what waits say how a member is to be told: elsewhere than usual, or not in their quiet hours."""
    notices.create_manners(db)


@migrations()
def whole_numbers(db: Database) -> None:
    """Keep all measurements as whole numbers."""
    rollup.make_whole(db)
