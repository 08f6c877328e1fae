"""The whole transport on InspIRCd with atheme's services: logging in, and being thrown out."""

import asyncio
from typing import Any

import pytest

from bot.model import Identity, IdentityKind, Place
from tests.real.irc.people import FastClock, People, at_sea
from tests.real.irc.servers import Atheme, InspIrcd, Pki

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


async def test_sasl_plain_over_tls_of_ones_own_authority(
    insp: InspIrcd, atheme: Atheme, pki: Pki, people: People
) -> None:
    await insp.start()
    atheme.start()
    watcher = await people(insp.port, "watcher")
    await watcher.identified("alice")
    watcher.say("LOGOUT", "NickServ")
    async with at_sea(insp.tls_port, tls=True, tls_ca_file=pki.ca, account="eddie") as ship:
        await ship.until("logging in", account="eddie", rooms=("#ford",))
        assert ship.transport.status().detail == ""
        await watcher.answered("!who", "you are nobody")
        await watcher.identified("alice")
        await watcher.answered("!who", "you are alice")
        alice = Identity("test", IdentityKind.IRC_ACCOUNT, "alice")
        assert await ship.transport.tell(alice, ["only for alice"])
        await watcher.expect(r":Eddie!\S+ PRIVMSG watcher :only for alice")
        assert await ship.transport.say(Place("test", "#ford"), ["for all"])
        watcher.say("LOGOUT", "NickServ")
        await watcher.answered("!who", "you are nobody")
        assert not await ship.transport.tell(alice, ["nobody holds it"])
        assert ship.attempts == 1


async def test_a_pinned_certificate_is_enough_and_another_is_refused(
    insp: InspIrcd, atheme: Atheme, pki: Pki
) -> None:
    await insp.start()
    atheme.start()
    pinned: dict[str, Any] = {"tls": True, "tls_fingerprints": (f"sha256:{pki.fingerprint('irc')}",)}
    async with at_sea(insp.tls_port, account="eddie", **pinned) as ship:
        await ship.until("coming in", up=True, rooms=("#ford",))
    async with at_sea(insp.tls_port, tls=True, tls_fingerprints=("0" * 64,)) as ship:
        told = f"the server's certificate is not a pinned one: sha256:{pki.fingerprint('irc')}"
        await ship.until("being refused", detail=told)
        assert ship.ups == []


async def test_a_wrong_password_is_told_and_we_go_on(insp: InspIrcd, atheme: Atheme, people: People) -> None:
    await insp.start()
    atheme.start()
    watcher = await people(insp.port, "watcher")
    await watcher.identified("alice")
    async with at_sea(insp.port, account="eddie", password="wrong") as ship:  # noqa: S106 - it is wrong
        await watcher.answered("!ping hi", "pong hi")
        status = ship.transport.status()
        assert status.account is None
        assert status.detail.startswith("not logged in: the login was refused: ")
        assert "SASL authentication failed" in status.detail


async def test_sasl_external_by_client_certificate(
    insp: InspIrcd, atheme: Atheme, pki: Pki, people: People
) -> None:
    await insp.start()
    atheme.start()
    watcher = await people(insp.port, "watcher")
    await watcher.identified("eddie")
    watcher.say(f"CERT ADD {pki.fingerprint('bot')}", "NickServ")
    await watcher.expect(r":\S+ NOTICE \S+ :Added fingerprint .*")
    watcher.say("LOGOUT", "NickServ")
    certificate, key = pki.bot
    table: dict[str, Any] = {
        "tls": True,
        "tls_ca_file": pki.ca,
        "client_certificate": certificate,
        "client_key": key,
    }
    async with at_sea(insp.tls_port, account="eddie", password=None, **table) as ship:
        await ship.until("logging in", account="eddie", rooms=("#ford",))
        watcher.send("WHOIS Eddie")
        await watcher.expect(rf":\S+ 276 \S+ Eddie :.*{pki.fingerprint('bot')}.*")


async def test_services_that_are_late_see_us_log_in(insp: InspIrcd, atheme: Atheme, people: People) -> None:
    await insp.start()
    watcher = await people(insp.port, "watcher")
    async with at_sea(insp.port, account="eddie") as ship:
        await watcher.answered("!who", "you are nobody")
        assert ship.transport.status().account is None
        assert ship.transport.status().detail == "not logged in: the server offers no login now"
        atheme.start()
        assert await ship.until("logging in", account="eddie", patience=90) < 90
        await watcher.identified("alice")
        await watcher.answered("!who", "you are alice")
        assert ship.transport.status().detail == ""
        assert ship.attempts == 1
        atheme.kill()
        await watcher.answered("!ping gone", "pong gone")


async def test_our_nick_held_by_a_ghost_is_regained_without_flapping(insp: InspIrcd, people: People) -> None:
    await insp.start()
    ghost, watcher = await asyncio.gather(people(insp.port, "Eddie"), people(insp.port, "watcher"))
    async with at_sea(insp.port, clock=FastClock(20)) as ship:
        assert await watcher.answered("Eddie_: ping alt", "pong alt") == "Eddie_"
        assert "the nick Eddie is taken" in ship.transport.status().detail
        ghost.send("QUIT :gone")
        await watcher.expect(r":Eddie_!\S+ NICK :?Eddie")
        watcher.send("OPER op oppw")
        watcher.send("SANICK Eddie Stolen")
        await watcher.expect(r":Eddie!\S+ NICK :?Stolen")
        await watcher.expect(r":Stolen!\S+ NICK :?Eddie")
        changes = [line for line in watcher.seen if " NICK " in line]
        assert len(changes) == 3
        assert ship.attempts == 1


async def test_kicked_banned_and_killed_we_tell_why_and_come_back(insp: InspIrcd, people: People) -> None:
    await insp.start()
    watcher = await people(insp.port, "watcher")
    async with at_sea(insp.port, clock=FastClock(20)) as ship:
        await watcher.expect(r":Eddie!\S+ JOIN :?#ford")
        watcher.send("KICK #ford Eddie :too loud")
        await ship.until("noticing", detail="#ford: kicked by watcher: too loud")
        await watcher.expect(r":Eddie!\S+ JOIN :?#ford")
        watcher.send("MODE #ford +b *!*@127.0.0.1", "KICK #ford Eddie :out")
        await ship.until("noticing", detail="#ford: kicked by watcher: out")
        await ship.until_told("Cannot join")
        watcher.send("MODE #ford -b *!*@127.0.0.1")
        await watcher.expect(r":Eddie!\S+ JOIN :?#ford")
        watcher.send("OPER op oppw", "KILL Eddie :enough")
        await watcher.expect(r":Eddie!\S+ QUIT :?.*enough.*")
        await watcher.expect(r":Eddie!\S+ JOIN :?#ford")
        assert "enough" in ship.supervisor.status.error
        await watcher.answered("!ping back", "pong back")
        assert ship.attempts == 2
