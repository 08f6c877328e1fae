"""Turns, questions, receipts and races: the parts that wait."""

import asyncio

import pytest

from bot.config import Pace
from bot.transports.irc.pace import ALL, LANE, Turns
from bot.transports.irc.proofs import Proof, Whois
from bot.transports.irc.race import first, within
from bot.transports.irc.receipts import Receipts
from tests.transports.conftest import HandClock, settle


async def test_turns_go_round_the_lanes(clock: HandClock) -> None:
    turns, order = Turns(clock, Pace(burst=1, per_second=1.0)), list[str]()

    async def speak(lane: str, word: str) -> None:
        assert await turns.turn(lane)
        order.append(word)

    runner = asyncio.create_task(turns.run())
    tasks = [asyncio.create_task(speak("flood", f"f{number}")) for number in range(5)]
    tasks += [asyncio.create_task(speak("bob", f"b{number}")) for number in range(2)]
    await settle()
    for _ in range(6):
        await clock.advance(1)
    assert order == ["f0", "f1", "b0", "f2", "b1", "f3", "f4"]
    assert turns.waiting == 0
    runner.cancel()
    await asyncio.gather(runner, *tasks, return_exceptions=True)


async def test_too_many_waiters_are_turned_away_and_all_are_let_go_at_the_end(clock: HandClock) -> None:
    turns = Turns(clock, Pace(burst=1, per_second=1.0))
    runner = asyncio.create_task(turns.run())
    assert await turns.turn("x")
    waiting = [asyncio.create_task(turns.turn("x")) for _ in range(LANE)]
    await settle()
    assert await turns.turn("x", 3) is False
    others = [asyncio.create_task(turns.turn(f"lane {number}")) for number in range(ALL - LANE)]
    await settle()
    assert await turns.turn("late") is False
    assert turns.dropped == 4
    waiting[0].cancel()
    await clock.advance(1)
    assert [task.done() for task in (*waiting, *others)].count(True) == 2
    turns.close()
    ends = await asyncio.gather(*waiting, *others, return_exceptions=True)
    assert ends.count(False) == ALL - 2
    assert await turns.turn("x") is False
    runner.cancel()
    await asyncio.gather(runner, return_exceptions=True)


async def test_without_pace_everybody_may_speak(clock: HandClock) -> None:
    turns = Turns(clock, None)
    assert turns.largest == LANE
    assert [await turns.turn("x", 99) for _ in range(300)] == [True] * 300
    assert turns.lock("x") is turns.lock("x")
    turns.close()
    assert await turns.turn("x") is False


class Asked:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.may = True

    async def send(self, line: str) -> bool:
        self.lines.append(line)
        return self.may


async def test_a_question_is_answered_once_and_in_its_order(clock: HandClock) -> None:
    asked = Asked()
    whois = Whois(clock, str.lower, asked.send)
    one, two = (asyncio.create_task(whois.ask("Alice")) for _ in range(2))
    await settle()
    assert asked.lines == ["WHOIS Alice"] * 2
    for account in ("Alice", ""):
        whois.feed("311", "alice", ("a", "h", "*", "Real"))
        if account:
            whois.feed("330", "alice", (account, "is logged in as"))
        whois.feed("307", "alice", ("is a registered nick",))
        whois.feed("330", "bob", ("mallory",))
        whois.feed("311", "alice", ("x",))
        whois.feed("330", "alice", ())
        whois.feed("318", "alice", ())
    assert [await one, await two] == [Proof("alice", "a@h"), Proof("", "a@h")]
    whois.feed("318", "alice", ())


async def test_late_answers_belong_to_the_question_that_was_given_up(clock: HandClock) -> None:
    whois = Whois(clock, str.lower, Asked().send)
    tasks = []
    for _ in range(3):
        tasks.append(asyncio.create_task(whois.ask("alice")))
        await settle()
        await clock.advance(6)
    assert [task.result() for task in tasks] == [None] * 3
    assert await whois.ask("alice") is None
    for _ in range(3):
        whois.feed("311", "alice", ("a", "h"))
        whois.feed("330", "alice", ("old",))
        whois.feed("318", "alice", ())
    fresh = asyncio.create_task(whois.ask("alice"))
    await settle()
    whois.feed("311", "alice", ("a", "h"))
    whois.feed("330", "alice", ("new",))
    whois.feed("318", "alice", ())
    assert await fresh == Proof("new", "a@h")


