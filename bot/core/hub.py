"""Hands events to their handlers and questions to those who can answer; a bad one is contained."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar, cast

from bot.coop.events import Event
from bot.coop.questions import Inquiry
from bot.core.binding import inject
from bot.core.invoke import Hands, name_of, within
from bot.core.registry import Heard, Registry
from bot.errors import Fault
from bot.model import Outcome
from bot.ports import Clock, Incidents, Store, Tx

A = TypeVar("A")
EVENT_SECONDS = 30.0
ANSWER_SECONDS = 5.0


@dataclass(slots=True)
class Hub:
    """Events and questions between plugins; `services` is what their functions are given."""

    registry: Registry
    services: Mapping[type, object]
    store: Store
    clock: Clock
    incidents: Incidents
    hands: Hands

    async def dispatch(self, event: Event) -> None:
        """Run every handler of an event, side by side; each outcome is written in one transaction.

        Faults name the plugins; they are raised once all handlers have ended.
        """
        heard = [h for h in self.registry.listeners if isinstance(event, h.subject)]
        results = await asyncio.gather(*(self._handle(h, event) for h in heard), return_exceptions=True)
        faults = [result for result in results if isinstance(result, BaseException)]
        if len(faults) > 1:
            raise BaseExceptionGroup("; ".join(str(fault) for fault in faults), faults)
        if faults:
            raise faults[0]

    async def __call__(self, question: Inquiry[A]) -> tuple[A, ...]:
        """Ask everybody who can answer; those that fail or are slow are reported and left out."""
        heard = [h for h in self.registry.answerers if isinstance(question, h.subject)]
        answers = await asyncio.gather(*(self._answer(h, question) for h in heard))
        return tuple(cast("A", answer) for answer in answers if answer is not None)

    async def _handle(self, heard: Heard, event: Event) -> None:
        try:
            result = await self._invoke(heard, event, EVENT_SECONDS)
            outcome = Outcome.of(cast("Outcome | None", result))
            if outcome.notices or outcome.events:
                await self.store.write(lambda tx: enact(tx, outcome))
        except Exception as error:
            what = f"plugin {heard.plugin} handling {type(event).__name__}"
            raise Fault(f"{what}: {type(error).__name__}: {error}") from error

    async def _answer(self, heard: Heard, question: Inquiry[A]) -> object:
        try:
            return await self._invoke(heard, question, ANSWER_SECONDS)
        except Exception as error:  # noqa: BLE001 - one plugin's failure must not take the others' answers away
            self.incidents.report(error, during=f"plugin {heard.plugin} answering {type(question).__name__}")
            return None

    async def _invoke(self, heard: Heard, subject: object, seconds: float) -> object:
        given = inject(heard.signature, {**self.services, heard.subject: subject})
        work = self.hands.invoke(heard.plugin, heard.handler, given)
        return await within(self.clock, seconds, work, name_of(heard.handler))


def enact(tx: Tx, outcome: Outcome) -> None:
    """Write an outcome's notices and events."""
    for notice in outcome.notices:
        tx.notice(notice)
    for event in outcome.events:
        tx.event(event)
