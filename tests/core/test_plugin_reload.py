"""What `!plugin reload` does on the road; where the new code comes from is the loader's matter."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot import Conflict, Plugin
from bot.core.crew import Shipyard
from bot.core.registry import Override
from bot.core.reload import Reloader
from bot.testing import Chat
from tests.core.conftest import Probe, book

ONE = '''
from dataclasses import dataclass
from pydantic import BaseModel
from bot import DayBegan, Event, Inquiry, Notice, Outcome, Plugin, StatusPart, members

plugin = Plugin("dice")

class Settings(BaseModel):
    sides: int = 6

plugin.settings = Settings

class Side:
    pass

@plugin.event
@dataclass(frozen=True, slots=True, kw_only=True)
class Rolled(Event):
    side: int

@plugin.migration
def first(db):
    db.execute("CREATE TABLE dice (side INTEGER) STRICT")

@plugin.converter(Side)
async def to_side(word: str, settings: Settings) -> int:
    if word == "slow":
        BEGAN.set()
        await GATE.wait()
    return settings.sides

@plugin.command("roll", allow=members, limit="3/1d")
async def roll(settings: Settings, side: Side) -> str:
    """Roll."""
    return f"one: {side} of {settings.sides}"

@plugin.command("cheat", allow=members, confirm="Cheat?")
async def cheat() -> Outcome:
    """Cheat."""
    return Outcome.of("one cheats")

@plugin.command("throw", allow=members)
async def throw() -> Outcome:
    """Throw."""
    return Outcome(events=(Rolled(side=1),))

@plugin.on(Rolled)
async def tell(event: Rolled) -> Outcome:
    return Outcome(notices=(Notice("team", (f"one saw {event.side}",)),))

@plugin.answers(StatusPart)
async def status(_: StatusPart) -> str:
    return "one is well"
'''
TWO = ONE.replace("one", "two").replace('"cheat", allow=members, confirm="Cheat?"', '"bluff", allow=members')
PLAIN = 'from bot import Plugin, anyone\nplugin = Plugin("dice")\n'
ASK = '''
from bot import Ask, Plugin, StatusPart, anyone
plugin = Plugin("asker")

@plugin.command("ask", allow=anyone)
async def ask(ask: Ask) -> str:
    """Ask everybody."""
    return ", ".join(await ask(StatusPart()))
'''
GOES_ON = "Not reloaded, the old one goes on: "
GATE, BEGAN = asyncio.Event(), asyncio.Event()


def plugin_of(text: str) -> Plugin:
    """Run a plugin's file, as an import does."""
    module = {"__name__": "dice_of_a_test", "GATE": GATE, "BEGAN": BEGAN}
    exec(text, module)  # noqa: S102 - the text is ours
    plugin = module["plugin"]
    assert isinstance(plugin, Plugin)
    return plugin


async def reload(chat: Chat, text: str, name: str = "dice") -> str:
    chat.code.written[name] = plugin_of(text)
    return await chat.say("ann", f"!plugin reload {name}")


@pytest.fixture
async def table(tmp_path: Path, probe: Probe) -> AsyncIterator[Chat]:
    """A conversation with the first dice, and others."""
    GATE.clear()
    BEGAN.clear()
    plugins = [plugin_of(ONE), probe.plugin, plugin_of(ASK)]
    async with Chat.open(tmp_path, plugins, {"dice": {"sides": 20}}) as chat:
        yield chat


async def test_the_loaded_ones_are_listed_for_admins(table: Chat) -> None:
    assert await table.say("ann", "!plugin list") == "Plugins: asker, dice, probe."
    assert await table.say("alice", "!plugin list") == "Only admins may plugin list."
    assert await table.say("alice", "!plugin reload dice") == "Only admins may plugin reload."


async def test_a_bot_without_plugins_says_so(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, []) as chat:
        assert await chat.say("ann", "!plugin list") == "Plugins: none."
        said = await chat.say("ann", "!plugin reload core")
        assert said == "There is no plugin “core” to reload; loaded are: none."


