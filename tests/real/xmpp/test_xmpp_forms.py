"""Commands by form on a real Prosody, filled in by a real client; and pictures in its file store."""

import asyncio
import ssl
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from bot.charts.painter import Painter
from bot.coop.charts import Chart
from bot.model import Identity, IdentityKind
from bot.runtime.clock import SystemClock
from bot.store.audit import AuditBook
from bot.testing import Chat
from plugins import vms
from tests.real.irc.people import NoIncidents
from tests.real.xmpp.people import People, Person, at_sea
from tests.real.xmpp.prosody import DOMAIN, TEAM, Prosody

pytestmark = pytest.mark.real

EDDIE = f"eddie@{DOMAIN}/shipboard"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(200)


async def step(person: Person, node: str, session: str = "", **values: str) -> Any:  # noqa: ANN401 - slixmpp's own type
    """Take one step of a command with the client's own ad-hoc commands; return the answer's command."""
    iq = person.client.make_iq_set(ito=EDDIE)
    iq["command"]["node"] = node
    iq["command"]["action"] = "complete" if session else "execute"
    if session:
        iq["command"]["sessionid"] = session
    if values:
        form = person.client.plugin["xep_0004"].make_form(ftype="submit")
        for name, value in values.items():
            form.add_field(var=name, value=value)
        iq["command"].append(form)
    answer = await asyncio.wait_for(iq.send(), 20)
    return answer["command"]


def note(command: Any) -> str:  # noqa: ANN401 - slixmpp's own type
    return command.xml.findtext("{http://jabber.org/protocol/commands}note") or ""


async def rows(chat: Chat) -> list[tuple[str, str, str, str, str]]:
    found = [row.entry for row in await chat.book.recent(50)]
    return [(e.kind, e.actor, e.command, e.words, e.outcome) for e in reversed(found)]


async def test_a_form_is_the_line_of_chat(prosody: Prosody, people: People, tmp_path: Path) -> None:
    await prosody.start()
    alice = await people(prosody, "alice")
    for name in ("xep_0004", "xep_0030", "xep_0050"):
        alice.client.register_plugin(name)
    async with Chat.open(tmp_path / "db", [vms.plugin]) as chat:
        identity = Identity("jabber", IdentityKind.XMPP_JID, f"alice@{DOMAIN}")
        await chat.store.write(
            lambda tx: tx.db.table("identities").insert(
                {"network": "jabber", "kind": "xmpp-jid", "subject": identity.subject, "member": "alice"}
                | {"bound": "2026-11-22T12:00:00.000000Z", "seen": "2026-11-22T12:00:00.000000Z"}
            )
        )
        async with at_sea(prosody, road=chat.crew.pipeline) as ship:
            await ship.until("coming in", rooms=(TEAM,))
            items = await alice.client.plugin["xep_0030"].get_items(
                jid=EDDIE, node="http://jabber.org/protocol/commands"
            )
            nodes = {node for _, node, _ in items["disco_items"]["items"]}
            assert {"vm list", "vm stop"} <= nodes
            by_form = note(await step(alice, "vm list"))
            assert "ford-3" in by_form
            asked = await step(alice, "vm start")
            assert note(await step(alice, "vm start", asked["sessionid"], machine="ford-3")).startswith(
                "ford-3"
            )
            sure = await step(alice, "vm stop", machine="ford-3")
            assert "yes" in sure.xml.findtext(".//{jabber:x:data}instructions")
            stopped = note(await step(alice, "vm stop", sure["sessionid"], yes="1"))
            assert "ford-3" in stopped
            refused = note(await step(alice, "vm stop", machine="ford-9"))
            assert isinstance(chat.book, AuditBook)
            await chat.book.close()
        forms = await rows(chat)
        assert refused == await chat.say("alice", "!vm stop ford-9")
        assert by_form.replace("\n", " ").split()[0] == (await chat.say("alice", "!vm list")).split()[0]
        kinds = [(kind, actor, command, words) for kind, actor, command, words, _ in forms]
        assert ("asked", "alice", "vm start", "ford-3") in kinds
        assert ("asked", "alice", "vm stop", "ford-3") in kinds
        assert ("refused", "alice", "vm stop", "ford-9") in kinds


async def test_a_picture_is_shown_beside_its_text(prosody: Prosody, people: People) -> None:
    await prosody.start()
    alice = await people(prosody, "alice")
    async with at_sea(prosody) as ship:
        await ship.until("coming in", rooms=(TEAM,))
        session = ship.transport._up()
        assert session is not None
        room = session.room(TEAM)
        assert room is not None
        assert await session.delivery.show(room, PNG, "test")
        got = await alice.hears("https://.*picture.png")
        assert got.xml.findtext("{jabber:x:oob}x/{jabber:x:oob}url") == got.body
        assert prosody.pki is not None
        trusted = ssl.create_default_context(cafile=prosody.pki.ca)

        def fetch() -> bytes:
            with urllib.request.urlopen(got.body, context=trusted, timeout=20) as answer:  # noqa: S310 - the test's own server
                return bytes(answer.read())

        assert await asyncio.to_thread(fetch) == PNG


async def test_a_chart_follows_its_text_and_the_next_answer_waits_for_neither(
    prosody: Prosody, people: People, tmp_path: Path
) -> None:
    await prosody.start()
    alice = await people(prosody, "alice")
    painter = Painter(SystemClock(), NoIncidents(), tmp_path / "fonts")
    go = asyncio.Event()

    async def draw(chart: Chart) -> bytes | None:
        await go.wait()
        return await painter.draw(chart)

    async with at_sea(prosody, draw=draw) as ship:
        await ship.until("coming in", rooms=(TEAM,))
        await alice.join()
        alice.say("!chart 1 2 4 8 4 2 1")
        alice.say("!ping next")
        await alice.hears("1 2 4 8 4 2 1")
        await alice.hears("pong next")
        go.set()
        got = await alice.hears("https://.*picture.png")
        assert got.xml.findtext("{jabber:x:oob}x/{jabber:x:oob}url") == got.body
        assert prosody.pki is not None
        trusted = ssl.create_default_context(cafile=prosody.pki.ca)

        def fetch() -> bytes:
            with urllib.request.urlopen(got.body, context=trusted, timeout=20) as answer:  # noqa: S310 - the test's own server
                return bytes(answer.read())

        picture = await asyncio.to_thread(fetch)
        assert picture.startswith(PNG[:8])
        assert 5_000 < len(picture) < 100_000
