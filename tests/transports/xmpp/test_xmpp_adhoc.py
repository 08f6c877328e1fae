import asyncio
from collections.abc import Coroutine
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest

from bot.model import FormField, Identity, IdentityKind, Message, Offer, Reply
from bot.ports import Report
from bot.testing import FakeClock, QuietRoad, settle
from bot.transports.xmpp import adhoc, forms
from bot.transports.xmpp.adhoc import AdHoc, Asker

ALICE = Asker("alice@x.test/pc", "alice@x.test", Identity("jabber", IdentityKind.XMPP_JID, "alice@x.test"))
MALLORY = Asker("alice@x.test/other", "alice@x.test", ALICE.identity)
STOP = Offer(
    "vm stop",
    "Stop a machine.",
    (
        FormField("machine", "machine", required=True, choices=("ford-1", "ford-3")),
        FormField("code", "code", required=False, private=True),
    ),
)
LIST = Offer("vm list", "List machines.")
SHOW = Offer("vm show", "Show some.", (FormField("which", "which", required=False),), reads=True)
C, D = f"{{{forms.NODE}}}", f"{{{forms.DATA}}}"


class Road(QuietRoad):
    """Offers two commands; answers what it is told, asks before it stops something."""

    def __init__(self) -> None:
        self.heard: list[Message] = []
        self.go = asyncio.Event()
        self.go.set()

    async def offers(self, identity: Identity | None) -> tuple[Offer, ...]:
        return (LIST, SHOW, STOP) if identity == ALICE.identity else ()

    async def handle(self, message: Message, report: Report) -> Reply:
        self.heard.append(message)
        await report(0.5, "half")
        await self.go.wait()
        if message.text.startswith("vm stop "):
            return Reply((f"Stop {message.text.split()[2]}? Say !yes within 60 s.",), question=7)
        return Reply((f"did {message.text}",))


class Home:
    """Ad-hoc commands, with what they send and say."""

    def __init__(self) -> None:
        self.sent: list[Element] = []
        self.said: list[tuple[str, Reply]] = []
        self.road, self.clock = Road(), FakeClock()
        self.tasks: list[asyncio.Task[None]] = []
        self.commands = AdHoc(
            network="jabber",
            road=self.road,
            clock=self.clock,
            own=lambda: "eddie@x.test/shipboard",
            send=self.sent.append,
            tell=self._tell,
            spawn=self._spawn,
        )

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self.tasks.append(asyncio.ensure_future(work))

    async def _tell(self, asker: Asker, reply: Reply) -> None:
        self.said.append((asker.address, reply))

    async def iq(self, text: str, asker: Asker = ALICE) -> Element:
        """Take an <iq/>'s child; return the answer."""
        kind = "get" if "disco" in text else "set"
        stanza = fromstring(
            f"<iq xmlns='jabber:client' type='{kind}' id='q1' from='{asker.address}'>{text}</iq>"
        )
        before = len(self.sent)
        assert self.commands.take(stanza, asker)
        await settle()
        (answer,) = self.sent[before:]
        assert (answer.get("id"), answer.get("to")) == ("q1", asker.address)
        return answer

    async def run(
        self, node: str, session: str = "", action: str = "", asker: Asker = ALICE, **values: str
    ) -> Element:
        """Run a step of a command; return its <command/>, or its error."""
        fields = "".join(f"<field var='{n}'><value>{v}</value></field>" for n, v in values.items())
        form = f"<x xmlns='jabber:x:data' type='submit'>{fields}</x>" if values else ""
        marks = f" sessionid='{session}'" if session else ""
        marks += f" action='{action}'" if action else ""
        answer = await self.iq(f"<command xmlns='{forms.NODE}' node='{node}'{marks}>{form}</command>", asker)
        if answer.get("type") == "error":
            return answer
        command = answer.find(f"{C}command")
        assert command is not None
        return command


@pytest.fixture
async def home() -> Home:
    return Home()


def note(command: Element) -> str:
    return command.findtext(f"{C}note") or ""


def condition(answer: Element) -> str:
    assert answer.get("type") == "error"
    return answer[0][0].tag.partition("}")[2]


async def test_each_finds_the_commands_that_they_may_use(home: Home) -> None:
    answer = await home.iq(f"<query xmlns='{forms.ITEMS}' node='{forms.NODE}'/>")
    items = answer.findall(f"{{{forms.ITEMS}}}query/{{{forms.ITEMS}}}item")
    assert [(item.get("node"), item.get("name")) for item in items] == [
        ("vm list", "vm list: List machines."),
        ("vm show", "vm show: Show some."),
        ("vm stop", "vm stop: Stop a machine."),
    ]
    assert {item.get("jid") for item in items} == {"eddie@x.test/shipboard"}
    nobody = Asker("zoe@x.test/pc", "zoe@x.test", None)
    answer = await home.iq(f"<query xmlns='{forms.ITEMS}' node='{forms.NODE}'/>", nobody)
    assert answer.findall(f"{{{forms.ITEMS}}}query/{{{forms.ITEMS}}}item") == []


