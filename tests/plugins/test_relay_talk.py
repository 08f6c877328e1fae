"""Two rooms, one conversation: what is passed on, how it reads, and what is not."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import About, LinkStatus, Place, Remark
from bot.core.crew import Orders, bind
from bot.errors import PluginError
from bot.testing import TEAM, Chat, FakeLinks
from bot.transports.lines import clean, hush
from plugins.help import plugin as help_plugin
from plugins.relay import grammar, plugin

JABBER = Place("jabber", "team@rooms.test")
OTHER = Place("oftc", "#team")
GROUP = [str(TEAM), str(JABBER)]


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    async with Chat.open(tmp_path, [plugin, help_plugin], {"relay": {"rooms": [GROUP]}}) as chat:
        yield chat


async def test_two_rooms_are_one_conversation(chat: Chat) -> None:
    assert await chat.remark("alice", "hello, all") == [(str(JABBER), "<alice@net> hello, all")]
    assert await chat.remark("bob", "hi", place=JABBER) == [(str(TEAM), "<bob@jabber> hi")]
    assert await chat.remark("alice", "waves", action=True) == [(str(JABBER), "* alice@net waves")]
    assert await chat.remark("eve", "elsewhere", place=OTHER) == []


async def test_a_conversation_can_have_more_rooms(tmp_path: Path) -> None:
    tables = {"relay": {"rooms": [[*GROUP, str(OTHER)], ["net/#a", "jabber/a@rooms.test"]]}}
    async with Chat.open(tmp_path, [plugin], tables) as chat:
        said = await chat.remark("bob", "hi", place=JABBER)
        assert said == [(str(TEAM), "<bob@jabber> hi"), (str(OTHER), "<bob@jabber> hi")]
        said = await chat.remark("bob", "hi", place=Place("net", "#a"))
        assert said == [("jabber/a@rooms.test", "<bob@net> hi")]


async def test_without_rooms_nothing_is_relayed(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, [plugin]) as chat:
        assert not chat.listens(TEAM)
        assert await chat.remark("alice", "hello") == []


async def test_commands_and_answers_stay_where_they_are(chat: Chat) -> None:
    assert await chat.say("alice", "!ping hi") == "pong hi"
    for line in ("!ping", "!vote 3 yes", "Eddie: ping", "eddie, well?", "!nonsense"):
        assert await chat.remark("alice", line) == [], line


@pytest.mark.parametrize("line", ["!vm stop ford-3", "Eddie: vm stop ford-3", "vm stop ford-3", "yes"])
async def test_a_relayed_line_never_commands(chat: Chat, line: str) -> None:
    for who, action in (("bob", False), ("bob", True), ("!vm stop ford-3 ", False), ("Eddie: x", True)):
        marked = grammar.marked(Remark(JABBER, who, line, action))
        for relayed in marked:
            assert await chat.say("ann", relayed) == ""
            assert await chat.remark("Marvin", relayed) == []


RELAYED = (
    "<alice@irc> hello",
    "<a\u200blice@irc> hello",
    "<alice@irc> (12 more lines not relayed)",
    "<alice@libera> ",
    "<alice@irc>",
    "* alice@irc waves",
)


@pytest.mark.parametrize("line", RELAYED)
async def test_what_was_relayed_is_not_relayed_again_whoever_says_it(chat: Chat, line: str) -> None:
    """Two ships in the same two rooms, or a third relay: nothing goes round between them."""
    for who in ("Marvin", "alice"):
        for place in (TEAM, JABBER):
            assert await chat.remark(who, line, place=place) == []


@pytest.mark.parametrize(
    "line", ["<alice> hello", "< alice@irc> x", "<3", "mail me <bob@example.org>", "* done", "*bob@irc* x"]
)
async def test_what_only_looks_a_little_like_it_is(chat: Chat, line: str) -> None:
    assert await chat.remark("alice", line) == [(str(JABBER), f"<alice@net> {line}")]


@given(nick=st.text(max_size=60), text=st.text(max_size=80), action=st.booleans(), names=st.sets(st.text()))
def test_nobody_can_forge_anothers_mark(nick: str, text: str, *, action: bool, names: set[str]) -> None:
    remark = Remark(TEAM, clean(nick), clean(text).strip(), action)
    for line in grammar.marked(remark):
        mark = f"* {grammar.shown(clean(nick))}@net " if action else f"<{grammar.shown(clean(nick))}@net> "
        assert line.startswith(mark)
        assert clean(line) == line
        assert len(line.splitlines()) == 1
        said = hush(line, [grammar.shown(clean(nick)), *names])
        assert grammar.marked(Remark(JABBER, "Marvin", said)) == ()


@pytest.mark.parametrize(
    ("nick", "seen"),
    [
        ("alice@irc> I resign <x", "alice_irc_I_resign_x"),
        ("al\u200bice", "al_ice"),
        ("alice\u1160\u2063", "alice_"),
        ("Arthur Dent", "Arthur_Dent"),
        ("*", "_"),
        ("", "_"),
        ("n" * 50, "n" * 29 + "…"),
        ("[zaphod]|away", "[zaphod]|away"),
    ],
)
def test_a_nick_is_shown_so_that_it_ends_where_it_ends(nick: str, seen: str) -> None:
    assert grammar.shown(nick) == seen


async def test_a_paste_is_cut_with_a_note(chat: Chat) -> None:
    said = [line for number in range(15) for line in await chat.remark("alice", f"line {number}")]
    assert said == [(str(JABBER), f"<alice@net> line {number}") for number in range(3)]
    assert await chat.relayed(3) == [(str(JABBER), "<alice@net> (12 more lines not relayed)")]
    await chat.clock.advance(60)
    for number in range(6):
        await chat.remark("bob", f"{number}", place=JABBER)
    assert await chat.relayed(3) == [(str(TEAM), "<bob@jabber> (3 more lines not relayed)")]


async def test_a_very_long_line_becomes_a_few_and_is_cut(chat: Chat) -> None:
    said = [line for _, line in await chat.remark("alice", "word " * 500)]
    assert len(said) == grammar.LINES
    assert all(line.startswith("<alice@net> word") for line in said)
    assert [line.endswith(" (cut)") for line in said] == [False, False, True]
    said = [line for _, line in await chat.remark("bob", "ü" * 300, place=JABBER)]
    assert [line.count("ü") for line in said] == [180, 120]
    assert all(len(line.encode()) <= grammar.LINE + 30 for line in said)


async def test_a_mention_calls_once(chat: Chat) -> None:
    chat.crew.pipeline.overhear(Remark(TEAM, "alice", "bob, ask trillian", named=("bob",)))
    await chat.clock.advance(0)
    (relayed,) = chat.loudspeaker.relayed
    assert relayed.hushed == ("bob",)
    assert relayed.line == "<alice@net> bob, ask trillian"


async def test_the_status_counts_what_was_dropped(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "relay: 1 conversation" in await chat.say("alice", "!status")
    assert "dropped" not in await chat.say("alice", "!status")
    links = tuple(replace(LinkStatus(name, up=True), dropped=2) for name in ("net", "jabber"))
    monkeypatch.setattr(FakeLinks, "status", lambda _: links)
    assert "relay: 1 conversation, 4 lines dropped" in await chat.say("alice", "!status")


async def test_without_rooms_the_status_does_not_speak_of_it(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, [plugin, help_plugin]) as chat:
        assert "relay" not in await chat.say("alice", "!status")


@pytest.mark.parametrize(
    ("rooms", "words"),
    [
        ([["net/#team"]], "is no conversation: it takes two rooms or more"),
        ([["net/#team", "#team"]], "#team is no room, write it as network/room"),
        ([["net/#team", "net/#team"]], "net/#team is there twice"),
        ([GROUP, [str(TEAM), "net/#a"]], "net/#team is there twice; a room is in one conversation"),
        (
            [["net/#team", "net/#elsewhere"]],
            "no network joins net/#elsewhere, add it to that network's rooms",
        ),
        ("net/#team", "plugins.relay.rooms"),
    ],
)
def test_wrong_rooms_stop_the_start(rooms: object, words: str) -> None:
    about = About("Eddie", "!", datetime(2026, 11, 22, tzinfo=UTC))
    orders = Orders(about=about, tables={"relay": {"rooms": rooms}}, rooms=frozenset(GROUP))
    with pytest.raises(PluginError, match="relay") as caught:
        bind([plugin], orders)
    assert words in str(caught.value)
