"""How a motion is named in a line: by its number, or not at all where only one can be meant."""

from dataclasses import dataclass, field
from typing import ClassVar

from bot import About, Entropy, NotFound, Policies, Roster, Schedule, Store, Usage, quoted
from plugins.votes.declared import plugin
from plugins.votes.desk import Desk
from plugins.votes.motion import Motion, Stage

_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Which:
    """The motion that a command is about; `word` is a first word that was no number, so that none was named.

    Whether there is one of that number is for the command to find out, in its own transaction.
    """

    number: int
    word: str = ""
    desk: Desk = field(compare=False, kw_only=True)
    stages: ClassVar[tuple[Stage, ...]] = tuple(Stage)

    def __str__(self) -> str:
        return str(self.number)

    def rest(self, text: str) -> str:
        """Return the rest of the line, with the word that was no number."""
        return f"{self.word} {text}".strip()

    def alone(self) -> int:
        """Return the number; Usage for a word that is none."""
        if self.word:
            raise Usage(f"A motion has a number, not {quoted(self.word)}: !vote list tells it.")
        return self.number


class Seconding(Which):
    """One that waits for seconds."""

    stages = (Stage.SECONDING,)


class Early(Which):
    """One whose ballot is still to open."""

    stages = (Stage.DRAFT, Stage.SECONDING, Stage.DISCUSSION)


class Open(Which):
    """One that is open."""

    stages = (Stage.OPEN,)


class Ended(Which):
    """One that is closed."""

    stages = (Stage.CLOSED, Stage.APPEALED)


class Known(Which):
    """Any one; left out, the one that is under way."""

    stages = (Stage.DRAFT, Stage.SECONDING, Stage.DISCUSSION, Stage.OPEN)


def _declare(kind: type[Which]) -> None:
    def fits(motion: Motion) -> bool:
        return motion.stage in kind.stages

    async def candidates(
        *,
        store: Store,
        roster: Roster,
        policies: Policies,
        schedule: Schedule,
        entropy: Entropy,
        about: About,
    ) -> list[Which]:
        desk = Desk(store, roster, policies, schedule, entropy, about)
        return [kind(motion.number, desk=desk) for motion in await desk.motions() if fits(motion)]

    async def convert(
        word: str,
        *,
        store: Store,
        roster: Roster,
        policies: Policies,
        schedule: Schedule,
        entropy: Entropy,
        about: About,
    ) -> Which:
        desk = Desk(store, roster, policies, schedule, entropy, about)
        digits = word.removeprefix("#")
        if digits.isascii() and digits.isdigit():
            if len(digits) > _DIGITS:
                raise NotFound("There is no motion of that number; !vote list names them.")
            return kind(int(digits), desk=desk)
        found = [motion for motion in await desk.motions() if fits(motion)]
        if len(found) == 1:
            return kind(found[0].number, word, desk=desk)
        numbers = ", ".join(str(motion.number) for motion in found)
        which = f"say which of {numbers}" if found else "!vote list names them"
        raise Usage(f"{quoted(word)} is no motion's number: {which}.")

    plugin.converter(kind, candidates=candidates, example="7")(convert)


for _kind in (Seconding, Early, Open, Ended, Known):
    _declare(_kind)


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of motion, as somebody wrote it; whether there is one is for the rules to say."""

    name: str
    desk: Desk = field(compare=False, kw_only=True)

    def __str__(self) -> str:
        return self.name


async def kinds(
    *, store: Store, roster: Roster, policies: Policies, schedule: Schedule, entropy: Entropy, about: About
) -> list[Kind]:
    """Return all types of motions."""
    desk = Desk(store, roster, policies, schedule, entropy, about)
    return [Kind(name, desk=desk) for name in sorted(policies.book().rules)]


@plugin.converter(Kind, every=kinds, example="policy")
async def to_kind(
    word: str,
    *,
    store: Store,
    roster: Roster,
    policies: Policies,
    schedule: Schedule,
    entropy: Entropy,
    about: About,
) -> Kind:
    """Take a type of motion at its word."""
    return Kind(word.casefold(), desk=Desk(store, roster, policies, schedule, entropy, about))
