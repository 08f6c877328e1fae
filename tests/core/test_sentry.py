"""What the admins hear of those who were refused."""

from pathlib import Path

import pytest

from bot import Expired, Identity, IdentityKind, Place, Plugin, anyone, members
from bot.core.lookalikes import looks
from bot.testing import Chat
from tests.conftest import until

plugin = Plugin("secrets")


@plugin.command("open", allow=members)
async def open_it() -> str:
    """Open it."""
    return "Open."


@plugin.command("link", allow=anyone)
async def link(code: str) -> str:
    """Take a code."""
    raise Expired(f"{code} is wrong.")


async def warned(folder: Path, who: str, text: str, identity: Identity | None = None) -> list[str]:
    async with Chat.open(folder, [plugin]) as chat:
        await chat.hear(who, text, proven=identity is not None, identity=identity)
        await until(lambda: not chat.crew.pipeline.tasks)
        assert chat.incidents.reported == []
        return [told for _, told in chat.incidents.warned]


@pytest.mark.parametrize("nick", ["alice", "Alice_", "\u0430lice", "a1ice", "al\u00edce", "alice\u200b"])
async def test_who_goes_by_a_members_name_and_is_refused_is_told(tmp_path: Path, nick: str) -> None:
    (told,) = await warned(tmp_path, nick, "!open")
    assert told.endswith(
        " on net goes by the name of alice and was refused open: an impostor, or alice is not logged in."
    )


async def test_so_is_a_proven_guest_with_an_account_that_looks_like_a_members(tmp_path: Path) -> None:
    other = Identity("net", IdentityKind.IRC_ACCOUNT, "b0b")
    (told,) = await warned(tmp_path, "zed", "!open", other)
    assert told.startswith("net:b0b goes by the name of bob and was refused open")


@pytest.mark.parametrize("nick", ["eve", "alicia", "b", ""])
async def test_other_guests_are_no_news(tmp_path: Path, nick: str) -> None:
    assert await warned(tmp_path, nick, "!open") == []


async def test_what_anybody_may_is_no_news(tmp_path: Path) -> None:
    assert await warned(tmp_path, "alice", "!help") == []


async def test_where_nobody_can_be_proven_nobody_is_an_impostor(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, [plugin]) as chat:
        await chat.say("alice", "!open", place=Place("elsewhere", "#team"), proven=False)
        await until(lambda: not chat.crew.pipeline.tasks)
        assert chat.incidents.warned == []


async def test_a_wrong_code_is_told(tmp_path: Path) -> None:
    (told,) = await warned(tmp_path, "eve", "!link 0000")
    assert told == "“eve” on net said a wrong code to !link."


async def test_a_message_that_comes_again_with_its_id_is_told(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, [plugin]) as chat:
        assert (await chat.hear("alice", "!open", stamp="m1")).lines == ("Open.",)
        assert (await chat.hear("alice", "!open", stamp="m1")).lines == ()
        await until(lambda: not chat.crew.pipeline.tasks)
        assert chat.incidents.warned == [
            ("attempt by allce on net", "net:alice sent open with the id of an earlier message; left undone.")
        ]


async def test_a_watch_that_fails_changes_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Chat.open(tmp_path, [plugin]) as chat:

        def fail(*_: object, **__: object) -> None:
            raise RuntimeError("no")

        monkeypatch.setattr(type(chat.incidents), "warn", fail)
        assert (await chat.say("eve", "!link 0000", proven=False)) == "0000 is wrong."
        await until(lambda: chat.incidents.reported)
        assert chat.incidents.reported[0][1] == "the watch over who is refused"


def test_names_that_differ_look_different() -> None:
    assert len({looks(name) for name in ("alice", "bob", "ann", "abe", "trillian", "arthur")}) == 6
    assert looks("rnarvin") == looks("marvin")
