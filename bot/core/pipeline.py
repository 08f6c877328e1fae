"""The road of a message: every one takes the same named steps.

identify → find the command → role half of the rule → convert the words → resource half of the rule → check
and ask, where it must be confirmed → audit (asked) → run → audit (outcome) → reply.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, cast

from bot.coop.people import Role, Standing
from bot.core import phrases, possible
from bot.core.binding import Services, inject
from bot.core.claims import claimed
from bot.core.confirm import render
from bot.core.ears import Ears
from bot.core.errand import Asked, Counts, Errand
from bot.core.hub import enact
from bot.core.invoke import Hands, outlived, within
from bot.core.jobs import Job, Jobs
from bot.core.offers import Catalogue
from bot.core.questions import Proceed, Questions
from bot.core.registry import Bound, Registry
from bot.core.sentry import Sentry
from bot.core.speakers import Crowded, Speakers, Turn
from bot.errors import Conflict, NotAllowed, Refusal
from bot.model import Actor, Call, Identity, Message, Notice, Offer, Outcome, Place, Remark, Reply
from bot.ports import Book, Clock, Incidents, Report, Roster, Store

LATE = 10.0
"""Seconds after which an answer goes through the outbox: its speaker may have left meanwhile."""

CONVERT_SECONDS = 10.0
"""How long the words of a line may take to be looked up."""

_HOUR = 3600.0
CALL_SERVICES = frozenset[type]({Message, Actor, Call, Report})
"""What is injected anew for each call."""


@dataclass(slots=True, kw_only=True, repr=False)
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
    sentry: Sentry
    hands: Hands
    ears: Ears
    hints: dict[str, str] = field(default_factory=dict)
    busy: dict[str, str] = field(default_factory=dict)
    counts: Counts | None = None
    told_history: dict[tuple[str, str], float] = field(default_factory=dict)
    tasks: set["asyncio.Task[object]"] = field(default_factory=set)

    async def handle(self, message: Message, report: Report) -> Reply:
        """Take a message to its reply.

        When the waiting transport goes away, the command goes on, and its answer goes through the outbox.
        """
        if message.replayed:
            return self._history(message)
        errand = Errand(message, report)
        return await outlived(self._travel(errand), self._spawn, lambda reply: self._later(errand, reply))

    def listens(self, place: Place) -> bool:
        """Tell whether a plugin wants what is said in that room to others."""
        return place in self.registry.ears

    def overhear(self, remark: Remark) -> None:
        """Hand a remark to the plugins that listen there."""
        self.ears.overhear(remark)

    async def offers(self, identity: Identity | None) -> tuple[Offer, ...]:
        """Return what the holder of an identity may use, as forms want it; nothing where that fails."""
        network, name = (identity.network, identity.subject) if identity else ("", "")
        message = Message(Place(network, name, direct=True), name, "", self.clock.now(), identity)
        try:
            actor = await self.identify(message)
            services = self._services(Call(message, actor))
            return await Catalogue(self.registry, actor, services, self.clock, self.incidents).offers()
        except Exception as error:  # noqa: BLE001 - without offers people still have the commands in chat
            self.incidents.report(error, during=f"offering commands to {identity or 'a guest'}")
            return ()

    async def close(self) -> None:
        """End what still runs, at the bot's end."""
        await self.ears.close()
        while self.tasks:
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _watch(self, look: Coroutine[Any, Any, None]) -> None:
        """Let the sentry look at what was refused, while its speaker is answered."""

        async def watch() -> None:
            try:
                await look
            except Exception as error:  # noqa: BLE001 - the speaker's answer does not depend on it
                self.incidents.report(error, during="the watch over who is refused")

        self._spawn(watch())

    def _history(self, message: Message) -> Reply:
        """Leave undone what was said while the bot was away; its sender is told once an hour."""
        key, now = (message.place.network, message.nick), self.clock.monotonic()
        self.told_history = {who: at for who, at in self.told_history.items() if now - at < _HOUR}
        if self.registry.find(message.text) is None or key in self.told_history:
            return Reply()
        self.told_history[key] = now
        return phrases.AWAY

    async def _travel(self, errand: Errand) -> Reply:
        message, began = errand.message, self.clock.monotonic()
        if self.counts is not None:
            self.counts.heard(message.place.network)
        found = self.registry.find(message.text)
        if found is None and not (message.named or self.registry.knows_first_word(message.text)):
            return Reply()
        try:
            async with self.speakers.turn(_identity(message)) as turn:
                reply = await self._answer(errand, found, turn)
        except Crowded as crowd:
            return Reply.of(str(crowd))
        except Exception as error:  # noqa: BLE001 - whatever broke, the person is answered and the bot stays
            reply = self._faulted(error, errand, found[0].name if found else "an unknown command")
        if self.counts is not None:
            plugin, took = found[0].declared.plugin if found else "", self.clock.monotonic() - began
            self.counts.answered(message.place.network, plugin, errand.outcome, took)
        return await self._later(errand, reply) if self.clock.monotonic() - began > LATE else reply

    async def identify(self, message: Message) -> Actor:
        """Look up whose identity this is; a suspended member is a guest with a name."""
        member = await self.roster.holder(message.identity) if message.identity else None
        if member is None or member.standing is not Standing.GOOD:
            return Actor(member, Role.GUEST)
        return Actor(member, member.role)

    async def _answer(self, errand: Errand, found: tuple[Bound, str] | None, turn: Turn) -> Reply:
        message = errand.message
        errand.actor = actor = await self.identify(message)
        person = actor.member.name if actor.member else _identity(message)
        pace = await self.speakers.pace(person, message.place.network)
        if found is None:
            errand.outcome = "unknown"
            return Reply.of(phrases.unknown(self.registry, message, actor))
        errand.sealed = bool(found[0].declared.private)
        asked = Asked(*found, errand, turn, pace, message, actor)
        try:
            answer = await self._take(asked)
        except Refusal as refusal:
            self.book.note(asked.refused(str(refusal)))
            answer = refusal
        if isinstance(answer, Refusal):
            errand.outcome = "refused"
            self._watch(self.sentry.refused(asked, answer))
        return _saying(answer)

    async def _take(self, asked: Asked) -> Reply | Refusal:
        call = await self._check(asked)
        asked = asked.converted(call)
        declared, limit = asked.bound.declared, asked.bound.limit
        if limit is not None and (wait := asked.pace.use(declared.name, limit, self.clock.monotonic())):
            raise NotAllowed(f"{declared.name} may be used {limit}; again in {wait} s.")
        if declared.confirm is not None:
            await self._check_possible(asked, call)
            return self._ask(asked, call, declared.confirm)
        return await self._run(asked, call)

    async def _check(self, asked: Asked) -> Call:
        """Both halves of the rule, with the conversion between them."""
        bound, actor, place = asked.bound, asked.actor, asked.message.place
        if not bound.allow.may(actor):
            raise NotAllowed(self._why(asked))
        if bound.declared.rooms is not None and not place.direct and str(place) not in bound.declared.rooms:
            raise NotAllowed(f"{bound.name} is not for this room.")
        work = bound.converter.convert(asked.line, self._services(Call(asked.message, actor)))
        if bound.converter.helpers:
            work = within(self.clock, CONVERT_SECONDS, work, f"the words of {bound.name}")
        values = await work
        if not bound.allow.allows(actor, values):
            raise NotAllowed(self._why(asked))
        return Call(asked.message, actor, values)

    async def _check_possible(self, asked: Asked, call: Call) -> None:
        """Let the command's own check refuse: before the question, and again after its yes."""
        await possible.check(asked.bound, call, self._services(call), self.hands, self.clock)

    def _why(self, asked: Asked) -> str:
        return phrases.forbidden(asked.bound, asked.actor, self.hints.get(asked.message.place.network, ""))

    def _ask(self, asked: Asked, call: Call, template: str) -> Reply:
        declared = asked.bound.declared
        second = declared.second is not None and declared.second.allows(call.actor, call.values)
        text, now = render(template, call.values), self.clock.now()
        question = self.questions.ask(call, declared.name, asked.line, text, second=second, now=now)
        self.book.note(asked.entry("question", f"{question.number}: {question.text}"))
        return phrases.asking(question)

    async def _run(self, asked: Asked, call: Call, approved: str = "") -> Reply | Refusal:
        """Run a command; a refusal that it raises is written down here, and returned."""
        with claimed(self.busy, asked.bound.declared, call):
            ref = await self._audit_asked(asked, approved)
            if ref is None:
                self._watch(self.sentry.again(asked))
                return Reply()
            try:
                if approved:
                    await self._check_possible(asked, call)
                result = await self._work(asked, call)
                outcome, shown = Outcome(), "answered"
                if not isinstance(result, Proceed):
                    outcome = Outcome.of(cast("str | Reply | Outcome | None", result))
                    shown = "".join(outcome.reply.lines[:1])
                if outcome.notices or outcome.events:
                    await self.store.write(lambda tx: enact(tx, outcome))
            except Refusal as refusal:
                await self._audit_end(asked, "refused", str(refusal), ref)
                return refusal
            except BaseException as error:
                await self._audit_end(asked, "failed", type(error).__name__, ref)
                raise
            await self._audit_end(asked, "done", "" if outcome.reply.private else shown, ref)
        return await self._proceed(result, asked) if isinstance(result, Proceed) else outcome.reply

    async def _audit_asked(self, asked: Asked, approved: str) -> int | None:
        if asked.bound.declared.reads:
            return 0
        return await self.book.write(asked.entry("asked", approved), stamp=None if approved else asked.stamp)

    async def _audit_end(self, asked: Asked, kind: str, outcome: str, ref: int) -> None:
        shown = "" if asked.bound.declared.private and kind != "failed" else outcome
        if asked.bound.declared.reads:
            self.book.note(asked.entry(kind, shown))
        else:
            await self.book.write(asked.entry(kind, shown, ref))

    async def _work(self, asked: Asked, call: Call) -> object:
        declared, message = asked.bound.declared, asked.message

        async def work(tracked: Report) -> object:
            services = {**self._services(call), Report: tracked}
            given = {**inject(asked.bound.signature, services), **call.values}
            return await self.hands.invoke(declared.plugin, declared.handler, given)

        async def report(part: float, text: str) -> None:
            try:
                await asked.errand.report(part, text)
            except Exception as error:  # noqa: BLE001 - who cannot be told how far it is shall not undo the work
                self.incidents.report(error, during=f"telling how far {declared.name} is", private=True)

        job = Job(declared.name, asked.about, call, message.at)
        release = asked.turn.release
        return await self.jobs.run(job, work, report, timeout=declared.timeout, promoted=release)

    async def _proceed(self, decided: Proceed, answer: Asked) -> Reply | Refusal:
        """Take a confirmed command up again: look up, convert and check anew, as things may have changed."""
        question, before = decided.question, decided.question.call
        bound = self.registry.command(question.command)
        answer.errand.sealed = bool(bound.declared.private)
        actor = await self.identify(before.message)
        asked = replace(answer, bound=bound, line=question.words, message=before.message, actor=actor)
        call = await self._check(asked)
        if call.values != before.values or call.actor.member != before.actor.member:
            raise Conflict(f"{bound.name}: it changed since you asked; look, and ask again.")
        asked = asked.converted(call)
        result = await self._run(asked, call, approved=f"yes of {decided.by}")
        return await self._share(result, asked, answer) if question.second else result

    async def _share(self, result: Reply | Refusal, asked: Asked, answer: Asked) -> Reply:
        """Tell both who asked and who said yes; what is private is only for who asked."""
        reply, sealed = _saying(result), answer.errand.sealed
        if not (reply.private or sealed) and answer.message.place == asked.message.place:
            return reply
        done = "Not done in spite of" if isinstance(result, Refusal) else "Done with"
        short = Reply.of(f"{done} {answer.actor}'s yes: {asked.about}.")
        told = Errand(asked.message, asked.errand.report, asked.actor)
        await self._later(told, short if sealed else reply)
        return short if reply.private or sealed else reply

    def _services(self, call: Call) -> Services:
        return {**self.services, Call: call, Message: call.message, Actor: call.actor}

    def _faulted(self, error: Exception, errand: Errand, name: str) -> Reply:
        during = f"{name} at {errand.message.place}"
        number = self.incidents.report(error, during=during, private=errand.sealed)
        errand.outcome = "failed"
        return Reply.of(f"That went wrong; the admins can look up {number}.")

    async def _later(self, errand: Errand, reply: Reply) -> Reply:
        """Put an answer into the outbox; return what of it must be said at once, or not at all."""
        place, member = errand.message.place, errand.actor.member
        to = member if member and (place.direct or reply.private) else place
        shown = isinstance(reply.picture, bytes)  # of a chart the lines say all
        if not reply.lines or shown or errand.sealed or (reply.private and to == place):
            return reply
        first = reply.lines[0] if to != place or place.direct else f"{errand.message.nick}: {reply.lines[0]}"
        notice = Notice(to, (first, *reply.lines[1:]))
        try:
            await self.store.write(lambda tx: tx.notice(notice))
        except Exception as error:  # noqa: BLE001 - then it is said at once, as if it were not late
            self.incidents.report(error, during="putting a late answer into the outbox")
            return reply
        return Reply()


def _identity(message: Message) -> object:
    """Tell speakers apart: by what the network proves, else by what it calls them."""
    return message.identity or (message.place.network, message.nick)


def _saying(answer: Reply | Refusal) -> Reply:
    return answer if isinstance(answer, Reply) else Reply.of(str(answer) or "No.")
