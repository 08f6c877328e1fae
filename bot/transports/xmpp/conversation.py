"""What people say to the bot, on its way to the road and back; it outlives a single session."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from bot.core.address import Addressed, addressed, named
from bot.model import Message, Place, Remark
from bot.ports import Clock, Incidents, Road
from bot.transports.lines import clean
from bot.transports.manner import Manner
from bot.transports.queues import Queues, Turn
from bot.transports.xmpp.answers import Addresses, Answers
from bot.transports.xmpp.delivery import Delivery, Target
from bot.transports.xmpp.pictures import Pictures
from bot.transports.xmpp.session import Session
from bot.transports.xmpp.stanzas import BODY, Said, error, parted, room_codes, said

LONGEST = 10_000
"""Signs of a message that is read; a longer one is answered with a refusal."""

_ACTION = "/me "
_TOO_LONG = f"That is too long for me: at most {LONGEST:,} signs."
_CORRECTED = "A correction runs nothing: say it as a new message."
_SLOWLY = "Slowly: too many commands wait, I leave out what comes now."


@dataclass(frozen=True, slots=True)
class _Heard:
    """A message to the bot: from which full address, in which room if in one, and who that really is."""

    session: Session
    sender: str
    said: Addressed
    marks: Said
    real: str
    room: str = ""


@dataclass(frozen=True, slots=True)
class _Spoken:
    heard: _Heard
    message: Message


@dataclass(slots=True)
class Conversation:
    """Hands messages to the road, each person's in order, and brings replies; counts what it leaves out."""

    road: Road
    manner: Manner
    clock: Clock
    incidents: Incidents
    current: Callable[[], Session | None]
    pictures: Pictures = field(default_factory=Pictures)
    chatter: int = 0
    ignored: int = 0
    dropped: int = 0
    queues: Queues[_Spoken] = field(init=False)
    _telling: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.queues = Queues(self._converse, self.incidents)

    async def close(self) -> None:
        """End everything that is still under way: the bot leaves."""
        await self.queues.close()

    def hear(self, session: Session, stanza: Element) -> None:
        """Take a <message/>; what is not for the bot is left at the first glance."""
        sender, kind = stanza.get("from", ""), stanza.get("type", "normal")
        bare, resource = parted(sender)
        if kind == "groupchat":
            if bare in session.places:
                self._in_room(session, stanza, bare, resource)
        elif kind == "error":
            session.receipts.failed(stanza.get("id", ""), sender, error(stanza)[0])
        elif kind in {"chat", "normal"}:
            self._directly(session, stanza, sender)

    def _in_room(self, session: Session, stanza: Element, bare: str, nick: str) -> None:
        body = stanza.findtext(BODY) or ""
        if not nick:
            session.muc.configured(bare, room_codes(stanza))
        elif session.muc.is_me(bare, nick):
            session.receipts.reflected(stanza.get("id", ""), bare)
        elif body:
            found = addressed(body, nick=session.muc.nick_in(bare), prefix=self.manner.prefix, direct=False)
            if found is not None:
                real = parted(session.muc.real(bare, nick))[0]
                self._admit(_Heard(session, f"{bare}/{nick}", found, said(stanza), real, bare))
                return
            self.chatter += 1
            if self.road.listens(session.places[bare]):
                self._overhear(session, bare, nick, body, said(stanza))

    def _overhear(self, session: Session, bare: str, nick: str, body: str, marks: Said) -> None:
        """Hand on what was said to others, line by line; neither history nor what was said anew."""
        if marks.delayed or marks.corrects or marks.retracts or marks.forwards:
            return
        action = body.startswith(_ACTION)
        for line in body.removeprefix(_ACTION)[:LONGEST].splitlines():
            text = clean(line).strip()
            if text:
                those = named(text, lambda word: session.muc.has(bare, word))
                self.road.overhear(Remark(session.places[bare], clean(nick), text, action, those))

    def _directly(self, session: Session, stanza: Element, sender: str) -> None:
        bare, resource = parted(sender)
        body, marks = stanza.findtext(BODY) or "", said(stanza)
        aside = bare in session.places
        real = parted(session.muc.real(bare, resource))[0] if aside else bare
        mine = session.muc.is_me(bare, resource) if aside else bare == session.own
        found = addressed(body, nick=session.muc.nick, prefix=self.manner.prefix, direct=True)
        if not body or found is None:
            return
        if mine or "@" not in bare or (aside and not resource):
            self.ignored += 1
            return
        if not aside and not marks.delayed:
            session.people.spoke(bare, sender)
        self._admit(_Heard(session, sender, found, marks, real))

    def _admit(self, heard: _Heard) -> None:
        marks = heard.marks
        if marks.corrects or marks.retracts or marks.forwards:
            self.ignored += 1
            if marks.corrects and not (marks.retracts or marks.forwards or marks.delayed):
                self._turn_away(heard, _CORRECTED)
            return
        key = heard.real or heard.sender
        if not self.queues.reserve(key, bounded=heard.session.turns.pace is not None):
            self.dropped += 1
            if self.queues.is_first_refused(key):
                self.queues.spawn(self._refuse(heard, _SLOWLY))
        elif len(heard.said.text) > LONGEST:
            self.queues.release(key)
            self._turn_away(heard, _TOO_LONG)
        else:
            self.queues.put(key, _Spoken(heard, self._message(heard)))

    def _message(self, heard: _Heard) -> Message:
        session, (bare, resource) = heard.session, parted(heard.sender)
        nick, by = clean(resource), session.own
        place = Place(session.network, bare, direct=True)
        if heard.room:
            place, by = session.places[heard.room], heard.room
        elif bare in session.places:
            place = Place(session.network, clean(heard.sender), direct=True)
        else:
            nick = clean(bare.partition("@")[0])
        return Message(
            place=place,
            nick=nick,
            text=clean(heard.said.text),
            at=self.clock.now(),
            identity=session.identity(heard.real),
            stamp=heard.marks.stamp(by),
            replayed=heard.marks.delayed,
            named=heard.said.named,
        )

    def _turn_away(self, heard: _Heard, text: str) -> None:
        """Tell somebody why nothing comes of it; whoever is being told such a thing already hears it once."""
        if heard.sender not in self._telling:
            self._telling.add(heard.sender)
            telling = asyncio.ensure_future(self._refuse(heard, text))
            telling.add_done_callback(lambda _: self._telling.discard(heard.sender))
            self.queues.spawn(telling)

    async def _refuse(self, heard: _Heard, text: str) -> None:
        answers = self._answers(heard, self._message(heard), lambda: None)
        found = answers.addresses()
        if found is not None and found[1].here is not None:
            line = f"{answers.message.nick}: {text}" if heard.room else text
            await found[0].deliver(found[1].here, (line,), f"slow down {heard.sender}")

    async def _converse(self, turn: Turn[_Spoken]) -> None:
        heard, message = turn.item.heard, turn.item.message
        answers = self._answers(heard, message, turn.pass_on)
        reply = await self.road.handle(message, answers.report)
        given = await answers.give(reply)
        self.dropped += not given

    def _answers(self, heard: _Heard, message: Message, pass_on: Callable[[], None]) -> Answers:
        found, spawn = self._addresses(heard), self.queues.spawn
        return Answers(message, self.manner, self.clock, found, spawn, pass_on, self.pictures)

    def _addresses(self, heard: _Heard) -> Callable[[], tuple[Delivery, Addresses] | None]:
        """Return what finds where the answers go.

        What is for one person alone goes to their real address, where it is known; to a nick only as long as
        it cannot have become another's.
        """
        bare, nick = parted(heard.sender)
        in_muc = bare in heard.session.places
        nicked = heard.session.occupant(heard.session.places[bare].name, nick) if in_muc else None

        def find() -> tuple[Delivery, Addresses] | None:
            session = self.current()
            if session is None:
                return None
            alone: Target | None = Target(heard.real or heard.sender)
            if in_muc and not heard.real:
                alone = nicked if session is heard.session else None
            here: Target | None = Target(heard.sender)
            if heard.room:
                here = session.room(session.places[heard.room].name)
            elif in_muc:
                here = nicked if session is heard.session else alone
            return session.delivery, Addresses(here, alone)

        return find
