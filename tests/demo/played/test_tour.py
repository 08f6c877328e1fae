"""The tour: every answer is waited for, and one that does not come is named."""

import asyncio

import pytest

from bot.demo.screen import Screen
from bot.demo.script import Line, Step, script
from bot.demo.stage import Stage
from bot.demo.tour import Tour
from bot.errors import Fault
from tests.demo.played.conftest import Paper


async def test_the_tour_plays_from_whoami_to_audit_verify(
    played: Stage, screen: Screen, paper: Paper
) -> None:
    await played.play(Tour(played, screen).play(script(played.coop)))
    shown = [
        line.split(" ", 1)
        for line in paper.getvalue().splitlines()
        if line.startswith("<") and "→" not in line
    ]
    said = [f"{who} {text}" for who, text in shown if who != "<Eddie>"]
    assert said == [
        "<alice> !whoami",
        "<vogon> !whoami",
        "<bob> !vm list",
        "<alice> !vm start ford-1",
        "<alice> !vm run ford-1 uname -a",
        "<bob> !post add in 2s | Tea is ready.",
        "<alice> !vm run ford-1 yes > /dev/null 2>&1 &",
        "<alice> !ack A1",
        "<alice> !vm run ford-1 killall yes",
        "<vogon> !vm stop ford-1",
        "<alice> !vm stop ford-1",
        "<alice> !yes",
        "<alice> !vm kill ford-2",
        "<alice> !yes 2",
        "<trillian> !yes 2",
        "<bob> !propose policy Buy 8 GiB RAM | As we swap.",
        "<alice> !second 1",
        "<alice> !vote 1 yes",
        "<trillian> !vote 1 yes",
        "<arthur> !vote 1 yes",
        "<bob> !vote 1 yes",
        "<fenchurch> !vote 1 no",
        "<bob> !vote cert 1",
        "<trillian> !audit verify",
    ]
    assert "<Eddie → alice> [ford-1] Linux ford-1 " in paper.getvalue()
    assert "<Eddie> A1 WARN ford-1 CPU " in paper.getvalue()
    assert "<Eddie> A1 over: ford-1 CPU " in paper.getvalue()
    assert "<Eddie> [bob] Tea is ready." in paper.getvalue()
    assert "<Eddie> VOTE 1 PASSED: yes 4, no 1, abstain 0; " in paper.getvalue()
    assert "<Eddie> MOTION 1 PASSED: Buy 8 GiB RAM (policy)" in paper.getvalue()
    assert "The audit book is whole" in paper.getvalue().splitlines()[-1]


async def test_an_answer_that_does_not_come_is_named(played: Stage, screen: Screen) -> None:
    steps = (Step("Nothing", (Line("alice", "!ping there", ("pong", "^never"), 0.5),)),)
    with pytest.raises(Fault) as caught:
        await played.play(Tour(played, screen).play(steps))
    assert str(caught.value) == (
        "step 1 (Nothing): alice said '!ping there', and no line with '^never' came in 0.5 s; "
        "instead came: pong there"
    )


async def test_silence_is_named_too(played: Stage, screen: Screen) -> None:
    steps = (Step("Chatter", (Line("alice", "hello all", ("hello",), 0.2),)),)
    with pytest.raises(Fault, match=r"no line with 'hello' came in 0\.2 s$"):
        await played.play(Tour(played, screen).play(steps))


async def test_a_connection_that_ends_and_a_refusal_of_the_server_are_shown(
    played: Stage, screen: Screen, paper: Paper
) -> None:
    alice = await played.seat("alice")
    steps = (Step("Gone", (Line("alice", "!ping", ("never",), 1.0),)),)
    touring = asyncio.ensure_future(Tour(played, screen).play(steps))
    await paper.expect("<alice> !ping")
    alice.say("nobody", "hello")
    await paper.expect("! nobody Cannot send to that")
    await alice.leave()
    with pytest.raises(Fault, match="the connection has ended"):
        await touring


async def test_a_bot_that_ends_ends_the_tour(played: Stage, screen: Screen, paper: Paper) -> None:
    steps = (Step("Waiting", (Line("alice", "hello", ("never",), 30.0),)),)
    touring = asyncio.ensure_future(played.play(Tour(played, screen).play(steps)))
    await paper.expect("<alice> hello")
    played.sailing.cancel()
    with pytest.raises(Fault, match="the bot has ended: it said nothing"):
        await touring
