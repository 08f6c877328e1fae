from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict
from sqlite_utils import Database

from bot import Call, Clock, DayBegan, Event, Inquiry, Machine, Plugin, Report, admins, members, owner_of
from bot.coop.about import About
from bot.core.crew import Orders, bind, migrations
from bot.core.plugin import Function
from bot.core.registry import Override
from bot.errors import PluginError
from bot.testing import Chat

ABOUT = About("Eddie", "!", datetime(2026, 11, 22, tzinfo=UTC))


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    sides: int = 6


class Odd:
    pass


@dataclass(frozen=True, slots=True)
class Mood(Inquiry[str]):
    of: str


async def fine(machine: Machine) -> None:
    """Do something to a machine."""


async def silent() -> None: ...
async def unannotated(thing) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001 - what is tested
async def listening(event: DayBegan, clock: Clock) -> None: ...
async def calling(event: DayBegan, call: Call) -> None: ...
async def calling_check(call: Call) -> None: ...
async def wordy(event: DayBegan, name: str) -> None: ...
async def reporting(word: str, report: Report) -> None: ...
async def worded(word: str) -> None:
    """Take a word."""


async def wordless() -> None: ...
async def watching(machine: Machine, clock: Clock) -> None: ...
async def misnaming(vm: Machine) -> None: ...
async def mistaking(machine: str) -> None: ...
async def collecting(*machine: Machine) -> None: ...
async def wanting(thing: Odd) -> None:
    """Want a thing."""


def fault(plugin: Plugin, *others: Plugin, **orders: object) -> str:
    with pytest.raises(PluginError) as caught:
        bind([plugin, *others], Orders(about=ABOUT, **orders))  # type: ignore[arg-type]  # the caller's to know
    text = str(caught.value)
    assert "\n" not in text
    return text


def command(name: str = "do", handler: Function = fine, **declared: object) -> Plugin:
    plugin = Plugin("x")
    plugin.command(name, **{"allow": members, **declared})(handler)  # type: ignore[arg-type]  # the caller's to know
    return plugin


@pytest.mark.parametrize(
    ("plugin", "text"),
    [
        (
            command(allow=None),
            "plugin x: !do: it says nobody may use it: add allow=members, admins, owner_of(…) or anyone",
        ),
        (command(handler=unannotated), "plugin x: !do: parameter thing has no annotation"),
        (command(handler=silent), "plugin x: !do: the handler has no docstring, which is its help"),
        (command("Do"), "plugin x: !Do: a command's name is one or two lower-case words"),
        (command("do it now"), "plugin x: !do it now: a command's name is one or two lower-case words"),
        (command(""), "plugin x: !: a command's name is one or two lower-case words"),
        (command(allow=owner_of("machin")), "plugin x: !do: allow names machin, which is no parameter"),
        (command(private=("a", "b")), "plugin x: !do: private names a, b, which is no parameter"),
        (command(confirm="?", second=owner_of("m")), "plugin x: !do: second names m, which is no parameter"),
        (
            command(second=admins),
            "plugin x: !do: second needs confirm: it says what the other admin is asked",
        ),
        (command(confirm="{machin}?"), "plugin x: !do: confirm: {machin} is no parameter"),
        (
            command(confirm="{machine.name}?", private=("machine",)),
            "plugin x: !do: confirm shows machine, which is private",
        ),
        (command(check=watching), "plugin x: !do: check needs confirm: it refuses what is not even asked"),
        (
            command(confirm="?", check=misnaming),
            "plugin x: !do: check: parameter vm: no word of the command, and no service for Machine",
        ),
        (
            command(confirm="?", check=mistaking),
            "plugin x: !do: check: parameter machine is str, and the command's is Machine",
        ),
        (
            command(confirm="?", check=reporting),
            "plugin x: !do: check: parameter word: no word of the command, and no service for str",
        ),
        (
            command(handler=worded, confirm="?", check=reporting),
            "plugin x: !do: check: parameter report: no word of the command, and no service for Report",
        ),
        (command(confirm="?", check=unannotated), "plugin x: !do: check: parameter thing has no annotation"),
        (
            command(confirm="?", check=collecting),
            "plugin x: !do: check: parameter machine: * and ** cannot be filled",
        ),
        (command(limit="often"), "plugin x: !do: 'often' is no limit: write uses/time, like 3/10m"),
        (command(timeout=0), "plugin x: !do: a timeout is more than 0 seconds"),
        (command(handler=wanting), "plugin x: !do: parameter thing: no converter and no service for Odd"),
        (command("yes"), "plugin x: !yes is already a command of plugin core"),
        (Plugin("Dice"), "plugin 'Dice': a plugin cannot be called so"),
        (Plugin("core"), "plugin 'core': a plugin cannot be called so"),
        (Plugin("../x"), "plugin '../x': a plugin cannot be called so"),
    ],
)
def test_a_wrong_command_stops_the_start_with_one_line(plugin: Plugin, text: str) -> None:
    assert fault(plugin) == text


def test_a_check_is_given_what_it_names() -> None:
    for check, wanted in ((watching, ["machine", "clock"]), (wordless, []), (calling_check, ["call"])):
        registry, _ = bind([command(confirm="?", check=check)], Orders(about=ABOUT))
        signature = registry.commands["do"].check
        assert signature is not None
        assert [parameter.name for parameter in signature.parameters] == wanted
    registry, _ = bind([command(confirm="?")], Orders(about=ABOUT))
    assert registry.commands["do"].check is None


