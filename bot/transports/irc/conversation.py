"""What people say to the bot, on its way to the road and back; it outlives a single connection."""

import re
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.address import Addressed, addressed, named
from bot.model import Identity, IdentityKind, Message, Place, Remark, Reply
from bot.ports import Clock, Incidents, Road
from bot.transports.irc.answers import Answers
from bot.transports.irc.channels import fold_account, known
from bot.transports.irc.delivery import Guard
from bot.transports.irc.line import Line
from bot.transports.irc.session import Session
from bot.transports.irc.world import World
from bot.transports.lines import clean
from bot.transports.manner import Manner
from bot.transports.queues import Queues, Turn

REMEMBERED = 500
"""Accounts of which we know by which nick they last spoke."""

_SAID = re.compile("\x01ACTION (?P<did>[^\x01]*)\x01?|(?P<text>[^\x01].*)", re.DOTALL)
# of CTCP (https://modern.ircdocs.horse/ctcp) an action alone is talk; its end may have been cut off


@dataclass(frozen=True, slots=True)
class _Speaker:
    """Who was proven to speak, at the moment of the proof; `guard` knows whether that still holds."""

    session: Session
    identity: Identity | None = None
    guard: Guard | None = None


@dataclass(slots=True, eq=False)
class _Run:
    """Commands that came one after the other, alike in all but their words; `at` is when the first came.

    In a flood 20,000 wait for one proof: as objects of their own they took 4 MiB, as lines of one text 0.3.
    """

    source: str
    room: str | None
    named: bool
    stamp: str | None
    replayed: bool
    at: datetime
    speaker: _Speaker | None = None
    asked: bool = False
    count: int = 0
    _lines: bytearray = field(default_factory=bytearray)

    @property
    def nick(self) -> str:
        """Who said it."""
        return self.source.partition("!")[0]

    def is_for(self, line: Line, *, named: bool) -> bool:
        """Tell whether what a line says may be added, and a proof that is not asked for yet holds for it."""
        alike = self.source == line.source and self.named is named and self.room == line.param(0)
        return alike and not (self.asked or line.tags or self.stamp or self.replayed)

    def add(self, text: str) -> None:
        """Add the words of a command, which are one line."""
        self._lines += text.encode() + b"\n"
        self.count += 1

    def __iter__(self) -> Iterator["_Heard"]:
        begin = 0
        while (end := self._lines.find(b"\n", begin)) >= 0:
            yield _Heard(self, self._lines[begin:end].decode())
            begin = end + 1


