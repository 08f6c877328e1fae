import asyncio
import base64
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from bot.errors import Conflict
from bot.hypervisors.uml import agent as module
from bot.hypervisors.uml.agent import OUTPUT, Agent, NoAgent


class Guest:
    """The guest's end of the line: answers each request by what `reply` makes of its words."""

    def __init__(self, ends: tuple[int, int]) -> None:
        self.ends = ends
        self.asked: list[list[str]] = []
        self.was_asked = asyncio.Event()
        self.reply: Callable[[list[str]], bytes] = answer(b"hello\n")

    def serve(self) -> None:
        for line in os.read(self.ends[0], 65536).decode().splitlines():
            words = line.split()
            if words:
                self.asked.append(words)
                os.write(self.ends[1], pong(words) if words[0] == "PING" else self.reply(words))
                if words[0] == "RUN":
                    self.was_asked.set()


def pong(words: list[str]) -> bytes:
    return f"PONG {words[1]}\n".encode()


def answer(output: bytes, status: object = 0) -> Callable[[list[str]], bytes]:
    def reply(words: list[str]) -> bytes:
        lines = base64.encodebytes(output).decode().splitlines()
        return (
            "".join(f"OUT {words[1]} {line}\r\n" for line in lines).encode()
            + f"END {words[1]} {status}\n".encode()
        )

    return reply


@asynccontextmanager
async def serving(agent: Agent) -> AsyncIterator[Guest]:
    guest = Guest(agent.make())
    loop = asyncio.get_running_loop()
    loop.add_reader(guest.ends[0], guest.serve)
    try:
        yield guest
    finally:
        loop.remove_reader(guest.ends[0])
        agent.close()
        for fd in guest.ends:
            os.close(fd)


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    return Agent(tmp_path, "ford-1")


async def test_a_command_and_its_answer(agent: Agent) -> None:
    async with serving(agent) as guest:
        result = await agent.run("echo hello; uname", 2.4)
        assert (result.status, result.output, result.truncated) == (0, b"hello\n", False)
        verb, _, seconds, size, words = guest.asked[-1]
        assert (verb, seconds, int(size)) == ("RUN", "2", OUTPUT + 1)
        assert base64.b64decode(words) == b"echo hello; uname"


async def test_the_status_comes_back_a_lie_about_it_does_not_matter(agent: Agent) -> None:
    async with serving(agent) as guest:
        for said, status in (("137", 137), ("", -1), ("99999999", -1), ("abc", -1)):
            guest.reply = answer(b"", said)
            assert (await agent.run("x", 1)).status == status


async def test_chatter_and_lies_are_passed_over(agent: Agent) -> None:
    async with serving(agent) as guest:
        guest.reply = lambda words: (
            b"END 0123456789abcdef 1\nOUT\n\xff\xfe\nEND x 0\n"
            + f"OUT {words[1]} =\nPING {words[1]}\nOUT {words[1]} aGk=\nEND {words[1]} 3\n".encode()
        )
        result = await agent.run("x", 1)
        assert (result.status, result.output) == (3, b"hi")


async def test_too_much_output_is_cut(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OUTPUT", 1000)
    async with serving(agent) as guest:
        guest.reply = answer(b"x" * 1000)
        assert not (await agent.run("x", 1)).truncated
        guest.reply = answer(b"x" * 1001)
        result = await agent.run("x", 1)
        assert (len(result.output), result.truncated) == (1000, True)


async def test_an_agent_that_talks_without_end(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 100_000)
    async with serving(agent) as guest:
        flood = b"x" * 60_000
        guest.reply = lambda _: flood
        os.set_blocking(guest.ends[1], False)

        def pour() -> None:
            with suppress(BlockingIOError):
                os.write(guest.ends[1], flood)

        loop = asyncio.get_running_loop()
        asked = asyncio.ensure_future(agent.run("x", 30))
        loop.add_writer(guest.ends[1], pour)
        with pytest.raises(NoAgent, match="talks without end"):
            await asked
        loop.remove_writer(guest.ends[1])


async def test_nobody_answers(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PING_SECONDS", 0.05)
    ends = agent.make()
    assert not await agent.answers(0.05)
    with pytest.raises(NoAgent, match="does not answer"):
        await agent.run("x", 1)
    for fd in ends:
        os.close(fd)
    agent.close()


async def test_an_agent_that_is_not_there(agent: Agent) -> None:
    assert not await agent.answers(1)
    with pytest.raises(NoAgent, match="ford-1 is not up"):
        agent.say("poweroff")
    with pytest.raises(FileNotFoundError):
        agent.open()
    os.mkfifo(agent._paths[0])
    with pytest.raises(FileNotFoundError):
        agent.open()


async def test_a_line_that_is_full_takes_no_commands(agent: Agent) -> None:
    ends = agent.make()
    agent.open()

    def fill() -> None:
        for _ in range(100):
            agent.say("x" * 6000)

    with pytest.raises(NoAgent, match="takes no commands"):
        fill()
    for fd in ends:
        os.close(fd)
    agent.close()


async def test_the_machine_goes_down_while_a_command_runs(agent: Agent) -> None:
    async with serving(agent) as guest:
        guest.reply = lambda _: b""
        running = asyncio.ensure_future(agent.run("sleep 9", 20))
        await guest.was_asked.wait()
        agent.close()
        with pytest.raises(NoAgent, match="not up"):
            await running


async def test_a_command_given_up_does_not_answer_the_next_one(agent: Agent) -> None:
    async with serving(agent) as guest:
        guest.reply = lambda _: b""
        first = asyncio.ensure_future(agent.run("slow", 20))
        await guest.was_asked.wait()
        first.cancel()
        with suppress(asyncio.CancelledError):
            await first
        os.write(guest.ends[1], answer(b"late")(guest.asked[1]))
        guest.reply = answer(b"now")
        assert (await agent.run("fast", 1)).output == b"now"


async def test_commands_wait_for_each_other(agent: Agent) -> None:
    async with serving(agent) as guest:
        guest.reply = lambda words: answer(base64.b64decode(words[4]))(words)
        results = await asyncio.gather(*(agent.run(f"c{number}", 5) for number in range(5)))
        assert [result.output for result in results] == [b"c0", b"c1", b"c2", b"c3", b"c4"]


async def test_a_command_that_is_too_long(agent: Agent) -> None:
    with pytest.raises(Conflict, match="8192 bytes"):
        await agent.run("x" * 8193, 1)


async def test_the_next_bot_finds_the_line_by_its_path(agent: Agent, tmp_path: Path) -> None:
    async with serving(agent):
        other = Agent(tmp_path, "ford-1")
        other.open()
        other.open()
        assert (await other.run("x", 1)).output == b"hello\n"
        other.close()
