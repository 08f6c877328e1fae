import asyncio
from pathlib import Path

import pytest

from bot import Chart, Plugin, Reply, Report, anyone, members
from bot.testing import Chat
from tests.conftest import until
from tests.core.conftest import Probe, book, message


async def test_a_report_makes_a_job_that_has_left_its_speakers_queue(talk: Chat, probe: Probe) -> None:
    work = asyncio.create_task(talk.say("alice", "!work digging"))
    await probe.has_begun("digging")
    assert await talk.say("alice", "!jobs") == "1 work digging for alice: 25% at digging"
    assert await talk.say("alice", "!note meanwhile") == "noted meanwhile"
    assert talk.progress == ["25% at digging"]
    probe.let("digging")
    assert await work == "worked on digging"
    assert talk.progress == ["25% at digging", "100% nearly"]
    assert await talk.say("bob", "!jobs") == "No job runs."
    assert await talk.store.read(lambda db: list(db.table("jobs").rows)) == []


async def test_jobs_run_side_by_side_and_are_numbered(talk: Chat, probe: Probe) -> None:
    tasks = [asyncio.create_task(talk.say("alice", f"!work {name}")) for name in ("a", "b")]
    await probe.has_begun("a")
    await probe.has_begun("b")
    assert await talk.say("ann", "!jobs") == "1 work a for alice: 25% at a\n2 work b for alice: 25% at b"
    probe.let("b")
    assert await tasks[1] == "worked on b"
    probe.let("a")
    assert await tasks[0] == "worked on a"


async def test_owners_and_admins_cancel_jobs(talk: Chat, probe: Probe) -> None:
    tasks = [asyncio.create_task(talk.say("alice", f"!work {name}")) for name in ("a", "b")]
    await probe.has_begun("a")
    await probe.has_begun("b")
    assert await talk.say("bob", "!cancel 1") == "Only alice or admins may cancel job 1."
    assert await talk.say("zed", "!cancel 1") == (
        "Only members may cancel, and to me you are a guest: see !whoami."
    )
    assert await talk.say("alice", "!cancel 3") == "There is no job 3."
    await talk.store.write(lambda tx: tx.db.execute("UPDATE members SET zone = 'UTC' WHERE name = 'alice'"))
    assert await talk.say("alice", "!cancel 1") == "Cancelled: work a."
    assert await tasks[0] == "work a was cancelled by alice."
    assert await talk.say("ann", "!cancel 2") == "Cancelled: work b."
    assert await tasks[1] == "work b was cancelled by ann."
    assert await talk.say("alice", "!jobs") == "No job runs."
    assert "refused | work | a | work a was cancelled by alice." in await book(talk)
    assert await talk.store.read(lambda db: list(db.table("jobs").rows)) == []


async def test_a_job_that_the_bots_end_cut_off_is_told_at_the_next_start(
    tmp_path: Path, probe: Probe
) -> None:
    async with Chat.open(tmp_path, [probe.plugin]) as chat:
        work = asyncio.create_task(chat.say("alice", "!work digging"))
        await probe.has_begun("digging")
    assert work.cancelled()
    async with Chat.open(tmp_path, [probe.plugin]) as chat:
        text = "Your work of 2026-11-22T12:00 UTC was cut off by my restart; look, then ask again."
        assert await chat.told() == [("member alice", text)]
        assert await chat.say("alice", "!jobs") == "No job runs."
        assert (await book(chat))[:2] == [
            "asked | work | digging",
            "failed | work | digging | CancelledError",
        ]
    async with Chat.open(tmp_path, [probe.plugin]) as chat:
        assert await chat.told() == []


async def test_a_job_of_one_who_left_is_forgotten(tmp_path: Path, probe: Probe) -> None:
    async with Chat.open(tmp_path, [probe.plugin]) as chat:
        row = {"number": 1, "command": "work", "member": "gone", "began": "2026-11-22T12:00:00"}
        await chat.store.write(lambda tx: tx.db.table("jobs").insert(row))
    async with Chat.open(tmp_path, [probe.plugin]) as chat:
        assert await chat.told() == []
        assert await chat.store.read(lambda db: list(db.table("jobs").rows)) == []


