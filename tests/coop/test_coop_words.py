import doctest
import shlex
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.coop import machines, people, shares, spans
from bot.coop.about import VERSION, About
from bot.coop.events import DayBegan
from bot.coop.machines import Machine, MachineEvent, MachineEventKind, MachineState
from bot.coop.people import Member, Role, Standing
from bot.coop.questions import Inquiry, StatusPart
from bot.coop.shares import Share
from bot.coop.spans import size, span

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize("module", [shares, spans])
def test_the_examples_in_the_docs_are_true(module: object) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type]  # a module
    assert result.attempted
    assert result.failed == 0


def test_the_command_for_the_first_admin_is_exact() -> None:
    about = About("Eddie", "!", NOW, "/opt/ship/bin/shipboard", "/etc/ship board.toml")
    assert about.version == VERSION
    assert about.admin_command("Alice", "oftc:alice") == (
        "/opt/ship/bin/shipboard --config '/etc/ship board.toml' member add alice "
        "--role admin --share full --identity oftc:alice"
    )
    assert About("Eddie", "!", NOW).admin_command("a@ford.example", "jabber:a@ford.example") == (
        "shipboard member add a --role admin --share full --identity jabber:a@ford.example"
    )
    assert " member add NAME " in About("Eddie", "!", NOW).admin_command("!!!", "oftc:!!!")
    assert " member add NAME " in About("Eddie", "!", NOW).admin_command("1x", "oftc:1x")


@given(st.text(), st.text())
def test_nobody_gets_a_shell_by_their_accounts_name(subject: str, identity: str) -> None:
    words = shlex.split(About("Eddie", "!", NOW).admin_command(subject, identity))
    assert words[:2] == ["shipboard", "member"]
    assert words[-2:] == ["--identity", identity]
    assert len(words) == 10
    assert words[3] == "NAME" or people.NAME.fullmatch(words[3])


def test_roles_rise_in_trust() -> None:
    assert [Role.ADMIN.covers(role) for role in Role] == [True, True, True]
    assert [Role.MEMBER.covers(role) for role in Role] == [True, True, False]
    assert [Role.GUEST.covers(role) for role in Role] == [True, False, False]


def test_a_suspended_admin_is_none() -> None:
    assert Member("ann", Role.ADMIN, Share.FULL).is_admin
    assert not Member("ann", Role.ADMIN, Share.FULL, Standing.SUSPENDED).is_admin
    assert not Member("ann", Role.MEMBER, Share.FULL).is_admin
    assert str(Member("ann", Role.ADMIN, Share.FULL)) == "ann"


def test_shares_are_counted_in_half_units() -> None:
    assert (Share.FULL.half_units, Share.HALF.half_units) == (2, 1)
    assert (Share.FULL.of(5), Share.HALF.of(5)) == (5, 2)


def test_only_the_stopped_and_the_crashed_are_down() -> None:
    assert {state for state in MachineState if not state.is_up} == {
        MachineState.STOPPED,
        MachineState.CRASHED,
    }
    assert str(Machine("ford-3", "ford")) == "ford-3"
    assert MachineEvent("ford-3", "ford", MachineEventKind.READY, NOW).tail == ()


@pytest.mark.parametrize(
    ("name", "good"), [("a", True), ("a" * 16, True), ("a" * 17, False), ("1a", False), ("A", False)]
)
def test_a_machines_name_fits_a_network_device(name: str, good: bool) -> None:  # noqa: FBT001 - a table's column
    assert bool(machines.NAME.fullmatch(name)) is good


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min 59 s"),
        (90061, "1 d 1 h"),
        (86405, "1 d 5 s"),
    ],
)
def test_lengths_of_time(seconds: float, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (1536, "1.5 KiB"),
        (10 * 2**20, "10 MiB"),
        (5000 * 2**40, "5000 TiB"),
    ],
)
def test_amounts_of_bytes(amount: int, text: str) -> None:
    assert size(amount) == text


def test_events_and_questions_are_values() -> None:
    event = DayBegan(date="2026-11-22")
    assert event == DayBegan(date="2026-11-22")
    with pytest.raises(FrozenInstanceError):
        event.date = "x"  # type: ignore[misc]  # what is tested
    assert isinstance(StatusPart(), Inquiry)
    assert StatusPart() == StatusPart()
