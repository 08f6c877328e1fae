"""Who is in the rooms with us, and as which account, from what the server tells us without being asked. Pure.

An account is a text, empty for somebody who is not logged in, None while the server has not told. Whatever
makes it doubtful (a new nick, leaving the last room that we share) forgets it: then the server is asked.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

MOST = 50_000
"""People whom we follow; a server that tells of more than that is not believed."""


@dataclass(slots=True)
class Person:
    """Somebody who shares a room with us."""

    nick: str
    account: str | None = None
    rooms: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Channels:
    """The people by folded nick; `fold` is the server's way to compare names."""

    fold: Callable[[str], str]
    people: dict[str, Person] = field(default_factory=dict)

    def account(self, nick: str) -> str | None:
        """Return the account that this nick has now; empty if none, None if we cannot tell."""
        person = self.people.get(self.fold(nick))
        return person.account if person else None

    def sees(self, nick: str) -> bool:
        """Tell whether we share a room, so that the server tells us of every change of that nick."""
        return self.fold(nick) in self.people

    def is_in(self, room: str, nick: str) -> bool:
        """Tell whether somebody of that nick is in a room of ours."""
        person = self.people.get(self.fold(nick))
        return person is not None and self.fold(room) in person.rooms

    def holders(self, account: str) -> tuple[str, ...]:
        """Return the nicks that have that account now, by the folded account."""
        found = (one for one in self.people.values() if one.account)
        return tuple(one.nick for one in found if fold_account(one.account or "") == account)

    def joined(self, room: str, nick: str, account: str | None = None) -> None:
        """Note who came into a room; the account is as extended-join tells it."""
        key = self.fold(nick)
        if key not in self.people and len(self.people) >= MOST:
            return
        person = self.people.setdefault(key, Person(nick))
        person.rooms.add(self.fold(room))
        if account is not None:
            person.account = known(account)

    def listed(self, room: str, names: Iterable[str], prefixes: str) -> None:
        """Take one line of NAMES; each name may have several prefixes and a user and host behind it."""
        for name in names:
            nick = name.lstrip(prefixes).partition("!")[0]
            if nick:
                self.joined(room, nick)

    def learned(self, nick: str, account: str) -> None:
        """Note an account that the server told: `*` and `0` mean none."""
        person = self.people.get(self.fold(nick))
        if person is not None:
            person.account = known(account)

    def left(self, room: str, nick: str) -> bool:
        """Note who parted or was kicked; True if we share no room any more."""
        person = self.people.get(self.fold(nick))
        if person is None:
            return False
        person.rooms.discard(self.fold(room))
        if not person.rooms:
            del self.people[self.fold(nick)]
        return not person.rooms

    def gone(self, nick: str) -> None:
        """Forget who quit, or whom a netsplit took."""
        self.people.pop(self.fold(nick), None)

    def renamed(self, old: str, new: str) -> None:
        """Note another nick; the account is asked for anew when it is needed."""
        person = self.people.pop(self.fold(old), None)
        if person is not None:
            self.people[self.fold(new)] = Person(new, rooms=person.rooms)

    def emptied(self, room: str) -> None:
        """Note that we left that room ourselves."""
        for person in tuple(self.people.values()):
            self.left(room, person.nick)

    def forget_accounts(self) -> None:
        """Forget what the server no longer keeps us informed of."""
        for person in self.people.values():
            person.account = None


def known(account: str) -> str:
    """Return the account as the server tells it, empty where that means none."""
    return "" if account in {"*", "0"} else account


def fold_account(account: str) -> str:
    """Return an account in the form in which it is compared and stored.

    Only ASCII letters are folded: a server tells one spelling of each account, and services may keep apart
    what a wider folding would make one.
    """
    return "".join(char.lower() if char.isascii() else char for char in account)
