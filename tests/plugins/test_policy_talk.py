from pathlib import Path

from bot.testing import Chat
from plugins.policy import WIDTH, paged, plugin


async def test_anybody_may_read_the_policies(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, [plugin]) as chat:
        assert (await chat.say("zoe", "!policy", proven=False)).startswith(
            "Policies: adult-content, asked-to"
        )
        shown = await chat.say("zoe", "!policy Bandwidth", proven=False)
        assert shown.startswith("Bandwidth (version 1, page 1 of 2; !policy bandwidth 2 goes on)\n")
        assert "when 80 % of it are used" in shown
        last = await chat.say("alice", "!policy bandwidth 2")
        assert last.startswith("Bandwidth (version 1, page 2 of 2)\n")
        assert len(shown.splitlines()) == 3


async def test_wrong_words(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, [plugin]) as chat:
        assert await chat.say("alice", "!policy bandwith") == (
            "There is no policy “bandwith”; did you mean bandwidth?"
        )
        assert await chat.say("alice", "!policy qqq") == "There is no policy “qqq”; !policy lists them."
        assert await chat.say("alice", "!policy spam 9") == "spam has 2 pages; there is no page 9."
        assert await chat.say("alice", "!policy spam 0") == "spam has 2 pages; there is no page 0."


def test_pages_lose_nothing() -> None:
    prose = " ".join(f"word{number}" for number in range(900)) + "\n\nThe end."
    pages = paged(prose)
    assert " ".join(line for page in pages for line in page).split() == prose.split()
    assert max(len(line) for page in pages for line in page) <= WIDTH
