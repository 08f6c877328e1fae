"""Who and what there is, and who writes it down."""

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from bot.coop.machines import Machine
from bot.coop.people import Member, Role
from bot.coop.shares import Share
from bot.model import Identity
from bot.ports.store import Tx

if TYPE_CHECKING:
    from sqlite_utils import Database


class Roster(Protocol):
    """Who and what there is: read anew each time, so that the CLI may write while the bot runs."""

    async def member(self, name: str) -> Member | None:
        """Return the member of that name, in any case."""

    async def members(self) -> tuple[Member, ...]:
        """Return all members by name."""

    async def holder(self, identity: Identity) -> Member | None:
        """Return whose identity this is, and note that it was seen."""

    async def identities(self, member: Member) -> tuple[Identity, ...]:
        """Return a member's identities, the last seen first."""

    async def bound_since(self, identity: Identity, since: datetime) -> str | None:
        """Return who bound an identity if that was after an instant, else None."""

    async def machine(self, name: str) -> Machine | None:
        """Return the machine of that name, in any case."""

    async def machines(self) -> tuple[Machine, ...]:
        """Return all machines by host and name."""


class Registrar(Protocol):
    """Writes to the roster, each inside a transaction with its audit row; `by` is who does it.

    Conflict where the roster does not allow it: a name that is taken, a bound identity, the last admin.
    What begins with `may` refuses as its deed would and changes nothing; a reader's connection will do.
    """

    def identity(self, text: str) -> Identity:
        """Read NETWORK:SUBJECT; Usage names what is wrong with it."""

    def add_member(self, tx: Tx, name: str, role: Role, share: Share, by: str) -> Member:
        """Add a member."""

    def may_add_member(self, db: "Database", name: str, role: Role) -> None:
        """Refuse as `add_member` would."""

    def set_member(self, tx: Tx, member: Member, field: str, value: str, by: str) -> Member:
        """Change role, share, standing, zone, reach or quiet; Usage where the value does not fit."""

    def may_set_member(self, db: "Database", member: Member, field: str, value: str) -> str | None:
        """Return what the field is to hold, or refuse as `set_member` would."""

    def remove_member(self, tx: Tx, member: Member, by: str) -> None:
        """Remove a member and their identities; Conflict while they own machines."""

    def may_remove_member(self, db: "Database", member: Member) -> None:
        """Refuse as `remove_member` would."""

    def bind(self, tx: Tx, member: Member, identity: Identity, by: str) -> None:
        """Give a member an identity that nobody has."""

    def unbind(self, tx: Tx, member: Member, identity: Identity, by: str) -> None:
        """Take an identity away from a member; NotFound if it is not theirs."""

    def may_unbind(self, db: "Database", member: Member, identity: Identity) -> None:
        """Refuse as `unbind` would."""

    def offer_link(self, tx: Tx, member: Member, code: str) -> None:
        """Remember, hashed, a code that binds one identity within 10 minutes."""

    def redeem_link(self, tx: Tx, code: str, identity: Identity) -> Member:
        """Bind the unbound identity that says a code; Expired for a code that is wrong, used or too old."""
