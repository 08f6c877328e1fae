"""A form of a command with a check goes the road of chat: refused at once, or asked, checked again, done."""

from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest

from bot import Conflict, Identity, IdentityKind, Machine, Plugin, Reply, owner_of
from bot.testing import Chat
from bot.transports.xmpp import forms
from bot.transports.xmpp.adhoc import AdHoc, Asker

ALICE = Asker("alice@x.test/pc", "alice@x.test", Identity("net", IdentityKind.IRC_ACCOUNT, "alice"))
COMMAND, DATA = f"{{{forms.NODE}}}", f"{{{forms.DATA}}}"


class Ship:
    """A plugin whose machines are at sea or not, and the forms of its commands."""

    def __init__(self) -> None:
        self.plugin, self.at_sea, self.sunk = Plugin("ship"), False, 0
        self.works: list[Coroutine[Any, Any, None]] = []
        self.sent: list[Element] = []
        self.forms: AdHoc | None = None

        async def may_sink(machine: Machine) -> None:
            if self.at_sea:
                raise Conflict(f"{machine} is at sea.")

        @self.plugin.command(
            "sink", allow=owner_of("machine"), confirm="Sink {machine.name}?", check=may_sink
        )
        async def sink(machine: Machine) -> str:
            """Sink a machine."""
            self.sunk += 1
            return f"{machine} is sunk."

    def of(self, chat: Chat) -> None:
        self.forms = AdHoc(
            network="net",
            road=chat.crew.pipeline,
            clock=chat.clock,
            own=lambda: "eddie@x.test/shipboard",
            send=self.sent.append,
            tell=self._tell,
            spawn=self.works.append,
        )

    async def _tell(self, asker: Asker, reply: Reply) -> None:
        raise AssertionError((asker, reply))

    async def step(self, session: str = "", **values: str) -> Element:
        """Take a step of the form; return its <command/>."""
        fields = "".join(f"<field var='{n}'><value>{v}</value></field>" for n, v in values.items())
        filled = f"<x xmlns='jabber:x:data' type='submit'>{fields}</x>" if values else ""
        marks = f" sessionid='{session}' action='complete'" if session else ""
        command = f"<command xmlns='{forms.NODE}' node='sink'{marks}>{filled}</command>"
        text = f"<iq xmlns='jabber:client' type='set' id='q1' from='{ALICE.address}'>{command}</iq>"
        assert self.forms is not None
        assert self.forms.take(fromstring(text), ALICE)
        await self.works.pop()
        answer = self.sent.pop().find(f"{COMMAND}command")
        assert answer is not None
        return answer

    async def filled(self) -> Element:
        """What comes of the form once it is filled in."""
        form = await self.step()
        assert form.find(f"{DATA}x") is not None
        return await self.step(form.get("sessionid", ""), machine="ford-3")


def said(command: Element) -> tuple[str | None, str | None]:
    return command.get("status"), command.findtext(f"{COMMAND}note")


@pytest.fixture
def ship() -> Ship:
    return Ship()


@pytest.fixture
async def chat(tmp_path: Path, ship: Ship) -> AsyncIterator[Chat]:
    async with Chat.open(tmp_path, [ship.plugin]) as chat:
        ship.of(chat)
        yield chat


async def test_what_cannot_be_done_is_a_note_and_no_question(chat: Chat, ship: Ship) -> None:
    ship.at_sea = True
    assert said(await ship.filled()) == ("completed", "ford-3 is at sea.")
    assert chat.crew.pipeline.questions.count == 0
    (row,) = [row.entry for row in await chat.book.recent(9)]
    assert (row.kind, row.command, row.words, row.outcome) == (
        "refused",
        "sink",
        "ford-3",
        "ford-3 is at sea.",
    )


@pytest.mark.parametrize("answer", ["ford-3 is at sea.", "ford-3 is sunk."])
async def test_it_is_checked_again_after_the_forms_yes(chat: Chat, ship: Ship, answer: str) -> None:
    sure = await ship.filled()
    assert sure.findtext(f"{DATA}x/{DATA}instructions") == "Sink ford-3? Say !yes within 60 s."
    ship.at_sea = answer.endswith("at sea.")
    assert said(await ship.step(sure.get("sessionid", ""), yes="1")) == ("completed", answer)
    assert ship.sunk == (not ship.at_sea)
    assert chat.crew.pipeline.questions.opened == {}
