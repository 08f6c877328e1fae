from datetime import UTC, datetime, timedelta

import pytest

from bot.coop.people import Member, Role
from bot.coop.shares import Share
from bot.core.questions import Questions
from bot.errors import NotAllowed, NotFound
from bot.model import Actor, Call, Message, Place

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ROOM = Place("net", "#team")
ANN = Actor(Member("ann", Role.ADMIN, Share.FULL), Role.ADMIN)


def guest(nick: str) -> Message:
    return Message(ROOM, nick, "x", NOW)


def ask(questions: Questions, nick: str, *, second: bool = False, now: datetime = NOW) -> int:
    return questions.ask(Call(guest(nick), Actor()), "x", "", "x?", second=second, now=now).number


def test_a_guests_question_waits_for_that_nick_there() -> None:
    questions = Questions()
    number = ask(questions, "zed")
    with pytest.raises(NotFound):
        questions.settle(None, guest("zoe"), Actor(), NOW)
    with pytest.raises(NotAllowed, match="waits for zed, there"):
        questions.settle(number, guest("zoe"), Actor(), NOW)
    assert questions.settle(None, guest("zed"), Actor(), NOW).number == number


def test_a_guests_question_can_be_for_an_admin() -> None:
    questions = Questions()
    number = ask(questions, "zed", second=True)
    with pytest.raises(NotFound):
        questions.settle(None, guest("zed"), Actor(), NOW)
    assert questions.settle(number, guest("ann"), ANN, NOW).second


def test_the_oldest_make_room_and_the_expired_go() -> None:
    questions = Questions()
    for _ in range(205):
        ask(questions, "zed")
    assert (min(questions.opened), max(questions.opened), len(questions.opened)) == (6, 205, 200)
    ask(questions, "zed", now=NOW + timedelta(minutes=12))
    assert list(questions.opened) == [206]
