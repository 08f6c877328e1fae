"""Writing the roster: each deed in the caller's transaction, with its row in the audit book and its event.

`by` is who does it: a member's name, or the shell's user. Members are read anew: what the caller holds may be
old. The texts of refusals are for people.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType

from sqlite_utils import Database

from bot.coop import machines, people
from bot.coop.events import IdentityBound
from bot.coop.machines import Machine
from bot.coop.people import Member, Role, Standing
from bot.coop.quotes import quoted
from bot.coop.shares import Share
from bot.errors import Conflict, Expired, NotFound, Usage
from bot.model import Identity
from bot.ports import Entry, Tx
from bot.store import audit, fields, roster
from bot.store.identity import parse_identity
from bot.store.times import instant, text

COOP = "co-op"
"""What people write for the owner of a machine of the co-op's own; so it is nobody's name."""

CODE_LIVES = timedelta(minutes=10)

MEMORY_MIB = range(24, 65537)
"""What a machine's memory may be."""

_OF_AN_ADMIN: Mapping[str, str] = MappingProxyType({"role": Role.ADMIN, "standing": Standing.GOOD})
"""What an admin's fields hold; see Member.is_admin."""


@dataclass(frozen=True, slots=True)
class SqlRegistrar:
    """The registrar as bot.ports.Registrar; `networks` has each network's kind (irc, xmpp) by its name."""

    networks: Mapping[str, str]

    def identity(self, text: str) -> Identity:
        """Read NETWORK:SUBJECT; Usage names what is wrong with it."""
        return parse_identity(text, self.networks)

    def add_member(self, tx: Tx, name: str, role: Role, share: Share, by: str) -> Member:
        """Take a person into the co-op, in good standing, from now on; names are kept in lower case."""
        name = name.lower()
        self.may_add_member(tx.db, name, role)
        row = {"name": name, "role": role.value, "share": share.value, "standing": Standing.GOOD.value}
        tx.db.table("members").insert({**row, "joined": text(tx.at)})
        _record(tx, by, "member add", f"{name} {role} {share}")
        return find(tx.db, name)

    def may_add_member(self, db: Database, name: str, role: Role) -> None:
        """Refuse as `add_member` would, and change nothing."""
        name = name.lower()
        if not people.NAME.fullmatch(name) or name == COOP:
            raise Usage(f"{quoted(name)} is no member's name: a letter, then up to 30 of a-z 0-9 _ . -")
        if role is Role.GUEST:
            raise Usage("a role is member or admin")
        if roster.find_member(db, name):
            raise Conflict(f"{name} is a member already.")

    def set_member(self, tx: Tx, member: Member, field: str, value: str, by: str) -> Member:
        """Change role, share, standing, zone, reach or quiet; Usage where the value does not fit."""
        wanted = self.may_set_member(tx.db, member, field, value)
        before = find(tx.db, member.name)
        sql = f"UPDATE members SET {field} = ? WHERE name = ?"  # noqa: S608 - may_set_member knows the field
        tx.db.execute(sql, [wanted, before.name])
        _record(tx, by, "member set", f"{member} {field} {wanted or '-'}")
        return find(tx.db, member.name)

    def may_set_member(self, db: Database, member: Member, field: str, value: str) -> str | None:
        """Return what the field is to hold, or refuse as `set_member` would; nothing is changed."""
        before, wanted = find(db, member.name), fields.read(field, value)
        if wanted != _OF_AN_ADMIN.get(field, wanted):
            _keep_an_admin(db, before)
        return wanted

    def remove_member(self, tx: Tx, member: Member, by: str) -> None:
        """Remove a member and their identities; Conflict while they own machines."""
        self.may_remove_member(tx.db, member)
        before = find(tx.db, member.name)
        for identity in roster.identities_of(tx.db, before.name):
            self.unbind(tx, before, identity, by)
        tx.db.execute("DELETE FROM members WHERE name = ?", [before.name])
        _record(tx, by, "member remove", before.name)

    def may_remove_member(self, db: Database, member: Member) -> None:
        """Refuse as `remove_member` would, and change nothing."""
        before = find(db, member.name)
        owned = [machine.name for machine in roster.all_machines(db) if machine.owner == before.name]
        if owned:
            raise Conflict(f"{before} still owns {', '.join(owned)}.")
        _keep_an_admin(db, before)

    def bind(self, tx: Tx, member: Member, identity: Identity, by: str) -> None:
        """Give a member an identity; one that is bound never moves, its own member may renew a stale one."""
        owner, key = find(tx.db, member.name), roster.key_of(identity)
        if found := roster.held(tx.db, key):
            holder, seen = found
            if holder.name != owner.name or tx.at - seen < roster.STALE:
                raise Conflict(f"{identity} is {holder}'s already.")
            roster.mark_seen(tx, key)
        else:
            row = dict(zip(("network", "kind", "subject"), key, strict=True))
            row |= {"member": owner.name, "bound": text(tx.at), "seen": text(tx.at)}
            tx.db.table("identities").insert(row)
        _tell(tx, owner, identity, by, bound=True)

    def unbind(self, tx: Tx, member: Member, identity: Identity, by: str) -> None:
        """Take an identity away from a member; NotFound if it is not theirs."""
        self.may_unbind(tx.db, member, identity)
        sql = "DELETE FROM identities WHERE network = ? AND kind = ? AND subject = ?"
        tx.db.execute(sql, roster.key_of(identity))
        _tell(tx, member, identity, by, bound=False)

    def may_unbind(self, db: Database, member: Member, identity: Identity) -> None:
        """Refuse as `unbind` would, and change nothing."""
        found = roster.held(db, roster.key_of(identity))
        if found is None or found[0].name != member.name:
            raise NotFound(f"{identity} is not {member}'s.")

    def offer_link(self, tx: Tx, member: Member, code: str) -> None:
        """Remember, hashed, a code that binds one identity within 10 minutes; an earlier one is void."""
        row = {"code_sha256": _hashed(code), "member": find(tx.db, member.name).name}
        tx.db.execute("DELETE FROM link_codes WHERE member = ? OR expires <= ?", [member.name, text(tx.at)])
        tx.db.table("link_codes").insert({**row, "expires": text(tx.at + CODE_LIVES)})
        _record(tx, member.name, "link", "offered")

    def redeem_link(self, tx: Tx, code: str, identity: Identity) -> Member:
        """Bind the unbound identity that says a code; Expired for a code that is wrong, used or too old."""
        sql = "SELECT member, expires FROM link_codes WHERE code_sha256 = ?"
        row = tx.db.execute(sql, [_hashed(code)]).fetchone()
        if row is None or instant(row[1]) <= tx.at:
            raise Expired("That code is wrong, used or too old; a member gets a new one with !link.")
        member = find(tx.db, row[0])
        if member.standing is not Standing.GOOD:
            raise Conflict(f"{member} is suspended.")
        self.bind(tx, member, identity, by=member.name)
        tx.db.execute("DELETE FROM link_codes WHERE code_sha256 = ?", [_hashed(code)])
        return member

    def add_machine(self, tx: Tx, machine: Machine, by: str) -> Machine:
        """Enter a machine; `owner` None is the co-op. Whether its host exists is for the caller to know."""
        if not machines.NAME.fullmatch(machine.name):
            raise Usage(
                f"{quoted(machine.name)} is no machine's name: a small letter, then up to 15 of a-z 0-9 -"
            )
        if machine.memory_mib not in MEMORY_MIB:
            raise Usage(f"a machine has {MEMORY_MIB[0]} to {MEMORY_MIB[-1]} MiB, not {machine.memory_mib}")
        if roster.find_machine(tx.db, machine.name):
            raise Conflict(f"There is a machine {machine} already.")
        owner = find(tx.db, machine.owner).name if machine.owner is not None else None
        tx.db.table("machines").insert(roster.row_of(replace(machine, owner=owner)))
        _record(tx, by, "machine add", f"{machine} on {machine.host} of {owner or COOP}, {machine.share}")
        return replace(machine, owner=owner)

    def remove_machine(self, tx: Tx, name: str, by: str) -> None:
        """Strike a machine off; its disks are not touched."""
        machine = roster.find_machine(tx.db, name)
        if machine is None:
            raise NotFound(f"No machine is called {name}.")
        tx.db.execute("DELETE FROM machines WHERE name = ?", [machine.name])
        _record(tx, by, "machine remove", machine.name)


def find(db: Database, name: str) -> Member:
    """Return the member of that name, in any case; NotFound if there is none."""
    if member := roster.find_member(db, name):
        return member
    raise NotFound(f"Nobody is called {name}.")


def _record(tx: Tx, by: str, command: str, words: str) -> None:
    audit.append(tx, Entry("changed", by, command, words))


def _tell(tx: Tx, member: Member, identity: Identity, by: str, *, bound: bool) -> None:
    _record(tx, by, "identity bind" if bound else "identity unbind", f"{member} {identity}")
    network, subject = identity.network, identity.subject
    tx.event(IdentityBound(member=member.name, network=network, subject=subject, bound=bound, by=by))


def _keep_an_admin(db: Database, leaving: Member) -> None:
    """Raise Conflict unless somebody stays an admin when this member is none any more."""
    others = (member for member in roster.all_members(db) if member.name != leaving.name)
    if leaving.is_admin and not any(member.is_admin for member in others):
        raise Conflict(f"{leaving} is the last admin; make another one first.")


def _hashed(code: str) -> str:
    return hashlib.sha256(code.strip().lower().encode("utf-8", "replace")).hexdigest()