async def test_a_command_has_its_time_and_a_job_more(talk: Chat, probe: Probe) -> None:
    slow, job = (
        asyncio.create_task(talk.say(who, line)) for who, line in (("bob", "!wait x"), ("alice", "!work y"))
    )
    await probe.has_begun("x")
    await probe.has_begun("y")
    await talk.clock.advance(30)
    await slow
    assert str(talk.incidents.reported[0][0]) == "wait did not end within 30 s"
    assert not job.done()
    await talk.clock.advance(1769)
    assert not job.done()
    await talk.clock.advance(1)
    await job
    assert str(talk.incidents.reported[1][0]) == "work did not end within 1800 s"
    told = [line for _, line in await talk.told()]
    assert told == [
        "bob: That went wrong; the admins can look up 0001.",
        "alice: That went wrong; the admins can look up 0002.",
    ]
    assert await talk.say("bob", "!note on") == "noted on"


async def test_a_late_answer_goes_through_the_outbox(talk: Chat, probe: Probe) -> None:
    tasks = [
        asyncio.create_task(talk.say("alice", "!wait x")),
        asyncio.create_task(talk.say("bob", "wait y", direct=True)),
    ]
    await probe.has_begun("x")
    await probe.has_begun("y")
    await talk.clock.advance(10.5)
    probe.let("x")
    probe.let("y")
    assert await asyncio.gather(*tasks) == ["", ""]
    assert sorted(await talk.told()) == [
        ("member bob", "bob waited for y"),
        ("room net/#team", "alice: alice waited for x"),
    ]


async def test_an_answer_in_time_is_not_late(talk: Chat, probe: Probe) -> None:
    task = asyncio.create_task(talk.say("alice", "!wait x"))
    await probe.has_begun("x")
    await talk.clock.advance(10)
    probe.let("x")
    assert await task == "alice waited for x"
    assert await talk.told() == []


async def test_when_the_transport_goes_the_command_goes_on(talk: Chat, probe: Probe) -> None:
    said = [("alice", "!wait x"), ("zed", "!few"), ("bob", "!wave"), ("ann", "!wait y")]
    tasks = [asyncio.create_task(talk.say(who, line)) for who, line in said]
    await probe.has_begun("x")
    await probe.has_begun("y")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert all(task.cancelled() or task.done() for task in tasks)
    probe.let("x")
    probe.let("y")
    await until(lambda: not talk.crew.pipeline.tasks)
    told = await talk.told()
    assert ("room net/#team", "alice: alice waited for x") in told
    assert ("room net/#team", "ann: ann waited for y") in told
    assert "done | wait | x | alice waited for x" in await book(talk)


@pytest.mark.parametrize("turns", range(12))
async def test_an_answer_reaches_its_speaker_once_whenever_the_transport_goes(
    tmp_path: Path, turns: int
) -> None:
    plugin, going = Plugin("slow"), asyncio.Event()

    @plugin.command("draw", allow=anyone, reads=True)
    async def draw() -> str:
        """Draw."""
        await going.wait()
        return "drawn"

    async with Chat.open(tmp_path, [plugin]) as chat:
        task = asyncio.create_task(chat.say("alice", "!draw"))
        await until(lambda: bool(chat.crew.pipeline.tasks))
        going.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        (said,) = await asyncio.gather(task, return_exceptions=True)
        await until(lambda: not chat.crew.pipeline.tasks)
        answers = [line for _, line in await chat.told()]
        assert [*answers, said] in (["alice: drawn", said], ["drawn"])
        assert bool(answers) is isinstance(said, asyncio.CancelledError)