@pytest.mark.parametrize("name", ["core", "cards", "../dice"])
async def test_what_is_not_loaded_is_not_reloaded(table: Chat, name: str) -> None:
    said = await table.say("ann", f"!plugin reload {name}")
    assert said == f"There is no plugin “{name}” to reload; loaded are: asker, dice, probe."
    assert table.code.kept == []


async def test_its_commands_handlers_answers_settings_and_events_are_the_new_ones(table: Chat) -> None:
    assert await table.say("alice", "!roll x") == "one: 20 of 20"
    assert await table.say("alice", "!ask") == "one is well"
    assert await reload(table, TWO) == "Plugin dice is reloaded. New: !bluff. Gone: !cheat."
    assert table.code.kept == ["dice"]
    assert await table.say("alice", "!roll x") == "two: 20 of 20"
    assert await table.say("alice", "!ask") == "two is well"
    assert await table.say("alice", "!bluff") == "two cheats"
    assert (await table.say("alice", "Eddie: cheat")).startswith("I know no “cheat”")
    await table.say("alice", "!throw")
    assert await table.told() == [("room net/#team", "two saw 1")]
    assert await table.say("bob", "!can alice roll x") == "alice may roll x: members may."
    assert await reload(table, ASK, "asker") == "Plugin asker is reloaded."
    assert await table.say("alice", "!ask") == "two is well"
    assert table.incidents.reported == []


async def test_it_is_written_down_and_the_others_are_untouched(table: Chat, probe: Probe) -> None:
    working = asyncio.create_task(table.say("alice", "!work dawn"))
    await probe.has_begun("dawn")
    assert await reload(table, ONE) == "Plugin dice is reloaded."
    assert (await table.say("bob", "!jobs")).startswith("1 work dawn for alice: 25%")
    probe.let("dawn")
    assert await working == "worked on dawn"
    assert await table.say("alice", "!note it") == "noted it"
    rows = await book(table)
    assert "asked | plugin reload | dice" in rows
    assert "done | plugin reload | dice | Plugin dice is reloaded." in rows


async def test_limits_count_on(table: Chat) -> None:
    for _ in range(2):
        await table.say("alice", "!roll x")
    await reload(table, TWO)
    assert (await table.say("alice", "!roll x")).startswith("two")
    assert (await table.say("alice", "!roll x")).startswith("roll may be used 3/1d; again in ")


async def test_a_command_under_way_ends_as_it_began(table: Chat) -> None:
    rolling = asyncio.create_task(table.say("alice", "!roll slow"))
    await BEGAN.wait()
    assert (await reload(table, TWO)).startswith("Plugin dice is reloaded")
    GATE.set()
    assert await rolling == "one: 20 of 20"
    assert await table.say("bob", "!roll x") == "two: 20 of 20"


async def test_what_was_asked_before_is_done_by_the_new_one_or_not_at_all(table: Chat) -> None:
    assert await table.say("alice", "!cheat") == "Cheat? Say !yes within 60 s."
    assert await table.say("bob", "!cheat") == "Cheat? Say !yes within 60 s."
    await reload(table, ONE.replace("one cheats", "a newer one cheats"))
    assert await table.say("alice", "!yes") == "a newer one cheats"
    assert await table.say("alice", "!cheat") == "Cheat? Say !yes within 60 s."
    await reload(table, TWO)
    assert await table.say("bob", "!yes") == "!cheat is not there any more."
    assert await table.say("alice", "!no") == "!cheat is not there any more."
    assert await table.say("alice", "!no") == "Nothing waits for your no."
    assert table.incidents.reported == []


async def test_new_migrations_run_before_it_is_there(table: Chat) -> None:
    more = 'def second(db):\n    db.execute("ALTER TABLE dice ADD COLUMN who TEXT")\n'
    assert (await reload(table, f"{TWO}\n@plugin.migration\n{more}")).startswith("Plugin dice is reloaded.")
    columns = await table.store.read(lambda db: [column.name for column in db.table("dice").columns])
    assert columns == ["side", "who"]


