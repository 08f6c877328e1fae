"""Questions and receipts: the parts that wait."""

import asyncio

from bot.transports.irc.proofs import Proof, Whois
from bot.transports.irc.receipts import Receipts
from tests.transports.conftest import HandClock, settle


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