@pytest.mark.parametrize(("node", "kind"), [(forms.NODE, "command-list"), ("vm list", "command-node")])
async def test_what_a_node_is(home: Home, node: str, kind: str) -> None:
    answer = await home.iq(f"<query xmlns='{forms.INFO}' node='{node}'/>")
    identity = answer.find(f"{{{forms.INFO}}}query/{{{forms.INFO}}}identity")
    assert identity is not None
    assert (identity.get("category"), identity.get("type")) == ("automation", kind)


async def test_a_command_without_parameters_runs_at_once(home: Home) -> None:
    command = await home.run("vm list")
    assert (command.get("status"), note(command)) == ("completed", "did vm list")
    (message,) = home.road.heard
    assert (message.place.name, message.place.direct, message.nick) == ("alice@x.test", True, "alice")
    assert message.identity == ALICE.identity


async def test_what_only_reads_answers_at_once_and_can_be_asked_more_closely(home: Home) -> None:
    shown = await home.run("vm show")
    assert (shown.get("status"), note(shown)) == ("executing", "did vm show")
    closer = await home.run("vm show", shown.get("sessionid", ""), which="mine")
    assert (closer.get("status"), note(closer)) == ("completed", "did vm show mine")


async def test_a_form_its_question_and_its_yes(home: Home) -> None:
    asked = await home.run("vm stop")
    assert asked.get("status") == "executing"
    machine, code = asked.findall(f"{D}x/{D}field")
    assert (machine.get("type"), code.get("type")) == ("list-single", "text-private")
    assert machine.find(f"{D}required") is not None
    assert [option.findtext(f"{D}value") for option in machine.findall(f"{D}option")] == ["ford-1", "ford-3"]
    sure = await home.run("vm stop", asked.get("sessionid", ""), "complete", machine="ford-3")
    assert sure.findtext(f"{D}x/{D}instructions") == "Stop ford-3? Say !yes within 60 s."
    done = await home.run("vm stop", sure.get("sessionid", ""), "complete", yes="1")
    assert (done.get("status"), note(done)) == ("completed", "did yes 7")
    assert [message.text for message in home.road.heard] == ["vm stop ford-3", "yes 7"]


@pytest.mark.parametrize(("action", "values"), [("complete", {"yes": "0"}), ("cancel", {}), ("prev", {})])
async def test_a_question_that_gets_no_yes_is_a_no(home: Home, action: str, values: dict[str, str]) -> None:
    sure = await home.run("vm stop", machine="ford-3")
    done = await home.run("vm stop", sure.get("sessionid", ""), action, ALICE, **values)
    assert done.get("status") == ("completed" if values else "canceled")
    assert home.road.heard[-1].text == "no 7"


async def test_what_cannot_be_said_is_asked_again(home: Home) -> None:
    again = await home.run("vm stop", code='two "words"', machine="ford-3")
    assert "code cannot be typed" in note(again)
    sure = await home.run("vm stop", again.get("sessionid", ""), machine="ford-3")
    assert sure.find(f"{D}x") is not None


async def test_a_command_that_is_not_offered_gets_the_roads_own_answer(home: Home) -> None:
    assert note(await home.run("vm destroy")) == "did vm destroy"
    assert home.road.heard[-1].text == "vm destroy"


@pytest.mark.parametrize("node", ["", "Vm Stop", "!yes", "yes; x", "a b c", "x" * 3 + "\n"])
async def test_a_name_that_no_command_has(home: Home, node: str) -> None:
    assert condition(await home.run(node.replace("\n", "&#10;"))) == "item-not-found"
    assert home.road.heard == []


async def test_a_dialog_belongs_to_the_address_that_began_it(home: Home) -> None:
    sure = await home.run("vm stop", machine="ford-3")
    session = sure.get("sessionid", "")
    assert condition(await home.run("vm stop", session, "complete", MALLORY, yes="1")) == "bad-request"
    assert note(await home.run("vm stop", session, "complete", yes="1")) == "did yes 7"
    assert condition(await home.run("vm stop", session, "complete", yes="1")) == "bad-request"


async def test_a_dialog_is_forgotten(home: Home) -> None:
    asked = await home.run("vm stop")
    await home.clock.advance(adhoc.LASTS + 1)
    assert condition(await home.run("vm stop", asked.get("sessionid", ""), machine="ford-3")) == "bad-request"
    crowd = [Asker(f"z{n}@x.test/pc", f"z{n}@x.test", ALICE.identity) for n in range(adhoc.DIALOGS + 1)]
    sessions = [(await home.run("vm stop", asker=one)).get("sessionid", "") for one in crowd]
    assert len(home.commands.dialogs) == adhoc.DIALOGS
    late = await home.run("vm stop", sessions[0], asker=crowd[0], machine="ford-3")
    assert condition(late) == "bad-request"