@dataclass(slots=True, eq=False)
class _Heard:
    """A command whose turn it is."""

    run: _Run
    text: str


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
    queues: Queues[_Heard] = field(init=False)
    _unproven: dict[str, deque[_Run]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.queues = Queues(self._converse, self.incidents)

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
            if not direct:
                self._overhear(session, line)
        elif not line.userhost or line.tag("bot") is not None:
            self.ignored += 1
        else:
            self._admit(session, line, said)

    def _overhear(self, session: Session, line: Line) -> None:
        """Hand on what was said to others, where somebody listens; neither machines' words nor history."""
        world, said = session.world, _SAID.fullmatch(line.param(1))
        place = world.room(line.param(0))
        if place is None or said is None or not self.road.listens(place):
            return
        text = clean(said["did"] or said["text"] or "").strip()
        live = not world.history.replayed(line, self.clock.now())
        if text and live and line.userhost and line.tag("bot") is None:
            those = named(text, lambda word: world.channels.is_in(place.name, word))
            self.road.overhear(Remark(place, clean(line.nick), text, said["did"] is not None, those))

    async def close(self) -> None:
        """End everything that is still under way: the bot leaves."""
        await self.queues.close()

    def _admit(self, session: Session, line: Line, said: Addressed) -> None:
        key, text = session.world.fold(line.nick), clean(said.text)
        if not self.queues.reserve(key, bounded=session.delivery.pace is not None):
            self.dropped += 1
            if self.queues.is_first_refused(key):
                self.queues.spawn(self._refuse(session, self._begun(session.world, line, said)))
        elif "account-tag" in session.world.caps.acked:
            account = fold_account(known(line.tag("account") or ""))
            session.world.channels.learned(line.nick, account or "*")
            run = self._begun(session.world, line, said)
            run.speaker = self._speaker(session, line.nick, account)
            self.queues.put(key, _Heard(run, text))
        else:
            self._wait_for_proof(session, key, line, said).add(text)

    def _wait_for_proof(self, session: Session, key: str, line: Line, said: Addressed) -> _Run:
        """Return the run that a command of somebody unproven belongs to."""
        runs = self._unproven.get(key)
        if runs and runs[-1].is_for(line, named=said.named):
            return runs[-1]
        run = self._begun(session.world, line, said)
        if runs is not None:
            runs.append(run)
        else:
            self._unproven[key] = deque([run])
            self.queues.spawn(self._prove(session, key))
        return run

    def _begun(self, world: World, line: Line, said: Addressed) -> _Run:
        now, room = self.clock.now(), line.param(0)
        return _Run(
            source=line.source,
            room=room if world.isupport.is_channel(room) else None,
            named=said.named,
            stamp=line.tag("msgid") or None,
            replayed=world.history.replayed(line, now),
            at=world.history.at(line, now),
        )

    async def _refuse(self, session: Session, run: _Run) -> None:
        nick = run.nick
        text = "Slowly: too many commands wait, I leave out what comes now."
        target, text = (run.room, f"{clean(nick)}: {text}") if run.room else (nick, text)
        await session.delivery.deliver(
            target, session.delivery.pieces((text,), target), f"slow down {target}"
        )

    async def _prove(self, session: Session, key: str) -> None:
        runs = self._unproven[key]
        try:
            while runs:
                asked, runs[-1].asked = len(runs), True  # one answer is good for all that was said before
                proof = await session.delivery.whois.ask(runs[0].nick)
                speakers: dict[str, _Speaker] = {}
                for _ in range(asked):
                    run = runs.popleft()
                    if run.source not in speakers:
                        sure = proof is not None and proof.userhost == run.source.partition("!")[2]
                        account = proof.account if proof and sure else ""
                        speakers[run.source] = self._speaker(session, run.nick, account)
                    run.speaker = speakers[run.source]
                    self.queues.put_all(key, run)
        finally:
            del self._unproven[key]
            if runs:
                self.queues.release(key, sum(run.count for run in runs))

    def _speaker(self, session: Session, nick: str, account: str) -> _Speaker:
        if not account:
            return _Speaker(session)
        self._remember(account, clean(nick))
        identity = Identity(session.world.network, IdentityKind.IRC_ACCOUNT, account)
        return _Speaker(
            session, identity, session.delivery.guard(clean(nick), account, self.clock.monotonic())
        )

    async def _converse(self, turn: Turn[_Heard]) -> None:
        heard, speaker = turn.item, turn.item.run.speaker
        assert speaker is not None  # noqa: S101 - who is not proven yet is not in the queues
        session = speaker.session
        message = _message(session.world, heard, speaker)
        guard = speaker.guard.another() if speaker.guard else None
        answers = self._answers(session, message, guard, turn.pass_on)
        reply = await self.road.handle(message, answers.report)
        given = (
            await answers.give(reply)
            if session.is_up
            else await self._give_later(message, reply, turn.pass_on)
        )
        self.dropped += not given

    async def _give_later(self, message: Message, reply: Reply, pass_on: Callable[[], None]) -> bool:
        """Answer over the connection that we have now; a nick that proved nothing may be another's there."""
        session = self.current()
        if session is None or (message.identity is None and (message.place.direct or reply.private)):
            return False
        guard = session.delivery.guard(message.nick, message.identity.subject) if message.identity else None
        return await self._answers(session, message, guard, pass_on).give(reply)

    def _answers(
        self, session: Session, message: Message, guard: Guard | None, pass_on: Callable[[], None]
    ) -> Answers:
        return Answers(message, self.manner, self.clock, session.delivery, guard, self.queues.spawn, pass_on)

    def _remember(self, account: str, nick: str) -> None:
        self.nicks[account] = nick
        self.nicks.move_to_end(account)
        if len(self.nicks) > REMEMBERED:
            self.nicks.popitem(last=False)


def _message(world: World, heard: _Heard, speaker: _Speaker) -> Message:
    run = heard.run
    nick = clean(run.nick)
    place = Place(world.network, nick, direct=True)
    if run.room is not None:
        place = Place(world.network, world.rooms.spelled(run.room))
    return Message(
        place=place,
        nick=nick,
        text=heard.text,
        at=run.at,
        identity=speaker.identity,
        stamp=run.stamp,
        replayed=run.replayed,
        named=run.named,
    )
