from pathlib import Path

import pytest

from bot import Chart, ChartLimit, DigestPart, Member, PostField, Slot, Tx
from bot.core.registry import Override
from bot.ports import Minute
from bot.testing import Chat
from plugins.bandwidth import plugin
from tests.plugins.bandwidth.conftest import GIB, OWNERS, joined, measured, unix
from tests.plugins.conftest import GUEST, HOSTILE

GAP = "·"


async def test_ones_own_month_is_told_with_its_end(chat: Chat) -> None:
    """8 GiB a day: 24 are left on the 22nd at noon, which is three days more."""
    await measured(chat, "2026-11-01", "2026-11-22T12:00", ford_3=6)
    reply = await chat.hear("alice", "!bandwidth")
    assert reply.lines == (
        (
            "alice used 176 GiB of 200 GiB (88 %) in November: 132 GiB received, 44 GiB sent; "
            "projected 244 GiB (122 %); used up on Wed 25 Nov 12:00 UTC."
        ),
        f"95th percentile 171.8 Mbit/s (from 22 of 6,192 intervals); by day {'█' * 22}",
    )
    assert chat.incidents.reported == []
    same = (await chat.say("bob", "!bandwidth ALICE month ascii")).splitlines()
    assert same[0] == reply.lines[0]
    assert same[1].endswith(f"; by day {'#' * 22}")


async def test_the_chart_shows_the_month_its_part_and_how_it_goes_on(chat: Chat) -> None:
    await measured(chat, "2026-11-01", "2026-11-22T12:00", ford_3=6)
    chart = (await chat.hear("alice", "!bandwidth")).picture
    assert isinstance(chart, Chart)
    assert (chart.title, chart.unit, chart.running_unit) == ("Transfer of alice in November", "GiB", "GiB")
    assert (chart.start, chart.step, chart.zone) == (unix("2026-11-01"), 86400, "UTC")
    received, sent = chart.curves
    assert (received.name, received.style, received.points) == ("received", "bars", (6.0,) * 22 + (None,) * 8)
    assert (sent.name, sent.style, sent.points) == ("sent", "bars", (2.0,) * 22 + (None,) * 8)
    so_far, projected = chart.running
    assert so_far.points == tuple(8.0 * day for day in range(1, 23)) + (None,) * 8
    assert projected.style == "dashed"
    assert projected.points == (None,) * 21 + tuple(176 + 8.5 * day for day in range(9))
    assert chart.limits == (ChartLimit("allowance", 200.0),)
    assert chart.note == "95th percentile 171.8 Mbit/s (from 22 of 6,192 intervals)"


async def test_a_half_share_has_half(chat: Chat) -> None:
    await measured(chat, "2026-11-01", "2026-11-22T12:00", ford_1=3)
    first, _ = (await chat.say("bob", "!bandwidth")).splitlines()
    assert first == (
        "bob used 88 GiB of 100 GiB (88 %) in November: 66 GiB received, 22 GiB sent; "
        "projected 122 GiB (122 %); used up on Wed 25 Nov 12:00 UTC."
    )


async def test_who_has_used_all_of_it_is_told_so(chat: Chat) -> None:
    await measured(chat, "2026-11-01", "2026-11-21", ford_3=7.5)
    assert "(100 %) in November: 150 GiB received, 50 GiB sent; used up; projected" in await chat.say(
        "alice", "!bandwidth"
    )
    await measured(chat, "2026-11-21", "2026-11-22", ford_3=7.5)
    assert "210 GiB of 200 GiB (105 %) in November: 158 GiB received, 52 GiB sent; 10 GiB over; proj" in (
        await chat.say("alice", "!bandwidth")
    )


async def test_two_paces_that_differ_are_both_told(chat: Chat) -> None:
    await measured(chat, "2026-11-01", "2026-11-15", ford_3=0.75)
    await measured(chat, "2026-11-15", "2026-11-22T12:00", ford_3=6)
    answer = await chat.say("alice", "!bandwidth")
    assert "; projected 146 GiB (73 %), evenly 109 GiB (54 %)." in answer


