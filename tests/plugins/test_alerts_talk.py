"""Alerts as people hear them: once, with an end, over restarts, storms and silences."""

import shutil
import sqlite3
import tomllib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot import Ask, DigestPart, Machine, Maintenance, MaintenanceNow, Place, Plugin, PostField, members
from bot.errors import PluginError
from bot.paths import share
from bot.store.roster import row_of
from bot.testing import MACHINES, START, Chat, FakeClock
from plugins.alerts import plugin
from plugins.alerts.declared import Settings
from plugins.alerts.defaults import DEFAULTS
from plugins.alerts.force import is_free
from plugins.alerts.rules import Rule, Severity

ROOM = "room net/#admins"
TABLES: dict[str, dict[str, object]] = {"alerts": {"on_call": ["ann", "abe"]}}
HOT, COOL = (14.2, 9.0, 4.0), (2.1, 2.0, 2.0)


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    async with Chat.open(tmp_path, [plugin], TABLES) as chat:
        await chat.ticks(2)
        yield chat


async def raised(chat: Chat) -> list[tuple[str, str]]:
    """Let ford's load be too much for long enough."""
    chat.meter.set("ford", load=HOT)
    await chat.ticks(19)
    return await chat.told()


async def test_a_load_is_told_once_and_its_end_to_all_who_heard_it(chat: Chat) -> None:
    for name, worked in (("ford-1", 0.1), ("ford-3", 6.1)):
        await chat.hypervisor.start(next(one for one in MACHINES if one.name == name))
        assert worked
    line = "A1 CRIT ford load 14.2 (limit 8) for 3 min; top: ford-1 1 %. !ack 1 · !top ford"
    assert await raised(chat) == [(ROOM, line), ("member ann", line)]
    await chat.ticks(40)
    assert await chat.told() == []
    assert await chat.say("alice", "!alert list") == "A1 CRIT ford load 14.2 (limit 8) for 9 min 40 s"
    chat.meter.set("ford", load=(7.0, 1.0, 1.0))
    await chat.ticks()
    waits = "A1 CRIT ford load 7.0 (limit 8; peak 14.2, over at 6) for"
    assert (await chat.say("alice", "!alert list")).startswith(waits)
    chat.meter.set("ford", load=HOT)
    await chat.ticks()
    chat.meter.set("ford", load=(15.04, 1.0, 1.0))
    await chat.ticks()
    chat.meter.set("ford", load=COOL)
    assert await chat.say("ann", "!ack") == "A1 is yours until 16:10 UTC."
    assert await chat.told() == [(ROOM, "ann has A1 until 16:10 UTC")]
    assert await chat.say("abe", "!ack 1 1h", place=Place("net", "#admins")) == "A1 is yours until 13:10 UTC."
    assert await chat.told() == [("member ann", "abe has A1 until 13:10 UTC")]
    await chat.say("ann", "!ack 1", place=Place("net", "#admins"))
    assert await chat.told() == []
    await chat.ticks(13)
    over = "A1 over: ford load 2.1 after 10 min 20 s, peak 15.0; ann had it."
    assert await chat.told() == [(ROOM, over), ("member ann", over)]
    assert await chat.say("bob", "!alert list") == "No alert: 22 rules watch 1 host and 3 machines."


async def test_what_happened_can_be_read_afterwards_and_not_changed(chat: Chat, tmp_path: Path) -> None:
    await raised(chat)
    await chat.say("ann", "!ack a1 2h the backup runs")
    shown = (await chat.say("bob", "!alert show A1")).splitlines()
    assert [line.split(": ")[0] for line in shown] == ["12:03 UTC fired", "12:03 UTC acked"]
    assert shown[1].endswith("acked: ann has A1 until 14:03 UTC: [ann] the backup runs")
    assert await chat.say("bob", "!alert show 9") == "There was no alert A9; !alert list names the open ones."
    assert "has an id like A17" in await chat.say("bob", "!alert show x")
    db = sqlite3.connect(tmp_path / "shipboard.db")
    for deed in ("DELETE FROM alerts_events", "UPDATE alerts_events SET line = ''"):
        with pytest.raises(sqlite3.IntegrityError, match="only ever added"):
            db.execute(deed)
    db.close()


