"""Builds the plugin of docs/writing-a-plugin.md from its text, and does with it all that the text says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.testing import Chat
from tests.house.conftest import ROOT

PAGE = ROOT / "docs" / "writing-a-plugin.md"
TEXT = PAGE.read_text("utf-8")
BLOCK = re.compile(r"^```(python|toml)\n(?:# ([\w.]+)\n)?(.*?)^```$", re.MULTILINE | re.DOTALL)
FILES = {name: code for _, name, code in BLOCK.findall(TEXT) if name}
ADDED = [code for kind, name, code in BLOCK.findall(TEXT) if kind == "python" and not name]

MORE_TALK = """
import asyncio
from pathlib import Path

from bot import DayBegan
from bot.testing import Chat
from wishes import plugin


async def test_what_was_added(tmp_path: Path) -> None:
    tables = {"wishes": {"shop": "Magrathea"}}
    async with Chat.open(tmp_path, [plugin], tables) as chat:
        assert await chat.say("alice", "!wish where") == "We buy at Magrathea."
        whispered = await chat.say("alice", "!wish secretly peace")
        assert whispered == "(to alice) “peace” is safe with me, under 00000001."
        assert not any("peace" in row.entry.words for row in await chat.book.recent(9))
        assert await chat.say("alice", "!wish loudly a fan") == "Wish 1 of alice: a fan"
        await chat.happen(DayBegan(date="2026-11-23"))
        assert await chat.told() == [
            ("room net/#team", "[alice] has wish 1."),
            ("room net/#admins", "1 wishes wait."),
        ]
        assert await chat.say("bob", "!wish status") == "wishes: 1"
        assert await chat.say("ann", "!wish buy 1") == "Bought: a fan"
        assert chat.progress == ["50% comparing prices"]
        assert "There is no wish 1" in await chat.say("ann", "!wish buy 1")
        assert await chat.say("ann", "!wish grant alice") == "alice wishes for nothing."
        assert await chat.say("ann", "!yes") == "Nothing waits for your yes."
        await chat.say("alice", "!wish a fan")
        await chat.say("ann", "!wish grant alice")
        assert await chat.say("ann", "!yes") == "All that alice wished for is here."
        assert "another admin's yes: !yes 2" in await chat.say("ann", "!wish clear")
        assert await chat.say("abe", "!yes 2") == "We wish for nothing."
        assert chat.incidents.reported == []
"""
STARTED = """
import asyncio, sys, tempfile
from pathlib import Path

from bot import config
from bot.wiring import find_plugins
from bot.testing import Chat

async def main() -> None:
    plugins = [loaded.plugin for loaded in find_plugins(config.load(Path(sys.argv[1]))).loaded]
    with tempfile.TemporaryDirectory() as folder:
        async with Chat.open(Path(folder), plugins) as chat:
            print(await chat.say("alice", "!wish a fan"))
            print(await chat.say("alice", "!help wish drop"))

