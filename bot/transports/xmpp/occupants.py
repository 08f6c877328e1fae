"""Who is in one room with us, and as whom, as far as the room shows it (XEP-0045). Pure.

A real JID is kept exactly as long as its nick is there: it goes at a leave, and with a new nick.
"""

from dataclasses import dataclass, field

from bot.transports.xmpp.stanzas import Item, Presence, parted

MOST = 20_000
"""Occupants of one room that we follow; a room that tells of more is not believed."""

_MODERATOR = "moderator"


@dataclass(slots=True)
class Occupants:
    """The occupants of one room: each nick's real full JID, empty where it is hidden from us."""

    jids: dict[str, str] = field(default_factory=dict)
    shown_to_all: bool = False
    role: str = ""

    @property
    def hidden(self) -> bool:
        """Whether the room does not show us who is who."""
        return not self.shown_to_all and self.role != _MODERATOR

    def came(self, presence: Presence) -> None:
        """Take an available presence of a nick."""
        item = presence.item or Item()
        if presence.resource in self.jids or len(self.jids) < MOST:
            self.jids[presence.resource] = item.jid
        if "110" in presence.codes:
            self.role = item.role
            self.shown_to_all = self.shown_to_all or "100" in presence.codes

    def went(self, nick: str) -> None:
        """Note that a nick is free."""
        self.jids.pop(nick, None)

    def configured(self, codes: frozenset[str]) -> None:
        """Take a change of the room's configuration: 172 shows real JIDs to all, 173 and 174 hide them."""
        if "172" in codes:
            self.shown_to_all = True
        elif codes & {"173", "174"}:
            self.shown_to_all = False

    def emptied(self) -> None:
        """Forget everybody: we are out."""
        self.jids.clear()
        self.role, self.shown_to_all = "", False

    def real(self, nick: str) -> str:
        """Return the real full JID of a nick; empty if hidden, or nobody has it."""
        return self.jids.get(nick, "")

    def nicks_of(self, bare: str) -> tuple[str, ...]:
        """Return the nicks of whoever has that bare JID."""
        return tuple(nick for nick, jid in self.jids.items() if jid and parted(jid)[0] == bare)