async def test_a_restart_neither_forgets_nor_repeats(tmp_path: Path) -> None:
    clock = FakeClock()
    async with Chat.open(tmp_path, [plugin], TABLES, clock=clock) as chat:
        assert len(await raised(chat)) == 2
    async with Chat.open(tmp_path, [plugin], TABLES, clock=clock) as chat:
        assert await chat.say("bob", "!alert list") == "Nothing was measured yet; ask again in ten seconds."
        chat.meter.set("ford", load=HOT)
        await chat.ticks(3)
        assert await chat.told() == []
        chat.meter.set("ford", load=COOL)
        await chat.ticks(14)
        assert [to for to, line in await chat.told() if line.startswith("A1 over: ")] == [ROOM, "member ann"]


async def test_a_rule_that_is_gone_ends_its_alerts(tmp_path: Path) -> None:
    clock = FakeClock()
    async with Chat.open(tmp_path, [plugin], TABLES, clock=clock) as chat:
        await raised(chat)
    async with Chat.open(tmp_path, [plugin], {"alerts": {"off": ["load"]}}, clock=clock) as chat:
        await chat.ticks()
        line = "A1 over: ford load is not watched any more."
        assert await chat.told() == [(ROOM, line), ("member ann", line)]


async def test_what_nobody_takes_goes_from_one_to_the_next_and_then_to_all(chat: Chat) -> None:
    await raised(chat)
    heard = []
    for _ in range(5):
        await chat.ticks(1, 600)
        heard.append([to for to, line in await chat.told() if "nobody has it yet" in line])
    everybody = sorted([ROOM, "member abe", "member ann"])
    assert heard[:3] == [["member abe"], ["member ann"], ["member abe"]]
    assert sorted(heard[3]) == everybody
    assert await chat.say("bob", "!oncall") == (
        "On call, 10 min each, then again on another network: ann, abe; then all admins."
    )
    chat.meter.set("ford", load=COOL)
    await chat.ticks(14)
    assert sorted(to for to, line in await chat.told() if "over" in line) == everybody


async def test_an_ack_lapses_and_only_admins_give_one(chat: Chat) -> None:
    assert await chat.say("ann", "!ack 1") == "A1 is not open; !alert list names what is."
    await raised(chat)
    assert await chat.say("alice", "!ack 1") == "Only admins may ack."
    assert "An ack lasts like 30m" in await chat.say("ann", "!ack 1 99d")
    assert await chat.say("abe", "!ack 1 10m") == "A1 is yours until 12:13 UTC."
    assert (await chat.say("bob", "!alert list")).endswith("; abe has it until 12:13 UTC")
    await chat.told()
    await chat.ticks(1, 610)
    line = "A1 is nobody's again: CRIT ford load 14.2 (limit 8) for 13 min 10 s. !ack 1"
    assert await chat.told() == [(ROOM, line), ("member ann", line)]


async def test_a_crash_is_told_to_the_admins_place_at_once_and_its_end(chat: Chat) -> None:
    await chat.hypervisor.start(MACHINES[0])
    chat.hypervisor.crash("ford-1")
    await chat.ticks()
    assert await chat.told() == [(ROOM, "A1 WARN ford-1 crashed. !ack 1 · !alert show 1")]
    await chat.hypervisor.start(MACHINES[0])
    await chat.ticks(14)
    assert await chat.told() == [(ROOM, "A1 over: ford-1 crashed for 10 s.")]


async def test_a_silent_host_holds_its_machines_alerts(chat: Chat) -> None:
    await chat.hypervisor.start(MACHINES[0])
    await chat.hypervisor.start(MACHINES[1])
    chat.meter.fail("ford")
    chat.hypervisor.crash("ford-1")
    chat.hypervisor.hang("ford-3")
    await chat.ticks(10)
    assert [line for _, line in await chat.told()] == [
        "A2 CRIT ford silent for 30 s, +2 held. !ack 2 · !alert show 2"
    ] * 2
    listed = await chat.say("bob", "!alert list")
    assert listed.startswith("A2 CRIT ford silent "), "a room hears few lines"
    assert "A1 WARN ford-1 crashed for 1 min 30 s; held: ford is silent" in listed
    assert "A3 WARN ford-3 silent for 1 min 30 s; held: ford is silent" in listed
    chat.meter.set("ford", load=COOL)
    await chat.ticks(12)
    assert await chat.told() == []
    await chat.ticks()
    assert {line.split(" for ")[0] for _, line in await chat.told()} == {
        "A2 over: ford silent",
        "A1 WARN ford-1 crashed",
        "A3 WARN ford-3 silent",
    }


