"""An IRC network as a Transport: one connection at a time, what is said on it, and what we say."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from bot.config import IrcNetwork
from bot.errors import TransportFault
from bot.model import Identity, IdentityKind, Place, Relayed
from bot.ports import Clock, Incidents, LinkStatus, Road
from bot.transports.chatter import Chatter
from bot.transports.irc.caps import WANTED, Caps
from bot.transports.irc.channels import fold_account
from bot.transports.irc.conversation import Conversation
from bot.transports.irc.delivery import Delivery
from bot.transports.irc.ecdsa import signer
from bot.transports.irc.nickserv import Words
from bot.transports.irc.sasl import Mechanism, available
from bot.transports.irc.session import Hooks, Session
from bot.transports.irc.sts import MemoryPolicies, StsPolicies, Upgrade, enforced, secured
from bot.transports.irc.world import World
from bot.transports.lines import cap, clean, hush
from bot.transports.manner import Manner
from bot.transports.nicks import NickKeeper
from bot.transports.pace import CHATTER

_MORE = "…"


class IrcTransport:
    """Implements `bot.ports.Transport` for one `[networks.NAME]` of kind "irc".

    `nick` is the one that we want; `password` logs in to `settings.account`, if both are there. `policies`
    remembers which servers demand TLS; without it that is forgotten at the end of the process.
    """

    def __init__(  # noqa: PLR0913 - the composition root names them all
        self,
        name: str,
        settings: IrcNetwork,
        *,
        nick: str,
        prefix: str,
        road: Road,
        clock: Clock,
        password: str | None,
        room_lines: int,
        direct_lines: int,
        incidents: Incidents,
        policies: StsPolicies | None = None,
    ) -> None:
        self._name = name
        self._settings = settings
        self._nick = nick
        self._clock = clock
        self._password = password
        self._direct_lines = direct_lines
        self._incidents = incidents
        self._policies = policies or MemoryPolicies()
        self._session: Session | None = None
        self._down = "not connected yet"
        manner = Manner(prefix, room_lines, direct_lines)
        self.chatter = Chatter[str]()
        self.conversation = Conversation(road, manner, clock, incidents, self._up)

    @property
    def network(self) -> str:
        """The name of the network in the config."""
        return self._name

    @property
    def bad_lines(self) -> int:
        """How many lines of this connection could not be read, were too long, or made us stumble."""
        return self._session.link.bad_lines if self._session else 0

    async def serve(self, up: Callable[[], None]) -> None:
        """Hold one connection until it is lost, see `bot.ports.Transport`."""
        try:
            settings = enforced(self._settings, self._policies, self._clock.now())
            try:
                await self._hold(settings, up)
            except Upgrade as demand:
                await self._hold(secured(settings, demand.port), up)
        except TransportFault as fault:
            self._down = str(fault)
            raise
        except asyncio.CancelledError:
            self._down = "left"
            await self.conversation.close()
            raise

    async def _hold(self, settings: IrcNetwork, up: Callable[[], None]) -> None:
        account, password = settings.account, self._password
        wanted = (*WANTED, "sasl") if account else WANTED
        world = World(self._name, self._clock, NickKeeper(self._nick), settings.rooms, Caps(wanted))
        sign = signer(settings.ecdsa_key) if settings.ecdsa_key else None
        login = partial(self._mechanisms, sign) if account else None
        words = Words(account, password) if account and password is not None else None
        hooks = Hooks(self.conversation.hear, self._relay, up, self._incidents, self._policies)
        self._session = Session(world, settings, login, words, hooks)
        await self._session.run()

    async def _relay(self, delivery: Delivery) -> None:
        """Say what waits to be passed on, for as long as the connection lasts."""

        async def say(room: str, line: str) -> bool:
            return await delivery.deliver(room, _one_piece(line, delivery.world.room_for(room)), CHATTER)

        await self.chatter.run(say)

    async def say(self, place: Place, lines: Sequence[str]) -> bool:
        """Deliver lines to a room that we are in, or to a nick; True once the server has taken them."""
        session = self._up()
        if session is None or place.network != self._name:
            return False
        if not place.direct and session.world.fold(place.name) not in session.world.inside:
            return False
        pieces = session.delivery.pieces(lines, place.name)
        return await session.delivery.confirm(place.name, cap(pieces, self._direct_lines))

    async def tell(self, identity: Identity, lines: Sequence[str]) -> bool:
        """Deliver lines to a nick that holds the account, proven now; False if nobody does."""
        session = self._up()
        if session is None or identity.network != self._name or identity.kind is not IdentityKind.IRC_ACCOUNT:
            return False
        account = fold_account(identity.subject)
        for nick in self._candidates(session, account):
            guard = session.delivery.guard(nick, account)
            if await guard.prove():
                pieces = cap(session.delivery.pieces(lines, nick), self._direct_lines)
                return await session.delivery.confirm(nick, pieces, guard=guard)
        return False

    async def leave_word(self, identity: Identity, lines: Sequence[str]) -> bool:  # noqa: ARG002 - whoever, whatever
        """Return that it was not taken: an IRC server keeps nothing for who is away."""
        return False

    def pass_on(self, relayed: Relayed) -> bool:
        """Say a relayed line if that can be done soon, see `bot.ports.Transport`."""
        session, place = self._up(), relayed.to
        if session is None or place.direct or place.network != self._name:
            return self.chatter.drop()
        if session.world.fold(place.name) not in session.world.inside:
            return self.chatter.drop()
        here = [nick for nick in relayed.hushed if session.world.channels.is_in(place.name, nick)]
        return self.chatter.put(place.name, hush(relayed.line, here))

    def show(self, text: str) -> None:
        """Show nothing: IRC has no status line but for those who are away."""

    def status(self) -> LinkStatus:
        """Return what this connection is like now."""
        session = self._session
        if session is None or session.link.closed.done():
            return LinkStatus(self._name, up=False, detail=self._down, dropped=self.chatter.dropped)
        return replace(session.status(), dropped=self.chatter.dropped)

    def _up(self) -> Session | None:
        return self._session if self._session and self._session.is_up else None

    def _candidates(self, session: Session, account: str) -> tuple[str, ...]:
        """Return who may hold the account, the likeliest first: who spoke last, is seen to, is a namesake."""
        last = self.conversation.nicks.get(account)
        found = session.world.channels.holders(account)
        first = (last,) if last and (not found or last in found) else ()
        names = dict.fromkeys((*first, *found, account))
        return tuple(name for name in names if name and " " not in name)

    def _mechanisms(self, sign: Callable[[bytes], bytes] | None) -> list[Mechanism]:
        certificate = self._settings.client_certificate is not None
        nonce = secrets.token_urlsafe(24)
        account = self._settings.account or ""
        found = available(account, self._password, nonce, certificate=certificate, sign=sign)
        order: Sequence[str] = self._settings.mechanisms or tuple(found)
        return [found[name] for name in order if name in found]


def _one_piece(line: str, limit: int) -> tuple[str, ...]:
    """Return a line as one piece: the next would have lost the mark that tells whose words they are."""
    text = clean(line)
    said = text.encode(errors="replace")
    if len(said) > limit:
        text = said[: limit - len(_MORE.encode())].decode(errors="ignore") + _MORE
    return (text,) if text.strip() else ()
