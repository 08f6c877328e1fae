import pytest

from bot import DayBegan, Reply
from bot.testing import Chat
from tests.plugins.conftest import ADMINS, GUEST, HOSTILE, rows


async def test_admins_read_the_newest_rows_first(chat: Chat) -> None:
    await chat.say("alice", "!vm start")
    assert (await chat.say("ann", "!audit 2")).splitlines() == [
        "2 22 Nov 12:00 UTC alice done (of 1): vm start ford-3 → ford-3 is up on ford, sandbox fake.",
        "1 22 Nov 12:00 UTC alice asked: vm start ford-3",
    ]


async def test_an_empty_book_says_so(chat: Chat) -> None:
    assert await chat.say("ann", "!audit") == "The audit book is empty."
    assert (await chat.say("ann", "!audit verify")).startswith("The audit book is whole: 1 row [chain ")


@pytest.mark.parametrize("command", ["audit", "audit verify", "audit 5"])
async def test_nobody_but_admins_reads_the_book(chat: Chat, command: str) -> None:
    name = "audit verify" if "verify" in command else "audit"
    assert await chat.say("alice", f"!{command}") == f"Only admins may {name}."
    assert await chat.say("eve", f"!{command}") == f"Only admins may {name}, and {GUEST}"
    assert await chat.say("ann", f"!{command}", proven=False) == f"Only admins may {name}, and {GUEST}"


async def test_how_many_rows_is_bounded(chat: Chat) -> None:
    for _ in range(60):
        await chat.say("eve", "!ping", proven=False)
    assert len((await chat.say("ann", "!audit")).splitlines()) == 5
    assert len((await chat.say("ann", "!audit 0")).splitlines()) == 1
    assert len((await chat.say("ann", "!audit 50")).splitlines()) == 50
    *shown, last = (await chat.say("ann", "!audit 1000")).splitlines()
    assert (len(shown), last) == (50, "These are the newest 50; more are not shown.")


async def test_a_guest_with_a_members_nick_is_shown_as_a_guest(chat: Chat) -> None:
    await chat.say("ann", "!vm stop ford-3", proven=False)
    await chat.say("eve", "!vm stop ford-3")
    newest, older = (await chat.say("ann", "!audit 2")).splitlines()
    assert "UTC guest net:eve refused: vm stop ford-3 →" in newest
    assert "UTC guest ann refused: vm stop ford-3 →" in older


@pytest.mark.parametrize("words", ["ten", "-1", "1.5", "5 6", *HOSTILE])
async def test_a_slip_is_told_with_the_usage(chat: Chat, words: str) -> None:
    answer = await chat.say("ann", f"!audit {words}")
    assert "Usage: !audit [COUNT]" in answer or words == "#3"
    assert chat.incidents.reported == []


async def test_verify_finds_a_changed_row_and_names_it(chat: Chat) -> None:
    await chat.say("alice", "!vm start")
    await chat.store.write(_rewrite)
    assert await chat.say("ann", "!audit verify") == "The audit book is BROKEN: row 1 was changed."


def _rewrite(tx: object) -> None:
    db = getattr(tx, "db")  # noqa: B009 - the library's types are not needed to break its rows
    for (trigger,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {trigger}")
    db.execute("UPDATE audit SET actor = 'bob' WHERE seq = 1")


async def test_verify_looks_for_a_published_head(chat: Chat) -> None:
    await chat.say("alice", "!vm start")
    await chat.happen(DayBegan(date="2026-11-22"))
    ((to, line),) = await chat.told()
    assert to == ADMINS
    assert line.startswith("Audit book on 2026-11-22: 2 rows [chain ")
    head = line.removesuffix("]").split()[-1]
    assert len(head) == 64
    assert "whole" in await chat.say("ann", f"!audit verify {head}")
    assert "whole" in await chat.say("ann", f"!audit verify {head[:12].upper()}")
    assert await chat.say("ann", f"!audit verify {'0' * 11}1") == (
        "The audit book is BROKEN: no row has the published head 000000000001: "
        "the tail from row 5 was cut, or it is mistyped."
    )


@pytest.mark.parametrize("head", ["zzz", "0" * 11, "0" * 65, "0x0000000000"])
async def test_a_slip_in_a_head_is_no_alarm(chat: Chat, head: str) -> None:
    answer = await chat.say("ann", f"!audit verify {head}")
    assert answer.endswith(" is no head; one has 12 to 64 hex digits.")


@pytest.mark.parametrize("head", HOSTILE)
async def test_what_is_no_head_is_not_found_and_breaks_nothing(chat: Chat, head: str) -> None:
    await chat.say("ann", f"!audit verify {head}")
    assert chat.incidents.reported == []


async def test_a_day_on_which_the_book_is_broken_says_so(chat: Chat) -> None:
    await chat.say("alice", "!vm start")
    await chat.store.write(_rewrite)
    await chat.happen(DayBegan(date="2026-11-22"))
    assert await chat.told() == [(ADMINS, "The audit book is BROKEN: row 1 was changed.")]


async def test_a_day_that_is_told_twice_is_heard_once(chat: Chat) -> None:
    await chat.happen(DayBegan(date="2026-11-22"))
    await chat.happen(DayBegan(date="2026-11-22"))
    assert len(await chat.told()) == 1


async def test_hostile_words_stand_in_the_book_as_they_were_said(chat: Chat) -> None:
    for word in HOSTILE:
        await chat.hear("eve", f"!ping {word}", proven=False)
    reply: Reply = await chat.hear("ann", "!audit 50")
    assert len(reply.lines) >= len(HOSTILE)
    assert any("{machine.name}" in line for line in reply.lines)
    said = [entry.words for entry in await rows(chat) if entry.command == "ping"]
    assert "'; DROP TABLE members; --" in said
    assert "whole" in await chat.say("ann", "!audit verify")
