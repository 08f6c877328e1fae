import pytest

from bot import HypervisorFault, Slot
from bot.testing import MACHINES, Chat
from plugins.hosts import ASCII_BARS, sparkline
from tests.plugins.conftest import GUEST, HOSTILE


async def test_the_list_is_one_line_a_host(chat: Chat) -> None:
    await chat.say("alice", "!vm start")
    assert await chat.say("bob", "!host list") == (
        "ford: load 0.10 0.10 0.10 on 2 CPUs, 6 GiB of 8 GiB memory free; 3 machines, 1 up."
    )


async def test_the_one_host_may_be_left_out(chat: Chat) -> None:
    answer = await chat.say("bob", "!host show")
    assert answer == await chat.say("bob", "!host show FORD")
    assert answer.splitlines() == [
        "ford: load 0.10 0.10 0.10 on 2 CPUs, 6 GiB of 8 GiB memory free; 3 machines, 0 up.",
        "ford pressure over 10 s: cpu 0 %; disk 80 GiB free of 100 GiB; up 1 d.",
    ]


async def test_pressure_that_the_kernel_does_not_measure_is_named(chat: Chat) -> None:
    chat.meter.set("ford", pressure={}, cpus=1)
    answer = await chat.say("bob", "!host show ford")
    assert "pressure over 10 s: not measured by this kernel;" in answer
    assert "on 1 CPU," in answer


async def test_pressure_is_told_by_resource(chat: Chat) -> None:
    chat.meter.set("ford", pressure={"memory": 3.4, "cpu": 12.6, "io": 0.0})
    assert "pressure over 10 s: cpu 13 %, io 0 %, memory 3 %;" in await chat.say("bob", "!host show")


@pytest.mark.parametrize("command", ["host list", "host show", "host show ford", "host show zaphod"])
async def test_guests_learn_nothing(chat: Chat, command: str) -> None:
    name = " ".join(command.split()[:2])
    assert await chat.say("eve", f"!{command}") == f"Only members may {name}, and {GUEST}"


async def test_a_host_that_is_not_there(chat: Chat) -> None:
    assert await chat.say("bob", "!host show zaphod") == "There is no host “zaphod”: there is ford."
    assert await chat.say("bob", "!host shwo ford") == "I know no “host shwo”; did you mean !host show?"
    for word in HOSTILE:
        assert await chat.say("bob", f"!host show {word}")
    assert chat.incidents.reported == []


async def test_without_hosts_every_command_answers_something(chat: Chat) -> None:
    chat.meter._readings.clear()
    assert await chat.say("bob", "!host list") == "There is no host; the config names them as [hosts.NAME]."
    assert await chat.say("bob", "!host show") == "Which host: there is none."
    assert "hosts: 0" in await chat.say("bob", "!status")


async def test_of_several_hosts_one_must_be_named(chat: Chat) -> None:
    chat.meter._readings["zaphod"] = chat.meter._readings["ford"]
    assert await chat.say("bob", "!host show") == "Which host: there is ford, zaphod."
    assert len((await chat.say("bob", "!host list")).splitlines()) == 2


async def test_a_host_that_cannot_be_measured_hides_no_other_and_the_room_learns_no_cause(chat: Chat) -> None:
    chat.meter._readings["zaphod"] = chat.meter._readings["ford"]
    chat.meter.fail("zaphod", "/dev/secret: Permission denied")
    first, second = (await chat.say("bob", "!host list")).splitlines()
    assert first.startswith("ford: load")
    assert second == (
        "zaphod cannot be measured now: !host show zaphod tells the admins why; 0 machines, 0 up."
    )
    assert await chat.say("bob", "!host show zaphod") == "That went wrong; the admins can look up 0001."
    ((cause, during, private),) = chat.incidents.reported
    assert isinstance(cause, HypervisorFault)
    assert "Permission denied" in str(cause)
    assert (during, private) == ("host show at net/#team", False)


async def test_a_machine_that_cannot_be_asked_hides_no_host(chat: Chat) -> None:
    chat.hypervisor.fail_next("inspect", "the host is silent")
    assert (await chat.say("bob", "!host list")).endswith("; 3 machines, 0 up, 1 silent.")
    assert chat.incidents.reported == []


async def test_the_load_is_shown_with_a_day_as_bars(chat: Chat) -> None:
    assert await chat.say("alice", "!load") == "Nothing was measured yet; ask again in ten seconds."
    assert await chat.say("alice", "!top") == "Nothing was measured yet; ask again in ten seconds."
    await chat.ticks()
    assert (await chat.say("alice", "!load")).endswith(" No history yet.")
    for load in (1.0, 8.0, 4.0):
        chat.meter.set("ford", load=(load, load, load))
        await chat.ticks(31, 60)
    chat.meter.set("ford", load=(0.5, 1.0, 1.0), cpu_seconds=90.0)
    await chat.ticks(1, 60)
    head = "ford load 0.5 on 2 CPUs, 75 % busy, 2 GiB of 8 GiB memory. 24 h: "
    assert await chat.say("alice", "!load ford") == f"{head}▂█▅ peak 8.0"
    assert await chat.say("alice", "!load ascii") == f"{head}.#= peak 8.0"
    chat.meter.fail("ford")
    await chat.ticks()
    assert (await chat.say("alice", "!load")).startswith("ford is silent. 24 h: ")
    assert "There is no host" in await chat.say("alice", "!load zaphod")


def test_a_bar_that_was_not_measured_is_told_apart_from_nothing() -> None:
    rows = [Slot(0, 1, load=0.0), Slot(1800, 1, load=2.0), Slot(5400, 1, load=1.0)]
    assert sparkline(rows, 7200) == "▁█·▅"
    assert sparkline(rows, 7200, ASCII_BARS) == "_#?="
    assert sparkline([], 7200) == ""


async def test_the_busiest_machines_are_named_first(chat: Chat) -> None:
    await chat.ticks()
    assert (await chat.say("alice", "!top")).endswith("; no machine uses it.")
    await chat.hypervisor.start(MACHINES[1])
    await chat.ticks(2)
    assert (await chat.say("alice", "!top")).endswith("; ford-3 1 % (16 MiB).")
