from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot import Chart, DigestPart, Figures, HypervisorFault, Slot, Tx
from bot.ports import Minute
from bot.testing import MACHINES, START, Chat
from plugins import help as helping
from plugins import hosts, members, vms
from tests.plugins.conftest import GUEST, HOSTILE


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    """A conversation with this plugin, and those of people and machines."""
    async with Chat.open(tmp_path, [helping.plugin, hosts.plugin, members.plugin, vms.plugin]) as chat:
        yield chat


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
    assert await chat.say("bob", "!host show") == "Which host: ford, zaphod?"
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


async def test_the_busiest_machines_are_named_first(chat: Chat) -> None:
    await chat.ticks()
    assert (await chat.say("alice", "!top")).endswith("; no machine uses it.")
    await chat.hypervisor.start(MACHINES[1])
    await chat.ticks(2)
    assert (await chat.say("alice", "!top")).endswith("; ford-3 1 % (16 MiB).")


NOON = int(START.timestamp())
HOUR, DAY, GIB = 3600, 86400, 2**30


async def measured(
    chat: Chat, start: int, until: int, step: int = HOUR, **figures: tuple[float, float]
) -> None:
    """Let ford, with (load, CPU), and machines, with (CPU, its peak), have been measured at each step."""
    cpus = {name.replace("_", "-"): pair for name, pair in figures.items() if name != "ford"}
    load, busy = figures.get("ford", (1.0, 20.0))
    for at in range(start, until, step):
        slots = {
            ("machine", name): Slot(at, 6, cpu=cpu, cpu_peak=peak, memory=32 * 2**20)
            for name, (cpu, peak) in cpus.items()
        }
        filled = 20 * GIB + (at - start) * 2**10
        slots["host", "ford"] = Slot(
            at, 6, load=load, load_peak=load * 2, cpu=busy, cpu_peak=busy * 2, disk=filled
        )
        await chat.sampler.history.record(Minute(slots), at + step)


async def test_the_load_is_shown_over_a_week_and_a_month(chat: Chat) -> None:
    await measured(chat, NOON - 14 * DAY, NOON - 2 * DAY, step=12 * HOUR, ford=(0.5, 20.0))
    await measured(chat, NOON - DAY, NOON, step=12 * HOUR, ford=(4.0, 100.0))
    await chat.ticks()
    now = "ford load 0.1 on 2 CPUs, 2 GiB of 8 GiB memory."
    assert await chat.say("alice", "!load week") == (
        f"{now} 7 d: ▂··▂··▂··▂··▂··▂··▂··▂··▂········█··█·· mean 1.1 peak 8.0; busy mean 17 % peak 100 %"
    )
    assert await chat.say("alice", "!load ford month ascii") == (
        f"{now} 30 d: .............## mean 0.8 peak 8.0; busy mean 13 % peak 100 %"
    )
    assert "One time is enough" in await chat.say("alice", "!load week month")
    chat.meter.fail("ford")
    await chat.ticks()
    assert (await chat.say("alice", "!load today")).endswith(" mean 4.0 peak 8.0")


async def test_the_load_has_a_chart_in_ones_own_zone(chat: Chat) -> None:
    await chat.say("alice", "!set zone Europe/Berlin")
    await measured(chat, NOON - 3 * HOUR, NOON, step=300, ford=(2.0, 50.0))
    await chat.ticks()
    chart = (await chat.hear("alice", "!load")).picture
    assert isinstance(chart, Chart)
    assert (chart.title, chart.unit, chart.step, chart.zone) == (
        "Load of ford, 24 h",
        "load",
        300,
        "Europe/Berlin",
    )
    assert chart.start == NOON + 1800 - DAY
    load, peak = chart.curves
    assert (peak.name, peak.points[250]) == ("peak", 4.0), "the text tells it too"
    assert load.points == (None,) * (282 - 36) + (2.0,) * 36 + (None,) * 6
    (busy,) = chart.running
    assert (busy.name, busy.points[250], chart.running_unit) == ("busy", 25.0, "%")
    chat.meter.fail("ford")
    await chat.ticks()
    week = (await chat.hear("bob", "!load week")).picture
    assert isinstance(week, Chart)
    assert (week.zone, week.running, week.running_unit) == ("UTC", (), "")
    assert (week.step, len(week.curves[0].points)) == (3600, 42 * 4)
    assert [(curve.name, curve.style, curve.points[-6]) for curve in week.curves] == [
        ("load", "line", 2.0),
        ("peak", "dashed", 4.0),
    ]


