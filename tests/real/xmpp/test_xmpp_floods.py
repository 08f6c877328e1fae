"""Floods of commands in a room of a real Prosody: others are answered, in order, and nothing is lost."""

import asyncio
import re

import pytest

from tests.real.xmpp.people import People, Person, Ship, at_sea
from tests.real.xmpp.prosody import TEAM, Prosody

pytestmark = [pytest.mark.real, pytest.mark.long, pytest.mark.timeout(400)]

COUNT = 1000
PONG = re.compile(r"pong (\d+)\.(\d+)")
FAST = {"burst": 20, "per_second": 200}


def answers_to(quick: Person) -> list[tuple[int, int]]:
    """Return whose commands, and which of theirs, were answered where quick hears it, in that order."""
    bodies = " ".join(got.body for got in quick.seen if got.sender == f"{TEAM}/Eddie")
    return [(int(speaker), int(count)) for speaker, count in PONG.findall(bodies)]


def how_far(ship: Ship, quick: Person) -> str:
    """Tell where commands are missing: with who said them, with the bot, or on the way back."""
    shown = sum(got.body.startswith("!ping ") for got in quick.seen)
    heard, conversation = len(ship.road.heard), ship.transport.conversation
    return (
        f"the room was shown {shown} commands, the bot heard {heard}, left out {conversation.dropped} and "
        f"ignored {conversation.ignored}; {conversation.queues.total} are under way; the room was shown "
        f"{len(answers_to(quick))} answers; {ship.attempts} attempts, {ship.transport.status()}"
    )


async def all_answered(ship: Ship, quick: Person) -> None:
    """Wait until every command is answered or dropped; then nothing more comes of them."""
    try:
        async with asyncio.timeout(200):
            while len(answers_to(quick)) + ship.transport.conversation.dropped < COUNT:  # noqa: ASYNC110 - who is answered last is not known
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(how_far(ship, quick)) from None
    quick.say("!ping end")
    await quick.hears("pong end", patience=60)


@pytest.mark.parametrize("speakers", [1, 20])
async def test_every_one_of_1000_commands_is_answered_or_refused_aloud(
    prosody: Prosody, people: People, speakers: int
) -> None:
    crowd = [f"f{number}" for number in range(speakers)]
    prosody.accounts = ("eddie", "quick", *crowd)
    await prosody.start()
    quick = await people(prosody, "quick")
    many = [await people(prosody, name) for name in crowd]
    async with at_sea(prosody, pace=FAST) as ship:
        await ship.until("coming in", rooms=(TEAM,))
        for count in range(COUNT // speakers):
            for number, person in enumerate(many):
                person.say(f"!ping {number}.{count}")
        quick.say("!ping quick")
        await quick.hears("pong quick", patience=60)
        assert len(answers_to(quick)) < COUNT  # it did not wait for all
        for number in range(speakers):
            await quick.saw(f"!ping {number}.{COUNT // speakers - 1}", patience=200)
        await all_answered(ship, quick)
        bodies = [got.body for got in quick.seen if got.sender == f"{TEAM}/Eddie"]
        answers, dropped = answers_to(quick), ship.transport.conversation.dropped
        assert len(answers) + dropped == COUNT, how_far(ship, quick)
        assert len(answers) == len(set(answers)) >= (256 if speakers == 1 else COUNT)
        assert bool(dropped) == any("Slowly" in body for body in bodies)
        for number in range(speakers):
            mine = [count for who, count in answers if who == number]
            assert mine == sorted(mine)
        assert ship.attempts == 1