async def test_what_was_not_measured_is_a_gap_and_told(chat: Chat) -> None:
    assert await chat.say("alice", "!bandwidth") == "No traffic was measured in November yet."
    assert await chat.say("alice", "!bandwidth today") == "No traffic was measured today (UTC) yet."
    assert await chat.say("alice", "!bandwidth week") == "No traffic was measured in 7 days yet."
    await measured(chat, "2026-11-18", "2026-11-19", ford_1=0.1)
    await measured(chat, "2026-11-20", "2026-11-22T12:00", ford_3=6)
    answer = await chat.say("alice", "!bandwidth")
    assert answer.endswith(f"; by day {GAP * 17}▁{GAP}███")
    assert "(from 4 of 6,192 intervals)" in answer
    assert "projected" in answer
    assert (await chat.say("alice", "!bandwidth ascii")).endswith(f"by day {'?' * 17}_?###")


async def test_little_history_projects_nothing(chat: Chat) -> None:
    await joined(chat, "2026-11-22T06:00:00", "alice")
    await measured(chat, "2026-11-21", "2026-11-22T12:00", ford_3=6)
    first, _ = (await chat.say("alice", "!bandwidth")).splitlines()
    assert first == (
        "alice used 16 GiB of 200 GiB (8 %) in November: 12 GiB received, 4 GiB sent; "
        "too early for a projection."
    )
    await joined(chat, "2026-11-20T12:00:00", "alice")  # before anything was measured
    assert "; projected 107 GiB (53 %)." in await chat.say("alice", "!bandwidth")


async def test_a_member_without_traffic(chat: Chat) -> None:
    await measured(chat, "2026-11-14", "2026-11-22T12:00", ford_3=6)
    assert await chat.say("bob", "!bandwidth") == (
        "bob used nothing of 100 GiB in November; projected 0 B (0 %).\n"
        f"95th percentile 0 bit/s (from 9 of 6,192 intervals); by day {GAP * 13}▁▁▁▁▁▁▁▁▁"
    )


async def test_today_and_the_week_have_no_part(chat: Chat) -> None:
    await measured(chat, "2026-11-14", "2026-11-22T12:00", ford_3=6)
    today = await chat.hear("alice", "!bandwidth today")
    assert today.lines == (f"alice used 8 GiB today (UTC): 6 GiB received, 2 GiB sent; by hour █{GAP * 11}",)
    assert isinstance(today.picture, Chart)
    assert (today.picture.step, len(today.picture.curves[0].points), today.picture.limits) == (3600, 24, ())
    assert [curve.name for curve in today.picture.running] == ["so far"]
    week = await chat.hear("alice", "!bandwidth alice week")
    assert week.lines[0].startswith(
        "alice used 56 GiB in 7 days: 42 GiB received, 14 GiB sent; by 6 h ··█···█"
    )
    assert isinstance(week.picture, Chart)
    assert (week.picture.step, len(week.picture.curves[0].points)) == (6 * 3600, 28)


async def test_a_machine_takes_from_its_owners_part(chat: Chat) -> None:
    await measured(chat, "2026-11-01", "2026-11-22T12:00", ford_3=3, ford_9=0.003)
    first, _ = (await chat.say("bob", "!bandwidth Ford-3")).splitlines()
    assert first == (
        "ford-3 used 88 GiB in November: 66 GiB received, 22 GiB sent; 44 % of alice's 200 GiB; "
        "projected 122 GiB."
    )
    reply = await chat.hear("bob", "!bandwidth ford-9")
    assert (
        reply.lines[0] == "ford-9 used 90 MiB in November: 68 MiB received, 23 MiB sent; projected 125 MiB."
    )
    assert isinstance(reply.picture, Chart)
    assert (reply.picture.unit, reply.picture.running_unit, reply.picture.limits) == ("MiB", "MiB", ())


async def test_all_of_it_names_who_uses_most_and_the_uplinks_percentile(chat: Chat) -> None:
    """The pool is what four members have: three full shares and a half one."""
    await measured(
        chat, "2026-11-01", "2026-11-22T12:00", ford_3=6, ford_1=3, ford_9=0.75, uplink=300 * 10**6
    )
    assert (await chat.say("ann", "!bandwidth all")).splitlines() == [
        (
            "all together used 286 GiB of 700 GiB (40 %) in November: 214 GiB received, 72 GiB sent; "
            "projected 396 GiB (56 %)."
        ),
        (
            "95th percentile of the uplink (the hosts' own traffic too) 8 Mbit/s "
            f"(from 22 of 6,192 intervals); by day {'█' * 22}"
        ),
        "most: alice 176 GiB (88 %), bob 88 GiB (88 %), the co-op 22 GiB.",
    ]
    assert (await chat.say("ann", "!bandwidth all week")).splitlines()[1] == (
        "most: alice 56 GiB, bob 28 GiB, the co-op 7 GiB."
    )


