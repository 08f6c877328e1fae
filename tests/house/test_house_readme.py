import re

import pytest

from bot.config import Config
from bot.core.crew import bind
from bot.core.registry import Bound
from bot.runtime.clock import SystemClock
from bot.wiring import about, find_plugins, orders
from tests.house.conftest import ROOT

README = (ROOT / "README.md").read_text("utf-8")
ROW = re.compile(r"^\| (`!.*?`) \|.*\|$", re.MULTILINE)


def commands() -> dict[str, Bound]:
    """All that our own plugins declare, as the bot binds it."""
    config = Config()
    found = find_plugins(config)
    registry, _ = bind(
        [loaded.plugin for loaded in found.loaded], orders(config, about(config, SystemClock()), found)
    )
    return registry.commands


def row(bound: Bound) -> str:
    """The row of the README's table that tells of this command."""
    usage = bound.usage.replace("|", "\\|")
    asks = " Asks first." if bound.declared.confirm else ""
    return f"| `!{usage}` | {bound.allow} | {bound.summary}{asks} |"


@pytest.mark.parametrize("name", sorted(commands()))
def test_the_readme_tells_of_each_command_what_it_declares(name: str) -> None:
    wanted = row(commands()[name])
    assert wanted in README.splitlines(), f"the README's table of commands needs this row:\n{wanted}"


def test_the_readme_tells_of_no_command_that_there_is_not() -> None:
    declared = {row(bound) for bound in commands().values()}
    written = [found[0] for found in ROW.finditer(README)]
    assert [line for line in written if line not in declared] == []
    assert len(written) == len(declared)


def test_the_readmes_transcript_is_there() -> None:
    assert "TRANSCRIPT" not in README, "paste what `make run < /dev/null` prints"
