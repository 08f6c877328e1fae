"""Lines on their way out: clean, split, in their turn, and to a person only while it is surely that one."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.config import Pace
from bot.transports.irc.line import Line
from bot.transports.irc.proofs import Watch, Whois
from bot.transports.irc.receipts import ERRORS, Receipt, Receipts
from bot.transports.irc.world import Handlers, World
from bot.transports.lines import clean, split
from bot.transports.pace import Turns
from bot.transports.race import within

FRESH = 10.0
"""Seconds for which a proof is good while nothing speaks against it."""

CONFIRMED = 30.0
"""Seconds that the server has for confirming what was sent."""

_TRIES = 3
_TARGET = re.compile("[^\x00-\x20,:][^\x00-\x20,]*")


@dataclass(slots=True)
class Guard:
    """Knows whether a nick is proven to have a folded account; `proven_at` is by the monotonic clock."""

    world: World
    whois: Whois
    nick: str
    account: str
    watch: Watch
    proven_at: float | None = None
    _seen: int = field(init=False)

    def __post_init__(self) -> None:
        self._seen = self.watch.changes

    def another(self) -> "Guard":
        """Return one that knows the same, and can be doubted by itself."""
        made = Guard(self.world, self.whois, self.nick, self.account, self.watch, self.proven_at)
        made._seen = self._seen  # what changed since the proof, not since now
        return made

    def holds(self) -> bool:
        """Tell whether the proof is still good, without asking anybody."""
        known = self.world.holds(self.nick, self.account)
        if known is not None:
            return known
        now = self.world.clock.monotonic()
        unchanged = self.watch.changes == self._seen
        return unchanged and self.proven_at is not None and now - self.proven_at < FRESH

    def doubt(self) -> None:
        """Forget the proof, so that it is asked for anew."""
        self.proven_at = None

    async def prove(self) -> bool:
        """Make sure, by asking the server where it does not keep us informed."""
        if self.holds():
            return True
        if self.world.holds(self.nick, self.account) is not None:
            return False
        self._seen = self.watch.changes
        proof = await self.whois.ask(self.nick)
        self.proven_at = self.world.clock.monotonic() if proof and proof.account == self.account else None
        return self.holds()


@dataclass(slots=True)
class Delivery:
    """Sends to rooms and nicks; `send` puts one raw line on the wire, `writable` tells that it takes more."""

    world: World
    send: Callable[[str], None]
    pace: Pace | None
    writable: asyncio.Event
    turns: Turns = field(init=False)
    receipts: Receipts = field(init=False)
    whois: Whois = field(init=False)

    def __post_init__(self) -> None:
        self.turns = Turns(self.world.clock, self.pace)
        self.receipts = Receipts(self.world.fold)
        self.whois = Whois(self.world.clock, self.world.fold, self._send_in_turn)

    @property
    def handlers(self) -> Handlers:
        """What the server says about what was sent or asked."""
        whois = dict.fromkeys(("311", "312", "330", "318"), self._on_whois)
        return {"PONG": self._on_pong, **dict.fromkeys(ERRORS, self._on_error), **whois}

    def guard(self, nick: str, account: str, proven_at: float | None = None) -> Guard:
        """Watch that a nick stays who it is, from now on."""
        return Guard(self.world, self.whois, nick, account, self.whois.watch(nick), proven_at)

    def pieces(self, lines: Sequence[str], *targets: str) -> tuple[str, ...]:
        """Return the lines cleaned and split so that each piece fits a line to any of these targets."""
        limit = min(map(self.world.room_for, targets))
        return tuple(
            piece
            for line in lines
            for part in line.splitlines()
            for piece in split(clean(part), limit)
            if piece.strip()
        )

    async def deliver(
        self,
        target: str,
        pieces: Sequence[str],
        lane: str,
        *,
        guard: Guard | None = None,
        receipt: Receipt | None = None,
    ) -> bool:
        """Send pieces in their turns, not mixed with others of that lane; False if not all were sent."""
        if not _TARGET.fullmatch(target):
            return False
        size = self.turns.largest
        async with self.turns.lock(lane):
            for start in range(0, len(pieces), size):
                if not await self._chunk(target, pieces[start : start + size], lane, guard, receipt):
                    return False
        return True

    async def confirm(self, target: str, pieces: Sequence[str], *, guard: Guard | None = None) -> bool:
        """Send pieces and wait until the server has surely taken them; never raises for what it does."""
        receipt = self.receipts.open()
        if not await self.deliver(
            target, pieces, f"say {self.world.fold(target)}", guard=guard, receipt=receipt
        ):
            return False
        self.send(f"PING {self.receipts.ping(receipt)}")
        try:
            return await within(self.world.clock, CONFIRMED, asyncio.shield(receipt.arrived))
        except TimeoutError:
            receipt.settle(outcome=False)
            return False

    def ping(self) -> None:
        """Ask the server for a sign of life."""
        self.send(f"PING {self.receipts.ping()}")

    def close(self) -> None:
        """Let everybody go who waits for something: the connection is lost."""
        self.turns.close()
        self.receipts.close()
        self.whois.close()

    async def _chunk(
        self, target: str, chunk: Sequence[str], lane: str, guard: Guard | None, receipt: Receipt | None
    ) -> bool:
        for _ in range(_TRIES):
            if guard and not await guard.prove():
                return False
            if not await self.turns.turn(lane, len(chunk)):
                return False
            await self.writable.wait()
            if guard is None or guard.holds():
                for piece in chunk:
                    self.receipts.sent(target, piece, receipt)
                    self.send(f"PRIVMSG {target} :{piece}")
                return True
        return False

    async def _send_in_turn(self, text: str) -> bool:
        if not await self.turns.turn(text):
            return False
        self.send(text)
        return True

    def _on_pong(self, line: Line) -> None:
        self.world.history.measure(line, self.world.clock.now())
        self.receipts.ponged(line.param(-1), echoes="echo-message" in self.world.caps.acked)

    def _on_error(self, line: Line) -> None:
        self.receipts.failed(line.param(1))

    def _on_whois(self, line: Line) -> None:
        self.whois.feed(line.command, line.param(1), line.params[2:])