def test_what_is_no_function_is_no_check() -> None:
    assert fault(command(confirm="?", check="up")).startswith(
        "plugin x: !do: check: its annotations cannot be read"
    )


def test_two_commands_cannot_have_one_name() -> None:
    other = Plugin("y")
    other.command("do", allow=members)(fine)
    assert fault(command(), other) == "plugin y: !do is already a command of plugin x"


def test_two_plugins_cannot_have_one_name() -> None:
    assert fault(Plugin("x"), Plugin("x")) == "plugin x: two plugins have this name"


def test_listeners_get_services_only() -> None:
    for handler, text in (
        (calling, "plugin x: calling: parameter call: no service for Call"),
        (wordy, "plugin x: wordy: parameter name: no service for str"),
        (unannotated, "plugin x: unannotated: parameter thing has no annotation"),
    ):
        plugin = Plugin("x")
        plugin.on(DayBegan)(handler)
        assert fault(plugin) == text


def test_one_listens_to_events_and_answers_questions() -> None:
    for subject in (Mood, "DayBegan", 7):
        plugin = Plugin("x")
        plugin.on(subject)(listening)  # type: ignore[arg-type]  # what is tested
        assert fault(plugin) == f"plugin x: listening: {subject!r} is no Event"
    plugin = Plugin("x")
    plugin.answers(DayBegan)(listening)
    assert fault(plugin) == f"plugin x: listening: {DayBegan!r} is no Inquiry"


def test_converters_take_a_word_and_services() -> None:
    for handler, text in (
        (reporting, "plugin x: !do: parameter report: no service for Report"),
        (wordless, "plugin x: !do: wordless takes no word to convert"),
    ):
        plugin = command(handler=wanting)
        plugin.converter(Odd)(handler)
        assert fault(plugin) == text
    plugin = command(handler=wanting)
    plugin.converter(Odd, candidates=wordy)(listening)
    assert fault(plugin).startswith("plugin x: !do: parameter event: no service for DayBegan")


def test_settings_are_checked_and_named() -> None:
    plugin = Plugin("dice", Settings)
    registry, settings = bind([plugin], Orders(about=ABOUT, tables={"dice": {"sides": 20}}))
    assert settings[Settings] == Settings(sides=20)
    assert "yes" in registry.commands
    near = "plugins.dice.side: unknown key; did you mean sides?"
    assert fault(plugin, tables={"dice": {"side": 20}}) == near
    assert fault(plugin, tables={"dice": {"sides": "x"}}).startswith(
        "plugins.dice.sides: Input should be a valid"
    )
    assert fault(Plugin("x"), tables={"x": {}}) == "plugins.x: plugin x takes no settings; remove the table"
    assert fault(Plugin("x"), tables={"y": {}}) == "plugins.y: plugin y is not loaded; remove the table"
    text = "plugin more-dice: its settings are another plugin's Settings"
    assert fault(plugin, Plugin("more-dice", Settings)) == text


def test_an_operators_mistakes_are_named() -> None:
    for name, override, text in (
        ("fly", Override(), 'commands."fly": no loaded plugin has this command'),
        (
            "do",
            Override(limit="0/1d"),
            "commands.\"do\".limit: '0/1d' is no limit: write uses/time, like 3/10m",
        ),
        ("do", Override(allow="owner"), 'commands."do".allow: write anyone, members, admins, not owner'),
    ):
        assert fault(command(), overrides={name: override}) == text


def test_what_the_config_says_about_a_plugin_that_is_switched_off_does_not_stop_the_start() -> None:
    orders = Orders(
        about=ABOUT,
        overrides={"dice roll": Override(limit="1/1d"), "do": Override(allow="admins")},
        tables={"dice": {"sides": 20}},
        off=frozenset({"dice"}),
    )
    registry, _ = bind([command()], orders)
    assert str(registry.commands["do"].allow) == "admins"


def test_migrations_have_names_of_their_own() -> None:
    plugin = Plugin("x")

    @plugin.migration
    def first(db: Database) -> None: ...

    assert [steps.name for steps in migrations([plugin])] == ["core", "x"]
    plugin.migration(first)
    with pytest.raises(PluginError, match="plugin x: two migrations are called first"):
        migrations([plugin])


async def test_migrations_run_once_in_order_and_a_failing_one_names_its_plugin(tmp_path: Path) -> None:
    plugin, ran = Plugin("x"), []

    @plugin.migration
    def create(db: Database) -> None:
        ran.append("create")
        db.execute("CREATE TABLE x_rolls (sides INTEGER) STRICT")

    for _ in range(2):
        async with Chat.open(tmp_path, [plugin]) as chat:
            assert await chat.store.read(lambda db: db.table("x_rolls").count) == 0
    assert ran == ["create"]

    @plugin.migration
    def again(db: Database) -> None:
        ran.append("again")
        db.execute("CREATE TABLE x_rolls (sides INTEGER) STRICT")

    with pytest.raises(
        PluginError, match="plugin x: migration again failed: OperationalError: table x_rolls"
    ):
        async with Chat.open(tmp_path, [plugin]):
            pass
    assert ran == ["create", "again"]


def test_events_that_can_happen_are_the_co_ops_and_those_of_plugins() -> None:
    class Rolled(Event):
        pass

    class Lost(Event):
        pass

    plugin = Plugin("x")
    plugin.on(Rolled)(silent)
    assert plugin.event(Lost) is Lost
    registry, _ = bind([plugin], Orders(about=ABOUT))
    assert {DayBegan, Rolled, Lost, Event} <= set(registry.events.values())
    plugin.event(Odd)
    assert fault(plugin) == "plugin x: Odd is no Event"
