"""Commands that wait for a yes. They live in memory: a restart forgets them, harmlessly. Pure."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.coop.people import Role
from bot.errors import Expired, NotAllowed, NotFound
from bot.model import Actor, Call, Message, Question

OWN = timedelta(seconds=60)
"""How long the asker has."""

SECOND = timedelta(minutes=10)
"""How long another admin has."""

_MOST = 200
_KEPT_AFTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Proceed:
    """What `!yes` decides: the pipeline takes the question's command up again, checks it anew and runs it."""

    question: Question
    by: Actor


@dataclass(slots=True)
class Questions:
    """The open questions, numbered from 1."""

    opened: dict[int, Question] = field(default_factory=dict)
    count: int = 0

    def ask(
        self, call: Call, command: str, words: str, text: str, *, second: bool, now: datetime
    ) -> Question:
        """Open a question about a call; `words` is the line behind the command's name, as it was typed."""
        self._forget(now)
        self.count += 1
        expires = now + (SECOND if second else OWN)
        question = Question(self.count, command, text, call, words, second, expires)
        self.opened[question.number] = question
        return question

    def settle(self, number: int | None, message: Message, actor: Actor, now: datetime) -> Question:
        """Take the question that this message answers; it can be answered only once.

        Without a number it is one's own newest here. NotFound, NotAllowed or Expired where there is none that
        this speaker may answer.
        """
        question = self._own_newest(message) if number is None else self.opened.get(number)
        if question is None:
            raise NotFound(
                "Nothing waits for your yes." if number is None else f"There is no question {number}."
            )
        if now > question.expires:
            del self.opened[question.number]
            raise Expired(f"Question {question.number} has expired; ask again.")
        self._check(question, message, actor)
        del self.opened[question.number]
        return question

    def drop(self, number: int | None, message: Message, actor: Actor) -> Question:
        """Take back one's own question, or refuse one as an admin."""
        question = self._own_newest(message) if number is None else self.opened.get(number)
        if question is None:
            raise NotFound(
                "Nothing waits for your no." if number is None else f"There is no question {number}."
            )
        if not (_is_asker(question, message) or actor.role is Role.ADMIN):
            raise NotAllowed(f"Only {question.call.actor} or admins may answer question {question.number}.")
        del self.opened[question.number]
        return question

    def _check(self, question: Question, message: Message, actor: Actor) -> None:
        asker = question.call.actor.member
        if not question.second:
            if not _is_asker(question, message):
                raise NotAllowed(
                    f"Question {question.number} waits for {asker or question.call.message.nick}, there."
                )
            return
        if actor.member is None or actor.role is not Role.ADMIN:
            raise NotAllowed(f"Question {question.number} waits for the yes of another admin.")
        if asker is not None and actor.member.name == asker.name:
            raise NotAllowed(f"Question {question.number} waits for another admin's yes, not yours.")

    def _own_newest(self, message: Message) -> Question | None:
        own = [q for q in self.opened.values() if not q.second and _is_asker(q, message)]
        return max(own, key=lambda question: question.number, default=None)

    def _forget(self, now: datetime) -> None:
        for number in [n for n, q in self.opened.items() if now > q.expires + _KEPT_AFTER]:
            del self.opened[number]
        while len(self.opened) >= _MOST:
            del self.opened[min(self.opened)]


def _is_asker(question: Question, message: Message) -> bool:
    asked = question.call.message
    same_place = asked.place == message.place
    if asked.identity is None:
        return same_place and message.identity is None and asked.nick == message.nick
    return same_place and asked.identity == message.identity
