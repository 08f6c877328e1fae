"""The rooms that we want to be in, whatever happens: a loop of desired state. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

FIRST, LONGEST = 5.0, 300.0
"""Seconds until a refused room is asked for again, doubling up to the longest."""

UNANSWERED = 30.0
"""Seconds after which a JOIN that nothing came back for is sent again."""

SETTLED = 60.0
"""Seconds that we must have been in a room for its back-off to begin anew."""


@dataclass(slots=True)
class _Room:
    name: str
    since: float | None = None
    next: float = 0.0
    wait: float = FIRST
    why: str = ""


class Rooms:
    """The rooms of the config; instants are seconds of a monotonic clock."""

    def __init__(self, names: Iterable[str], fold: Callable[[str], str]) -> None:
        self._fold = fold
        self._rooms = tuple(_Room(name) for name in names)
        self._spelled = {room.name: room for room in self._rooms}

    @property
    def inside(self) -> tuple[str, ...]:
        """The rooms that we are in."""
        return tuple(room.name for room in self._rooms if room.since is not None)

    @property
    def complete(self) -> bool:
        """Whether we are in every room of the config."""
        return all(room.since is not None for room in self._rooms)

    @property
    def missing(self) -> tuple[str, ...]:
        """What keeps us out of a room, one text for each."""
        return tuple(f"{room.name}: {room.why}" for room in self._rooms if room.since is None and room.why)

    def spelled(self, name: str) -> str:
        """Return a room as the config spells it; folded if it is none of ours."""
        room = self._find(name)
        return room.name if room else self._fold(name)

    def due(self, now: float) -> tuple[str, ...]:
        """Return the rooms to ask for now."""
        names = []
        for room in self._rooms:
            if room.since is None and room.next <= now:
                room.next = now + UNANSWERED
                names.append(room.name)
        return tuple(names)

    def joined(self, name: str, now: float) -> None:
        """Note that the server has let us in."""
        if room := self._find(name):
            room.since, room.why = now, ""

    def left(self, name: str, why: str, now: float) -> None:
        """Note that we were kicked, parted or refused: ask again later, and ever later."""
        room = self._find(name)
        if room is None:
            return
        if room.since is not None and now - room.since >= SETTLED:
            room.wait = FIRST
        room.since, room.why, room.next = None, why, now + room.wait
        room.wait = min(2 * room.wait, LONGEST)

    def hurry(self, now: float, name: str | None = None) -> None:
        """Ask again at once: we were invited, or are logged in now, and what was refused may go through."""
        for room in self._rooms:
            if room.since is None and (name is None or self._fold(room.name) == self._fold(name)):
                room.next = min(room.next, now)

    def _find(self, name: str) -> _Room | None:
        if room := self._spelled.get(name):
            return room
        folded = self._fold(name)
        return next((room for room in self._rooms if self._fold(room.name) == folded), None)
