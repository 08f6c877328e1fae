from bench.people import Ledger
from bench.rounds import speaker_names


def test_the_ledger_takes_what_the_bot_says_and_nothing_else() -> None:
    ledger = Ledger("eddie")
    for line in (
        b":mallory!m@h PRIVMSG #bench :pong 100001",
        b":eddie!e@h PRIVMSG #bench :pong 100002",
        b":eddie!e@h PRIVMSG #bench :pong 100002",
        b":eddie!e@h PRIVMSG #bench :pong 100003 and more",
        b":eddier!e@h QUIT :gone",
    ):
        ledger.hear(line)
    assert ledger.order == [100002, 100002]
    assert list(ledger.answered) == [100002]
    assert ledger.left == ""


def test_the_ledger_knows_when_the_bot_came_and_that_it_left() -> None:
    ledger = Ledger("eddie")
    ledger.hear(b":eddie!e@h JOIN :#bench")
    assert ledger.joined_at is not None
    assert Ledger("zaphod").joined_at is None
    ledger.hear(b":eddie!e@h QUIT :gone")
    assert ledger.left.endswith("gone")


def test_numbers_are_of_six_digits_and_rise() -> None:
    ledger = Ledger("eddie")
    first, second = ledger.number(), ledger.number()
    assert 100_000 < first < second


def test_everybody_has_a_nick_of_their_own() -> None:
    names = speaker_names()
    assert len(set(names)) == len(names) == 5