async def test_the_unfair_are_named_while_the_pool_runs_low(chat: Chat) -> None:
    await measured(chat, "2026-11-01", "2026-11-21", ford_3=22.5, ford_1=4.5)
    answer = (await chat.say("ann", "!bandwidth all")).splitlines()
    assert answer[0].startswith("all together used 720 GiB of 700 GiB (102 %) in November: ")
    assert answer[1] == f"by day {'█' * 20}{GAP * 2}"
    assert (
        answer[2]
        == "most: alice 600 GiB (300 %), bob 120 GiB (120 %); more than a fair part: alice 3.0 times."
    )


async def test_a_machine_that_is_gone_still_counts_for_who_owned_it(chat: Chat) -> None:
    owners = {**OWNERS, "ford-7": "bob"}
    await measured(chat, "2026-11-01", "2026-11-11", ford_7=3, ford_1=1.5, owners=owners)
    await measured(chat, "2026-11-11", "2026-11-22", ford_1=0.75)
    first, _, third = (await chat.say("bob", "!bandwidth")).splitlines()
    assert first.startswith("bob used 71 GiB of 100 GiB (71 %) in November: ")
    assert third == "most: ford-7 40 GiB, ford-1 31 GiB."
    gone = await chat.say("bob", "!bandwidth ford-7")
    assert gone.startswith("ford-7 used 40 GiB in November: 30 GiB received, 10 GiB sent; projected 40 GiB")


async def test_a_machine_that_changed_hands_counts_for_both(chat: Chat) -> None:
    await measured(chat, "2026-11-01", "2026-11-11", ford_3=3)
    await chat.store.write(lambda tx: _give(tx, "ford-3", "bob"))
    await measured(chat, "2026-11-11", "2026-11-22", ford_3=6, owners={**OWNERS, "ford-3": "bob"})
    alice = await chat.say("alice", "!bandwidth")
    assert alice.startswith("alice used 40 GiB of 200 GiB (20 %) in November: ")
    assert "95th percentile 0 bit/s" in alice, "the rows of five minutes count for who owns it now"
    assert (await chat.say("bob", "!bandwidth")).startswith("bob used 88 GiB of 100 GiB (88 %) in November: ")
    assert (await chat.say("bob", "!bandwidth ford-3")).startswith("ford-3 used 128 GiB in November: ")


def _give(tx: Tx, machine: str, owner: str) -> None:
    tx.db.execute("UPDATE machines SET owner = ? WHERE name = ?", [owner, machine])


async def test_who_left_in_mid_month_is_still_counted(chat: Chat) -> None:
    owners = {**OWNERS, "ford-3": "arthur"}
    await measured(chat, "2026-11-01", "2026-11-03", ford_3=3, owners=owners)
    assert (await chat.say("bob", "!bandwidth arthur")).startswith("arthur used 8 GiB in November: ")


async def test_a_new_month_begins_at_nought_at_midnight_in_utc(chat: Chat) -> None:
    await measured(chat, "2026-11-01", "2026-12-01", ford_3=6)
    await chat.clock.advance(unix("2026-12-01") - unix("2026-11-22T12:00"))
    assert await chat.say("alice", "!bandwidth") == "No traffic was measured in December yet."
    await measured(chat, "2026-12-01", "2026-12-01T00:05", ford_3=3, step=300)
    await chat.clock.advance(300)
    first, second = (await chat.say("alice", "!bandwidth")).splitlines()
    assert first.startswith(
        "alice used 4 GiB of 200 GiB (2 %) in December: 3 GiB received, 1 GiB sent; projected "
    )
    assert second.endswith("(from 1 of 1 interval); by day █")


async def test_wrong_words_are_named_in_a_line(chat: Chat) -> None:
    usage = "Usage: !bandwidth [NAME] [today|week|month|ascii] [ascii]"
    assert await chat.say("bob", "!bandwidth zaphod") == (
        "There is no member and no machine “zaphod”: see !member list and !vm list."
    )
    assert await chat.say("bob", "!bandwidth week today") == "One time is enough, not week and today."
    assert await chat.say("bob", "!bandwidth bob yesterday") == (
        f"over is one of today, week, month, ascii, not “yesterday”. {usage}"
    )
    for word in HOSTILE:
        assert len((await chat.say("bob", f"!bandwidth {word}")).splitlines()) == 1
    assert chat.incidents.reported == []