async def test_the_busiest_over_a_time_are_named_by_their_mean_of_all_of_it(chat: Chat) -> None:
    """ford-3 was up for half of the time only, so that its mean is half of what it used then."""
    await chat.ticks()
    assert await chat.say("alice", "!top ford week") == "ford over 7 d: no history yet."
    await measured(chat, NOON - 4 * DAY, NOON - 2 * DAY, 6 * HOUR, ford_1=(10.0, 30.0), ford_3=(60.0, 90.0))
    await measured(chat, NOON - 2 * DAY, NOON, 6 * HOUR, ford_1=(10.0, 30.0))
    told = "ford-3 30 % (peak 90 %, 32 MiB), ford-1 10 % (peak 30 %, 32 MiB)."
    assert await chat.say("alice", "!top week") == f"ford over 7 d: {told}"
    assert await chat.say("alice", "!top FORD month") == f"ford over 30 d: {told}"
    assert await chat.say("alice", "!top today") == "ford over 24 h: ford-1 10 % (peak 30 %, 32 MiB)."
    assert await chat.say("alice", "!top ford ascii") == (
        "over is one of today, week, month, not “ascii”. Usage: !top [HOST] [today|week|month]"
    )
    assert "There is no host" in await chat.say("alice", "!top zaphod week")


async def test_a_time_in_which_no_machine_used_anything(chat: Chat) -> None:
    await measured(chat, NOON - DAY, NOON)
    await chat.ticks()
    assert await chat.say("alice", "!top month") == "ford over 30 d: no machine used it."


async def test_the_digest_gets_the_weeks_load_in_a_line(chat: Chat) -> None:
    assert not [part for part in await chat.crew.hub(DigestPart()) if part.startswith("load")]
    await measured(chat, NOON - 9 * DAY, NOON, step=6 * HOUR, ford=(1.5, 20.0))
    (told,) = [part for part in await chat.crew.hub(DigestPart()) if part.startswith("load")]
    assert told == "load in 7 d: ford mean 1.5 peak 3.0"


# --- what alerts can go by


async def figures(chat: Chat) -> dict[tuple[str, str], float]:
    answers = await chat.crew.hub(Figures(chat.clock.now()))
    assert chat.incidents.reported == []
    own = {"disk-days", "memory-share", "disk-share"}
    return {(one.subject, one.measure): one.value for every in answers for one in every if one.measure in own}


async def test_a_machine_that_takes_much_of_its_share_has_figures(chat: Chat) -> None:
    """A half-share has 1 GiB of memory, and 20 GiB of disk."""
    assert await figures(chat) == {}
    for machine in MACHINES[:2]:
        await chat.hypervisor.start(machine)
    tick = await chat.ticks(2)
    found = await figures(chat)
    used = {name: (one.memory or 0, one.disk or 0) for name, one in tick.machines.items()}
    assert found["ford-1", "memory-share"] == used["ford-1"][0] * 100 / GIB > 0
    assert found["ford-3", "memory-share"] == used["ford-3"][0] * 100 / (2 * GIB)
    assert found["ford-1", "disk-share"] == used["ford-1"][1] * 100 / (20 * GIB)
    assert (found["ford-9", "memory-share"], ("ford-9", "disk-share") in found) == (0, False)


async def test_a_machine_of_which_nothing_was_measured_has_none(chat: Chat) -> None:
    await chat.ticks()
    await chat.store.write(_another_machine)
    assert {name for name, _ in await figures(chat)} == {"ford-1", "ford-3", "ford-9"}


def _another_machine(tx: Tx) -> None:
    tx.db.execute(
        "INSERT INTO machines SELECT 'ford-4', host, owner, share, memory_mib, NULL, NULL, NULL "
        "FROM machines WHERE name = 'ford-3'"
    )


async def test_a_disk_that_fills_has_days_left(chat: Chat) -> None:
    """1 KiB a second is 84.4 MiB a day; of 100 GiB 80 are free."""
    await measured(chat, NOON - 6 * DAY, NOON - 5 * DAY)
    await chat.ticks()
    found = await figures(chat)
    assert found["ford", "disk-days"] == pytest.approx(80 * GIB / (DAY * 1024))
    chat.meter.fail("ford")
    await chat.ticks()
    assert ("ford", "disk-days") not in await figures(chat)
