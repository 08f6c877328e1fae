"""Following what the server tells: who is where, what we are called, and which rooms we are in."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.transports.irc.channels import known
from bot.transports.irc.line import Line
from bot.transports.irc.proofs import Whois
from bot.transports.irc.world import Handlers, World
from bot.transports.lines import clean

REFUSED = ("405", "437", "448", "470", "471", "473", "474", "475", "476", "477", "480", "489", "520")
"""Numerics that answer a JOIN; for a room that we are in they mean something else."""

OUTSIDE = ("403", "442")
"""Numerics that say that we are not in a room, or that there is none."""

REGAIN = 60.0
"""Seconds between two looks whether our own nick is free."""

GRACE = 2.0
"""Seconds after 001 until rooms are joined even if the server sends no end of its message of the day."""

WHOX = "152"
"""The mark that finds the answers to our own WHO."""

_WHY = 100


@dataclass(slots=True)
class Tracker:
    """Keeps a World true; `send` puts one raw line on the wire at once."""

    world: World
    whois: Whois
    send: Callable[[str], None]
    _ready_at: float | None = None
    _who: list[str] = field(default_factory=list)
    _looked: float = 0.0
    _monitors: bool = False

    @property
    def handlers(self) -> Handlers:
        """The lines that tell of people, rooms and nicks."""
        return {
            "005": self._on_isupport,
            "376": self._on_ready,
            "422": self._on_ready,
            "303": self._on_ison,
            "731": self._on_offline,
            "353": self._on_names,
            "354": self._on_whox,
            "396": self._on_own_host,
            "JOIN": self._on_join,
            "PART": self._on_part,
            "KICK": self._on_kick,
            "QUIT": self._on_quit,
            "NICK": self._on_nick,
            "ACCOUNT": self._on_account,
            "CHGHOST": self._on_chghost,
            "INVITE": self._on_invite,
            "BATCH": self.world.history.batch,
            **dict.fromkeys(REFUSED, self._on_refused),
            **dict.fromkeys(OUTSIDE, self._on_outside),
        }

    @property
    def has_plans(self) -> bool:
        """Tell whether a tick may have something to do."""
        rooms = self.world.rooms
        return self._ready_at is None or bool(self._who) or not rooms.complete

    def tick(self, now: float) -> None:
        """Join what is due, and look for our own nick."""
        if not self.world.registered:
            return
        if self._ready_at is None:
            self._ready_at = self._looked = now + GRACE
        if now >= self._ready_at:
            self._join(now)
        if self._who:
            self.send(f"WHO {self._who.pop(0)} %tna,{WHOX}")
        nicks = self.world.nicks
        if now - self._looked >= REGAIN and not self.world.has_own_nick and nicks.may_try(now):
            self._looked = now
            self._look(nicks.own)

    def _look(self, nick: str) -> None:
        # https://ircv3.net/specs/extensions/monitor: from then on we are told at once when our nick is free
        if not self.world.isupport.monitor:
            self.send(f"ISON {nick}")
        elif self._monitors:
            self.send("MONITOR S")
        else:
            self._monitors = True
            self.send(f"MONITOR + {nick}")

    def _join(self, now: float) -> None:
        names = self.world.rooms.due(now)
        for start in range(0, len(names), 5):
            self.send(f"JOIN {','.join(names[start : start + 5])}")

    def _on_ready(self, _: Line) -> None:
        self._ready_at = self._looked = self.world.clock.monotonic()
        self._join(self._ready_at)
        if self.world.isupport.monitor and not self.world.has_own_nick:
            self._look(self.world.nicks.own)

    def _on_isupport(self, line: Line) -> None:
        self.world.isupport.feed(line.params[1:-1])
        self.world.nicks.longest = self.world.isupport.nicklen

    def _on_join(self, line: Line) -> None:
        room, world = line.param(0), self.world
        if not room:
            return
        if world.is_me(line.nick):
            world.channels.emptied(room)
            world.inside.add(world.fold(room))
            world.rooms.joined(room, world.clock.monotonic())
            world.userhost = line.userhost or world.userhost
            world.history.measure(line, world.clock.now())
            if world.isupport.whox:
                self._who.append(room)
        account = line.param(1) if "extended-join" in world.caps.acked and len(line.params) > 1 else None
        world.channels.joined(room, line.nick, account)

    def _on_part(self, line: Line) -> None:
        self._left(line.param(0), line.nick, "we parted")

    def _on_kick(self, line: Line) -> None:
        self._left(line.param(0), line.param(1), f"kicked by {line.nick}: {line.param(2)}")

    def _left(self, room: str, nick: str, why: str) -> None:
        if self.world.is_me(nick):
            self._outside(room, why)
        elif self.world.channels.left(room, nick):
            self.whois.void(nick)

    def _outside(self, room: str, why: str) -> None:
        self.world.inside.discard(self.world.fold(room))
        self.world.channels.emptied(room)
        self.world.rooms.left(room, clean(why)[:_WHY], self.world.clock.monotonic())

    def _on_refused(self, line: Line) -> None:
        room = line.param(1)
        if self.world.fold(room) not in self.world.inside:
            self.world.rooms.left(room, clean(line.param(-1))[:_WHY], self.world.clock.monotonic())

    def _on_outside(self, line: Line) -> None:
        self._outside(line.param(1), line.param(-1))

    def _on_invite(self, line: Line) -> None:
        if self.world.is_me(line.param(0)):
            self.world.rooms.hurry(self.world.clock.monotonic(), line.param(1))

    def _on_names(self, line: Line) -> None:
        self.world.channels.listed(line.param(2), line.param(3).split(), self.world.isupport.prefixes)

    def _on_whox(self, line: Line) -> None:
        if line.param(1) == WHOX and line.param(3):
            self.world.channels.learned(line.param(2), line.param(3))

    def _on_account(self, line: Line) -> None:
        self.whois.void(line.nick)
        self.world.channels.learned(line.nick, line.param(0) or "*")
        if self.world.is_me(line.nick):
            self.world.account = known(line.param(0)) or None

    def _on_quit(self, line: Line) -> None:
        self.whois.void(line.nick)
        self.world.channels.gone(line.nick)
        self._try_own_nick(line.nick)

    def _on_nick(self, line: Line) -> None:
        new = line.param(0)
        if not new:
            return
        self.whois.void(line.nick)
        self.whois.void(new)
        self.world.channels.renamed(line.nick, new)
        if self.world.is_me(line.nick):
            self.world.nicks.renamed(new, self.world.clock.monotonic())
        else:
            self._try_own_nick(line.nick)

    def _on_ison(self, line: Line) -> None:
        own = self.world.nicks.own
        if not any(self.world.isupport.same(nick, own) for nick in line.param(-1).split()):
            self._try_own_nick(own)

    def _on_offline(self, line: Line) -> None:
        for mask in line.param(-1).split(","):
            self._try_own_nick(mask.partition("!")[0])

    def _try_own_nick(self, free: str) -> None:
        world = self.world
        is_own = world.isupport.same(free, world.nicks.own)
        if (
            world.registered
            and is_own
            and not world.has_own_nick
            and world.nicks.may_try(world.clock.monotonic())
        ):
            self.send(f"NICK {world.nicks.own}")

    def _on_chghost(self, line: Line) -> None:
        if self.world.is_me(line.nick) and line.param(1):
            self.world.userhost = f"{line.param(0)}@{line.param(1)}"

    def _on_own_host(self, line: Line) -> None:
        # where the host alone is told, the user stays as it was: https://modern.ircdocs.horse/#rplvisiblehost-396
        host = line.param(1)
        user = self.world.userhost.partition("@")[0]
        if host:
            self.world.userhost = host if "@" in host else f"{user}@{host}"
