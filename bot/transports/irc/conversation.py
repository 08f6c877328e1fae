"""What people say to the bot, on its way to the road and back; it outlives a single connection."""

import asyncio
import contextlib
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any

from bot.core.address import Addressed, addressed
from bot.model import Identity, IdentityKind, Message, Place, Reply
from bot.ports import Clock, Incidents, Road
from bot.transports.irc.answers import Answers, Manner
from bot.transports.irc.channels import fold_account, known
from bot.transports.irc.line import Line
from bot.transports.irc.session import Session
from bot.transports.lines import clean

EACH, ALL = 32, 256
"""Commands of one nick, and of all, that may be under way; more are dropped and counted."""

REMEMBERED = 500
"""Accounts of which we know by which nick they last spoke."""


@dataclass(frozen=True, slots=True)
class _Heard:
    line: Line
    said: Addressed
    room: str | None


@dataclass(slots=True)
class Conversation:
    """Hands messages to the road, each nick's in order, and brings the replies; counts what it leaves out."""

    road: Road
    manner: Manner
    clock: Clock
    incidents: Incidents
    current: Callable[[], Session | None]
    chatter: int = 0
    ignored: int = 0
    dropped: int = 0
    nicks: OrderedDict[str, str] = field(default_factory=OrderedDict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _busy: Counter[str] = field(default_factory=Counter)
    _unproven: dict[str, deque[_Heard]] = field(default_factory=dict)

    def hear(self, session: Session, line: Line) -> None:
        """Take a PRIVMSG; what is not for the bot is left at the first glance."""
        world = session.world
        target, text = line.param(0), line.param(1)
        if world.is_me(line.nick):
            session.delivery.receipts.echoed(target, text)
            return
        direct = world.is_me(target)
        said = None
        if not text.startswith("\x01"):
            said = addressed(text, nick=world.nicks.current, prefix=self.manner.prefix, direct=direct)
        if said is None:
            self.chatter += 1
        elif not line.userhost or line.tag("bot") is not None:
            self.ignored += 1
        else:
            room = target if world.isupport.is_channel(target) else None
            self._admit(session, _Heard(line, said, room))

    async def close(self) -> None:
        """End everything that is still under way: the bot leaves."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _admit(self, session: Session, heard: _Heard) -> None:
        key = session.world.fold(heard.line.nick)
        if self._busy[key] >= EACH or self._busy.total() >= ALL:
            self.dropped += 1
            return
        self._busy[key] += 1
        if "account-tag" in session.world.caps.acked:
            account = fold_account(known(heard.line.tag("account") or ""))
            session.world.channels.learned(heard.line.nick, account or "*")
            self._hand_over(session, heard, account)
        elif key in self._unproven:
            self._unproven[key].append(heard)
        else:
            self._unproven[key] = deque([heard])
            self._spawn(self._prove(session, key))

    async def _prove(self, session: Session, key: str) -> None:
        queue = self._unproven[key]
        try:
            while queue:
                asked = len(queue)  # one answer is good for all that was said before it was asked for
                proof = await session.delivery.whois.ask(queue[0].line.nick)
                for heard in [queue.popleft() for _ in range(asked)]:
                    sure = proof is not None and proof.userhost == heard.line.userhost
                    self._hand_over(session, heard, proof.account if proof and sure else "")
        finally:
            del self._unproven[key]
            self._forget(key, len(queue))

    def _hand_over(self, session: Session, heard: _Heard, account: str) -> None:
        world, line, now = session.world, heard.line, self.clock.now()
        identity = Identity(world.network, IdentityKind.IRC_ACCOUNT, account) if account else None
        place = Place(world.network, clean(line.nick), direct=True)
        if heard.room is not None:
            place = Place(world.network, world.rooms.spelled(heard.room))
        message = Message(
            place=place,
            nick=clean(line.nick),
            text=clean(heard.said.text),
            at=world.history.at(line, now),
            identity=identity,
            stamp=line.tag("msgid") or None,
            replayed=world.history.replayed(line, now),
            named=heard.said.named,
        )
        if account:
            self._remember(account, message.nick)
        self._spawn(self._converse(session, message, world.fold(line.nick)))

    async def _converse(self, session: Session, message: Message, key: str) -> None:
        try:
            with self._answers(session, message, self.clock.monotonic()) as answers:
                reply = await self.road.handle(message, answers.report)
                given = await answers.give(reply) if session.is_up else await self._give_later(message, reply)
            self.dropped += not given
        finally:
            self._forget(key, 1)

    async def _give_later(self, message: Message, reply: Reply) -> bool:
        """Answer over the connection that we have now; a nick that proved nothing may be another's there."""
        session = self.current()
        if session is None or (message.identity is None and (message.place.direct or reply.private)):
            return False
        with self._answers(session, message, None) as answers:
            return await answers.give(reply)

    @contextlib.contextmanager
    def _answers(self, session: Session, message: Message, proven_at: float | None) -> Iterator[Answers]:
        with contextlib.ExitStack() as stack:
            guard = None
            if message.identity is not None:
                watch = session.delivery.guard(message.nick, message.identity.subject, proven_at)
                guard = stack.enter_context(watch)
            yield Answers(message, self.manner, self.clock, session.delivery, guard, self._spawn)

    def _remember(self, account: str, nick: str) -> None:
        self.nicks[account] = nick
        self.nicks.move_to_end(account)
        if len(self.nicks) > REMEMBERED:
            self.nicks.popitem(last=False)

    def _forget(self, key: str, count: int) -> None:
        self._busy[key] -= count
        if not self._busy[key]:
            del self._busy[key]

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.incidents.report(error, during="answering on IRC")
