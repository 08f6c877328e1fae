"""What holds whatever happens: with values, gaps, acks, silences and maintenance drawn at random."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.alerts import kept
from plugins.alerts.board import Board, Key, Silence, Told, evaluate
from plugins.alerts.rules import Rule, Severity
from plugins.alerts.watch import Alert, Ears, Kind, Line, take

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
TICK = timedelta(seconds=10)
LOAD = Rule(
    name="load", scope="host", metric="load", severity=Severity.CRIT, raise_at=8, clear_at=6, hold=30,
    text="load", clear_for=60,
)  # fmt: skip
SHARE = Rule(
    name="share", scope="machine", metric="disk-share", severity=Severity.WARN, raise_at=90, clear_at=80,
    hold=0, text="disk", to="owner",
)  # fmt: skip
RULES: dict[Key, Rule] = {("load", "ford"): LOAD, ("load", "arthur"): LOAD, ("share", "ford-1"): SHARE}
EARS = Ears(frozenset({"#alerts"}), ("ann", "abe"), frozenset({"#alerts", "#admins"}))
OWNER = Ears(frozenset({"bob"}), nags=False)

GOOD, BAD = {"load": 1.0, "share": 1.0}, {"load": 9.0, "share": 95.0}


@dataclass
class Log:
    """Something that happened: values came, for so many ticks, or somebody did something."""

    deed: str
    ticks: int = 1
    values: tuple[float | None, ...] = ()
    hours: int = 1


deeds = st.builds(
    Log,
    st.sampled_from(["values"] * 8 + ["ack", "silence", "unsilence", "maintenance", "pause"]),
    st.integers(1, 40),
    st.tuples(*(st.sampled_from([None, 1.0, 7.0, 9.0, 85.0, 95.0]) for _ in RULES)),
    st.integers(1, 30),
)
logs = st.lists(deeds, max_size=25)


@dataclass
class Watch:
    """A board to which things happen; `keep` is what is done to it between any two."""

    keep: Callable[[Board], Board] = lambda board: board
    board: Board = field(default_factory=Board)
    now: datetime = START
    maintained: bool = False

    def live(self, log: Sequence[Log]) -> Iterator[Told]:
        for one in log:
            yield from self.do(one)

    def do(self, one: Log) -> Iterator[Told]:
        match one.deed:
            case "values":
                values = dict(zip(RULES, one.values, strict=True))
                for _ in range(one.ticks):
                    yield self.tick(values)
            case "ack":
                for alert in self.board.active[:1]:
                    lasts = timedelta(hours=one.hours)
                    taken = take(alert, Severity.CRIT, "abe", self.now, lasts=lasts, note="")
                    self.board = replace(self.board, alerts={**self.board.alerts, taken.key: taken})
            case "silence":
                until = self.now + timedelta(hours=one.hours)
                quiet = Silence(self.board.silenced + 1, "*ford*", until, "ann", "known")
                self.board = replace(self.board, silences=(quiet,), silenced=quiet.number)
            case "unsilence":
                self.board = replace(self.board, silences=())
            case "maintenance":
                self.maintained = not self.maintained
            case "pause":
                self.now += timedelta(hours=one.hours)

    def tick(self, values: dict[Key, float | None]) -> Told:
        self.now += TICK
        self.board = self.keep(self.board)
        self.board, told = evaluate(self.board, RULES, values, ears, self.now, self.muting)
        return told

    def muting(self, alert: Alert, rule: Rule, _: object) -> str:
        return "maintenance" if self.maintained and rule.scope == "host" and alert.subject == "ford" else ""


def ears(_: Alert, rule: Rule) -> Ears:
    return OWNER if rule.to == "owner" else EARS


def all_good(watch: Watch) -> Iterator[Told]:
    """Let everything be good for as long as any end can take."""
    for _ in range(30):
        yield from watch.do(Log("values", 10, tuple(1.0 for _ in RULES)))


@given(logs)
@settings(max_examples=50)
def test_who_hears_of_a_problem_hears_of_its_end_once_and_of_no_other_in_between(log: list[Log]) -> None:
    watch, open_for = Watch(), set[tuple[int, str]]()
    for told in (*watch.live(log), *all_good(watch)):
        for line in told.lines:
            heard = {(line.alert.number, listener) for listener in line.to}
            if line.kind is Kind.FIRED:
                assert not any(number == line.alert.number for number, _ in open_for)
            if line.kind is Kind.OVER:
                known = {one for one in open_for if one[0] == line.alert.number}
                assert heard in (known, {(line.alert.number, "ann")})  # or who silenced it from its beginning
                open_for -= known
            else:
                open_for |= heard
    assert open_for == set()
    assert watch.board.active == ()


@given(logs)
@settings(max_examples=25)
def test_the_same_log_gives_the_same_messages_with_a_restart_at_each_step(log: list[Log]) -> None:
    def restarted(board: Board) -> Board:
        return kept.read(kept.written(board))

    one, other = Watch(), Watch(restarted)
    assert list(one.live(log)) == list(other.live(log))
    assert one.board == restarted(other.board)


@given(logs, st.lists(st.booleans(), min_size=1, max_size=200))
@settings(max_examples=25)
def test_nothing_is_said_while_nothing_changes(log: list[Log], gaps: list[bool]) -> None:
    """Let it be as bad as it is for a while: what comes is what time brings, and no more of it."""
    watch = Watch()
    for _ in watch.live([*log, Log("unsilence")]):
        pass
    watch.maintained = False
    bad: dict[Key, float | None] = {key: BAD[key[0]] for key in RULES}
    for _ in range(60):
        watch.tick(bad)
    said = list[Line]()
    for gap in gaps:
        said += watch.tick(dict.fromkeys(RULES) if gap else bad).lines
    assert {line.kind for line in said} <= {Kind.ESCALATED, Kind.LAPSED, Kind.STILL}
    assert not [line for line in said if line.kind is Kind.STILL and line.alert.rule == "share"]
    for key in RULES:
        times = [line.alert.said for line in said if line.alert.key == key]
        assert len(times) <= 1 + len(gaps) * TICK // timedelta(minutes=10)


@given(st.sampled_from([GOOD, BAD]), st.integers(1, 400))
def test_nothing_at_all_is_said_of_what_somebody_has(values: dict[str, float], ticks: int) -> None:
    watch = Watch()
    held: dict[Key, float | None] = {("load", "ford"): BAD["load"]}
    for _ in range(4):
        watch.tick(held)
    for _ in watch.do(Log("ack", hours=4)):
        pass
    said = [line.kind for _ in range(ticks) for line in watch.tick({("load", "ford"): values["load"]}).lines]
    assert said == ([Kind.OVER] if values is GOOD and ticks > 6 else [])


@given(logs, st.integers(0, 3))
@settings(max_examples=25)
def test_a_gap_is_no_end_however_long(log: list[Log], days: int) -> None:
    watch = Watch()
    for _ in watch.live(log):
        pass
    before = {alert.key: alert.state for alert in watch.board.active if alert.state == "firing"}
    watch.now += timedelta(days=days)
    said = [line for _ in range(50) for line in watch.tick(dict.fromkeys(RULES)).lines]
    after = {alert.key: alert.state for alert in watch.board.active}
    assert {key: after.get(key) for key in before} == before
    assert not {line.alert.key for line in said if line.kind is Kind.OVER} & before.keys()
