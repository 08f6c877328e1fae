"""The road of a message: every one takes the same named steps.

identify → find the command → role half of the rule → convert the words → resource half of the rule → ask,
where it must be confirmed → audit (asked) → run → audit (outcome) → reply.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import cast

from bot.coop.machines import Machine
from bot.coop.people import Role, Standing
from bot.core.binding import Services, inject
from bot.core.confirm import render
from bot.core.hub import enact
from bot.core.invoke import invoke
from bot.core.jobs import Job, Jobs
from bot.core.masking import masked
from bot.core.questions import Proceed, Questions
from bot.core.registry import Bound, Registry
from bot.core.speakers import Crowded, Speakers, Turn
from bot.core.words import quoted
from bot.errors import Conflict, NotAllowed, Refusal
from bot.model import Actor, Call, Message, Notice, Outcome, Place, Reply
from bot.ports import Book, Clock, Entry, Incidents, Report, Roster, Store

LATE = 10.0
"""Seconds after which an answer goes through the outbox: its speaker may have left meanwhile."""

_HOUR = 3600.0
_PER_CALL = (Message, Actor, Call, Report)
CALL_SERVICES = frozenset[type](_PER_CALL)
"""What is injected anew for each call."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A command on the road: `line` is what stood behind its name."""

    bound: Bound
    line: str
    message: Message
    actor: Actor

    @property
    def words(self) -> str:
        """The line as it may be shown."""
        return masked(self.line, self.bound.signature, self.bound.declared.private)

    def entry(self, kind: str, outcome: str = "", ref: int | None = None) -> Entry:
        """Return its row for the audit book."""
        message = self.message
        who = self.actor.member.name if self.actor.member else ""
        identity = str(message.identity) if message.identity else message.nick
        return Entry(kind, who, self.bound.name, self.words, identity, str(message.place), outcome, ref)


