"""A co-op that votes: members, rules, a clock moved by hand, and the life of one motion as records."""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.config.policies import read_folder
from bot.paths import share
from bot.testing import Chat
from bot.words import GENESIS, Role, VoteRules
from plugins.votes import ballots, deeds, rules
from plugins.votes.ballots import Spoken
from plugins.votes.due import due
from plugins.votes.electorate import Person
from plugins.votes.motion import Motion, Record, Stage, fold
from plugins.votes.rules import Deeds, Scene
from plugins.votes.written import chained
from tests.plugins.votes.talking import opened

START = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
OLD = START - timedelta(days=400)
NAMES = ("alice", "arthur", "ford", "marvin", "trillian", "zaphod")
BOOK = read_folder(share("policies"))
PRIVATE = Spoken(private=True)


@dataclass
class House:
    """Members, the clock, and the records of one motion; what a command returns is written and folded."""

    people: dict[str, Person]
    rules: dict[str, VoteRules] = field(default_factory=lambda: dict(BOOK.rules))
    now: datetime = START
    records: list[Record] = field(default_factory=list)
    sealed: dict[str, tuple[str, str]] = field(default_factory=dict)
    seed: str = "5eed"
    number: int = 7

    @property
    def motion(self) -> Motion:
        return fold(self.records)

    @property
    def scene(self) -> Scene:
        return Scene(
            now=self.now,
            rules=self.rules,
            standing=BOOK.standing,
            people=self.people,
            rules_digest=BOOK.digest,
            commitment=hashlib.sha256(self.seed.encode()).hexdigest(),
            seed=self.seed,
            head=self.records[-1].hash if self.records else GENESIS,
            sealed=self.sealed,
        )

    def person(self, name: str) -> Person:
        return self.people[name]

    def write(self, by: str, made: Deeds) -> Deeds:
        """Write what was decided; the chain goes on from the last record."""
        for deed in made:
            last = self.records[-1] if self.records else None
            at = self.motion.instant(self.now)
            new = chained(
                [Record(self.number, at, by, deed)], last.hash if last else GENESIS, last.seq if last else 0
            )
            self.records += new
        return made

    def propose(self, kind: str = "policy", by: str = "trillian", **fields: object) -> Motion:
        draft = deeds.Proposed(**{"kind": kind, "title": "Buy 8 GiB", "text": "As we swap.", **fields})  # type: ignore[arg-type]  # a test's own fields
        self.write(by, rules.propose(draft, self.person(by), self.scene))
        return self.tick()

    def second(self, *names: str) -> Motion:
        for name in names or ("arthur",):
            self.write(name, rules.second(self.motion, self.person(name), self.scene))
        return self.tick()

    def tick(self, after: timedelta = timedelta()) -> Motion:
        """Let time pass, and do what has come due."""
        self.now += after
        while made := due(self.motion, self.scene):
            self.write("", made)
        return self.motion

    def opened(self, kind: str = "policy", by: str = "trillian", **fields: object) -> Motion:
        """Bring a motion to its ballot."""
        motion = self.propose(kind, by, **fields)
        while motion.stage is Stage.SECONDING:
            left = [name for name in NAMES if name not in {by, motion.subject, *motion.seconders}]
            motion = self.second(left[0])
        if motion.stage is Stage.DISCUSSION and motion.discussed_until:
            motion = self.tick(motion.discussed_until - self.now)
        assert motion.stage is Stage.OPEN
        return motion

    def vote(self, name: str, words: str, how: Spoken = PRIVATE, reason: str = "", key: str = "") -> Deeds:
        token = key or f"token of {name} for {words}"
        motion = self.motion
        made = ballots.vote(motion, self.person(name), words, how, self.scene, reason=reason, token=token)
        if motion.is_secret:
            self.sealed[name] = (token, ballots.parsed(motion, words))
        return self.write(name, made)

    def votes(self, **words: str) -> Motion:
        for name, word in words.items():
            self.vote(name, word)
        return self.tick()

    def close(self) -> Motion:
        return self.tick(self.motion.open_until - self.motion.instant(self.now))

    def change(self, name: str, **fields: object) -> None:
        self.people[name] = replace(self.people[name], **fields)  # type: ignore[arg-type]  # a test's own fields

    def rule(self, kind: str, **fields: object) -> None:
        self.rules[kind] = replace(self.rules[kind], **fields)  # type: ignore[arg-type]  # a test's own fields


def members(names: Iterable[str] = NAMES) -> Mapping[str, Person]:
    return {name: Person(name, units=1 if name == "marvin" else 2, joined=OLD) for name in names}


@pytest.fixture
def house() -> House:
    return House(dict(members()))


@pytest.fixture
def make() -> Callable[..., House]:
    def made(*names: str) -> House:
        people = dict(members(names or NAMES))
        people["ford"] = Person("ford", Role.ADMIN, joined=OLD)
        return House(people)

    return made


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    """A conversation in a co-op whose rules are quick."""
    async with opened(tmp_path) as made:
        yield made
