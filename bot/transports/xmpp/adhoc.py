"""Commands by form (XEP-0050): what a form says is the line that one would type, on the same road.

So permission, confirmation and the audit book's rows are those of chat. A dialog belongs to the full address
that began it, and is forgotten after a while.
"""

import asyncio
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element

from bot.core.offers import line
from bot.errors import Usage
from bot.model import Identity, Message, Offer, Place, Reply
from bot.ports import Clock, Road
from bot.transports.race import within
from bot.transports.xmpp import forms
from bot.transports.xmpp.forms import Request

DIALOGS, EACH, LASTS = 200, 10, 600.0
"""How many dialogs are remembered, how many of them of one person, and for how many seconds."""

AT_ONCE = 5
"""How many requests of one person are worked on at a time."""

PATIENCE = 20.0
"""Seconds that a client waits for an answer; a later one comes as a message."""

_NAME = re.compile(r"[a-z][a-z0-9-]*( [a-z][a-z0-9-]*)?")
_GOES_ON = "It goes on; I tell you in a message how it ends."


@dataclass(frozen=True, slots=True)
class Asker:
    """Who fills a form in: the full address it comes from, and who the network proves that to be.

    `still` tells whether that address is the same person's: a nick in a room may have become another's.
    """

    address: str
    bare: str
    identity: Identity | None
    still: Callable[[], bool] = lambda: True


@dataclass(frozen=True, slots=True)
class _Dialog:
    """What a session id stands for: a form for an offer, or the question of that number."""

    address: str
    bare: str
    until: float
    node: str
    offer: Offer | None = None
    question: int = 0