async def test_a_silence_hides_and_is_told_with_its_reason(chat: Chat) -> None:
    assert "A silence lasts like" in await chat.say("ann", "!silence ford* soon because")
    assert "at most 60 characters and 4 stars" in await chat.say("ann", "!silence ***** 1h because")
    said = await chat.say("ann", '!silence "load ford" 2h the backup runs')
    assert said == "S1 silences load ford until 14:00 UTC. !unsilence S1"
    assert await chat.told() == [(ROOM, "Silence S1 load ford until 14:00 UTC [ann] the backup runs")]
    assert await raised(chat) == []
    assert "A1 CRIT ford load 14.2" in await chat.say("bob", "!alert list")
    assert "; held: S1\nSilence S1 load ford" in await chat.say("bob", "!alert list")
    assert await chat.say("ann", "!unsilence S7") == "There is no such silence; there is S1."
    assert await chat.say("abe", "!unsilence S1") == "S1 is over."
    assert await chat.told() == [(ROOM, "Silence S1 of load ford is ended by abe.")]
    await chat.ticks()
    assert [to for to, _ in await chat.told()] == [ROOM, "member ann"]


async def test_the_end_of_a_silence_is_told_before_and_when_it_comes(chat: Chat) -> None:
    await chat.say("ann", "!silence load 20m known")
    await raised(chat)
    await chat.ticks(1, 300)
    told = [line for _, line in await chat.told()]
    assert told == ["Silence S1 of load by ann ends in 11 min 50 s and still hides something."]
    await chat.ticks(1, 900)
    told = [line for _, line in await chat.told()]
    assert told[0].startswith("A1 CRIT ford load 14.2")
    assert "Silence S1 of load by ann is over." in told


async def test_maintenance_holds_back_what_is_new(tmp_path: Path) -> None:
    other = Plugin("other")

    @other.answers(MaintenanceNow)
    async def now(question: MaintenanceNow) -> Maintenance | None:
        return Maintenance(question.host, START, START + timedelta(days=1), "disks", "ann")

    async with Chat.open(tmp_path, [plugin, other], TABLES) as chat:
        assert await raised(chat) == []
        assert (await chat.say("bob", "!alert list")).endswith("; held: maintenance of ford")


async def test_forty_at_once_are_one_line(chat: Chat) -> None:
    crowd = [Machine(f"vm-{number}", "ford") for number in range(40)]
    await chat.store.write(lambda tx: [tx.db.table("machines").insert(row_of(one)) for one in crowd] and None)
    for one in crowd:
        await chat.hypervisor.start(one)
        chat.hypervisor.crash(one.name)
    await chat.ticks()
    told = [line for _, line in await chat.told()]
    assert len(told) == 1
    assert told[0].startswith("40 alerts within a minute; top: A1 vm-0 crashed, ")
    assert told[0].endswith("; 40 open. !alert list")
    assert "fired: A40 WARN vm-9 crashed" in await chat.say("bob", "!alert show 40")
    for one in crowd[:30]:
        await chat.hypervisor.start(one)
    await chat.ticks(13)
    (digest,) = [line for _, line in await chat.told()]
    assert digest == "The storm goes on: 0 new, 30 over; 10 open. !alert list"
    await chat.ticks(60)
    assert [line for _, line in await chat.told()] == [
        "The storm has passed: 0 new, 0 over at its end; 10 open. !alert list"
    ]


async def test_many_who_still_wait_are_one_line_and_so_are_others_parts_of_a_digest(tmp_path: Path) -> None:
    other = Plugin("other")

    @other.command("digest", allow=members)
    async def digest(ask: Ask) -> str:
        """Gather the digest."""
        return "\n".join(
            [*await ask(DigestPart()), *await ask(PostField("alerts")), *await ask(PostField("x"))]
        )

    async with Chat.open(tmp_path, [plugin, other], TABLES) as chat:
        assert await chat.say("bob", "!digest") == "no alert"
        crowd = [Machine(f"vm-{number}", "ford") for number in range(12)]
        await chat.store.write(
            lambda tx: [tx.db.table("machines").insert(row_of(one)) for one in crowd] and None
        )
        for one in crowd:
            await chat.hypervisor.start(one)
        for one in crowd:
            chat.hypervisor.crash(one.name)
            await chat.ticks(1, 61)
        assert len(await chat.told()) == 12
        await chat.say("ann", "!silence vm-1* 1h known")
        assert (await chat.say("bob", "!digest")).splitlines() == [
            "alerts: 12 alerts open (3 silenced)",
            "12 alerts open (3 silenced)",
        ]
        await chat.told()
        await chat.ticks(1, 12.5 * 3600)
        told = [line for _, line in await chat.told()]
        assert told[0].startswith("12 alerts still wait for somebody; top: A1 vm-0 crashed, ")


