"""What one connection knows: of itself, of the server, and of the people in its rooms."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from bot.model import Place
from bot.ports import Clock
from bot.transports.irc.caps import Caps
from bot.transports.irc.channels import Channels, fold_account
from bot.transports.irc.history import History
from bot.transports.irc.isupport import Isupport
from bot.transports.irc.line import Line
from bot.transports.lines import payload
from bot.transports.nicks import NickKeeper
from bot.transports.rooms import Rooms

Handlers = Mapping[str, Callable[[Line], None]]
"""What a part of the connection does with which command."""

TRACKING = frozenset({"account-notify", "extended-join"})
"""The capabilities with which the server tells every change of an account in our rooms."""

_UNSEEN = "~" + "x" * 10 + "@" + "x" * 63
"""The longest user and host, for as long as we do not know our own."""


@dataclass(slots=True)
class World:
    """All of it; it lives as long as the connection. `mask` is our own `nick!user@host` as others see it."""

    network: str
    clock: Clock
    nicks: NickKeeper
    room_names: Iterable[str]
    caps: Caps
    userhost: str = _UNSEEN
    account: str | None = None
    registered: bool = False
    server: str = ""
    inside: set[str] = field(default_factory=set)
    history: History = field(default_factory=History)
    isupport: Isupport = field(default_factory=Isupport)
    channels: Channels = field(init=False)
    rooms: Rooms = field(init=False)
    _places: dict[str, Place] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.channels = Channels(self.fold)
        self.rooms = Rooms(self.room_names, self.fold)

    def fold(self, name: str) -> str:
        """Return a name as the server compares it."""
        return self.isupport.fold(name)

    def room(self, target: str) -> Place | None:
        """Return the room of the config that a line's target is; None for any other."""
        place = self._places.get(target)
        if place is None and (spelled := self.rooms.spelled(target)) in self.rooms.inside:
            place = self._places[spelled] = Place(self.network, spelled)
        return place

    def logged_in(self, account: str) -> None:
        """Note that we are, as that account; what was refused to a stranger may go through now."""
        self.account = account
        self.rooms.hurry(self.clock.monotonic())

    def is_me(self, nick: str) -> bool:
        """Tell whether that is our own nick."""
        return self.isupport.same(nick, self.nicks.current)

    @property
    def has_own_nick(self) -> bool:
        """Whether we are called as the config says."""
        return self.is_me(self.nicks.own)

    def room_for(self, target: str) -> int:
        """Return the bytes of text that fit one line to that target."""
        return max(payload(f"{self.nicks.current}!{self.userhost}", target), 64)

    def holds(self, nick: str, account: str) -> bool | None:
        """Tell from what the server keeps us informed of whether a nick has a folded account; None: ask."""
        known = self.channels.account(nick) if self.caps.acked >= TRACKING else None
        return None if known is None else fold_account(known) == account
