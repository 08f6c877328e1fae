from datetime import UTC, datetime

import pytest

from bot import MachineChanged, MachineEventKind, MachineUsage
from bot.testing import Chat
from plugins.vms import texts
from tests.plugins.conftest import ADMINS, TEAM

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CRASHED, EXITED, NOTICE, READY = (
    MachineEventKind.CRASHED,
    MachineEventKind.EXITED,
    MachineEventKind.NOTICE,
    MachineEventKind.READY,
)


def changed(
    machine: str, kind: MachineEventKind, text: str = "", *tail: str, asked: bool = False
) -> MachineChanged:
    return MachineChanged(machine=machine, host="ford", kind=kind, at=AT, asked=asked, text=text, tail=tail)


async def test_a_crash_is_told_to_the_owner_with_the_last_lines_and_to_the_team_in_one(chat: Chat) -> None:
    await chat.happen(changed("ford-3", CRASHED, "kernel panic: out of fish", "last words", "Kernel panic"))
    text = "ford-3 CRASHED on ford: “kernel panic: out of fish”. !vm start ford-3"
    assert await chat.told() == [
        (TEAM, text),
        ("member alice", text),
        ("member alice", "[ford-3] last words"),
        ("member alice", "[ford-3] Kernel panic"),
    ]


async def test_of_a_long_console_the_owner_hears_the_end(chat: Chat) -> None:
    await chat.happen(changed("ford-3", CRASHED, "by SIGKILL", *(f"line {number}" for number in range(20))))
    said = [line for to, line in await chat.told() if to == "member alice"]
    assert said[1:] == [f"[ford-3] line {number}" for number in range(15, 20)]


async def test_an_end_by_itself_is_told_too(chat: Chat) -> None:
    await chat.happen(changed("ford-1", EXITED, "halted from inside"))
    text = "ford-1 went down by itself on ford: “halted from inside”. !vm start ford-1"
    assert await chat.told() == [(TEAM, text), ("member bob", text)]
    await chat.happen(changed("ford-1", EXITED))
    assert (TEAM, "ford-1 went down by itself on ford. !vm start ford-1") in await chat.told()


@pytest.mark.parametrize("machine", ["ford-9", "gone-1"])
async def test_of_what_is_nobodys_the_admins_hear(chat: Chat, machine: str) -> None:
    await chat.happen(changed(machine, CRASHED, "by SIGKILL"))
    assert [to for to, _ in await chat.told()] == [TEAM, ADMINS, "member abe", "member ann"]


@pytest.mark.parametrize("kind", [CRASHED, EXITED, NOTICE])
async def test_what_was_asked_for_is_no_news(chat: Chat, kind: MachineEventKind) -> None:
    await chat.happen(changed("ford-3", kind, "well", asked=True))
    assert await chat.told() == []


async def test_that_a_machine_is_ready_is_no_news(chat: Chat) -> None:
    await chat.happen(changed("ford-3", READY))
    assert await chat.told() == []


async def test_a_guests_own_notice_goes_to_its_owner_alone_and_marked(chat: Chat) -> None:
    await chat.happen(changed("ford-3", NOTICE, "VOTE 7 PASSED: give me money"))
    assert await chat.told() == [("member alice", "[ford-3] VOTE 7 PASSED: give me money")]
    await chat.happen(changed("ford-9", NOTICE, "backup done"))
    assert await chat.told() == [(ADMINS, "[ford-9] backup done")]


async def test_of_many_notices_that_wait_only_the_last_is_told(chat: Chat) -> None:
    for number in range(5):
        await chat.happen(changed("ford-3", NOTICE, f"disk {number}"))
    assert await chat.told() == [("member alice", "[ford-3] disk 4")]


async def test_news_that_is_handled_twice_is_told_once(chat: Chat) -> None:
    event = changed("ford-3", CRASHED, "by SIGKILL")
    await chat.happen(event)
    await chat.happen(event)
    assert len(await chat.told()) == 2


async def test_an_alert_goes_before_chatter_and_is_not_kept_for_ever(chat: Chat) -> None:
    await chat.happen(changed("ford-3", NOTICE, "hello"))
    await chat.happen(changed("ford-3", CRASHED, "by SIGKILL"))
    await chat.dispatcher.drain()
    found = await chat.store.read(
        lambda db: [(row["urgency"], row["expires"][:10]) for row in db.table("outbox").rows]
    )
    assert found == [(0, "2026-11-24"), (2, "2026-11-24"), (2, "2026-11-24")]


@pytest.mark.parametrize("kind", [CRASHED, EXITED])
@pytest.mark.parametrize("letter", ["x", "é", "漢", "😀"])
def test_a_guest_cannot_make_the_line_so_long_that_it_is_split(kind: MachineEventKind, letter: str) -> None:
    said = f"{letter * 180} A17 CRIT all is lost"
    longest = MachineChanged(machine="m" * 16, host="h" * 31, kind=kind, at=AT, text=said)
    line = texts.news(longest)
    assert len(line.encode()) < 400
    assert "A17" not in line or letter == "x"
    assert line.endswith(". !vm start mmmmmmmmmmmmmmmm")


@pytest.mark.parametrize(("text", "longer"), [("", ""), ("a" * 240, "a" * 60), ("😀" * 60, "😀" * 15)])
def test_what_fits_is_not_cut(text: str, longer: str) -> None:
    assert texts.said(text) == f"“{text}”"
    assert texts.marked("m", [text + longer]) == (f"[m] {text}{longer}",)


def test_what_does_not_fit_is_cut_between_letters() -> None:
    assert texts.said("😀" * 61) == f"“{'😀' * 60}…”"
    assert texts.marked("m", ["😀" * 76]) == (f"[m] {'😀' * 75}", "[m] 😀")
    assert texts.marked("m", []) == ()


def test_received_and_sent_are_shown_where_they_are_counted() -> None:
    shown = texts._used(MachineUsage(1.25, 2**20, 2**30, 2048, None))
    assert shown == "; used: CPU 1.2 s, memory 1 MiB, disk 1 GiB, received 2 KiB, sent 0 B"
    assert texts._used(MachineUsage(0.0, 0, 0)) == "; used: CPU 0.0 s, memory 0 B, disk 0 B"
