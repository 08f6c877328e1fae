"""The rooms of one session: let in, thrown out, renamed, and asked whether we are still there. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from bot.transports.lines import clean
from bot.transports.nicks import NickKeeper
from bot.transports.rooms import Rooms
from bot.transports.xmpp.asked import Asked
from bot.transports.xmpp.occupants import Occupants
from bot.transports.xmpp.stanzas import Presence, available, directed, join, unlock

SELF_PING = 60.0
"""Seconds of silence from a room after which it is asked whether we are in it (XEP-0410)."""

_WHY = 200
_CALM = 60.0
"""Seconds between two tries for our own nick."""

_UNSURE = frozenset({"remote-server-not-found", "remote-server-timeout"})
_STILL_INSIDE = frozenset({"", "service-unavailable", "feature-not-implemented", "item-not-found"}) | _UNSURE
"""What a self-ping may be answered with while we are inside; "" is no error (XEP-0410, section 3.1)."""

_GONE = {
    "301": "we were banned",
    "307": "we were kicked",
    "321": "we are no longer allowed in",
    "322": "it is for its members only now",
    "332": "the room's server is shutting down",
    "333": "the room's server lost us",
}
_REFUSED = {
    "conflict": "every nick that I tried is taken",
    "not-authorized": "it wants a password",
    "forbidden": "we are banned",
    "registration-required": "it is for its members only: let one of its admins make {jid} a member",
    "gone": "it was destroyed",
    "item-not-found": "it is locked, or there is no such room",
    "not-allowed": "there is no such room, and we may not make it",
    "not-acceptable": "it wants another nick of us",
    "service-unavailable": "it is full",
}
_HIDDEN = (
    "{room} hides from me who speaks, so nobody can be a member there: let an owner of the room make {jid} "
    "one of its admins (in most clients: /affiliation admin {jid})"
)


@dataclass(slots=True)
class _Room:
    name: str
    nicks: NickKeeper
    occupants: Occupants = field(default_factory=Occupants)
    inside: bool = False
    asked: bool = False
    heard: float = 0.0
    renames: float = 0.0


@dataclass(slots=True)
class Muc:
    """All rooms of the config, by bare JID; `send` puts a stanza on the wire, instants are monotonic."""

    names: Iterable[str]
    nick: str
    jid: str
    send: Callable[[Element], object]
    asked: Asked
    shown: str = ""
    wanted: Rooms = field(init=False)
    rooms: dict[str, _Room] = field(init=False)

    def __post_init__(self) -> None:
        self.wanted = Rooms(self.names, str.lower)
        self.rooms = {name.lower(): _Room(name, NickKeeper(self.nick, longest=64)) for name in self.names}

    def nick_in(self, bare: str) -> str:
        """Return what we are called in a room."""
        return self.rooms[bare].nicks.current

    def is_me(self, bare: str, nick: str) -> bool:
        """Tell whether that is our own nick in a room."""
        return self.rooms[bare].nicks.current == nick

    def inside(self, bare: str) -> bool:
        """Tell whether we are in that room."""
        room = self.rooms.get(bare)
        return room is not None and room.inside

    def has(self, bare: str, nick: str) -> bool:
        """Tell whether somebody in that room is called so."""
        return nick in self.rooms[bare].occupants.jids

    def real(self, bare: str, nick: str) -> str:
        """Return the real full JID of an occupant; empty where it is hidden, or nobody is called so."""
        return self.rooms[bare].occupants.real(nick)

    def addresses_of(self, bare: str) -> tuple[str, ...]:
        """Return the real full JIDs of whoever has that bare JID and is in a room with us."""
        rooms = (room.occupants for room in self.rooms.values())
        return tuple(seen.real(nick) for seen in rooms for nick in seen.nicks_of(bare))

    def problems(self) -> tuple[str, ...]:
        """Return what an admin should know, one text for each."""
        found = list(self.wanted.missing)
        for room in self.rooms.values():
            if room.inside and room.occupants.hidden:
                found.append(_HIDDEN.format(room=room.name, jid=self.jid))
            if room.inside and room.nicks.current != room.nicks.own:
                found.append(f"the nick {room.nicks.own} is taken in {room.name}")
        return tuple(found)

    def tick(self, now: float) -> None:
        """Ask for what is due: to be let in, for our own nick, whether we are still there."""
        for name in self.wanted.due(now):
            self._join(self.rooms[name.lower()])
        for room in self.rooms.values():
            if room.inside:
                self._regain(room, now)
                if now - room.heard >= SELF_PING and not room.asked:
                    self._ask(room, now)

    def doubt(self, now: float) -> None:
        """Ask all rooms whether we are still there: the stream was away."""
        for room in self.rooms.values():
            if room.inside and not room.asked:
                self._ask(room, now)

    def show(self) -> None:
        """Show the rooms what `shown` says of us."""
        for room in self.rooms.values():
            if room.inside:
                self.send(available(self.shown, f"{room.name}/{room.nicks.current}"))

    def presence(self, presence: Presence, now: float) -> None:
        """Take what a room tells of an occupant, or of us."""
        room = self.rooms[presence.bare]
        room.heard = now
        if presence.kind == "error":
            self._refused(room, presence, now)
        elif presence.kind == "available":
            self._came(room, presence, now)
        elif presence.kind == "unavailable":
            self._went(room, presence, now)

    def configured(self, bare: str, codes: frozenset[str]) -> None:
        """Take a room's change of configuration."""
        self.rooms[bare].occupants.configured(codes)

    def _join(self, room: _Room) -> None:
        self.send(join(room.name, room.nicks.current, self.shown))

    def _regain(self, room: _Room, now: float) -> None:
        own = room.nicks.own
        taken = room.nicks.current == own or own in room.occupants.jids
        if not taken and room.nicks.may_try(now) and now >= room.renames:
            room.renames = now + _CALM
            self.send(directed(f"{room.name}/{own}"))

    def _ask(self, room: _Room, now: float) -> None:
        room.asked, room.heard = True, now

        def answered(condition: str | None) -> None:
            room.asked = False
            if condition is not None and condition not in _STILL_INSIDE and room.inside:
                self._outside(room, "it forgot us", now)

        self.asked.ping(f"{room.name}/{room.nicks.current}", answered)

    def _came(self, room: _Room, presence: Presence, now: float) -> None:
        saw = not room.occupants.hidden
        room.occupants.came(presence)
        if "110" not in presence.codes:
            return
        if presence.resource != room.nicks.current:
            room.nicks.renamed(presence.resource, now)
        if "201" in presence.codes:
            self.asked.ask(lambda ident: unlock(room.name, ident), room.name, lambda _: None)
        if room.inside and not saw and not room.occupants.hidden:
            self._join(room)  # who was there before is shown anew only to who comes in
        if not room.inside:
            room.inside = True
            self.wanted.joined(room.name, now)

    def _went(self, room: _Room, presence: Presence, now: float) -> None:
        nick, item = presence.resource, presence.item
        room.occupants.went(nick)
        if "110" not in presence.codes and nick != room.nicks.current:
            return
        if "303" in presence.codes and item and item.nick:
            room.nicks.renamed(item.nick, now)
            return
        why = "the room was destroyed" if presence.destroyed else "we are out"
        why = next((text for code, text in _GONE.items() if code in presence.codes), why)
        reason = clean(item.reason)[:_WHY] if item else ""
        self._outside(room, f"{why}: {reason}" if reason else why, now)

    def _outside(self, room: _Room, why: str, now: float) -> None:
        room.inside = False
        room.occupants.emptied()
        room.nicks.current = room.nicks.own
        self.wanted.left(room.name, why, now)

    def _refused(self, room: _Room, presence: Presence, now: float) -> None:
        if room.inside:
            if presence.error not in _STILL_INSIDE and presence.resource == room.nicks.current:
                self._outside(room, "it forgot us", now)
            return
        if presence.error == "conflict" and room.nicks.alternative() is not None:
            self._join(room)
            return
        room.nicks = NickKeeper(self.nick, longest=64)
        known = _REFUSED.get(presence.error, presence.error).format(jid=self.jid)
        said = clean(presence.text)[:_WHY]
        self.wanted.left(room.name, f"{known} ({said})" if said else known, now)