@dataclass(slots=True)
class Pipeline:
    """Takes each message to its reply, and never raises.

    `hints` says, by network, how one proves oneself there.
    """

    registry: Registry
    services: Services
    clock: Clock
    roster: Roster
    store: Store
    book: Book
    incidents: Incidents
    speakers: Speakers
    questions: Questions
    jobs: Jobs
    hints: dict[str, str] = field(default_factory=dict)
    busy: dict[str, str] = field(default_factory=dict)
    told_history: dict[tuple[str, str], float] = field(default_factory=dict)
    tasks: set["asyncio.Task[Reply]"] = field(default_factory=set)

    async def handle(self, message: Message, report: Report) -> Reply:
        """Take a message to its reply.

        When the waiting transport goes away, the command goes on, and its answer goes through the outbox.
        """
        if message.replayed:
            return self._history(message)
        task = asyncio.create_task(self._handle(message, report))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(lambda done: self._orphaned(message, done))
            raise

    def _orphaned(self, message: Message, done: "asyncio.Task[Reply]") -> None:
        if not done.cancelled() and done.result().lines and not done.result().private:
            later = asyncio.ensure_future(self._later(message, Actor(), done.result()))
            later.add_done_callback(lambda task: task.cancelled() or task.exception())

    def _history(self, message: Message) -> Reply:
        """Leave undone what was said while the bot was away; its sender is told once an hour."""
        key, now = (message.place.network, message.nick), self.clock.monotonic()
        recent = {who: at for who, at in self.told_history.items() if now - at < _HOUR}
        self.told_history = recent
        if self.registry.find(message.text) is None or key in recent:
            return Reply()
        recent[key] = now
        return Reply(("I was away when you said that, so I left it undone; say it again.",), private=True)

    async def _handle(self, message: Message, report: Report) -> Reply:
        found = self.registry.find(message.text)
        if found is None and not (message.named or self.registry.knows_first_word(message.text)):
            return Reply()
        began = self.clock.monotonic()
        key = message.identity or (message.place.network, message.nick)
        actor = Actor()
        try:
            async with self.speakers.turn(key, message.place.network) as turn:
                actor = await self.identify(message)
                if found is None:
                    return self._unknown(message, actor)
                asked = _Asked(*found, message, actor)
                reply = await self._answer(asked, turn, report)
        except Crowded as crowd:
            return Reply.of(str(crowd) or None)
        except Exception as error:  # noqa: BLE001 - whatever broke, the person is answered and the bot stays
            return self._faulted(error, message, found[0] if found else None)
        late = self.clock.monotonic() - began > LATE and bool(reply.lines)
        if late and not found[0].declared.private and not reply.private:
            return await self._later(message, actor, reply)
        return reply

    async def identify(self, message: Message) -> Actor:
        """Look up whose identity this is; a suspended member is a guest with a name."""
        member = await self.roster.holder(message.identity) if message.identity else None
        if member is None or member.standing is not Standing.GOOD:
            return Actor(member, Role.GUEST)
        return Actor(member, member.role)

    async def _answer(self, asked: _Asked, turn: Turn, report: Report) -> Reply:
        try:
            outcome = await self._take(asked, turn, report)
        except Refusal as refusal:
            self.book.note(asked.entry("refused", str(refusal) if not asked.bound.declared.private else ""))
            return Reply((str(refusal),))
        return outcome.reply

    async def _take(self, asked: _Asked, turn: Turn, report: Report) -> Outcome:
        call = await self._check(asked)
        declared = asked.bound.declared
        if asked.bound.limit is not None:
            wait = turn.speaker.use(declared.name, asked.bound.limit, self.clock.monotonic())
            if wait:
                raise NotAllowed(f"{declared.name} may be used {asked.bound.limit}; again in {wait} s.")
        if declared.confirm is not None:
            return self._ask(asked, call)
        return await self._run(asked, call, turn, report)

    async def _check(self, asked: _Asked) -> Call:
        """Both halves of the rule, with the conversion between them."""
        bound, actor, place = asked.bound, asked.actor, asked.message.place
        if not bound.allow.may(actor):
            raise NotAllowed(self.why(bound, actor, place))
        if bound.declared.rooms is not None and not place.direct and str(place) not in bound.declared.rooms:
            raise NotAllowed(f"{bound.name} is not for this room.")
        bare = Call(asked.message, actor)
        values = await bound.converter.convert(asked.line, self._services(bare))
        if not bound.allow.allows(actor, values):
            raise NotAllowed(self.why(bound, actor, place))
        return Call(asked.message, actor, values)

    def why(self, bound: Bound, actor: Actor, place: Place) -> str:
        """Name the rule that refuses, and how to prove oneself."""
        text = f"Only {bound.allow} may {bound.name}"
        if actor.member is not None and actor.member.standing is not Standing.GOOD:
            return f"{text}; you are {actor.member.standing.value}."
        if actor.member is None:
            hint = self.hints.get(place.network)
            how = f"first {hint}, then !whoami" if hint else "see !whoami"
            return f"{text}, and to me you are a guest: {how}."
        return f"{text}."

    def _ask(self, asked: _Asked, call: Call) -> Outcome:
        declared = asked.bound.declared
        second = declared.second is not None and declared.second.allows(call.actor, call.values)
        text = render(declared.confirm or "", call.values)
        question = self.questions.ask(call, declared.name, asked.line, text, second=second)
        self.book.note(asked.entry("question", f"{question.number}: {text}"))
        if second:
            return Outcome.of(f"{text} It needs another admin's yes: !yes {question.number} within 10 min.")
        return Outcome.of(f"{text} Say !yes within 60 s.")

    async def _run(
        self, asked: _Asked, call: Call, turn: Turn, report: Report, approved: str = ""
    ) -> Outcome:
        declared = asked.bound.declared
        with _Claims(self.busy, asked, call):
            ref = await self._audit_asked(asked, approved)
            if ref is None:
                return Outcome()
            try:
                outcome = await self._work(asked, call, turn, report)
            except Refusal as refusal:
                await self._audit_end(asked, "refused", "" if declared.private else str(refusal), ref)
                raise
            except BaseException as error:
                await self._audit_end(asked, "failed", type(error).__name__, ref)
                raise
            if outcome.notices or outcome.events:
                await self.store.write(lambda tx: enact(tx, outcome))
            shown = "" if declared.private or outcome.reply.private else " ".join(outcome.reply.lines[:1])
            await self._audit_end(asked, "done", shown, ref)
            return outcome

    async def _audit_asked(self, asked: _Asked, approved: str) -> int | None:
        if asked.bound.declared.reads:
            return 0
        stamp = asked.message.stamp
        key = f"{asked.message.identity or asked.message.nick} {stamp}" if stamp else None
        return await self.book.write(asked.entry("asked", approved), stamp=None if approved else key)

    async def _audit_end(self, asked: _Asked, kind: str, outcome: str, ref: int) -> None:
        if asked.bound.declared.reads:
            self.book.note(asked.entry(kind, outcome))
        else:
            await self.book.write(asked.entry(kind, outcome, ref))

    async def _work(self, asked: _Asked, call: Call, turn: Turn, report: Report) -> Outcome:
        declared = asked.bound.declared

        async def work(tracked: Report) -> object:
            services = {**self._services(call), Report: tracked}
            return await invoke(declared.handler, {**inject(asked.bound.signature, services), **call.values})

        job = Job(declared.name, call, asked.message.at)
        timeout = declared.timeout
        result = await self.jobs.run(job, work, report, timeout=timeout, promoted=turn.release)
        if isinstance(result, Proceed):
            return await self._proceed(result, turn, report, call)
        return Outcome.of(cast("str | Reply | Outcome | None", result))

    async def _proceed(self, decided: Proceed, turn: Turn, report: Report, answer: Call) -> Outcome:
        """Take a confirmed command up again: look up, convert and check anew, as things may have changed."""
        question = decided.question
        asked_call = question.call
        actor = await self.identify(asked_call.message)
        asked = _Asked(self.registry.commands[question.command], question.words, asked_call.message, actor)
        call = await self._check(asked)
        if call.values != asked_call.values or call.actor.member != asked_call.actor.member:
            raise Conflict(f"{asked.bound.name}: it changed since you asked; look, and ask again.")
        outcome = await self._run(asked, call, turn, report, approved=f"yes of {decided.by}")
        if answer.message.place == asked_call.message.place:
            return outcome
        told = Notice(asked_call.message.place, outcome.reply.lines)
        return replace(outcome, notices=(told,)) if told.lines else outcome

    def _services(self, call: Call) -> Services:
        return {**self.services, Call: call, Message: call.message, Actor: call.actor}

    def _unknown(self, message: Message, actor: Actor) -> Reply:
        prefix = self.registry.prefix
        if not message.text:
            return Reply.of(f"Yes? {prefix}help tells what you may ask.")
        near = self.registry.nearest(message.text, actor)
        mean = f"did you mean {prefix}{near.name}?" if near else f"{prefix}help tells what there is."
        said = " ".join(message.text.split()[:2])
        return Reply.of(f"I know no {quoted(said)}; {mean}")

    def _faulted(self, error: Exception, message: Message, bound: Bound | None) -> Reply:
        name = bound.name if bound else "an unknown command"
        private = bool(bound and bound.declared.private)
        number = self.incidents.report(error, during=f"{name} at {message.place}", private=private)
        return Reply.of(f"That went wrong; the admins can look up {number}.")

    async def _later(self, message: Message, actor: Actor, reply: Reply) -> Reply:
        to = actor.member if message.place.direct and actor.member else message.place
        lines = (
            reply.lines if message.place.direct else (f"{message.nick}: {reply.lines[0]}", *reply.lines[1:])
        )
        await self.store.write(lambda tx: tx.notice(Notice(to, lines)))
        return Reply()

    async def close(self, release: Callable[[], None] = lambda: None) -> None:
        """End what still runs, at the bot's end."""
        for task in tuple(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        release()


class _Claims:
    """Claims the machines that a command changes, so that no two mix; a Conflict names the other."""

    def __init__(self, busy: dict[str, str], asked: _Asked, call: Call) -> None:
        self.busy, self.what = busy, f"{asked.bound.name} by {call.actor}"
        changes = asked.bound.declared.exclusive and not asked.bound.declared.reads
        self.names = [v.name for v in call.values.values() if isinstance(v, Machine)] if changes else []

    def __enter__(self) -> None:
        for name in self.names:
            if name in self.busy:
                raise Conflict(f"{name} is busy with {self.busy[name]}; wait, or see !jobs.")
        self.busy.update(dict.fromkeys(self.names, self.what))

    def __exit__(self, *_: object) -> None:
        for name in self.names:
            self.busy.pop(name, None)
