import asyncio

from bench.people import Ledger, Person
from bench.rounds import speaker_names


class Server(asyncio.Transport):
    """The other end, which takes everything."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.wrote = asyncio.Event()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)
        self.wrote.set()


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


async def test_a_line_that_comes_in_two_pieces_is_seen_even_by_who_hears_nobody() -> None:
    person, server = Person("ford"), Server()
    person.connection_made(server)
    person.data_received(
        b":irc.bench 366 ford #bench :End\r\n:zaphod!z@h PRIVMSG #bench :hi\r\n:irc.bench PO"
    )
    assert person.inside.done()
    waiting = asyncio.ensure_future(person.synced())
    await asyncio.sleep(0)
    token = server.written.rpartition(b"PING ")[2].strip()
    person.data_received(b"NG irc.bench :" + token + b"\r\nPI")
    await waiting
    person.data_received(b"NG :irc.bench\r\n")
    assert server.written.endswith(b"PONG :irc.bench\r\n")


async def test_a_nick_that_is_still_taken_is_asked_for_again() -> None:
    person, server = Person("ford"), Server()
    person.connection_made(server)
    before = server.written
    server.wrote.clear()
    person.data_received(b":irc.bench 433 * ford :Nickname already in use\r\n")
    await asyncio.wait_for(server.wrote.wait(), 5)
    assert server.written == before + b"NICK ford\r\n"