async def test_what_flaps_is_told_once_and_then_how_it_settled(chat: Chat) -> None:
    told = list[str]()
    for _ in range(20):
        for load in (HOT, COOL):
            chat.meter.set("ford", load=load)
            await chat.ticks(19 if not told else 1)
            told += [line for to, line in await chat.told() if to == ROOM]
    assert [line.split(" ")[1] for line in told] == ["CRIT", "flaps:"]
    chat.meter.set("ford", load=COOL)
    await chat.ticks(40)
    assert [line for to, line in await chat.told() if to == ROOM] == [
        "A1 over: ford load 2.1 after 9 min 30 s, peak 14.2."
    ]


async def test_a_host_that_falls_silent_solves_nothing(chat: Chat) -> None:
    await raised(chat)
    chat.meter.fail("ford")
    await chat.ticks(60)
    told = [line for to, line in await chat.told() if to == ROOM]
    assert [line.partition(". ")[0] for line in told] == ["A2 CRIT ford silent for 30 s"]
    listed = (await chat.say("bob", "!alert list")).splitlines()
    assert [line.split(" ")[0] for line in listed] == ["A1", "A2"]
    chat.meter.set("ford", load=HOT)
    await chat.ticks(20)
    assert [line for to, line in await chat.told() if to == ROOM] == ["A2 over: ford silent for 10 min."]


async def test_excess_use_goes_by_the_policy_and_not_in_its_free_hours(tmp_path: Path) -> None:
    rule = {"name": "excess-use", "scope": "machine", "metric": "cpu", "raise": 1, "clear": 0.5, "for": 60}
    table = {"rule": [{**rule, "free": "policy:excess-use.free", "text": "CPU"}]}
    async with Chat.open(tmp_path, [plugin], {"alerts": table}) as chat:
        await chat.hypervisor.start(MACHINES[0])
        assert "excess-use: WARN machine CPU from 1 % for 1 min, over at 0.5 %, not at 22:00-06:00 UTC" in (
            await chat.say("bob", "!alert rules")
        )
        await chat.ticks(9)
        assert [line.split(". ")[0] for _, line in await chat.told()] == [
            "A1 WARN ford-1 CPU 1 % (limit 1 %) for 1 min"
        ]
        await chat.hypervisor.kill(MACHINES[0])
        await chat.ticks(14)
        assert len(await chat.told()) == 1
        await chat.clock.advance(10.5 * 3600)
        await chat.hypervisor.start(MACHINES[0])
        await chat.ticks(9)
        assert await chat.told() == []
        assert "held: it is allowed at this hour" in await chat.say("bob", "!alert list")


async def test_a_number_that_no_policy_has_is_told_and_the_others_are_in_force(tmp_path: Path) -> None:
    rule = {"name": "odd", "metric": "memory", "raise": "policy:bandwidth.nothing"}
    async with Chat.open(tmp_path, [plugin], {"alerts": {"rule": [rule]}}) as chat:
        assert len(await raised(chat)) > 0
        assert await chat.say("bob", "!oncall") == (
            "Nobody is on call: [plugins.alerts] on_call names them; after 10 min all admins hear."
        )
        reported = {str(error) for error, _, _ in chat.incidents.reported}
        assert reported == {"rule odd: no policy has the number bandwidth.nothing"}
        assert "Not in force: rule odd" in await chat.say("bob", "!alert rules")


async def test_hours_of_a_policy_that_are_none_are_told_and_the_others_are_in_force(tmp_path: Path) -> None:
    policies = tmp_path / "policies"
    shutil.copytree(share("policies"), policies)
    path = policies / "excess-use.md"
    path.write_text(path.read_text().replace('free_from = "22:00"', 'free_from = "late"'))
    async with Chat.open(tmp_path, [plugin], TABLES, policies=policies) as chat:
        assert len(await raised(chat)) == 2
        fault = "rule excess-use: policy:excess-use.free are no hours like 22:00 and 06:00"
        assert {str(error) for error, _, _ in chat.incidents.reported} == {fault}
        assert f"Not in force: {fault}" in await chat.say("bob", "!alert rules")