async def test_a_question_that_cannot_be_asked_or_ends_with_the_link_is_no_proof(clock: HandClock) -> None:
    asked = Asked()
    whois = Whois(clock, str.lower, asked.send)
    lost = asyncio.create_task(whois.ask("alice"))
    await settle()
    whois.feed("311", "alice", ("a", "h"))
    whois.feed("330", "alice", ("alice",))
    whois.close()
    assert await lost is None
    asked.may = False
    assert await whois.ask("alice") is None


async def test_questions_in_all_are_bounded(clock: HandClock) -> None:
    whois = Whois(clock, str.lower, Asked().send)
    tasks = [asyncio.create_task(whois.ask(f"n{number}")) for number in range(257)]
    await settle()
    assert tasks[256].done()
    assert not tasks[255].done()
    whois.close()
    assert await asyncio.gather(*tasks) == [None] * 257


async def test_other_lines_echoes_are_not_taken_for_the_receipts() -> None:
    receipts = Receipts(str.lower)
    one = receipts.open()
    receipts.sent("#a", "chatter", None)
    receipts.sent("#A", "alert", one)
    token = receipts.ping(one)
    receipts.echoed("#b", "alert")
    receipts.echoed("#a", "chatter")
    assert not one.arrived.done()
    receipts.echoed("#a", "alert")
    assert one.arrived.result() is True
    receipts.ponged(token, echoes=True)
    receipts.ponged("shipboard-999", echoes=True)
    receipts.ponged("", echoes=True)
    receipts.echoed("#a", "again")
    assert one.arrived.result() is True


async def test_a_line_of_a_receipt_may_fail_or_be_echoed_while_others_are_to_come() -> None:
    receipts = Receipts(str.lower)
    one = receipts.open()
    receipts.sent("#a", "first", one)
    receipts.echoed("#a", "first")
    assert not one.arrived.done()
    receipts.sent("#b", "chatter", None)
    receipts.failed("#b")
    receipts.sent("#a", "second", one)
    receipts.ping()
    receipts.ponged("irc.test", echoes=True)
    receipts.ponged("irc.test", echoes=True)
    assert one.arrived.result() is False
    one.settle(outcome=True)
    assert one.arrived.result() is False


async def test_a_pong_answers_all_pings_up_to_its_own() -> None:
    receipts = Receipts(str.lower)
    one, two, three = receipts.open(), receipts.open(), receipts.open()
    receipts.sent("#a", "1", one)
    receipts.ping(one)
    token = receipts.ping(two)
    receipts.sent("#a", "3", three)
    receipts.ponged(token, echoes=False)
    assert one.arrived.result() is True
    assert two.arrived.result() is True
    assert not three.arrived.done()
    receipts.failed("#A")
    assert three.arrived.result() is False
    receipts.close()


async def test_the_first_to_end_ends_all() -> None:
    ended = []

    async def wait(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    async def fail() -> None:
        await asyncio.sleep(0)
        raise RuntimeError("first")

    async def done() -> None:
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="first"):
        await first(wait("a"), fail(), wait("b"))
    await first(done(), wait("c"))
    assert ended == ["a", "b", "c"]
    task = asyncio.create_task(first(wait("d"), wait("e")))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended[3:] == ["d", "e"]


async def test_waiting_has_a_limit(clock: HandClock) -> None:
    async def answer() -> int:
        return 42

    assert await within(clock, 1, answer()) == 42
    late = asyncio.create_task(within(clock, 1, asyncio.Event().wait()))
    await settle()
    await clock.advance(1)
    with pytest.raises(TimeoutError):
        await late