SILENT = '\n@plugin.command("x", allow=anyone)\nasync def x() -> None: ...\n'
TAKEN = '\n@plugin.command("ask", allow=anyone)\nasync def x() -> None:\n    """Do."""\n'
WIDE = "\nfrom pydantic import BaseModel\nclass S(BaseModel):\n    sides: str\nplugin.settings = S\n"
BAD_STEP = '\n@plugin.migration\ndef second(db):\n    raise ValueError("a\\nb")\n'
DOUBLE = '\nplugin.event(type("DayBegan", (Event,), {}))\n'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            TWO + "from bot import anyone" + SILENT,
            "plugin dice: !x: the handler has no docstring, which is its help",
        ),
        (PLAIN, "plugins.dice: plugin dice takes no settings; remove the table"),
        (PLAIN + WIDE, "plugins.dice.sides: Input should be a valid string"),
        (TWO + "from bot import anyone" + TAKEN, "plugin asker: !ask is already a command of plugin dice"),
        (TWO + BAD_STEP, "plugin dice: migration second failed: ValueError: a b"),
        (TWO.replace("def first", "def other"), "the database's dice tables are newer than this program"),
        (TWO + DOUBLE, "event DayBegan: both "),
        (TWO.replace('Plugin("dice")', 'Plugin("asker")'), "plugin asker: two plugins have this name"),
    ],
)
async def test_the_old_one_goes_on_where_the_new_one_is_wrong(table: Chat, text: str, why: str) -> None:
    said = await reload(table, text)
    assert said.startswith(GOES_ON + why)
    assert "\n" not in said
    assert table.code.kept == []
    assert await table.say("alice", "!roll x") == "one: 20 of 20"
    assert await table.say("alice", "!ask") == "one is well"
    await table.say("alice", "!throw")
    assert await table.told() == [("room net/#team", "one saw 1")]
    assert any(row.startswith(f"refused | plugin reload | dice | {said}") for row in await book(table))
    assert (await reload(table, TWO)).startswith("Plugin dice is reloaded.")


async def test_what_breaks_unexpectedly_leaves_the_old_one_too(table: Chat) -> None:
    said = await reload(table, TWO + '\nplugin.commands.append("no command")\n')
    assert said == "That went wrong; the admins can look up 0001."
    assert await table.say("alice", "!roll x") == "one: 20 of 20"
    assert (await reload(table, TWO)).startswith("Plugin dice is reloaded.")


async def test_what_the_config_says_of_a_command_holds_for_the_new_one(tmp_path: Path) -> None:
    overrides = {"cheat": Override(allow="admins", confirm=False)}
    async with Chat.open(tmp_path, [plugin_of(ONE)], overrides=overrides) as chat:
        assert await reload(chat, ONE.replace("one", "two")) == "Plugin dice is reloaded."
        assert await chat.say("alice", "!cheat") == "Only admins may cheat."
        assert await chat.say("ann", "!cheat") == "two cheats"
        assert await reload(chat, TWO) == f'{GOES_ON}commands."cheat": no loaded plugin has this command'


def yard(chat: Chat) -> Shipyard:
    found = chat.crew.pipeline.services[Reloader]
    assert isinstance(found, Shipyard)
    return found


async def test_one_is_reloaded_at_a_time(table: Chat) -> None:
    table.code.written["dice"] = plugin_of(TWO)
    first, second = await asyncio.gather(
        yard(table).reload("dice"), yard(table).reload("asker"), return_exceptions=True
    )
    assert first == "Plugin dice is reloaded. New: !bluff. Gone: !cheat."
    assert isinstance(second, Conflict)
    assert str(second) == "Plugin dice is being reloaded; say it again in a moment."
    assert table.code.kept == ["dice"]


async def test_one_that_was_cancelled_leaves_the_old_one_and_another_may_follow(table: Chat) -> None:
    table.code.written["dice"] = plugin_of(TWO)
    reloading = asyncio.create_task(yard(table).reload("dice"))
    await asyncio.sleep(0)
    reloading.cancel()
    await asyncio.gather(reloading, return_exceptions=True)
    assert reloading.cancelled()
    assert await table.say("alice", "!roll x") == "one: 20 of 20"
    assert (await table.say("ann", "!plugin reload Dice")).startswith("Plugin dice is reloaded.")
