from collections.abc import Callable

from bot.transports.xmpp.acks import TOGETHER, Acks


class Later:
    """A loop's call_later; what has not been cancelled is in `waiting`."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def __call__(self, seconds: float, call: Callable[[], None]) -> "Later":
        assert seconds == TOGETHER
        self.waiting.append(call)
        return self

    def cancel(self) -> None:
        self.waiting.clear()


def acks() -> tuple[Acks, Later, list[str]]:
    later, told = Later(), list[str]()
    return Acks(lambda: told.append("so many"), later), later, told


def test_many_questions_get_one_answer_and_later_ones_another() -> None:
    made, later, told = acks()
    for count in (1, 2):
        for _ in range(20):
            made.asked()
        assert len(told) == count - 1
        (go,) = later.waiting
        go()
        assert len(told) == count
        assert later.waiting == []


def test_what_is_told_unasked_answers_earlier_questions() -> None:
    made, later, told = acks()
    made.tell()
    made.asked()
    made.tell()
    assert len(told) == 2
    assert later.waiting == []


def test_a_lost_stream_is_told_nothing() -> None:
    made, later, told = acks()
    made.asked()
    made.forget()
    assert (later.waiting, told) == ([], [])
    made.asked()
    assert len(later.waiting) == 1
