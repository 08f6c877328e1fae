"""Whose traffic a name means, and what they may use. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.words import Machine, Member, NotFound, Traffic
from plugins.bandwidth.rules import Terms
from plugins.bandwidth.tally import ALL, Who


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose traffic is asked for, and their part of the month's transfer in bytes; of all it is the pool.

    A machine has no part of its own: it takes from its `owner`'s, `of_owner`.
    """

    who: Who
    allowance: int | None = None
    joined: datetime | None = None
    owner: str = ""
    of_owner: int | None = None


@dataclass(frozen=True, slots=True)
class House:
    """All who can be meant, and the policies' numbers."""

    people: tuple[Member, ...]
    machines: tuple[Machine, ...]
    terms: Terms

    @property
    def parts(self) -> dict[str, int]:
        """The part of each member in bytes; the sum is the pool."""
        return self.terms.parts(self.people)

    @property
    def pool(self) -> int | None:
        """What all may use together; None where no policy names it."""
        return sum(self.parts.values()) or None

    def find(self, word: str, rows: Iterable[Traffic]) -> Subject:
        """Return who is called so, or was when these rows were measured; NotFound if nobody is or was."""
        name, counted = word.casefold(), list(rows)
        if name == "all":
            return Subject(ALL, self.pool)
        for member in self.people:
            if member.name == name:
                return self.member(member)
        for machine in self.machines:
            if machine.name == name:
                owner = machine.owner or ""
                return Subject(Who("machine", name), owner=owner, of_owner=self.parts.get(owner))
        for who in (Who("machine", name), Who("member", name)):
            if any(who.has(row) for row in counted):
                return Subject(who)
        raise NotFound(f"There is no member and no machine “{word[:40]}”: see !member list and !vm list.")

    def member(self, member: Member) -> Subject:
        """Return what a member may use."""
        return Subject(Who("member", member.name), self.terms.allowance(member), member.joined)

    def owned(self, who: Who, rows: Iterable[Traffic]) -> list[str]:
        """Return the machines whose rows of 5 minutes are somebody's.

        Such rows do not know whose they were: a machine that changed hands counts for who owns it now.
        """
        now = {machine.name: machine.owner for machine in self.machines}
        names = who.machines(rows)
        return [name for name in names if who.kind != "member" or now.get(name, who.name) == who.name]
