"""Asking the server who holds a nick at this moment: WHOIS, and what makes its answer void.

Only numeric 330 (`is logged in as`) proves an account; 307 says nothing of which. An answer belongs to one
question, and is void when the nick changed hands while it was on its way.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from bot.ports import Clock
from bot.transports.irc.channels import fold_account
from bot.transports.irc.race import within

DEADLINE = 5.0
"""Seconds that a WHOIS may take."""

OVERDUE, PENDING = 3, 256
"""Answers for one nick that may be overdue, and questions in all, before no more is asked."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What WHOIS said: the folded account, empty for none, and user@host."""

    account: str
    userhost: str


@dataclass(slots=True, eq=False)
class Watch:
    """Tells whether a nick may have changed hands since the watch began."""

    void: bool = False


@dataclass(slots=True, eq=False)
class _Question:
    answer: asyncio.Future[Proof | None]
    watch: Watch
    account: str = ""
    userhost: str = ""


@dataclass(slots=True)
class Whois:
    """Questions by folded nick, answered in their order; `send` sends one line when its turn comes."""

    clock: Clock
    fold: Callable[[str], str]
    send: Callable[[str], Awaitable[bool]]
    _open: dict[str, deque[_Question]] = field(default_factory=dict)
    _watches: dict[str, set[Watch]] = field(default_factory=dict)

    async def ask(self, nick: str) -> Proof | None:
        """Return who holds the nick now; None if nobody, or if it did not come out in time or undoubtedly."""
        key = self.fold(nick)
        queue = self._open.get(key, ())
        if len(queue) >= OVERDUE or len(self._open) >= PENDING:
            return None
        with self.watching(nick) as watch:
            if not await self.send(f"WHOIS {nick}"):
                return None
            question = _Question(asyncio.get_running_loop().create_future(), watch)
            self._open.setdefault(key, deque()).append(question)
            try:
                return await within(self.clock, DEADLINE, question.answer)
            except TimeoutError:
                return None  # its late answer still takes the place in the queue

    @contextlib.contextmanager
    def watching(self, nick: str) -> Iterator[Watch]:
        """Watch a nick: whatever voids it meanwhile is noted."""
        watch, key = Watch(), self.fold(nick)
        self._watches.setdefault(key, set()).add(watch)
        try:
            yield watch
        finally:
            self._watches[key].discard(watch)
            if not self._watches[key]:
                del self._watches[key]

    def void(self, nick: str) -> None:
        """Note that whoever had or got this nick may be another now."""
        for watch in self._watches.get(self.fold(nick), ()):
            watch.void = True

    def feed(self, code: str, nick: str, words: tuple[str, ...]) -> None:
        """Take one of 311, 330 and 318 with the nick and the parameters behind it."""
        key = self.fold(nick)
        if not (queue := self._open.get(key)):
            return
        question = queue[0]
        match code:
            case "311" if len(words) > 1:
                question.userhost = f"{words[0]}@{words[1]}"
            case "330" if words:
                question.account = fold_account(words[0])
            case "318":
                queue.popleft()
                if not queue:
                    del self._open[key]
                self._close(question)
            case _:
                pass

    def close(self) -> None:
        """Answer nothing to all: the connection is lost."""
        for question in [question for queue in self._open.values() for question in queue]:
            question.watch.void = True
            self._close(question)
        self._open.clear()

    def _close(self, question: _Question) -> None:
        if question.answer.done():
            return
        void = question.watch.void or not question.userhost
        question.answer.set_result(None if void else Proof(question.account, question.userhost))
