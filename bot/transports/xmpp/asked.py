"""Questions to others (<iq/>, RFC 6120, section 8.2.3) that wait for an answer, each for a while."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from bot.transports.xmpp.stanzas import error, ping

PATIENCE = 30.0
"""Seconds that an answer may take."""

Answered = Callable[[str | None], None]
"""Hears the condition of the error that came back, "" for none, None where nothing came."""


@dataclass(frozen=True, slots=True)
class _Question:
    to: str
    until: float
    answered: Answered
    whole: "asyncio.Future[Element | None] | None" = None


@dataclass(slots=True)
class Asked:
    """All that was asked and not answered yet; `prefix` begins every id, `now` is a monotonic clock."""

    prefix: str
    send: Callable[[Element], object]
    now: Callable[[], float]
    _count: int = 0
    _open: dict[str, _Question] = field(default_factory=dict)

    def ping(self, to: str, answered: Answered) -> None:
        """Ask somebody for a sign of life (XEP-0199)."""
        self.ask(lambda ident: ping(to, ident), to, answered)

    def ask(
        self,
        make: Callable[[str], Element],
        to: str,
        answered: Answered,
        whole: "asyncio.Future[Element | None] | None" = None,
    ) -> None:
        """Send what `make` makes of an id; `whole` gets the answer itself, if it is no error."""
        self._count += 1
        ident = f"{self.prefix}-q{self._count}"
        self._open[ident] = _Question(to, self.now() + PATIENCE, answered, whole)
        self.send(make(ident))

    async def fetch(self, make: Callable[[str], Element], to: str) -> Element | None:
        """Ask, and return the whole answer; None for an error, or where none came."""
        coming: asyncio.Future[Element | None] = asyncio.get_running_loop().create_future()

        def failed(condition: str | None) -> None:
            if condition != "" and not coming.done():
                coming.set_result(None)

        self.ask(make, to, failed, coming)
        return await coming

    def answer(self, stanza: Element) -> bool:
        """Take an <iq/>; False if it answers nothing that was asked here, or comes from somebody else."""
        ident = stanza.get("id", "")
        question = self._open.get(ident)
        if question is None or stanza.get("type") not in {"result", "error"}:
            return False
        if stanza.get("from", question.to) != question.to:
            return False
        del self._open[ident]
        if question.whole is not None and not question.whole.done() and stanza.get("type") == "result":
            question.whole.set_result(stanza)
        question.answered(error(stanza)[0] if stanza.get("type") == "error" else "")
        return True

    def tick(self, now: float) -> None:
        """Give up what took too long."""
        for ident in [ident for ident, question in self._open.items() if question.until <= now]:
            self._open.pop(ident).answered(None)

    def close(self) -> None:
        """Give up all: the stream's session is over."""
        for question in list(self._open.values()):
            question.answered(None)
        self._open.clear()