async def test_a_late_answer_comes_as_a_message(home: Home) -> None:
    home.road.go.clear()
    stanza = fromstring(
        f"<iq xmlns='jabber:client' type='set' id='q1'><command xmlns='{forms.NODE}' node='vm list'/></iq>"
    )
    assert home.commands.take(stanza, ALICE)
    await home.clock.advance(adhoc.PATIENCE + 1)
    (answer,) = home.sent
    command = answer.find(f"{C}command")
    assert command is not None
    assert note(command) == "It goes on; I tell you in a message how it ends."
    home.road.go.set()
    await asyncio.gather(*home.tasks)
    assert home.said == [("alice@x.test/pc", Reply(("did vm list",)))]


async def test_one_person_cannot_keep_everybody_waiting(home: Home) -> None:
    home.road.go.clear()
    stanza = fromstring(
        f"<iq xmlns='jabber:client' type='set' id='q1'><command xmlns='{forms.NODE}' node='vm list'/></iq>"
    )
    for _ in range(adhoc.AT_ONCE):
        assert home.commands.take(stanza, ALICE)
        await settle()
    assert (
        condition(await home.iq(f"<command xmlns='{forms.NODE}' node='vm list'/>")) == "resource-constraint"
    )
    home.road.go.set()
    await asyncio.gather(*home.tasks)
    assert home.commands.busy == {}


@pytest.mark.parametrize(
    "text",
    [
        "<ping xmlns='urn:xmpp:ping'/>",
        f"<query xmlns='{forms.ITEMS}'/>",
        f"<query xmlns='{forms.INFO}' node='http://other'/>",
    ],
)
async def test_what_is_not_about_commands_is_left_to_others(home: Home, text: str) -> None:
    stanza = fromstring(f"<iq xmlns='jabber:client' type='get' id='q1'>{text}</iq>")
    assert not home.commands.take(stanza, ALICE)
    result = fromstring(f"<iq xmlns='jabber:client' type='result'><command xmlns='{forms.NODE}'/></iq>")
    assert not home.commands.take(result, ALICE)


async def test_hostile_values_are_cleaned_and_bounded(home: Home) -> None:
    await home.run("vm stop", machine="ford-3&#10;!vm kill x", code="x" * 30_000)
    said = home.road.heard[-1].text
    assert "\n" not in said
    assert len(said) < 11_000


async def test_what_comes_in_one_turn_counts_at_once(home: Home) -> None:
    stanza = fromstring(
        f"<iq xmlns='jabber:client' type='set' id='q' from='{ALICE.address}'>"
        f"<command xmlns='{forms.NODE}' node='vm list'/></iq>"
    )
    home.road.go.clear()
    for _ in range(50):
        assert home.commands.take(stanza, ALICE)
    await settle()
    assert len(home.road.heard) == adhoc.AT_ONCE
    assert [condition(answer) for answer in home.sent] == ["resource-constraint"] * (50 - adhoc.AT_ONCE)
    home.road.go.set()
    await settle()
    assert home.commands.busy == {}


async def test_nobody_crowds_out_the_dialogs_of_others(home: Home) -> None:
    mine = (await home.run("vm stop")).get("sessionid", "")
    for number in range(adhoc.DIALOGS + 1):
        crowd = Asker(f"zoe@x.test/{number}", "zoe@x.test", ALICE.identity)
        await home.run("vm stop", asker=crowd)
    assert len(home.commands.dialogs) == 1 + adhoc.EACH
    command = await home.run("vm stop", mine, "complete", machine="ford-1")
    assert "Stop ford-1?" in (command.findtext(f"{D}x/{D}instructions") or "")


async def test_a_dialog_is_for_its_own_command(home: Home) -> None:
    session = (await home.run("vm stop")).get("sessionid", "")
    assert condition(await home.run("vm list", session, "complete", machine="ford-1")) == "bad-request"
    assert home.road.heard == []


async def test_who_took_the_askers_nick_gets_nothing_of_it(home: Home) -> None:
    there = True
    asker = Asker("room@x.test/alice", "alice@x.test", ALICE.identity, lambda: there)
    home.road.go.clear()
    run = f"<command xmlns='{forms.NODE}' node='vm list'/>"
    find = f"<query xmlns='{forms.ITEMS}' node='{forms.NODE}'/>"
    asked = (run, find)
    for kind, text in zip(("set", "get"), asked, strict=True):
        about = f"type='{kind}' id='q' from='{asker.address}'"
        assert home.commands.take(fromstring(f"<iq xmlns='jabber:client' {about}>{text}</iq>"), asker)
    there = False
    home.road.go.set()
    await settle()
    assert home.sent == []
    assert [reply.lines for _, reply in home.said] == [("did vm list",)]
