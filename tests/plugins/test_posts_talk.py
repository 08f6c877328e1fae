"""Posts, reminders, announcements and maintenance, as people meet them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot import DigestPart, Links, Maintenance, MaintenanceNow, Place, Plugin
from bot.testing import NETWORK, TEAM, Chat, FakeLinks
from plugins.help import plugin as help_plugin
from plugins.members import plugin as members_plugin
from plugins.posts import plugin
from plugins.vms import plugin as vms_plugin
from tests.plugins.conftest import GUEST, HOSTILE

PLUGINS = [plugin, help_plugin, members_plugin, vms_plugin]
ROOM = "room net/#team"
HOUR, DAY = 3600.0, 86400.0


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    async with Chat.open(tmp_path, PLUGINS) as chat:  # it is Sunday, 22 November 2026, 12:00 UTC
        yield chat


def links(chat: Chat) -> FakeLinks:
    found = chat.crew.pipeline.services[Links]
    assert isinstance(found, FakeLinks)
    return found


async def came(chat: Chat, seconds: float) -> list[tuple[str, str]]:
    """Let time pass, and return what was said of it; not the daily news of the audit book."""
    await chat.clock.advance(seconds)
    return [told for told in await chat.told() if "audit" not in told[1].lower()]


async def test_a_post_answers_with_the_next_three_dates_and_comes_in_time(chat: Chat) -> None:
    await chat.say("alice", "!set zone Europe/Berlin")
    answer = await chat.say("alice", "!post add every friday 18:00 | meeting in an hour")
    assert answer == (
        "Post 2 to #team: Fri 27 Nov 18:00 CET (17:00 UTC), Fri 4 Dec 18:00 CET (17:00 UTC), "
        "Fri 11 Dec 18:00 CET (17:00 UTC). !post delete 2"
    )
    assert await came(chat, 5 * DAY + 5 * HOUR - 1) == []
    assert await came(chat, 2) == [(ROOM, "[alice] meeting in an hour")]
    assert await came(chat, 7 * DAY) == [(ROOM, "[alice] meeting in an hour")]


async def test_a_zone_in_the_expression_wins_and_the_bots_holds_for_who_has_none(chat: Chat) -> None:
    said = await chat.say("bob", "!post add on 2027-01-05 18:00 America/New_York | hi")
    assert "Tue 5 Jan 2027 18:00 EST (23:00 UTC)" in said
    assert "Mon 23 Nov 09:00 UTC." in await chat.say("bob", "!post add tomorrow 9:00 | hi")
    said = await chat.say("bob", "!post add on 2026-12-24 23:00 America/New_York | hi")
    assert "Thu 24 Dec 23:00 EST (Fri 25 Dec 04:00 UTC)" in said


async def test_a_reminder_comes_directly(chat: Chat) -> None:
    answer = await chat.say("bob", "!remind in 3h | renew the domain")
    assert answer == "Reminder 2 to bob directly: Sun 22 Nov 15:00 UTC. !post delete 2"
    assert await came(chat, 3 * HOUR) == [("member bob", "[bob] renew the domain")]
    assert await chat.say("bob", "!post list mine") == (
        "Nothing waits; !post add every friday 18:00 | Meeting begins."
    )


async def test_what_is_said_directly_is_posted_directly_unless_it_names_a_place(chat: Chat) -> None:
    assert "to bob directly" in await chat.say("bob", "post add in 1h | x", direct=True)
    assert "to #team" in await chat.say("bob", "post add in 1h to #team | x", direct=True)
    assert "to #team" in await chat.say("bob", "post add in 1h in net/#team | x", direct=True)
    assert "to the team" in await chat.say("bob", "post add in 1h to team | x", direct=True)
    assert "to bob directly" in await chat.say("bob", "!post add in 1h to me | x")


async def test_one_writes_only_where_one_may(chat: Chat) -> None:
    assert await chat.say("bob", "!post add in 1h to #admins | x") == (
        "Only admins may have something posted to net/#admins from elsewhere."
    )
    assert await chat.say("bob", "!post add in 1h to alerts | x") == (
        "Only admins may have something posted to the alerts."
    )
    assert "is no room of mine" in await chat.say("bob", "!post add in 1h to #nowhere | x")
    elsewhere = Place(NETWORK, "#elsewhere")
    assert "#elsewhere is no room of mine" in await chat.say("bob", "!post add in 1h | x", place=elsewhere)
    assert "to #admins" in await chat.say("ann", "!post add in 1h to #admins | x")
    assert "to the admins" in await chat.say("ann", "!post add in 1h to admins | x")
    links(chat).known.append(Place("jabber", "#team"))
    assert "to #team" in await chat.say("bob", "!post add in 1h to #team | x", place=Place(NETWORK, "#team"))


@pytest.mark.parametrize("command", ["post add", "remind", "announce", "maint"])
async def test_what_help_shows_as_an_example_works(chat: Chat, command: str) -> None:
    example = (await chat.say("ann", f"!help {command}")).split("Example: ")[1]
    answer = await chat.say("ann", example)
    assert answer.startswith(
        ("Post 2 to the team", "Reminder 2 to ann", "Announced", "Maintenance of ford")
    ), answer


async def test_guests_have_no_posts(chat: Chat) -> None:
    for command in ("post add in 1h | x", "remind in 1h | x", "post list", "post show 1"):
        name = "remind" if "remind" in command else " ".join(command.split()[:2])
        assert await chat.say("eve", f"!{command}") == f"Only members may {name}, and {GUEST}"


WRONG = [
    ("post add every friday 18:00", "The time and the text are parted by |: !post add every friday"),
    ("post add | x", "A time and a text are needed"),
    ("post add in 1h |  ", "A time and a text are needed"),
    ("post add every freitag 18:00 | x", "“freitag” is no day"),
    ("post add every 10 sec | x", "“10 sec” is more often than every minute"),
    ("post add in 1h | {secret}", "{secret} is no field: there are {date}"),
    ("post add in 1h | {machine.name}", "{machine.name} is no field"),
    ("post add in 1h | {date:%s}", "{date:%s} is no field"),
    ("post add in 1h | {days_until:soon}", "{days_until:soon} has no date"),
    ("post add in 1h | {days_until:2026-02-30}", "{days_until:2026-02-30} has no date"),
    ("post add in 1h | {days_until}", "{days_until} has no date"),
    (f"post add in 1h | {'x' * 10_000}", "That is 10000 characters; at most 1000 can be posted."),
    (f"post add {'x' * 10_000} | x", "is too long for a time"),
    (f"post add in 1h | {{{'x' * 500}}}", "… is no field"),
    ("remind in 1h to #team | x", "A reminder goes to you directly"),
    ("post list everything", "Write !post list, or !post list mine."),
    ("post show xyz", "A post has a number: !post list tells it."),
    ("post show 99", "There is no post 99 waiting; !post list names them."),
    ("post delete 99", "There is no post 99 waiting"),
]


async def test_what_is_wrong_is_named(chat: Chat) -> None:
    for line, said in WRONG:
        assert said in await chat.say("alice", f"!{line}"), line
        assert await came(chat, 600) == []
    assert await chat.say("alice", "!post list mine") == (
        "Nothing waits; !post add every friday 18:00 | Meeting begins."
    )


async def test_fields_are_replaced_once_and_exactly(chat: Chat) -> None:
    text = "week {week}, {date}, {days_until:2026-12-24} days, {machines_down} down; { } {} 100%s"
    assert "Post 2" in await chat.say("alice", f"!post add tomorrow 9:00 Europe/Berlin | {text}")
    assert await came(chat, DAY) == [
        (ROOM, "[alice] week 48, 2026-11-23, 31 days, none down; { } {} 100%s"),
    ]


async def test_a_field_that_nobody_can_fill_any_more_is_said_to_be_unknown(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, PLUGINS) as chat:
        await chat.say("alice", "!post add in 1h | {machines_down} down")
        clock = chat.clock
    async with Chat.open(tmp_path, [plugin], clock=clock) as chat:
        assert await came(chat, HOUR) == [(ROOM, "[alice] (unknown) down")]


@pytest.mark.parametrize(
    "text", ["!vm stop ford-3", "!yes", "Eddie: vm stop ford-3", "A17 CRIT ford is down"]
)
async def test_a_hostile_text_stays_its_authors(chat: Chat, text: str) -> None:
    await chat.say("alice", f"!post add in 1h | {text}")
    ((to, line),) = await came(chat, HOUR)
    assert (to, line) == (ROOM, f"[alice] {text}")
    assert await chat.say("Eddie", line, proven=False) == ""


async def test_a_long_text_is_marked_on_each_line(chat: Chat) -> None:
    await chat.say("alice", f"!post add in 1h | {'word ' * 150}A17 CRIT{'x' * 200}")
    lines = [line for _, line in await came(chat, HOUR)]
    assert len(lines) > 2
    assert all(line.startswith("[alice] ") and len(line) < 320 for line in lines)


async def test_hostile_words_are_answered_and_nothing_breaks(chat: Chat) -> None:
    for word in HOSTILE:
        for command in (
            "post add",
            "remind",
            "post show",
            "post pause",
            "post list",
            "maint ford",
            "announce",
        ):
            assert await chat.say("ann", f"!{command} {word}"), (command, word)
        assert await chat.say("ann", f"!post add in 1h | {word}"), word
        assert await chat.say("ann", f"!maint ford 18:00-20:00 {word}"), word
    await came(chat, DAY)
    assert chat.incidents.reported == []


async def test_cron_may_be_quoted(chat: Chat) -> None:
    answer = await chat.say("alice", '!post add cron "0 18 * * 5" Europe/Berlin | a | b')
    assert "Post 2 to #team: Fri 27 Nov 18:00 CET (17:00 UTC)" in answer
    assert '[alice] a | b; cron "0 18 * * 5" Europe/Berlin;' in await chat.say("bob", "!post show 2")


async def test_machines_in_trouble_are_counted(chat: Chat) -> None:
    chat.hypervisor.fail_next("inspect", "the host is silent")
    await chat.say("alice", "!post add in 1h | {machines_down}")
    chat.hypervisor.fail_next("inspect", "the host is silent")
    ((_, line),) = await came(chat, HOUR)
    assert line == "[alice] 1 (ford-1)"


async def test_a_digest_of_several_parts_has_a_line_for_each(tmp_path: Path) -> None:
    other = Plugin("other")

    @other.answers(DigestPart)
    def part() -> str:
        return "votes: 2 open"

    async with Chat.open(tmp_path, [*PLUGINS, other], READY) as chat:
        told = await came(chat, 21 * HOUR)
    assert [line for _, line in told] == ["Digest of week 48:", "machines: 0 of 3 up", "votes: 2 open"]


async def test_ten_may_wait(chat: Chat) -> None:
    for number in range(10):
        assert f" {number + 2} to" in await chat.say("bob", f"!remind in {number + 1}h | x")
    assert await chat.say("bob", "!remind in 20h | x") == (
        "Of posts and reminders you have 10 waiting, which is all; !post list mine."
    )
    assert "to alice" in await chat.say("alice", "!remind in 20h | x")
    await came(chat, HOUR)
    assert "to bob" in await chat.say("bob", "!remind in 20h | x")


async def test_the_config_says_how_many_how_often_and_how_long(tmp_path: Path) -> None:
    table = {"posts": {"most_waiting": 1, "shortest_minutes": 60, "longest": 5}}
    async with Chat.open(tmp_path, PLUGINS, table) as chat:
        assert "is too often: at most every 60 minutes" in await chat.say("bob", "!post add every 30 min | x")
        assert "at most 5 can be posted" in await chat.say("bob", "!post add in 1h | 123456")
        assert "Post 2" in await chat.say("bob", "!post add every 2 hours | x")
        assert "Of posts and reminders you have 1 waiting" in await chat.say("bob", "!post add in 1h | x")


async def test_one_can_have_too_many_at_once(chat: Chat) -> None:
    for _ in range(20):
        assert await chat.say("bob", "!remind soon | x")
    assert "again in" in await chat.say("bob", "!remind soon | x")


async def test_the_list_shows_what_one_may_read(chat: Chat) -> None:
    await chat.say("alice", "!post add every friday 18:00 | " + "meeting " * 20)
    await chat.say("bob", "!remind in 1h | secret")
    await chat.say("ann", "!post add in 1h to #admins | ssh")
    listed = (await chat.say("alice", "!post list")).splitlines()
    assert listed[0].startswith("2 to #team: [alice] meeting meeting")
    assert listed[0].endswith("…; every friday 18:00 UTC; next Fri 27 Nov 18:00 UTC.")
    assert listed[1].startswith(  # what the bot does itself comes last, whenever it began
        "1 to the plugin itself: core begin_day; every day 00:00 UTC; next Mon 23 Nov"
    )
    assert len(listed) == 2
    assert len((await chat.say("ann", "!post list all")).splitlines()) == 4
    assert "secret" in await chat.say("bob", "!post list mine")
    assert await chat.say("alice", "!post show 3") == "3 is not yours to read."
    assert "meeting meeting" in await chat.say("bob", "!post show 2")
    assert "Dates: Fri 27 Nov 18:00 UTC, Fri 4 Dec" in await chat.say("bob", "!post show #2")


async def test_what_is_not_for_all_is_not_read_aloud(chat: Chat) -> None:
    await chat.say("bob", "!remind in 1h | secret")
    await chat.say("alice", "!post add in 2h to team | open to all")
    for who, line in (
        ("bob", "!post list"),
        ("bob", "!post list mine"),
        ("bob", "!post show 2"),
        ("ann", "!post list"),
        ("ann", "!post show 2"),
    ):
        answer = await chat.say(who, line)
        assert answer.startswith(f"(to {who}) "), answer
        assert "secret" in answer
    assert "secret" in await chat.say("bob", "post list", direct=True)
    assert (await chat.say("alice", "!post list")).startswith("3 to the team: [alice] open to all")
    assert (await chat.say("alice", "!post show 3")).startswith("3 to the team: [alice] open to all")


async def test_pause_resume_and_delete(chat: Chat) -> None:
    await chat.say("alice", "!post add every day 13:00 | x")
    assert await chat.say("bob", "!post pause 2") == "Only the owner of the post or admins may post pause."
    assert await chat.say("alice", "!post pause") == "2 rests. !post resume 2"
    assert "paused (by alice)" in await chat.say("bob", "!post list")
    assert await came(chat, DAY) == []
    assert "Mon 23 Nov 13:00 UTC, Tue 24" in await chat.say("alice", "!post resume 2")
    assert await came(chat, 2 * HOUR) == [(ROOM, "[alice] x")]
    assert await chat.say("ann", "!post delete 2") == "2 is gone."
    assert await came(chat, DAY) == []
    assert "comes from the plugins or their config" in await chat.say("ann", "!post delete 1")


async def test_a_late_post_says_so(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, PLUGINS) as chat:
        await chat.say("alice", "!post add every day 13:00 | lunch")
        clock = chat.clock
    await clock.advance(4 * HOUR)
    async with Chat.open(tmp_path, PLUGINS, clock=clock) as chat:
        assert (ROOM, "[alice] late by 3 h: lunch") in await came(chat, 0)


async def test_a_place_that_is_gone_pauses_its_posts_and_the_owner_is_told(chat: Chat) -> None:
    await chat.say("alice", "!post add every day 13:00 | lunch")
    links(chat).known.remove(TEAM)
    ((to, line),) = await came(chat, 2 * HOUR)
    assert to == "member alice"
    assert "net/#team is no room of mine any more" in line
    links(chat).known.append(TEAM)
    assert "goes on" in await chat.say("alice", "!post resume 2")
    assert await came(chat, DAY) == [(ROOM, "[alice] lunch")]


async def test_posts_of_the_suspended_rest(chat: Chat) -> None:
    await chat.say("alice", "!post add every day 13:00 | lunch")
    await chat.say("ann", "!member set alice standing suspended")
    await chat.say("ann", "!yes")
    await chat.told()
    assert all("lunch" not in line for _, line in await came(chat, DAY))


async def test_announcements_are_the_admins(chat: Chat) -> None:
    assert "Only admins may announce" in await chat.say("bob", "!announce hi")
    assert await chat.say("ann", "!announce week {week}: hi") == "Announced to the team."
    assert await chat.told() == [(ROOM, "[ann] week 47: hi")]


async def test_what_is_missing_is_called_as_the_usage_calls_it(chat: Chat) -> None:
    usage = "Usage: !maint HOST FROM-TO TEXT…"
    assert await chat.say("ann", "!maint ford") == f"from-to is missing. {usage}"


async def test_maintenance_is_announced_before_at_and_after(chat: Chat) -> None:
    assert "Only admins may maint" in await chat.say("bob", "!maint ford 18:00-20:00 kernel")
    answer = await chat.say("ann", "!maint ford 18:00-20:00 new kernel")
    assert answer == (
        "Maintenance of ford, Sun 22 Nov 18:00 UTC to Sun 22 Nov 20:00 UTC: "
        "the team is told before, at and after. !post delete 2"
    )
    ask = chat.crew.hub
    assert await ask(MaintenanceNow("ford")) == ()
    before = (ROOM, "Maintenance of ford in 30 min: Sun 22 Nov 18:00 UTC to Sun 22 Nov 20:00 UTC.")
    assert await came(chat, 5.5 * HOUR) == [before, (ROOM, "[ann] new kernel")]
    begins = (ROOM, "Maintenance of ford begins, until Sun 22 Nov 20:00 UTC.")
    assert await came(chat, 0.5 * HOUR) == [begins, (ROOM, "[ann] new kernel")]
    start = datetime(2026, 11, 22, 18, tzinfo=UTC)
    window = Maintenance("ford", start, start + timedelta(hours=2), "new kernel", "ann")
    assert await ask(MaintenanceNow("ford")) == (window,)
    assert await ask(MaintenanceNow("zaphod")) == ()
    assert await came(chat, 2 * HOUR) == [(ROOM, "Maintenance of ford is over.")]
    assert await ask(MaintenanceNow("ford")) == ()


WINDOWS = [
    ("ford tomorrow 18:00-20:00 x", "Mon 23 Nov 18:00 UTC to Mon 23 Nov 20:00 UTC"),
    ("ford 2026-12-24T22:00-02:00 x", "Thu 24 Dec 22:00 UTC to Fri 25 Dec 02:00 UTC"),
    ("ford 2026-12-24 18:00-20:00 | x", "Thu 24 Dec 18:00 UTC to Thu 24 Dec 20:00 UTC"),
    ("FORD 2026-12-24T18:00-2026-12-26T20:00 x", "Thu 24 Dec 18:00 UTC to Sat 26 Dec 20:00 UTC"),
    ("ford 10:00-11:00 x", "Mon 23 Nov 10:00 UTC to Mon 23 Nov 11:00 UTC"),
    ("ford 18:00–20:00 x", "Sun 22 Nov 18:00 UTC"),  # noqa: RUF001 - as phones write it
    ("ford 12:10-13:00 x", "Sun 22 Nov 12:10 UTC"),
    ("zaphod 18:00-20:00 x", "There is no host “zaphod”: there is ford."),
    ("ford 18-20 x", "“18-20” is no FROM-TO"),
    ("ford today 2026-12-24T18:00-20:00 x", "is no FROM-TO"),
    ("ford 18:00-25:00 x", "“25:00” is no time of day"),
    ("ford today 18:00-20:00", "Say what is done then"),
    ("ford today 10:00-20:00 x", "“today 10:00” is over"),
    ("ford 2026-12-24T18:00-2026-12-24T18:00 x", "“2026-12-24 18:00” is over"),
    ("ford 2026-12-24T18:00-2027-12-24T18:00 x", "is longer than 31 days"),
    (f"ford 18:00-20:00 {'x' * 2000}", "That is 2000 characters"),
]


async def test_how_a_window_is_said(chat: Chat) -> None:
    for line, said in WINDOWS:
        assert said in await chat.say("ann", f"!maint {line}"), line


async def test_a_window_that_is_near_is_announced_at_once_and_can_be_taken_back(chat: Chat) -> None:
    await chat.say("ann", "!maint ford 12:10-13:00 kernel")
    told = await chat.told()
    assert told[0] == (ROOM, "Maintenance of ford in 10 min: Sun 22 Nov 12:10 UTC to Sun 22 Nov 13:00 UTC.")
    assert "takes place or not: !post delete 2" in await chat.say("ann", "!post pause 2")
    assert "maintenance of ford (start)" in await chat.say("bob", "!post show 2")
    assert "Only the owner of the post or admins" in await chat.say("bob", "!post delete 3")
    assert await chat.say("ann", "!post delete 3") == "The maintenance of ford is taken back."
    assert await came(chat, DAY) == []
    await chat.say("ann", "!maint ford 12:30-13:00 kernel")
    await chat.store.write(lambda tx: tx.db.table("posts_windows").delete_where())
    await chat.told()
    assert await came(chat, DAY) == []


async def test_what_a_window_missed_is_left_out(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, PLUGINS) as chat:
        await chat.say("ann", "!maint ford 14:00-15:00 kernel")
        clock = chat.clock
    await clock.advance(6 * HOUR)
    async with Chat.open(tmp_path, PLUGINS, clock=clock) as chat:
        said = [line for _, line in await came(chat, 0) if "ford" in line]
        assert said == ["late by 3 h: Maintenance of ford is over."]


READY = {
    "posts": {
        "digest": {"when": "every mon 09:00", "where": "net/#team"},
        "meetings": [
            {"name": "The meeting", "when": "monthly last fri 18:00 Europe/Berlin", "text": "In the lounge."}
        ],
    }
}


async def test_the_digest_asks_the_plugins(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, PLUGINS, READY) as chat:
        assert await came(chat, 21 * HOUR) == [(ROOM, "Digest of week 48: machines: 0 of 3 up.")]
    async with Chat.open(tmp_path / "..", [plugin], READY) as chat:
        assert (ROOM, "Digest of week 48: nothing to tell.") in await came(chat, 21 * HOUR)


async def test_meetings_are_told_24_h_and_1_h_before(tmp_path: Path) -> None:
    async with Chat.open(tmp_path, PLUGINS, {"posts": {"meetings": READY["posts"]["meetings"]}}) as chat:
        what = "Fri 27 Nov 18:00 CET (17:00 UTC). In the lounge."
        assert await came(chat, 4 * DAY + 5 * HOUR) == [(ROOM, f"The meeting in 1 d: {what}")]
        assert await came(chat, 23 * HOUR) == [(ROOM, f"The meeting in 1 h: {what}")]
        assert "posts The meeting in 24 h" in await chat.say("bob", "!post list")
        clock = chat.clock
    await clock.advance(28 * DAY - HOUR)
    async with Chat.open(
        tmp_path, PLUGINS, {"posts": {"meetings": READY["posts"]["meetings"]}}, clock=clock
    ) as chat:
        assert any("was to begin" in line or "in " in line for _, line in await came(chat, 0))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"digest": {"when": "every foo 9:00"}}, "“foo” is no day"),
        ({"digest": {"when": "every mon 9:00", "where": "nowhere"}}, "nowhere is no place"),
        ({"meetings": [{"name": "", "when": "every mon 9:00"}]}, "meetings"),
        ({"meetings": [{"name": "x", "when": "in 3h"}]}, "depends on when it is read"),
    ],
)
async def test_a_wrong_config_is_named(tmp_path: Path, table: dict[str, object], said: str) -> None:
    with pytest.raises(Exception, match=said):
        async with Chat.open(tmp_path, PLUGINS, {"posts": table}):
            pass