@dataclass(slots=True)
class AdHoc:
    """Takes what clients ask about commands.

    `send` puts a stanza on the wire, `tell` says a reply to an asker wherever they are now, `own` is ours.
    """

    network: str
    road: Road
    clock: Clock
    own: Callable[[], str]
    send: Callable[[Element], object]
    tell: Callable[[Asker, Reply], Coroutine[Any, Any, object]]
    spawn: Callable[[Coroutine[Any, Any, None]], None]
    dialogs: "OrderedDict[str, _Dialog]" = field(default_factory=OrderedDict)
    busy: dict[str, int] = field(default_factory=dict)

    def take(self, stanza: Element, asker: Asker) -> bool:
        """Take an <iq/>; False if it is not about commands."""
        asked = forms.request(stanza)
        about = forms.asks_for(stanza) if asked is None else None
        if asked is None and (about is None or not (about[1] == forms.NODE or _NAME.fullmatch(about[1]))):
            return False
        if self.busy.get(asker.bare, 0) >= AT_ONCE:
            self.send(forms.refusal(stanza, "resource-constraint"))
        elif about is not None and about[0] == forms.INFO:
            self.send(forms.described(stanza, about[1]))
        else:
            work = self._list(stanza, asker) if asked is None else self._step(stanza, asker, asked)
            self.busy[asker.bare] = self.busy.get(asker.bare, 0) + 1  # at once: many may come in one turn
            self.spawn(self._counted(asker, work))
        return True

    async def _counted(self, asker: Asker, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        finally:
            self.busy[asker.bare] -= 1
            if not self.busy[asker.bare]:
                del self.busy[asker.bare]

    async def _list(self, stanza: Element, asker: Asker) -> None:
        self._answer(asker, forms.listed(stanza, self.own(), await self.road.offers(asker.identity)))

    def _answer(self, asker: Asker, answer: Element) -> None:
        """Answer who asked, never who has their nick by now."""
        if asker.still():
            self.send(answer)

    async def _step(self, stanza: Element, asker: Asker, asked: Request) -> None:
        dialog = self._found(asker, asked.session)
        if asked.session and (dialog is None or dialog.node != asked.node):
            self.send(forms.refusal(stanza, "bad-request"))
        elif not _NAME.fullmatch(asked.node):
            self.send(forms.refusal(stanza, "item-not-found"))
        elif asked.action in {"cancel", "prev"}:
            await self._give_up(stanza, asker, asked, dialog)
        elif dialog is not None and dialog.question:
            word = "yes" if forms.agrees(asked.values) else "no"
            await self._say(stanza, asker, asked.node, f"{word} {dialog.question}")
        else:
            offer = dialog.offer if dialog else await self._offer(asker, asked.node)
            await self._fill(stanza, asker, asked, offer)

    async def _offer(self, asker: Asker, node: str) -> Offer | None:
        return next((o for o in await self.road.offers(asker.identity) if o.command == node), None)

    async def _give_up(self, stanza: Element, asker: Asker, asked: Request, dialog: _Dialog | None) -> None:
        if dialog is not None and dialog.question:
            await self.road.handle(self._message(asker, f"no {dialog.question}"), _silent)
        self.send(forms.cancelled(stanza, asked.node, asked.session))

    async def _fill(self, stanza: Element, asker: Asker, asked: Request, offer: Offer | None) -> None:
        """Ask for the parameters, or go on with those that came; what is not offered gets its refusal."""
        if offer is None:
            await self._say(stanza, asker, asked.node, asked.node)
        elif offer.reads and not asked.submits and not any(part.required for part in offer.fields):
            await self._say(stanza, asker, asked.node, asked.node, offer)
        elif offer.fields and not asked.submits:
            session = self._remember(asker, asked.node, offer=offer)
            self._answer(asker, forms.asking(stanza, session, offer))
        else:
            try:
                said = line(offer, _given(offer, asked.values))
            except Usage as wrong:
                session = self._remember(asker, asked.node, offer=offer)
                self._answer(asker, forms.asking(stanza, session, offer, str(wrong)))
            else:
                await self._say(stanza, asker, asked.node, said)

    async def _say(
        self, stanza: Element, asker: Asker, node: str, said: str, offer: Offer | None = None
    ) -> None:
        """Send a line down the road and the reply back, by message where the client would not wait for it."""
        work = asyncio.ensure_future(self.road.handle(self._message(asker, said), _silent))
        try:
            reply = await within(self.clock, PATIENCE, asyncio.shield(work))
        except TimeoutError:
            self._answer(asker, self._result(stanza, asker, node, Reply((_GOES_ON,))))
            await self.tell(asker, await work)
        else:
            if asker.still():
                self.send(self._result(stanza, asker, node, reply, offer))
            else:
                await self.tell(asker, reply)

    def _message(self, asker: Asker, text: str) -> Message:
        place = Place(self.network, asker.bare, direct=True)
        nick = asker.bare.partition("@")[0]
        return Message(place, nick, text, self.clock.now(), asker.identity, named=True)

    def _found(self, asker: Asker, session: str) -> _Dialog | None:
        """Return a dialog that is still open, and close it: each step begins the next one's."""
        now = self.clock.monotonic()
        for old in [key for key, dialog in self.dialogs.items() if dialog.until <= now]:
            del self.dialogs[old]
        dialog = self.dialogs.get(session)
        if dialog is None or dialog.address != asker.address:
            return None
        return self.dialogs.pop(session)

    def _remember(self, asker: Asker, node: str, *, offer: Offer | None = None, question: int = 0) -> str:
        session = secrets.token_urlsafe(12)
        until = self.clock.monotonic() + LASTS
        self.dialogs[session] = _Dialog(asker.address, asker.bare, until, node, offer, question)
        own = [key for key, dialog in self.dialogs.items() if dialog.bare == asker.bare]
        if len(own) > EACH:
            del self.dialogs[own[0]]
        elif len(self.dialogs) > DIALOGS:
            self.dialogs.popitem(last=False)
        return session

    def _result(
        self, stanza: Element, asker: Asker, node: str, reply: Reply, offer: Offer | None = None
    ) -> Element:
        """Return what a client is shown of a reply: a question as a form, all else as a note.

        Below the answer of what only reads stand the parameters of an `offer` that were left out so far.
        """
        text = "\n".join(reply.lines)
        if reply.question is not None:
            session = self._remember(asker, node, question=reply.question)
            return forms.confirming(stanza, node, session, text)
        if offer is not None and offer.fields:
            session = self._remember(asker, node, offer=offer)
            return forms.asking(stanza, session, offer, text, "info")
        return forms.done(stanza, node, secrets.token_urlsafe(12), text)


def _given(offer: Offer, values: Mapping[str, str]) -> dict[str, str]:
    return {part.name: values[part.name] for part in offer.fields if values.get(part.name)}


async def _silent(part: float, text: str) -> None:
    """Report to nobody: a form has no place for it."""