asyncio.run(main())
"""
SAID = """\
Wish 1 of alice: a fan
!wish drop WISH: Take a wish off the list, after a yes. Asks first.
Who: the owner of the wish or admins. Example: !wish drop 7
"""


def python(folder: Path, *words: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run Python as a plugin's author or an operator would, in a folder of theirs."""
    found = f"{path or folder}:{ROOT}"
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={"PYTHONPATH": found, "PATH": "/usr/bin:/bin", "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def grown() -> str:
    """The plugin with everything that the text adds to it."""
    return "\n\n".join((FILES["wishes.py"], *ADDED))


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_the_text_has_the_files_that_it_names() -> None:
    assert list(FILES) == ["wishes.py", "test_wishes.py", "pytest.toml", "config.toml", "pyproject.toml"]
    assert len(ADDED) >= 7


def test_a_whole_plugin_is_short() -> None:
    lines = [line for line in FILES["wishes.py"].splitlines() if line.strip()]
    assert len(lines) <= 40


def test_the_code_in_the_text_is_in_the_one_format(tmp_path: Path) -> None:
    write(tmp_path, {"wishes.py": FILES["wishes.py"], "test_wishes.py": FILES["test_wishes.py"]})
    write(tmp_path, {f"added_{number}.py": code for number, code in enumerate(ADDED)})
    formatted = python(tmp_path, "-m", "ruff", "format", "--line-length", "110", "--diff", ".")
    assert formatted.returncode == 0, formatted.stdout


def test_the_test_in_the_text_passes(tmp_path: Path) -> None:
    write(tmp_path, {name: FILES[name] for name in ("wishes.py", "test_wishes.py", "pytest.toml")})
    ran = python(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_wishes.py")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout


def test_what_the_text_adds_works_and_the_first_test_still_passes(tmp_path: Path) -> None:
    write(tmp_path, {"wishes.py": grown(), "test_more.py": MORE_TALK})
    write(tmp_path, {name: FILES[name] for name in ("test_wishes.py", "pytest.toml")})
    ran = python(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 passed" in ran.stdout


@pytest.mark.parametrize("text", ["", '[plugins.wishes]\nshop = "Magrathea"\n'])
def test_it_is_loaded_from_a_folder(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"more/wishes.py": grown(), "config.toml": FILES["config.toml"] + text})
    started = python(tmp_path, "-c", STARTED, "config.toml")
    assert (started.stdout, started.stderr) == (SAID, "")


def test_it_is_loaded_from_an_entry_point(tmp_path: Path) -> None:
    site = tmp_path / "site"
    project = FILES["pyproject.toml"]
    name = re.search(r'^name = "(.*)"$', project, re.MULTILINE)
    points = re.search(r"^\[project\.entry-points\.\"(.*)\"\]\n(\w+) = \"(.*)\"$", project, re.MULTILINE)
    assert name
    assert points
    group, plugin, module = points.groups()
    info = site / "shipboard_wishes-1.0.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name[1]}\nVersion: 1.0\n"
    write(info, {"METADATA": metadata, "entry_points.txt": f"[{group}]\n{plugin} = {module}\n"})
    write(site, {f"{module}.py": grown()})
    write(tmp_path, {"config.toml": '[bot]\nstate = "state"\n'})
    started = python(tmp_path, "-c", STARTED, "config.toml", path=site)
    assert (started.stdout, started.stderr) == (SAID, "")


def test_shipboard_check_tells_whether_it_loads(tmp_path: Path) -> None:
    write(tmp_path, {"more/wishes.py": FILES["wishes.py"], "config.toml": FILES["config.toml"]})
    checked = python(tmp_path, "-m", "bot.cli", "check", "--config", "config.toml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    wrong = FILES["wishes.py"].replace("what: str", "what", 1).replace("*, what: str", "*, what")
    write(tmp_path, {"more/wishes.py": wrong})
    checked = python(tmp_path, "-m", "bot.cli", "check", "--config", "config.toml")
    assert checked.returncode == 2
    assert "plugin wishes" in checked.stdout + checked.stderr
    assert "Traceback" not in checked.stderr


async def test_the_people_that_the_text_names_are_there(chat: Chat) -> None:
    assert "two members, alice and bob, and two admins, ann and abe" in TEXT
    assert await chat.say("bob", "!member list") == "4 members: abe (admin), alice, ann (admin), bob."


def test_everything_that_can_be_injected_is_named() -> None:
    from bot.core.crew import OF_THE_CREW, OF_THE_WORLD  # noqa: PLC0415 - what the text is compared with
    from bot.core.pipeline import CALL_SERVICES  # noqa: PLC0415 - what the text is compared with

    own = {"Questions", "Jobs", "Explainer", "Reloader"}  # for the road's own commands
    names = {kind.__name__ for kind in OF_THE_CREW | OF_THE_WORLD | CALL_SERVICES} - own
    section = TEXT.split("### What can be injected")[1].split("###")[0]
    assert {name for name in names if f"`{name}`" not in section} == set()
