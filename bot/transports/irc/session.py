"""One connection from its first byte to its last: every line to the parts that it concerns, and the watch."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from bot.config import IrcNetwork
from bot.errors import TransportFault
from bot.ports import Clock, Incidents, LinkStatus
from bot.transports.irc.connection import Link
from bot.transports.irc.delivery import Delivery
from bot.transports.irc.line import Line
from bot.transports.irc.nickserv import NickServ, Words
from bot.transports.irc.registration import LIMIT, Registration
from bot.transports.irc.sasl import Mechanism
from bot.transports.irc.sts import StsPolicies, Upgrade, renew, upgrade
from bot.transports.irc.tracker import Tracker
from bot.transports.irc.world import Handlers, World
from bot.transports.lines import clean
from bot.transports.race import first, within

CONNECT = 30.0
"""Seconds that connecting may take, TLS included."""

QUIET, DEAD = 60.0, 120.0
"""Seconds of silence after which the server is asked for a sign of life, and after which it is given up."""

TICK = 1.0
"""Seconds between two looks at what is due, unless all is as it should be."""

PARTING = 2.0
"""Seconds that the server has to end the connection after our QUIT or its ERROR."""

_ROUTINE = frozenset(
    {"NOTICE", "PONG", "PRIVMSG", "276", "301", "307", "311", "312", "317", "318", "319", "330", "338", "378"}
)
"""What is said to us, and what WHOIS is answered with: it comes all the time and calls for nothing."""

_REPORTED = 5
_LAST_WORDS = 200


@dataclass(frozen=True, slots=True)
class Hooks:
    """Whom a session calls: with a PRIVMSG, to say what is relayed, once registered, with what is wrong."""

    hear: "Callable[[Session, Line], None]"
    relay: Callable[[Delivery], Coroutine[Any, Any, None]]
    up: Callable[[], None]
    incidents: Incidents
    policies: StsPolicies


class Session:
    """Wires the parts of one connection together; `run` holds it."""

    def __init__(
        self,
        world: World,
        settings: IrcNetwork,
        login: Callable[[], list[Mechanism]] | None,
        words: Words | None,
        hooks: Hooks,
    ) -> None:
        self.world = world
        self._settings = settings
        self._hooks = hooks
        self._clock: Clock = world.clock
        self._heard = self._began = self._clock.monotonic()
        self._pinged = False
        self._parting_words = ""
        self._errors = 0
        self._sts: str | None = None
        self._upgrade: int | None = None
        self._goodbye = False
        self._stirred = asyncio.Event()
        self.link = Link(self._on_line, self._on_error)
        pace = None if settings.pace == "off" else settings.pace
        self.delivery = Delivery(world, self.link.send_raw, pace, self.link.writable)
        self.registration = Registration(
            world, self.link.send_raw, login, hooks.up, self._leave_for_tls, settings.account
        )
        self.nickserv = None
        if words and settings.tls:
            self.nickserv = NickServ(world, self.delivery.whois, self.link.send_raw, words)
        self.tracker = Tracker(world, self.delivery.whois, self.link.send_raw)
        self._table: dict[str, list[Callable[[Line], None]]] = {}
        for part in (self.registration, self.tracker, self.delivery, self):
            for command, handler in part.handlers.items():
                self._table.setdefault(command, []).append(handler)

    @property
    def handlers(self) -> Handlers:
        """What is no other part's."""
        return {"PING": self._on_ping, "ERROR": self._on_goodbye, "PRIVMSG": self._on_privmsg}

    @property
    def is_up(self) -> bool:
        """Whether the server has let us in and we have not lost it since."""
        return self.world.registered and not self.link.closed.done()

    async def run(self) -> None:
        """Hold the connection until it is lost; TransportFault says why. Cancelled, it leaves politely."""
        try:
            await within(self._clock, CONNECT, self.link.open(self._settings, self.world.nicks.own))
            parts = [self._watch(), self.delivery.turns.run(), self._hooks.relay(self.delivery)]
            parts += [self.nickserv.run()] if self.nickserv else []
            await first(*parts, self._until_lost())
        except TimeoutError:
            raise TransportFault(f"{self._settings.host} did not answer within {CONNECT:.0f} s") from None
        except asyncio.CancelledError:
            await self._leave()
            raise
        finally:
            self.link.lost("left")
            self.delivery.close()
            if self._settings.tls and self._sts is not None:
                renew(self._hooks.policies, self._settings, self._sts, self._clock.now())

    def status(self) -> LinkStatus:
        """Return what this connection is like now."""
        world = self.world
        detail = list(world.rooms.missing)
        if not world.account:
            detail[:0] = [self.registration.problem, self.nickserv.problem if self.nickserv else ""]
        if world.registered and not world.has_own_nick:
            detail.append(f"the nick {world.nicks.own} is taken")
        return LinkStatus(
            network=world.network,
            up=self.is_up,
            nick=world.nicks.current,
            account=world.account,
            rooms=world.rooms.inside,
            detail="; ".join(filter(None, detail)),
        )

    async def _until_lost(self) -> None:
        why = await asyncio.shield(self.link.closed)
        if self._upgrade is not None:
            raise Upgrade(self._upgrade)
        raise TransportFault(self._parting_words or why)

    async def _watch(self) -> None:
        while True:
            await self._until_due()
            now = self._clock.monotonic()
            self._check_life(now)
            self.registration.tick(now)
            self.tracker.tick(now)

    async def _until_due(self) -> None:
        """Wait for the next look: where all is well, until the silence is too long or a line changes that."""
        self._stirred.clear()
        if self._is_calm():
            silent = self._clock.monotonic() - self._heard
            left = (DEAD if self._pinged else QUIET) - silent
            await first(self._stirred.wait(), self._clock.sleep(max(TICK, left)))
        else:
            await self._clock.sleep(TICK)

    def _is_calm(self) -> bool:
        """Tell whether there is nothing to do unless the server says something, or nothing for long."""
        world = self.world
        logged_in = bool(world.account) or not self._settings.account
        settled = world.registered and world.has_own_nick and logged_in
        return settled and not (self._goodbye or self.tracker.has_plans)

    def _check_life(self, now: float) -> None:
        if self.registration.failed:
            raise TransportFault(self.registration.failed)
        if not self.world.registered and now - self._began > LIMIT:
            raise TransportFault(f"the server did not let us in within {LIMIT:.0f} s")
        silence = now - self._heard
        if self._goodbye and silence >= PARTING:
            raise TransportFault(self._parting_words)
        if silence >= DEAD:
            raise TransportFault(f"the server was silent for {DEAD:.0f} s")
        if silence >= QUIET and not self._pinged:
            self._pinged = True
            self.delivery.ping()

    async def _leave(self) -> None:
        self.link.send_raw("QUIT :So long, and thanks for all the fish")
        with contextlib.suppress(TimeoutError):
            await within(self._clock, PARTING, asyncio.shield(self.link.closed))

    def _on_line(self, line: Line) -> None:
        self._heard = self._clock.monotonic()
        self._pinged = self._goodbye = False
        for handler in self._table.get(line.command, ()):
            handler(line)
        if line.command not in _ROUTINE and not self._is_calm():
            self._stirred.set()

    def _on_error(self, error: Exception) -> None:
        self._errors += 1
        if self._errors <= _REPORTED:
            self._hooks.incidents.report(error, during=f"a line from {self.world.network}")

    def _on_ping(self, line: Line) -> None:
        self.link.send_raw(f"PONG :{line.param(0)}")

    def _on_goodbye(self, line: Line) -> None:
        self._parting_words = clean(line.param(-1))[:_LAST_WORDS]
        self._goodbye = True

    def _leave_for_tls(self, value: str | None) -> bool:
        if value is None or value == self._sts:
            return False
        self._sts = value
        if self._settings.tls:
            renew(self._hooks.policies, self._settings, value, self._clock.now())
            return False
        self._upgrade = upgrade(value)
        if self._upgrade is not None:
            self.link.lost("it demands TLS")
        return self._upgrade is not None

    def _on_privmsg(self, line: Line) -> None:
        self._hooks.hear(self, line)