async def test_what_nobody_expected_on_the_road_is_its_callers_to_report(
    talk: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(line: str) -> None:
        raise LookupError(line)

    monkeypatch.setattr(type(talk.crew.registry), "find", lambda _, line: fail(line))
    with pytest.raises(LookupError, match="note on"):
        await talk.say("bob", "!note on")


async def test_a_private_answer_whose_transport_went_waits_for_the_member(talk: Chat) -> None:
    task = asyncio.create_task(talk.say("alice", "!praise bob"))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await until(lambda: not talk.crew.pipeline.tasks)
    assert await talk.told() == [("member alice", "bob is great.")]


async def test_a_late_picture_or_private_answer_to_a_guest_is_said_at_once(tmp_path: Path) -> None:
    plugin, going = Plugin("slow"), asyncio.Event()

    @plugin.command("draw", allow=anyone)
    async def draw() -> Reply:
        """Draw."""
        await going.wait()
        return Reply(("here",), picture=b"PNG")

    @plugin.command("whisper", allow=anyone)
    async def whisper() -> Reply:
        """Whisper."""
        await going.wait()
        return Reply(("psst",), private=True)

    async with Chat.open(tmp_path, [plugin]) as chat:
        tasks = [
            asyncio.create_task(chat.hear(who, f"!{line}"))
            for who, line in (("zed", "whisper"), ("bob", "draw"))
        ]
        await until(lambda: chat.clock.sleepers >= len(tasks))
        await chat.clock.advance(11)
        going.set()
        whispered, drawn = await asyncio.gather(*tasks)
        assert (whispered.lines, drawn.picture) == (("psst",), b"PNG")
        assert await chat.told() == []


async def test_a_chart_that_comes_late_or_for_nobody_is_told_in_its_lines(tmp_path: Path) -> None:
    plugin, going = Plugin("slow"), asyncio.Event()
    chart = Chart(title="load", unit="", start=0, step=60, zone="UTC", curves=())

    @plugin.command("load", allow=anyone)
    async def load() -> Reply:
        """Show the load."""
        await going.wait()
        return Reply(("2.5 now",), picture=chart)

    async with Chat.open(tmp_path, [plugin]) as chat:
        late = asyncio.create_task(chat.hear("alice", "!load"))
        lost = asyncio.create_task(chat.hear("bob", "!load"))
        await until(lambda: chat.clock.sleepers >= 2)
        lost.cancel()
        await asyncio.gather(lost, return_exceptions=True)
        await chat.clock.advance(11)
        going.set()
        assert await late == Reply()
        await until(lambda: not chat.crew.pipeline.tasks)
        assert sorted(await chat.told()) == [
            ("room net/#team", "alice: 2.5 now"),
            ("room net/#team", "bob: 2.5 now"),
        ]
        soon = await chat.hear("alice", "!load")
        assert soon.picture == chart


async def test_a_late_answer_that_cannot_be_kept_is_said_at_once(talk: Chat, probe: Probe) -> None:
    task = asyncio.create_task(talk.say("alice", "!wait x"))
    await probe.has_begun("x")
    await talk.clock.advance(11)
    await talk.store.write(lambda tx: tx.db.execute("ALTER TABLE outbox RENAME TO elsewhere"))
    probe.let("x")
    assert await task == "alice waited for x"
    assert [during for _, during, _ in talk.incidents.reported] == ["putting a late answer into the outbox"]


async def test_who_cannot_be_told_how_far_it_is_does_not_undo_it(talk: Chat, probe: Probe) -> None:
    async def broken(part: float, text: str) -> None:
        raise ConnectionError(part, text)

    probe.let("x")
    reply = await talk.crew.pipeline.handle(message(talk, "alice", "work x"), broken)
    assert reply.lines == ("worked on x",)
    assert {type(cause) for cause, _, _ in talk.incidents.reported} == {ConnectionError}


async def test_a_job_that_will_not_be_cancelled_is_left_to_itself(tmp_path: Path) -> None:
    plugin, began, going = Plugin("mule"), asyncio.Event(), asyncio.Event()

    @plugin.command("mule", allow=members)
    async def mule(report: Report) -> str:
        """Go on whatever one says."""
        await report(0.1, "no")
        began.set()
        while not going.is_set():
            try:
                await going.wait()
            except asyncio.CancelledError:
                continue
        raise RuntimeError("at last")

    async with Chat.open(tmp_path, [plugin]) as chat:
        task = asyncio.create_task(chat.say("alice", "!mule"))
        await began.wait()
        await chat.clock.advance(1800)
        assert await task == ""
        assert (await chat.told())[0][1] == "alice: That went wrong; the admins can look up 0001."
        assert await chat.say("alice", "!jobs") == "No job runs."
        going.set()
        await asyncio.sleep(0)
        assert len(chat.incidents.reported) == 1
