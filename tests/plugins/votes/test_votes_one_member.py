"""One member is one vote, whatever networks, nicks, replays and restarts; and a ballot can be a form."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import Identity, IdentityKind, Place
from bot.core.offers import line
from bot.store.registrar import SqlRegistrar
from bot.testing import NETWORK, PEOPLE, TEAM, Chat
from plugins.votes import ledger
from tests.plugins.votes.talking import on_ballot, opened

SERVICES = SqlRegistrar({NETWORK: "irc", "jabber": "xmpp"})
SECOND = ("alice", "bob")
"""Who is on Jabber too."""

WORDS = ["yes", "no", "abstain", "yse", "retract"]
Step = tuple[str, str, str, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from([*PEOPLE, "eve"]),
        st.sampled_from(["room", "direct", "jabber", "nick", "replayed", "again", "restart"]),
        st.sampled_from(WORDS),
        st.integers(1, 4),
    ),
    max_size=25,
)


def jid(name: str) -> Identity:
    return Identity("jabber", IdentityKind.XMPP_JID, f"{name}@ford.example")


async def cast(chat: Chat, step: Step) -> bool:
    """Vote in one of the ways in which members may; tell whether it was acknowledged."""
    name, way, word, number = step
    account, place, nick = Identity(NETWORK, IdentityKind.IRC_ACCOUNT, name), TEAM, name
    if way == "jabber":
        account, place = jid(name), Place("jabber", f"{name}@ford.example", direct=True)
    elif way == "direct":
        place = Place(NETWORK, name, direct=True)
    elif way == "nick":  # of their own choice, or another's: the account is who they are
        nick = ("bob", "alice", "eve", "robert")[number - 1]
    stamp = f"{name} {number}" if way == "again" else None
    said = f"!vote 1 {word}"
    reply = await chat.hear(
        nick, said, place=place, identity=account, stamp=stamp, replayed=way == "replayed"
    )
    return any("Recorded" in one or "taken back" in one for one in reply.lines)


async def lived(folder: Path, steps: Sequence[Step]) -> None:
    """Let it all happen, and compare with what was acknowledged last to each."""
    expected: dict[str, str] = {}
    clock = None
    left = list(steps)
    while left or clock is None:
        async with opened(folder, clock) as chat:
            if clock is None:
                await _begin(chat)
            clock = chat.clock
            while left and (step := left.pop(0))[1] != "restart":
                name, way, word, _ = step
                done = await cast(chat, step)
                assert not (done and (way == "replayed" or name == "eve" or word == "yse"))
                assert not (done and way == "jabber" and name not in SECOND)
                if done and word == "retract":
                    expected.pop(name)
                elif done:
                    expected[name] = word
            motion = await chat.store.read(lambda db: ledger.motion(db, 1))
            assert {name: cast.words for name, cast in motion.ballots.items()} == expected


async def _begin(chat: Chat) -> None:
    """Open a ballot that does not close when all have voted."""
    for name in SECOND:
        member = await chat.crew.pipeline.roster.member(name)
        assert member
        await chat.store.write(lambda tx, m=member: SERVICES.bind(tx, m, jid(m.name), "ann"))  # type: ignore[misc]  # mypy#12557
    await on_ballot(chat)


@settings(max_examples=6, deadline=None)
@given(steps=STEPS)
def test_one_member_never_counts_twice(steps: list[Step], tmp_path_factory: pytest.TempPathFactory) -> None:
    asyncio.run(lived(tmp_path_factory.mktemp("co-op"), [one for one in steps if one[0] != "abe"]))


async def test_a_ballot_as_a_form(tmp_path: Path) -> None:
    async with opened(tmp_path) as chat:
        account = Identity(NETWORK, IdentityKind.IRC_ACCOUNT, "bob")
        await on_ballot(chat)
        offers = {offer.command: offer for offer in await chat.crew.pipeline.offers(account)}
        motion, choice = offers["vote"].fields
        assert (motion.name, motion.choices, motion.required) == ("motion", ("1",), True)
        assert (choice.name, choice.rest, choice.private) == ("choice", True, True)
        said = line(offers["vote"], {"motion": "1", "choice": "no because of noise"})
        place = Place("jabber", "bob@ford.example", direct=True)
        reply = await chat.hear("bob", said, place=place, identity=account)
        assert "Recorded: vote 1, no" in reply.lines[0]
