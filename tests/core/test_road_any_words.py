"""Any words from any speaker: nothing raises, nothing is long, and nothing runs that the speaker may not."""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import (
    Actor,
    Machine,
    Member,
    Message,
    Plugin,
    Rule,
    Share,
    admins,
    anyone,
    members,
    oneself,
    owner_of,
)
from bot.testing import MACHINES, Chat

LONGEST = 400
"""Characters that an answer of the road itself may have; handlers answer for their own."""

RULES: dict[str, Rule] = {
    "all": anyone,
    "some": members,
    "few": admins,
    "own": owner_of("machine") | admins,
    "other": members & ~owner_of("machine"),
    "self": oneself("member"),
}
OWNERS = {machine.name: machine.owner for machine in MACHINES}

Run = tuple[str, str, str, str | None]
"""Which command ran, for whom, about which machine and which member."""


def recording(runs: list[Run]) -> Plugin:
    plugin = Plugin("recording")

    def declare(rule_name: str, name: str, rule: Rule, **declared: object) -> None:
        async def record(
            actor: Actor,
            message: Message,
            machine: Machine,
            member: Member,
            share: Share = Share.FULL,
            count: int = 0,
            *,
            text: str = "",
        ) -> str:
            """Record that it ran."""
            assert message.text
            assert (share in Share, count >= 0, text == text.strip()) == (True, True, True)
            runs.append((rule_name, str(actor), machine.name, member.name))
            return "ran"

        plugin.command(name, allow=rule, **declared)(record)  # type: ignore[arg-type]  # a table's rows

    for name, rule in RULES.items():
        declare(name, name, rule)
        declare(name, f"{name} asked", rule, confirm="Do it to {machine.name}?")
        declare(name, f"{name} hidden", rule, private=("text", "count"), limit="20/1h")
    return plugin


def may(run: Run) -> bool:
    """Say again, in other words, who may do what."""
    name, actor, machine, member = run
    is_member, is_admin = actor != "a guest", actor in {"ann", "abe"}
    return {
        "all": True,
        "some": is_member,
        "few": is_admin,
        "own": is_admin or OWNERS[machine] == actor,
        "other": is_member and OWNERS[machine] != actor,
        "self": member == actor,
    }[name]


NAMES = st.sampled_from(
    [*RULES, *(f"{name} {kind}" for name in RULES for kind in ("asked", "hidden")), "yes", "no"]
)
WORDS = st.one_of(
    st.sampled_from(
        [*OWNERS, "alice", "bob", "ann", "zed", "half", "1", "#2", '"', "'", "yes", "can", "jobs", "cancel"]
    ),
    st.text(max_size=12),
)
RIGHT = st.builds(
    lambda name, machine, member, rest: " ".join((name, machine, member, *rest)),
    NAMES,
    st.sampled_from(list(OWNERS)),
    st.sampled_from(["alice", "bob", "ann"]),
    st.lists(WORDS, max_size=3),
)
LINES = st.one_of(
    RIGHT,
    st.builds(lambda name, words: " ".join((name, *words)), NAMES, st.lists(WORDS, max_size=6)),
    st.sampled_from(["yes", "yes 1", "yes 2", "no", "no 1", "jobs", "cancel 1", "can alice own ford-3 bob"]),
    st.text(),
)
SPEAKERS = st.sampled_from(["alice", "bob", "ann", "abe", "zed", "\ud800", ""])
SAID = st.lists(
    st.tuples(SPEAKERS, st.sampled_from(["!", "", "Eddie: ", "!!"]), LINES, st.booleans(), st.booleans()),
    max_size=25,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SAID)
def test_any_words_from_anybody(said: list[tuple[str, str, str, bool, bool]]) -> None:
    runs: list[Run] = []
    answers, faults = asyncio.run(converse(said, runs))
    assert faults == []
    assert all(len(answer) < LONGEST for answer in answers)
    assert [run for run in runs if not may(run)] == []


async def converse(
    said: list[tuple[str, str, str, bool, bool]], runs: list[Run]
) -> tuple[list[str], list[BaseException]]:
    with tempfile.TemporaryDirectory() as folder:
        async with Chat.open(Path(folder), [recording(runs)]) as chat:
            answers = [
                await chat.say(who, f"{prefix}{line}", direct=direct, proven=proven)
                for who, prefix, line, direct, proven in said
            ]
            await chat.told()
            assert (await chat.book.verify()).whole
            return answers, [cause for cause, _, _ in chat.incidents.reported]


def test_the_words_of_this_test_do_reach_the_commands() -> None:
    runs: list[Run] = []
    said = [
        ("alice", "!", "own ford-3 bob", False, True),
        ("alice", "!", "own asked ford-3 bob half 3 so there", False, True),
        ("alice", "!", "yes", False, True),
        ("zed", "", "all hidden ford-1 ann", True, False),
        ("bob", "!", "own ford-3 bob", False, True),
    ]
    answers, faults = asyncio.run(converse(said, runs))
    assert (len(answers), faults) == (5, [])
    assert runs == [
        ("own", "alice", "ford-3", "bob"),
        ("own", "alice", "ford-3", "bob"),
        ("all", "a guest", "ford-1", "ann"),
    ]
    assert all(may(run) for run in runs)
    assert not may(("own", "bob", "ford-3", "bob"))
