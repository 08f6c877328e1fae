from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.alerts.board import Board, Gale, Silence, Told, evaluate, forget
from plugins.alerts.rules import Rule, Severity, flap_percent
from plugins.alerts.watch import ACK_LASTS, Alert, Ears, Kind, State, observe, take

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
TICK = timedelta(seconds=10)
LOAD = Rule(
    name="load",
    scope="host",
    metric="load",
    severity=Severity.CRIT,
    raise_at=8,
    clear_at=6,
    hold=30,
    text="load",
)
DISK = replace(LOAD, name="disk", severity=Severity.WARN, raise_at=10, clear_at=15, hold=0)
RULES = {"load": LOAD, "disk": DISK}
EARS = Ears(frozenset({"alerts"}), ("alice", "bob"), frozenset({"alice", "bob", "alerts"}))


def keyed(values: Iterable[tuple[str, str]], board: Board) -> dict[tuple[str, str], Rule]:
    """The rules by rule and subject."""
    return {key: RULES[key[0]] for key in (*values, *board.alerts)}


class Watch:
    """A board whose clock ticks with each value."""

    def __init__(self, board: Board | None = None, start: datetime = START) -> None:
        self.board, self.now, self.why = board or Board(), start, ""

    def tick(self, **values: float | None) -> Told:
        """Let values, by rule, come for ford; return what is said."""
        self.now += TICK
        keyed = {(name, "ford"): value for name, value in values.items()}
        return self.tick_all(keyed)

    def tick_all(self, values: dict[tuple[str, str], float | None]) -> Told:
        """Let these values come now."""
        self.board, told = evaluate(
            self.board, keyed(values, self.board), values, lambda *_: EARS, self.now, lambda *_: self.why
        )
        return told

    def go(self, values: Iterable[float | None], rule: str = "load") -> list[tuple[Kind, tuple[str, ...]]]:
        """Let values come one a tick; return all that is said."""
        said = []
        for value in values:
            said += [(line.kind, tuple(sorted(line.to))) for line in self.tick(**{rule: value}).lines]
        return said

    @property
    def alert(self) -> Alert:
        (alert,) = self.board.alerts.values()
        return alert


def test_a_short_peak_is_not_told() -> None:
    assert Watch().go([9, 9, 9, 1] * 20) == []


def test_it_is_told_once_and_its_end_once_to_all_who_heard_it() -> None:
    watch = Watch()
    assert watch.go([9] * 30) == [(Kind.FIRED, ("alerts", "alice"))]
    assert watch.alert.number == 1
    assert watch.alert.fired == START + TICK
    assert watch.go([7] * 20) == []  # under the raise level, above the clear level
    assert watch.go([5] * 40) == [(Kind.OVER, ("alerts", "alice"))]
    assert watch.alert.state is State.OK
    assert watch.go([9] * 4) == [(Kind.FIRED, ("alerts", "alice"))]
    assert watch.alert.number == 2


def test_small_values_can_be_the_bad_ones() -> None:
    watch = Watch()
    assert watch.go([20, 10], "disk") == [(Kind.FIRED, ("alerts",))]
    watch.go([3, 12], "disk")
    assert (watch.alert.state, watch.alert.peak) == (State.FIRING, 3)
    assert watch.go([16] * 13, "disk") == [(Kind.OVER, ("alerts",))]


def test_a_gap_is_no_end() -> None:
    watch = Watch()
    watch.go([9] * 4)
    assert watch.go([None] * 10) == []
    assert watch.alert.state is State.FIRING
    watch.go([5])
    assert watch.go([None] * 5) == []


