"""ngIRCd with services: no tags, no SASL; who speaks is asked by WHOIS at that moment."""

import pytest

from bot.model import Identity, IdentityKind
from tests.real.irc.people import FastClock, People, at_sea
from tests.real.irc.servers import Atheme, NgIrcd, Pki

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


async def test_an_account_is_proven_by_whois_330(ngircd: NgIrcd, atheme: Atheme, people: People) -> None:
    ngircd.services = True
    atheme.ircd = ngircd
    await ngircd.start()
    atheme.start()
    watcher = await people(ngircd.port, "watcher")
    await watcher.identified("alice")
    async with at_sea(ngircd.port) as ship:
        await watcher.answered("!who", "you are alice")
        alice = Identity("test", IdentityKind.IRC_ACCOUNT, "alice")
        assert await ship.transport.tell(alice, ["only for alice"])
        await watcher.expect(r":Eddie!\S+ PRIVMSG watcher :only for alice")
        thief = await people(ngircd.port, "thief")
        watcher.send("NICK elsewhere")
        await watcher.expect(r":watcher!\S+ NICK :?elsewhere")
        thief.send("NICK watcher")
        await thief.expect(r":thief!\S+ NICK :?watcher")
        await thief.answered("!who", "you are nobody")
        await watcher.answered("!who", "you are alice")
        watcher.say("LOGOUT", "NickServ")
        await watcher.expect(r":NickServ!\S+ NOTICE .*")
        await watcher.answered("!who", "you are nobody")
        assert not await ship.transport.tell(alice, ["nobody holds it"])
        assert ship.transport.status().up


async def test_without_sasl_the_services_own_nickserv_is_told_over_tls(
    ngircd: NgIrcd, atheme: Atheme, pki: Pki
) -> None:
    ngircd.services = True
    atheme.ircd = ngircd
    await ngircd.start()
    async with at_sea(
        ngircd.tls_port, tls=True, tls_ca_file=pki.ca, account="eddie", clock=FastClock(20)
    ) as ship:
        await ship.until_told("NickServ is not there")
        atheme.start()
        await ship.until("logging in", account="eddie")
        assert ship.transport.status().detail == ""
        assert ship.attempts == 1