async def test_guests_learn_nothing(chat: Chat) -> None:
    for line in ("bandwidth", "bandwidth alice", "bandwidth all week"):
        assert await chat.say("eve", f"!{line}") == f"Only members may bandwidth, and {GUEST}"


async def test_who_is_nobody_must_name_somebody(tmp_path: Path) -> None:
    overrides = {"bandwidth": Override(allow="anyone")}
    async with Chat.open(tmp_path, [plugin], overrides=overrides) as chat:
        assert await chat.say("eve", "!bandwidth") == "Whose: a member, a machine, or all?"
        assert await chat.say("eve", "!bandwidth all") == "No traffic was measured in November yet."


async def test_where_no_policy_names_a_part_none_is_told(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    await measured(chat, "2026-11-01", "2026-11-22", ford_3=6)
    monkeypatch.setattr("plugins.bandwidth.rules.Terms.allowance", _none)
    first, *_ = (await chat.say("alice", "!bandwidth")).splitlines()
    assert first == "alice used 168 GiB in November: 126 GiB received, 42 GiB sent; projected 226 GiB."
    assert (await chat.say("alice", "!bandwidth all")).startswith("all together used 168 GiB in November: ")
    assert await chat.crew.hub(PostField("bandwidth")) == ("168 GiB",)


def _none(self: object, member: Member) -> None:
    """No policy names their part."""


async def test_the_digest_gets_the_month_in_a_line(chat: Chat) -> None:
    assert not [part for part in await chat.crew.hub(DigestPart()) if part.startswith("bandwidth")]
    assert await chat.crew.hub(PostField("bandwidth")) == ("0 B of 700 GiB (0 %)",)
    await measured(chat, "2026-11-01", "2026-11-22T12:00", ford_3=6, ford_9=0.75)
    (told,) = [part for part in await chat.crew.hub(DigestPart()) if part.startswith("bandwidth")]
    assert told == (
        "bandwidth: 198 GiB of 700 GiB (28 %) in November; most alice 176 GiB; projected over: alice 122 %"
    )
    assert await chat.crew.hub(PostField("bandwidth")) == ("198 GiB of 700 GiB (28 %)",)
    assert await chat.crew.hub(PostField("bandwith")) == ()


async def test_the_digest_of_a_month_without_traffic(chat: Chat) -> None:
    await measured(chat, "2026-11-01", "2026-11-22T12:00", ford_3=0)
    (told,) = [part for part in await chat.crew.hub(DigestPart()) if part.startswith("bandwidth")]
    assert told == "bandwidth: 0 B of 700 GiB (0 %) in November"


@pytest.mark.parametrize(("since", "rate"), [("22:50", "83.9 kbit/s"), ("22:45", "85.9 Mbit/s")])
async def test_the_busiest_twentieth_of_the_intervals_is_not_billed(
    chat: Chat, since: str, rate: str
) -> None:
    """Of a day's 288 intervals 14 busy ones are free, 15 are not."""
    await measured(chat, "2026-11-01", f"2026-11-01T{since}", ford_3=3 / 1024, step=300)
    await measured(chat, f"2026-11-01T{since}", "2026-11-02", ford_3=3, step=300)
    answer = await chat.say("alice", "!bandwidth")
    assert f"95th percentile {rate} (from 288 of 6,192 intervals)" in answer


async def test_what_was_used_is_whole_bytes(chat: Chat) -> None:
    await measured(chat, "2026-11-22", "2026-11-22T12:00", ford_3=1 / GIB)
    assert "alice used 1 B of 200 GiB (0 %)" in await chat.say("alice", "!bandwidth")


async def test_a_machine_whose_host_was_never_measured_is_counted_without_a_projection(chat: Chat) -> None:
    rows = {("machine", "ford-3"): Slot(unix("2026-11-22"), 6, received=GIB)}
    await chat.sampler.history.record(Minute(rows, OWNERS), unix("2026-11-22T12:00"))
    first, second = (await chat.say("alice", "!bandwidth")).splitlines()
    assert first == "alice used 1 GiB of 200 GiB (0 %) in November: 1 GiB received, 0 B sent."
    assert second.startswith("95th percentile 28.6 Mbit/s (from 1 of 6,192 intervals); by day ")