def test_each_return_within_the_hour_makes_the_end_wait_longer() -> None:
    watch, waits = Watch(), []
    for _ in range(8):
        watch.go([9] * 4)
        waits.append(watch.alert.clear_for(LOAD, watch.now).total_seconds())
        watch.go([5] * (int(waits[-1]) // 10 + 1))
    assert waits[:4] == [120, 180, 270, 405]
    assert max(waits) <= 1800


def test_what_nobody_takes_goes_on_to_the_next_and_in_the_end_to_all() -> None:
    watch = Watch()
    said = watch.go([9] * 4) + watch.go([9] * 360)
    assert [to for kind, to in said if kind is Kind.ESCALATED] == [
        ("bob",),
        ("alice",),
        ("bob",),
        ("alerts", "alice", "bob"),
    ]
    assert watch.go([5] * 20) == [(Kind.OVER, ("alerts", "alice", "bob"))]


def test_who_has_it_keeps_it_quiet_until_the_ack_lapses() -> None:
    watch = Watch()
    watch.go([9] * 4)
    taken = take(watch.alert, LOAD.severity, "alice", watch.now, lasts=None, note="on it")
    assert taken.ack
    assert taken.ack.until - watch.now == ACK_LASTS[Severity.CRIT]
    short = take(watch.alert, LOAD.severity, "alice", watch.now, lasts=timedelta(minutes=30), note="")
    watch.board = replace(watch.board, alerts={short.key: short})
    said = watch.go([9] * 181)
    assert said == [(Kind.LAPSED, ("alerts", "alice"))]


def test_a_reminder_comes_after_an_hour_when_nobody_is_on_call() -> None:
    board, said = Board(), []
    alone = Ears(frozenset({"alerts"}))
    for tick in range(800):
        now = START + tick * TICK
        board, told = evaluate(
            board, {("load", "ford"): LOAD}, {("load", "ford"): 9.0}, lambda *_: alone, now
        )
        said += [line.kind for line in told.lines]
    assert said == [Kind.FIRED, Kind.STILL, Kind.STILL]


def test_what_is_silenced_is_not_told_but_its_end_is_to_who_silenced_it() -> None:
    watch = Watch()
    quiet = Silence(1, "for*", START + timedelta(hours=1), "alice", "known")
    watch.board = replace(watch.board, silences=(quiet,))
    assert watch.go([9] * 10) == []
    assert watch.go([5] * 20) == [(Kind.OVER, ("alice",))]


def test_the_end_of_a_silence_is_told_and_what_it_hid_comes_out() -> None:
    watch = Watch()
    quiet = Silence(1, "LOAD ford", START + timedelta(minutes=20), "alice", "known")
    watch.board = replace(watch.board, silences=(quiet,))
    told = [watch.tick(load=9) for _ in range(130)]
    assert [t.ending for t in told if t.ending] == [(replace(quiet, warned=True),)]
    assert [t.ended for t in told if t.ended] == [(replace(quiet, warned=True),)]
    assert [line.kind for t in told for line in t.lines] == [Kind.FIRED]


def test_a_silence_that_hides_nothing_ends_quietly() -> None:
    watch = Watch()
    watch.board = replace(watch.board, silences=(Silence(1, "x", START + timedelta(minutes=5), "a", "b"),))
    assert not any(watch.tick(load=1).ending for _ in range(40))


def test_maintenance_holds_back_what_is_new_only() -> None:
    watch = Watch()
    watch.go([9] * 4)
    watch.why = "maintenance of ford"
    assert watch.go([9] * 500) == []
    assert watch.go([5] * 20) == [(Kind.OVER, ("alerts", "alice"))]


def test_flapping_is_told_once_and_then_how_it_settled() -> None:
    watch = Watch()
    watch.go([9] * 4)
    said = [kind for kind, _ in watch.go([5, 9] * 30)]
    assert said == [Kind.FLAPPING]
    settled = [kind for kind, _ in watch.go([9] * 25)]
    assert settled[0] is Kind.SETTLED
    assert Kind.SETTLED not in settled[1:]
    said = [kind for kind, _ in watch.go([5, 9] * 30)]
    assert said == [Kind.FLAPPING]
    assert [kind for kind, _ in watch.go([5] * 100)] == [Kind.OVER]


@pytest.mark.parametrize(
    ("changes", "percent"), [(0, 0), (1, 6.2), (2, 12.4), (3, 18.4), (4, 24.2), (5, 29.9)]
)
def test_the_flap_formula_is_nagios(changes: int, percent: float) -> None:
    states = [False] * (21 - changes) + [index % 2 == 0 for index in range(changes)]
    assert round(flap_percent(states), 1) == percent


def test_waves_and_calm() -> None:
    assert flap_percent(()) == 0
    assert wave(2) == {100.0}
    assert wave(4) == {49.3, 50.7}
    assert wave(10) == {18.9, 19.5, 20.0, 20.5, 21.1}  # one flap of that length is none
    assert steady_until(20) == 16
    assert steady_until(5) == 19


def wave(period: int) -> set[float]:
    """The percents of a square wave, wherever it stands."""
    half = period // 2
    waves = ([(index + at) // half % 2 == 0 for index in range(21)] for at in range(period))
    return {round(flap_percent(states), 1) for states in waves}


def steady_until(percent: float) -> int:
    """How many steady checks it takes after full alternation until it changes no more than so much."""
    steady, states = 0, [index % 2 == 0 for index in range(21)]
    while flap_percent(states) > percent:
        states, steady = [*states[1:], states[-1]], steady + 1
    return steady


def test_forty_at_once_are_one_line_and_digests() -> None:
    watch = Watch()
    names = [f"vm-{number}" for number in range(40)]
    told = []
    for tick in range(120):
        watch.now += TICK
        value = 9.0 if tick < 60 else 5.0
        told.append(watch.tick_all({("load", name): value for name in names}))
    kinds = [gale.kind for t in told for gale in t.gales]
    assert kinds[0] == "begins"
    assert next(gale for t in told for gale in t.gales).count == 40
    assert len(kinds) <= 5
    assert not [line for t in told for line in t.lines if line.kind is Kind.FIRED]
    assert len([line for t in told for line in t.lines if line.kind is Kind.OVER]) <= 10
    assert sum(gale.over for t in told for gale in t.gales) == 40
    assert {to for t in told for gale in t.gales for to in gale.to} >= {"alerts", "alice"}


def test_a_storm_goes_on_being_counted_and_ends() -> None:
    watch, kinds, heard = Watch(), list[str](), set[frozenset[str]]()
    for tick in range(200):
        watch.now += TICK
        values: dict[tuple[str, str], float | None] = {
            ("disk", f"vm-{number}"): 1.0 if number <= min(tick * 3, 60) else 99.0 for number in range(60)
        }
        gales = watch.tick_all(values).gales
        kinds += [gale.kind for gale in gales]
        heard |= {gale.to for gale in gales}
    assert kinds[0] == "begins"
    assert "digest" in kinds
    assert kinds[-1] == "ends"
    assert watch.board.storm is None
    assert heard == {frozenset({"alerts"})}  # its end too


def test_who_heard_of_a_storm_hears_of_its_end_though_nothing_came_after_it() -> None:
    watch, gales = Watch(), list[Gale]()
    for _ in range(40):
        watch.now += TICK
        gales += watch.tick_all({("disk", f"vm-{number}"): 1.0 for number in range(40)}).gales
    assert [(gale.kind, gale.count, gale.to) for gale in gales] == [
        ("begins", 40, frozenset({"alerts"})),
        ("ends", 0, frozenset({"alerts"})),
    ]


def test_thousands_that_begin_and_end_at_once_take_no_time() -> None:
    watch = Watch()
    seconds = list[float]()
    for value in (1.0, *[99.0] * 13):
        watch.now += TICK
        began = process_time()
        watch.tick_all({("disk", f"vm-{number}"): value for number in range(3000)})
        seconds.append(process_time() - began)
    assert watch.board.active == ()
    assert max(seconds) < 1.5  # a tenth of that, unless each is looked for among all


def test_of_a_subject_that_is_gone_the_end_is_told() -> None:
    watch = Watch()
    watch.go([9] * 4)
    board, told = forget(watch.board, [("load", "ford"), ("load", "none")], watch.now)
    assert [(line.kind, sorted(line.to)) for line in told.lines] == [(Kind.GONE, ["alerts", "alice"])]
    assert board.alerts == {}


VALUES = st.lists(st.one_of(st.none(), st.sampled_from([1.0, 5.0, 7.0, 9.0, 20.0])), max_size=300)


@given(VALUES)
@settings(max_examples=150)
def test_each_listener_hears_a_beginning_then_an_end(values: list[float | None]) -> None:
    watch = Watch()
    open_for: dict[str, bool] = {}
    for value in [*values, *([1.0] * 200)]:
        for line in watch.tick(load=value).lines:
            for listener in line.to:
                began = line.kind is not Kind.OVER
                if line.kind is Kind.FIRED:
                    assert not open_for.get(listener, False)
                if line.kind is Kind.OVER:
                    assert open_for[listener]
                open_for[listener] = began
    assert not any(open_for.values())


@given(VALUES, st.integers(0, 300))
@settings(max_examples=100)
def test_a_restart_neither_forgets_nor_repeats(values: list[float | None], cut: int) -> None:
    whole, first = Watch(), Watch()
    said = whole.go(values)
    before = first.go(values[:cut])
    assert before + Watch(first.board, first.now).go(values[cut:]) == said


@given(st.sampled_from([1.0, 9.0]), st.integers(30, 60))
def test_nothing_is_said_while_nothing_changes(value: float, ticks: int) -> None:
    watch = Watch()
    watch.go([value] * 20)
    assert watch.go([value] * (ticks - 20)) == []


def test_observing_nothing_changes_nothing() -> None:
    alert = Alert(rule="load", subject="ford", since=START)
    assert observe(alert, LOAD, None, START) is alert
