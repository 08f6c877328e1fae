"""The machine of capabilities and logins, by any order of what a server can say."""

import base64

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from bot.transports.irc.caps import WANTED, Caps
from bot.transports.irc.connection import LONGEST_LINE, CappedBuffer, parse
from bot.transports.irc.registration import Registration
from bot.transports.irc.sasl import Mechanism, available
from bot.transports.irc.world import World
from bot.transports.nicks import NickKeeper
from tests.transports.conftest import HandClock

NAMES = [
    "sasl",
    "sasl=PLAIN",
    "sasl=EXTERNAL",
    "sasl=",
    "sasl=SCRAM-SHA-256,PLAIN",
    "account-tag",
    "batch",
    "sts",
    "=",
    "-sasl",
]
CODES = ["900", "901", "902", "903", "904", "905", "906", "907", "908"]
OFFERS = st.lists(st.sampled_from([*NAMES, *WANTED]), max_size=6)
VERBS = ["LS", "ACK", "NAK", "NEW", "DEL", "LIST", "END", ""]


class Registering(RuleBasedStateMachine):
    """A server that says anything; we never raise, never say what does not belong, and end what we began."""

    made = 0

    def __init__(self) -> None:
        super().__init__()
        Registering.made += 1
        self.clock = HandClock()
        self.said: list[str] = []
        self.ups = 0
        caps = Caps((*WANTED, "sasl"))
        self.world = World("test", self.clock, NickKeeper("Eddie"), ("#ford",), caps)
        self.registration = Registration(
            self.world, self.said.append, self.mechanisms, self.up, lambda _: False, "eddie"
        )
        self.handlers = self.registration.handlers
        self.looked = 0

    def mechanisms(self) -> list[Mechanism]:
        return list(available("eddie", "pw", "n", certificate=True).values())

    def up(self) -> None:
        self.ups += 1

    def feed(self, text: str) -> None:
        line = parse(text)
        if line is not None and (handler := self.handlers.get(line.command)):
            handler(line)

    @rule(
        verb=st.sampled_from(VERBS),
        more=st.booleans(),
        names=OFFERS,
    )
    def cap(self, verb: str, names: list[str], *, more: bool) -> None:
        self.feed(f":irc.test CAP * {verb} {'* ' if more else ''}:{' '.join(names)}")

    @rule(yes=st.booleans())
    def answer(self, *, yes: bool) -> None:
        asked = [line for line in self.said if line.startswith("CAP REQ")]
        if asked:
            self.feed(f":irc.test CAP * {'ACK' if yes else 'NAK'} {asked[-1].removeprefix('CAP REQ ')}")

    @rule(
        data=st.sampled_from(["", "+", "*", "A" * 400, "====", "é"])
        | st.binary(max_size=60).map(lambda raw: base64.b64encode(raw).decode())
    )
    def challenge(self, data: str) -> None:
        self.feed(f"AUTHENTICATE {data}")

    @rule(
        code=st.sampled_from(CODES),
        text=st.sampled_from(["", "PLAIN,EXTERNAL", "a b", "eddie :logged in", "* eddie :x"]),
    )
    def result(self, code: str, text: str) -> None:
        self.feed(f":irc.test {code} Eddie {text}")

    @rule(code=st.sampled_from(["432", "433", "436", "437"]))
    def nick(self, code: str) -> None:
        self.feed(f":irc.test {code} * Eddie :no")

    @rule()
    def welcome(self) -> None:
        self.feed(":irc.test 001 Eddie :Welcome Eddie!e@h")

    @rule(seconds=st.sampled_from([1.0, 16.0, 61.0, 4000.0]))
    def wait(self, seconds: float) -> None:
        self.clock._passed += seconds
        self.registration.tick(self.clock.monotonic())

    @invariant()
    def what_we_say_belongs(self) -> None:
        assert self.said.count("CAP END") <= 1
        allowed = ("CAP REQ :", "CAP END", "CAP LS 302", "AUTHENTICATE ", "NICK ")
        fresh, self.looked = self.said[self.looked :], len(self.said)
        assert all(line.startswith(allowed) and not set(line) & set("\r\n\0") for line in fresh)
        asked = {name for line in fresh if line.startswith("CAP REQ") for name in line[9:].split()}
        assert asked <= {*WANTED, "sasl"}

    def teardown(self) -> None:
        """Whatever was said: once the list is over, what waits is refused and time passes, we go on."""
        self.feed("CAP * LS :")
        for _ in range(60):
            if "CAP END" in self.said or self.world.registered:
                return
            self.answer(yes=False)
            for name in (*WANTED, "sasl"):
                self.feed(f"CAP * NAK :{name}")
            self.wait(16.0)
        raise AssertionError(self.said[-20:])


TestRegistering = Registering.TestCase
TestRegistering.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


MANY = settings(
    max_examples=5_000,
    stateful_step_count=12,
    deadline=None,
    database=None,  # keeping what each of them came to would cost more than running it
    derandomize=False,
    suppress_health_check=list(HealthCheck),
)
TEN_TIMES = pytest.mark.parametrize(
    "part", range(10)
)  # what was tried is forgotten after each: it takes 20 kB


@pytest.mark.long
@pytest.mark.timeout(300)
@TEN_TIMES
def test_any_order_of_replies_50_000_times(part: int) -> None:
    before = Registering.made
    run_state_machine_as_test(Registering, settings=MANY)
    assert Registering.made - before >= 5_000, part


def fed(chunks: list[bytes]) -> CappedBuffer:
    """Feed a buffer; every line that comes out is parsed or refused, and nothing is kept beyond the limit."""
    buffer = CappedBuffer()
    for chunk in chunks:
        buffer.feed(chunk)
        for text in buffer:
            line = parse(text)
            assert line is None or (line.command and not set("\r\n\0 ") & set(line.command))
        assert len(buffer.buffer) <= LONGEST_LINE
    return buffer


WIRE = st.lists(
    st.binary(max_size=80)
    | st.sampled_from(
        [b"\r\n", b"\n", b"\r", b"\0", b"@a=b;c ", b":n!u@h ", b"PRIVMSG ", b" :", b"x" * (LONGEST_LINE + 1)]
    ),
    max_size=12,
)


@given(WIRE)
def test_no_bytes_break_the_parser(chunks: list[bytes]) -> None:
    assert len(fed(chunks).buffer) <= LONGEST_LINE


@pytest.mark.long
@pytest.mark.timeout(300)
@TEN_TIMES
def test_no_bytes_break_the_parser_50_000_times(part: int) -> None:
    tried = 0

    @settings(MANY)
    @given(WIRE)
    def try_out(chunks: list[bytes]) -> None:
        nonlocal tried
        tried += 1
        assert len(fed(chunks).buffer) <= LONGEST_LINE

    try_out()
    assert tried >= 5_000, part