@pytest.mark.parametrize("now", [21, 22, 5, 6])
def test_a_policys_hours_are_in_utc_and_others_in_the_ships_zone(now: int) -> None:
    at = datetime(2026, 7, 1, now, 30, tzinfo=UTC)
    rule = Rule(
        name="x", scope="machine", metric="cpu", severity=Severity.WARN, raise_at=1, clear_at=0, hold=0,
        text="x", free="22:00-06:00 UTC",
    )  # fmt: skip
    assert is_free(rule, at, "Europe/Berlin") is (now in {22, 5})
    assert is_free(replace(rule, free="22:00-06:00"), at, "Europe/Berlin") is (now in {21, 22})
    assert not is_free(replace(rule, free=""), at, "Europe/Berlin")


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ({"rule": [{"name": "x", "metric": "colour"}]}, "a host has no metric colour"),
        ({"rule": [{"name": "x", "metric": "load", "raise": "much"}]}, "neither a number nor a policy's"),
        ({"rule": [{"name": "x", "metric": "silent", "raise": 3}]}, "takes no raise"),
        (
            {"rule": [{"name": "x", "metric": "load", "raise": 1}] * 2},
            "^plugins.alerts: two rules are called x$",
        ),
        (
            {"rule": [{"name": "x", "metric": "cpu", "scope": "machine", "raise": 1, "per_cpu": True}]},
            "per_cpu is for hosts",
        ),
        ({"rule": [{"name": "x", "metric": "load"}]}, "raise is missing: from which load on it is bad"),
        (
            {"rule": [{"name": "x", "metric": "load", "raise": 1, "free": "25:00-3"}]},
            "25:00-3 is neither hours like 22:00-06:00 nor a policy's",
        ),
        ({"off": ["colour"]}, "^plugins.alerts.off.0: there is no rule colour of ours"),
        ({"rule": [{"name": "x", "metric": "load", "raise": -1}]}, "-1 is no number from 0"),
        (
            {"rule": [{"name": "x", "metric": "load", "raise": 1, "to": "owner"}]},
            "a host has no owner to tell",
        ),
        ({"rule": [{"name": "x", "metric": "bandwidth"}]}, "a host has no metric bandwidth"),
        ({"rule": [{"name": "x", "metric": "cpu", "scope": "member"}]}, "a member has no metric cpu"),
        ({"oncall": []}, r"^plugins.alerts.oncall: unknown key; did you mean on_call\?$"),
        ({"rule": [{"riase": 1}]}, "plugins.alerts.rule.0"),
    ],
)
async def test_a_wrong_table_stops_the_start(tmp_path: Path, table: dict[str, object], fault: str) -> None:
    with pytest.raises(PluginError, match=fault):
        async with Chat.open(tmp_path, [plugin], {"alerts": table}):
            pass


def test_the_example_config_is_as_the_plugin_wants_it() -> None:
    example = tomllib.loads((Path(__file__).parents[2] / "config.example.toml").read_text("utf-8"))
    read = Settings.model_validate(example["plugins"]["alerts"])
    tables = {one.name: one for one in read.tables}
    assert (tables["load"].severity, tables["load"].per_cpu) == ("CRIT", True)
    assert tables.keys() == {one.name for one in DEFAULTS} - {"io-pressure"}


async def test_others_are_told_in_short_and_the_digest_comes_daily(tmp_path: Path) -> None:
    from plugins.help import plugin as help_  # noqa: PLC0415 - for its status line only

    async with Chat.open(tmp_path, [plugin, help_], TABLES) as chat:
        assert "alerts" not in await chat.say("bob", "!status")
        await chat.ticks()
        await chat.clock.advance(86400)
        assert await chat.told() == []
        await raised(chat)
        assert "alerts: 1" in await chat.say("bob", "!status")
        await chat.say("ann", "!ack 1 1d")
        await chat.say("ann", "!silence other 6d known")
        await chat.told()
        await chat.clock.advance(86400)
        digest = "Alerts: 1 alert open (1 CRIT, 1 acked); 1 silence in force. !alert list"
        named = "A1 ford load for 20 h 59 min, ann has it"
        assert await chat.told() == [(ROOM, digest), (ROOM, named)]
