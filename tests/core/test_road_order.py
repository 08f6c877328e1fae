import asyncio
from pathlib import Path

from bot.core.speakers import MOST_KEPT, Speakers
from bot.testing import Chat, FakeClock
from tests.core.conftest import Probe, also_known


async def test_a_slow_command_delays_nobody_else(talk: Chat, probe: Probe) -> None:
    slow = asyncio.create_task(talk.say("alice", "!wait lunch"))
    await probe.has_begun("lunch")
    assert await talk.say("bob", "!note hello") == "noted hello"
    assert await talk.say("alice", "!wave", proven=False) == ""
    assert not slow.done()
    probe.let("lunch")
    assert await slow == "alice waited for lunch"


async def test_ones_own_commands_run_in_their_order(talk: Chat, probe: Probe) -> None:
    said = ["!wait a", *(f"!note {number}" for number in range(20)), "!wait b"]
    tasks = [asyncio.create_task(talk.say("alice", line)) for line in said]
    await probe.has_begun("a")
    assert probe.runs == ["a"]
    probe.let("a")
    await probe.has_begun("b")
    assert probe.runs == ["a", *(f"alice: {number}" for number in range(20)), "b"]
    probe.let("b")
    assert (await asyncio.gather(*tasks))[-1] == "alice waited for b"
    assert talk.crew.pipeline.speakers.queues == {}


async def test_a_thousand_commands_of_one_leave_the_others_answered(talk: Chat) -> None:
    flood = [asyncio.create_task(talk.say("alice", f"!note {number}")) for number in range(1000)]
    assert await talk.say("bob", "!note hello") == "noted hello"
    answers = await asyncio.gather(*flood)
    assert sum(answer.startswith("noted") for answer in answers) == 50
    assert sum(answer.startswith("Slowly: 50 of your commands wait") for answer in answers) == 1
    assert answers.count("") == 949
    assert await talk.say("alice", "!note again") == "noted again"


async def test_a_speaker_has_a_pace(tmp_path: Path, probe: Probe) -> None:
    async with Chat.open(tmp_path, [probe.plugin], paced=True) as chat:
        tasks = [asyncio.create_task(chat.say("alice", f"!note {number}")) for number in range(13)]
        await asyncio.gather(*tasks[:10])
        assert await chat.say("bob", "!note hello") == "noted hello"
        assert len(probe.runs) == 11
        await chat.clock.advance(0.5)
        assert await tasks[10] == "noted 10"
        assert not tasks[11].done()
        await chat.clock.advance(0.5)
        await tasks[11]
        tasks[12].cancel()


async def test_a_members_identities_share_one_pace_and_one_limit(talk: Chat) -> None:
    other = await also_known(talk, "lis", "alice")
    assert [await talk.say("alice", "!few") for _ in range(2)] == ["done", "done"]
    assert (await talk.hear("lis", "!few", identity=other)).lines == ("done",)
    refused = "few may be used 3/10m; again in 600 s."
    assert (await talk.hear("lis", "!few", identity=other)).lines == (refused,)
    assert await talk.say("alice", "!few") == refused


async def test_a_limit_counts_uses_of_one_speaker_in_its_time(talk: Chat, probe: Probe) -> None:
    for _ in range(3):
        assert await talk.say("zed", "!few") == "done"
        await talk.clock.advance(60)
    assert await talk.say("zed", "!few") == "few may be used 3/10m; again in 420 s."
    assert await talk.say("zoe", "!few") == "done"
    assert await talk.say("zed", "!few", proven=False) == "done"
    await talk.clock.advance(420)
    assert await talk.say("zed", "!few") == "done"
    assert await talk.say("zed", "!few") == "few may be used 3/10m; again in 60 s."
    assert probe.runs == ["few"] * 6


async def test_refused_uses_do_not_count(talk: Chat) -> None:
    for _ in range(5):
        assert (await talk.say("zed", "!few x")).startswith("“x” is more than I expected")
    assert await talk.say("zed", "!few") == "done"


async def test_paces_of_those_who_left_are_forgotten() -> None:
    clock = FakeClock()
    speakers = Speakers(clock)
    for number in range(MOST_KEPT):
        await speakers.pace(f"guest {number}", "net")
    for _ in range(9):
        await speakers.pace("guest 7", "net")
    await clock.advance(3)
    await speakers.pace("new", "net")
    assert set(speakers.paces) == {"guest 7", "new"}


async def test_a_cancelled_wait_for_ones_turn_leaves_no_trace() -> None:
    speakers = Speakers(FakeClock())
    async with speakers.turn("a"):
        waiting = asyncio.create_task(_enter(speakers))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert speakers.queues["a"].waiting == 1
    assert speakers.queues == {}


async def _enter(speakers: Speakers) -> None:
    async with speakers.turn("a"):
        pass


async def test_what_was_stamped_alike_runs_once(talk: Chat, probe: Probe) -> None:
    assert (await talk.hear("alice", "!note x", stamp="m1")).lines == ("noted x",)
    assert (await talk.hear("alice", "!note x", stamp="m1")).lines == ()
    assert (await talk.hear("bob", "!note x", stamp="m1")).lines == ("noted x",)
    assert (await talk.hear("zed", "!wave", stamp="m2", proven=False)).lines == ()
    assert (await talk.hear("zed", "!wave", stamp="m2", proven=False)).lines == ()
    assert (await talk.hear("alice", "!note x", stamp="m3")).lines == ("noted x",)
    assert (await talk.hear("alice", "!note x")).lines == ("noted x",)
    assert probe.runs == ["alice: x", "bob: x", "a guest waved", "alice: x", "alice: x"]


async def test_a_yes_that_comes_twice_counts_once(talk: Chat, probe: Probe) -> None:
    await talk.hear("alice", "!wipe", stamp="m1")
    assert (await talk.hear("alice", "!yes", stamp="m2")).lines == ("ford-3 is wiped.",)
    await talk.hear("alice", "!wipe", stamp="m3")
    assert (await talk.hear("alice", "!yes", stamp="m2")).lines == ()
    assert probe.runs == ["wipe ford-3"]


async def test_history_is_never_a_command_and_its_sender_is_told_once(talk: Chat, probe: Probe) -> None:
    told = await talk.hear("alice", "!note x", replayed=True)
    assert told.private
    assert told.lines == ("I was away when you said that, so I left it undone; say it again.",)
    assert (await talk.hear("alice", "!note y", replayed=True)).lines == ()
    assert (await talk.hear("bob", "!frob", replayed=True)).lines == ()
    assert (await talk.hear("bob", "!yes", replayed=True)).lines == told.lines
    await talk.clock.advance(3600)
    assert (await talk.hear("alice", "!note z", replayed=True)).lines == told.lines
    assert probe.runs == []
    assert (await talk.book.recent(10)) == ()
