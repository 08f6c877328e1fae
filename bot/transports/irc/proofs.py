"""Asking the server who holds a nick at this moment: WHOIS, and what makes its answer void.

Only numeric 330 (`is logged in as`) proves an account; 307 says nothing of which. An answer belongs to one
question, and is void when the nick changed hands while it was on its way.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from bot.ports import Clock
from bot.transports.irc.channels import fold_account

DEADLINE = 5.0
"""Seconds that a WHOIS may take."""

OVERDUE, PENDING = 3, 256
"""Answers for one nick that may be overdue, and questions in all, before no more is asked."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What WHOIS said: the folded account, empty for none, user@host, and which server they are on."""

    account: str
    userhost: str
    server: str = ""


@dataclass(slots=True, eq=False, weakref_slot=True)
class Watch:
    """Counts how often a nick may have changed hands; one for all who watch that nick."""

    changes: int = 0


@dataclass(slots=True, eq=False)
class _Question:
    answer: asyncio.Future[Proof | None]
    watch: Watch
    seen: int
    account: str = ""
    userhost: str = ""
    server: str = ""

    def give_up(self) -> None:
        """Wait no longer; the late answer still takes its place in the queue."""
        if not self.answer.done():
            self.answer.set_result(None)


@dataclass(slots=True)
class Whois:
    """Questions by folded nick, answered in their order; `send` sends one line when its turn comes."""

    clock: Clock
    fold: Callable[[str], str]
    send: Callable[[str], Awaitable[bool]]
    _open: dict[str, deque[_Question]] = field(default_factory=dict)
    _watches: WeakValueDictionary[str, Watch] = field(default_factory=WeakValueDictionary)

    async def ask(self, nick: str) -> Proof | None:
        """Return who holds the nick now; None if nobody, or if it did not come out in time or undoubtedly."""
        key = self.fold(nick)
        queue = self._open.get(key, ())
        if len(queue) >= OVERDUE or len(self._open) >= PENDING:
            return None
        watch = self.watch(nick)
        seen = watch.changes
        if not await self.send(f"WHOIS {nick}"):
            return None
        question = _Question(asyncio.get_running_loop().create_future(), watch, seen)
        self._open.setdefault(key, deque()).append(question)
        timer = asyncio.ensure_future(self.clock.sleep(DEADLINE))
        timer.add_done_callback(lambda _: question.give_up())
        try:
            return await question.answer  # and nothing else: each command's first words wait for this
        finally:
            timer.cancel()

    def watch(self, nick: str) -> Watch:
        """Watch a nick for as long as the watch is kept: whatever voids it is counted."""
        key = self.fold(nick)
        watch = self._watches.get(key)
        if watch is None:
            watch = self._watches[key] = Watch()
        return watch

    def void(self, nick: str) -> None:
        """Note that whoever had or got this nick may be another now."""
        if watch := self._watches.get(self.fold(nick)):
            watch.changes += 1

    def feed(self, code: str, nick: str, words: tuple[str, ...]) -> None:
        """Take one of 311, 312, 330 and 318 with the nick and the parameters behind it."""
        key = self.fold(nick)
        if not (queue := self._open.get(key)):
            return
        question = queue[0]
        match code:
            case "311" if len(words) > 1:
                question.userhost = f"{words[0]}@{words[1]}"
            case "312" if words:
                question.server = words[0]
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
            question.watch.changes += 1
            self._close(question)
        self._open.clear()

    def _close(self, question: _Question) -> None:
        if question.answer.done():
            return
        void = question.watch.changes != question.seen or not question.userhost
        question.answer.set_result(
            None if void else Proof(question.account, question.userhost, question.server)
        )
