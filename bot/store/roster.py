"""Who and what there is, read anew each time: the command line may write while the bot runs."""

from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Any

from sqlite_utils import Database

from bot.coop.machines import Machine
from bot.coop.people import Member, Role, Standing
from bot.coop.shares import Share
from bot.model import Identity, IdentityKind
from bot.ports import Clock, Store, Tx
from bot.store.times import instant, storable, text

STALE = timedelta(days=60)
"""An identity unseen for so long proves nothing until it is bound again."""

SEEN_EVERY = timedelta(hours=1)
"""How exactly it is known when an identity was last seen."""

Key = tuple[str, str, str]
"""An identity's network, kind and subject."""

_MEMBER = "SELECT name, role, share, standing, joined, zone, reach, quiet FROM members"
_HOLDER = (
    "SELECT seen, name, role, share, standing, joined, zone, reach, quiet FROM identities "
    "JOIN members ON name = member WHERE network = ? AND kind = ? AND subject = ?"
)
_MACHINE = "SELECT name, host, owner, share, memory_mib, kernel, initrd, disk FROM machines"
_IDENTITY = "SELECT network, kind, subject FROM identities"


def find_member(db: Database, name: str) -> Member | None:
    """Return the member of that name, in any case."""
    row = db.execute(f"{_MEMBER} WHERE name = ?", [_folded(name)]).fetchone()
    return _member(row) if row else None


def find_machine(db: Database, name: str) -> Machine | None:
    """Return the machine of that name, in any case."""
    row = db.execute(f"{_MACHINE} WHERE name = ?", [_folded(name)]).fetchone()
    return _machine(row) if row else None


def all_members(db: Database) -> tuple[Member, ...]:
    """Return all members by name."""
    return tuple(map(_member, db.execute(f"{_MEMBER} ORDER BY name")))


def all_machines(db: Database) -> tuple[Machine, ...]:
    """Return all machines by host and name."""
    return tuple(map(_machine, db.execute(f"{_MACHINE} ORDER BY host, name")))


def identities_of(db: Database, name: str) -> tuple[Identity, ...]:
    """Return a member's identities, the last seen first."""
    rows = db.execute(f"{_IDENTITY} WHERE member = ? ORDER BY seen DESC, network, subject", [name])
    return tuple(Identity(network, IdentityKind(kind), subject) for network, kind, subject in rows)


def key_of(identity: Identity) -> Key:
    """Return what an identity is found by."""
    return identity.network, identity.kind.value, storable(identity.subject)


def held(db: Database, key: Key) -> tuple[Member, datetime] | None:
    """Return whose identity this is, and when it was last seen."""
    row = db.execute(_HOLDER, key).fetchone()
    return (_member(row[1:]), instant(row[0])) if row else None


def bound_since(db: Database, key: Key, since: datetime) -> str | None:
    """Return who bound an identity after an instant; empty where the audit book does not tell."""
    sql = "SELECT member, bound FROM identities WHERE network = ? AND kind = ? AND subject = ?"
    found = db.execute(sql, key).fetchone()
    if found is None or instant(found[1]) <= since:
        return None
    words = f"{found[0]} {key[0]}:{key[2]}"
    sql = "SELECT actor FROM audit WHERE command = 'identity bind' AND words = ? ORDER BY seq DESC LIMIT 1"
    by = db.execute(sql, [words]).fetchone()
    return str(by[0]) if by else ""


def mark_seen(tx: Tx, key: Key) -> None:
    """Note that an identity is seen now."""
    sql = "UPDATE identities SET seen = ? WHERE network = ? AND kind = ? AND subject = ?"
    tx.db.execute(sql, [text(tx.at), *key])


def row_of(machine: Machine) -> dict[str, str | int | None]:
    """Return a machine as its table holds it."""
    row: dict[str, Any] = {name: getattr(machine, name) for name in ("name", "host", "owner", "memory_mib")}
    files = {name: getattr(machine, name) for name in ("kernel", "initrd", "disk")}
    return {**row, "share": machine.share.value, **{name: file and str(file) for name, file in files.items()}}


def _folded(name: str) -> str:
    return storable(name.lower())


def _member(row: tuple[Any, ...]) -> Member:
    name, role, share, standing, joined, *wishes = row
    return Member(name, Role(role), Share(share), Standing(standing), instant(joined), *wishes)


def _machine(row: tuple[Any, ...]) -> Machine:
    name, host, owner, share, memory_mib, *files = row
    return Machine(
        name, host, owner, Share(share), memory_mib, *(PurePath(file) if file else None for file in files)
    )


class SqlRoster:
    """The roster as bot.ports.Roster."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def member(self, name: str) -> Member | None:
        """Return the member of that name, in any case."""
        return await self._store.glance(lambda db: find_member(db, name))

    async def members(self) -> tuple[Member, ...]:
        """Return all members by name."""
        return await self._store.read(all_members)

    async def holder(self, identity: Identity) -> Member | None:
        """Return whose identity this is, and note that it was seen; None for one unseen for STALE."""
        key = key_of(identity)
        found = await self._store.glance(lambda db: held(db, key))
        if found is None:
            return None
        member, seen = found
        unseen = self._clock.now() - seen
        if unseen >= STALE:
            return None
        if unseen >= SEEN_EVERY:
            await self._store.write(lambda tx: mark_seen(tx, key))
        return member

    async def identities(self, member: Member) -> tuple[Identity, ...]:
        """Return a member's identities, the last seen first."""
        return await self._store.read(lambda db: identities_of(db, member.name))

    async def bound_since(self, identity: Identity, since: datetime) -> str | None:
        """Return who bound an identity if that was after an instant, else None."""
        return await self._store.read(lambda db: bound_since(db, key_of(identity), since))

    async def machine(self, name: str) -> Machine | None:
        """Return the machine of that name, in any case."""
        return await self._store.glance(lambda db: find_machine(db, name))

    async def machines(self) -> tuple[Machine, ...]:
        """Return all machines by host and name."""
        return await self._store.read(all_machines)
