"""Alerts by what other plugins work out: once a minute, told to whom they concern, and a gap is no end."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot import Figure, Figures, Plugin, Tick, Tx
from bot.config.policies import read_folder
from bot.paths import share
from bot.testing import START, Chat
from bot.words import MEASURES, PolicyBook
from plugins.alerts import plugin, texts
from plugins.alerts.declared import Settings
from plugins.alerts.defaults import DEFAULTS
from plugins.alerts.force import in_force
from plugins.alerts.rules import Rule
from plugins.alerts.watch import Alert, Kind, Line, State
from plugins.help import plugin as helping

ROOM = "room net/#admins"
NONE = "There was no alert A1; !alert list names the open ones."
ALICE, BOB = "member alice", "member bob"


@dataclass
class Oracle:
    """A plugin that works figures out, as the test wishes."""

    figures: list[Figure] = field(default_factory=list)
    asked: list[datetime] = field(default_factory=list)
    broken: bool = False

    @property
    def plugin(self) -> Plugin:
        made = Plugin("oracle")

        @made.answers(Figures)
        async def figures(question: Figures) -> tuple[Figure, ...] | None:
            self.asked.append(question.at)
            if self.broken:
                raise RuntimeError("no figures today")
            return tuple(self.figures) or None

        return made

    def tell(self, *figures: tuple[str, str, str, float]) -> None:
        self.figures = [Figure(*one) for one in figures]  # type: ignore[arg-type]  # scopes as words


@pytest.fixture
def oracle() -> Oracle:
    return Oracle()


@pytest.fixture
async def chat(tmp_path: Path, oracle: Oracle) -> AsyncIterator[Chat]:
    async with Chat.open(tmp_path, [plugin, oracle.plugin], {"alerts": {"on_call": ["ann"]}}) as chat:
        await chat.ticks()
        yield chat


async def minutes(chat: Chat, count: int = 1) -> list[tuple[str, str]]:
    """Let minutes pass; return what is told."""
    await chat.ticks(6 * count)
    return await chat.told()


async def test_a_member_alone_hears_of_their_bandwidth_and_of_its_end(chat: Chat, oracle: Oracle) -> None:
    oracle.tell(("member", "alice", "bandwidth", 84.2), ("member", "bob", "bandwidth", 12.0))
    line = "A1 WARN alice bandwidth of the month's allowance 84 % (limit 80 %). !bandwidth"
    assert await minutes(chat) == [(ALICE, line)]
    assert await chat.say("alice", "!alert list") == f"{line.rpartition('. ')[0]} for 10 s"
    for who in ("bob", "ann"):
        assert (await chat.say(who, "!alert list")).startswith("No alert: ")
        assert await chat.say(who, "!alert show 1") == NONE
    assert "fired: A1 WARN alice" in await chat.say("alice", "!alert show 1")
    assert await chat.say("ann", "!ack") == "alert is missing. Usage: !ack ALERT [NOTE…]"
    assert await chat.say("ann", "!ack 1") == "A1 is told to whom it concerns; nobody else has to take it."
    oracle.tell(("member", "alice", "bandwidth", 101.0))
    full = "A2 WARN alice bandwidth of the month's allowance 101 % (limit 100 %). !bandwidth"
    assert await minutes(chat) == [(ALICE, full)]
    await chat.ticks(1, 13 * 3600)  # the reminders of a warning would be due
    assert [told for told in await chat.told() if told[0] == ALICE] == []
    oracle.tell(("member", "alice", "bandwidth", 0.0))
    told = await minutes(chat, 4)
    assert {(to, line.split(",")[0].partition(" after")[0]) for to, line in told} == {
        (ALICE, "A1 over: alice bandwidth of the month's allowance 0 %"),
        (ALICE, "A2 over: alice bandwidth of the month's allowance 0 %"),
    }


async def test_they_are_asked_for_once_a_minute(chat: Chat, oracle: Oracle) -> None:
    await chat.ticks(35)
    assert oracle.asked == [START + timedelta(minutes=number) for number in range(1, 7)]


async def test_a_figure_that_is_missing_is_no_end(chat: Chat, oracle: Oracle) -> None:
    oracle.tell(("host", "ford", "disk-days", 2.0))
    told = await minutes(chat, 12)
    crit = "A2 CRIT ford disk, days until it is full 2.0 d (limit 3 d) for 10 min. !ack 2 · !top ford"
    assert (ROOM, crit) in told
    assert ("member ann", crit) in told
    assert (
        ROOM,
        crit.replace("A2 CRIT", "A1 WARN").replace("3 d", "10 d").replace("!ack 2", "!ack 1"),
    ) in told
    oracle.tell()
    await chat.say("ann", "!ack 2 1d on it")
    await chat.told()
    assert await minutes(chat, 30) == []
    oracle.broken = True
    assert await minutes(chat, 30) == []
    assert "A2 CRIT ford disk" in await chat.say("bob", "!alert list")
    oracle.broken = False
    oracle.tell(("host", "ford", "disk-days", 40.0))
    over = [line for _, line in await minutes(chat, 4)]
    assert {line.split(" ")[0] for line in over} == {"A1", "A2"}
    assert all(" over: ford disk, days until it is full 40.0 d after " in line for line in over)
    assert all(line.endswith(("peak 2.0 d.", "peak 2.0 d; ann had it.")) for line in over)


async def test_an_owner_and_the_admins_hear_of_a_machine_and_only_they_are_told_to_take_it(
    chat: Chat, oracle: Oracle
) -> None:
    oracle.tell(
        ("machine", "ford-1", "traffic-spike", 41.0),
        ("machine", "ford-9", "disk-share", 93.0),
        ("machine", "ford-3", "disk-share", 93.0),
        ("machine", "elsewhere", "disk-share", 93.0),
        ("member", "nobody", "bandwidth", 93.0),
    )
    told = await minutes(chat, 4)
    what = "WARN ford-1 traffic against its usual 41.0 times (limit 10 times) for 2 min."
    spike = next(line for to, line in told if to == BOB)
    number = spike[1 : spike.index(" ")]
    assert spike == f"A{number} {what} !alert show {number}"
    assert (ROOM, f"A{number} {what} !ack {number} · !alert show {number}") in told
    disks = [(to, line.partition(" WARN ")[2].partition(" (")[0]) for to, line in told if "disk" in line]
    assert sorted(disks) == [
        (ALICE, "ford-3 disk of its share 93 %"),
        (ROOM, "ford-9 disk of its share 93 %"),  # the co-op's own
    ]
    await chat.say("ann", f"!ack {number}")
    acked = await chat.told()
    assert acked
    assert [to for to, _ in acked] == [ROOM, BOB]


async def test_a_member_who_sleeps_is_told_of_a_warning_later_and_of_what_is_critical_at_once(
    tmp_path: Path, oracle: Oracle
) -> None:
    crit = {"name": "burn", "scope": "member", "metric": "bandwidth-hours", "raise": 1, "clear": 2}
    table = {"rule": [{**crit, "severity": "CRIT", "to": "owner"}]}

    def manners(tx: Tx) -> dict[str, str]:
        found = tx.db.query("SELECT destination, manner, lines FROM outbox")
        return {f"{row['destination']} {row['lines'][2:9]}": row["manner"] for row in found}

    async with Chat.open(tmp_path, [plugin, oracle.plugin], {"alerts": table}) as chat:
        oracle.tell(("member", "alice", "bandwidth", 84.2), ("member", "bob", "bandwidth-hours", 0.5))
        await chat.ticks(7)
        assert await chat.store.write(manners) == {
            f"{ALICE} A1 WARN": "patient",
            f"{BOB} A2 CRIT": "plain",
            f"{ROOM} A2 CRIT": "plain",
        }


async def test_a_member_who_is_gone_ends_their_alerts_and_nothing_breaks(chat: Chat, oracle: Oracle) -> None:
    oracle.tell(("member", "bob", "bandwidth", 99.0))
    assert len(await minutes(chat)) == 1

    def forget(tx: Tx) -> None:
        tx.db.execute("UPDATE machines SET owner = NULL")
        tx.db.execute("DELETE FROM members WHERE name = 'bob'")

    await chat.store.write(forget)
    assert await minutes(chat) == []
    assert chat.incidents.reported == []


async def test_a_storm_counts_no_private_ones_and_each_hears_their_own(
    tmp_path: Path, oracle: Oracle
) -> None:
    rules = [
        {"name": f"share-{at}", "scope": "member", "metric": "bandwidth", "raise": at, "to": "owner"}
        for at in (1, 2, 3)
    ]
    people = ("alice", "bob", "ann", "abe")
    oracle.tell(*(("member", name, "bandwidth", 50.0) for name in people))
    plugins = [plugin, oracle.plugin, helping]
    async with Chat.open(tmp_path, plugins, {"alerts": {"rule": rules}}) as chat:
        await chat.ticks(6)
        told = await chat.told()
        assert sorted(to for to, _ in told) == sorted(f"member {name}" for name in people for _ in rules)
        listed = (await chat.say("ann", "!alert list")).splitlines()
        assert [line.split(" ")[2] for line in listed] == ["ann"] * len(rules)
        assert "alerts" not in await chat.say("ann", "!status")  # a number of what is nobody's business


async def test_the_rules_say_from_when_on_and_to_whom(chat: Chat) -> None:
    rules = (await chat.say("bob", "!alert rules")).splitlines()
    assert rules[8:10] == [
        "disk-fills: WARN host disk, days until it is full down to 10 d for 10 min, over at 12 d",
        "disk-full-soon: CRIT host disk, days until it is full down to 3 d for 10 min, over at 4 d",
    ]
    assert rules[-1] == (
        "bandwidth-burn: WARN member bandwidth, hours until it is used up down to 48 h for 5 min, "
        "over at 53.3 h; told to the owner"
    )
    assert rules[13].endswith(", over at 45 %, not at 22:00-06:00 UTC; told to the owner too")


def test_each_rule_of_ours_is_in_force_by_our_policies_and_has_a_telling_line() -> None:
    book = read_folder(share("policies"))

    class Shipped:
        def book(self) -> PolicyBook:
            return book

    rules, wrong = in_force(Settings(), Shipped())  # type: ignore[arg-type]  # what is needed of Policies
    assert wrong == ()
    assert len(rules) == len(DEFAULTS) == len({rule.name for rule in rules})
    said = {rule.name: _fired(rule.name, rules) for rule in rules}
    assert said["disk-full-soon"].startswith("A7 CRIT ford disk, days until it is full 3.0 d (limit 3 d).")
    assert said["bandwidth-burn"] == (
        "A7 WARN alice bandwidth, hours until it is used up 48.0 h (limit 48 h). !bandwidth"
    )
    assert said["memory-share"].startswith("A7 WARN ford-1 memory of its share 100 % (limit 100 %). !ack 7")
    assert said["crashed"] == "A7 WARN ford-1 crashed. !ack 7 · !alert show 7"
    assert all(len(line) < 120 for line in said.values())
    assert [rule.name for rule in rules if rule.private] == [
        "disk-share",
        "bandwidth",
        "bandwidth-full",
        "bandwidth-projected",
        "bandwidth-burn",
    ]
    assert {name for name in said if not any(rule.name == name and rule.rises for rule in rules)} == {
        "disk-fills",
        "disk-full-soon",
        "bandwidth-burn",
    }
    known = {rule.metric for rule in rules}
    assert known >= {metric for scope in MEASURES.values() for metric in scope}


def _fired(name: str, rules: tuple[Rule, ...]) -> str:
    """What would be said of a rule whose limit is just reached."""
    rule = next(one for one in rules if one.name == name)
    subject = {"host": "ford", "machine": "ford-1", "member": "alice"}[rule.scope]
    alert = Alert(
        rule=name, subject=subject, state=State.FIRING, since=START, number=7, value=rule.raise_at,
        limit=rule.raise_at, fired=START,
    )  # fmt: skip
    line = Line(Kind.FIRED, alert, frozenset())
    return texts.line(line, rule, Tick(START, 10.0, {}, {}), START)
