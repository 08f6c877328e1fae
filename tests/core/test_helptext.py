from datetime import UTC, datetime
from typing import Literal

from bot import Machine, Member, Plugin, Share, admins, anyone, detail, group, members, overview
from bot.coop.about import About
from bot.coop.people import Role
from bot.core.crew import Orders, bind
from bot.core.registry import Registry
from bot.model import Actor

plugin = Plugin("x")


@plugin.command("roll", allow=anyone, limit="3/10m")
async def roll(sides: int = 6) -> None:
    """Roll a die."""


@plugin.command("vm move", allow=admins, confirm="Move {machine}?")
async def move(machine: Machine, to: str, member: Member, mode: Literal["hot", "cold"] = "hot") -> None:
    """Move a machine to another host.

    This is not shown.
    """


@plugin.command("vm note", allow=members)
async def note(machine: Machine, *, text: str) -> None:
    """Note something."""


def registry() -> Registry:
    return bind([plugin], Orders(about=About("Eddie", "~", datetime(2026, 11, 22, tzinfo=UTC))))[0]


def test_the_overview_has_what_this_person_may_do() -> None:
    guest, member = Actor(), Actor(Member("alice", Role.MEMBER, Share.FULL), Role.MEMBER)
    assert overview(registry(), guest) == ("~no roll yes · ~help COMMAND tells more.",)
    assert overview(registry(), member) == (
        "~can cancel jobs no roll yes · ~help COMMAND tells more.",
        "~vm note",
    )


def test_one_command_tells_usage_rule_limit_and_an_example() -> None:
    commands = registry().commands
    assert detail(commands["roll"], "~") == (
        "~roll [SIDES]: Roll a die. At most 3/10m.",
        "Who: anyone. Example: ~roll 3",
    )
    assert detail(commands["vm move"], "~") == (
        "~vm move MACHINE TO MEMBER [hot|cold]: Move a machine to another host. Asks first.",
        "Who: admins. Example: ~vm move ford-3 TO alice hot",
    )
    assert detail(commands["vm note"], "~")[1] == "Who: members. Example: ~vm note ford-3 some text"


def test_a_group_is_one_line() -> None:
    actor = Actor(Member("ann", Role.ADMIN, Share.FULL), Role.ADMIN)
    found = registry().group("VM", actor)
    assert group(found, "~") == ("~vm move MACHINE TO MEMBER [hot|cold] · ~vm note MACHINE TEXT…",)
    assert registry().group("vm", Actor()) == ()


def test_commands_are_found_by_their_first_one_or_two_words() -> None:
    known = registry()
    assert [(b.name, rest) for b, rest in filter(None, [known.find("VM  Note ford-3  so it is ")])] == [
        ("vm note", "ford-3  so it is ")
    ]
    assert known.find("vm") is None
    assert known.find("") is None
    assert known.find("roll\t20")[1] == "20"  # type: ignore[index]  # it is there
    assert known.knows_first_word("vm x")
    assert not known.knows_first_word("vmx x")
    assert not known.knows_first_word(" ")


def test_the_nearest_command_is_one_that_the_speaker_may_see() -> None:
    known, admin = registry(), Actor(None, Role.ADMIN)
    assert known.nearest("vm moev", admin) is known.commands["vm move"]
    assert known.nearest("vm moev", Actor()) is None
    assert known.nearest("rol 6", Actor()) is known.commands["roll"]
    assert known.nearest("", admin) is None
