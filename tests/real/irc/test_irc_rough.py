"""Servers that die, links that break or fall silent, networks that split: we are back, once, and answer."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.real.irc.people import FastClock, People, at_sea
from tests.real.irc.servers import Atheme, InspIrcd, NgIrcd, Pki, Proxy

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


async def test_a_killed_server_sees_us_again_when_it_is_back(insp: InspIrcd, people: People) -> None:
    await insp.start()
    async with at_sea(insp.port, clock=FastClock(4), rooms=("#ford", "#zaphod")) as ship:
        await ship.until("coming in", rooms=("#ford", "#zaphod"))
        insp.kill()
        await ship.until_lost()
        await asyncio.sleep(1)  # how long the server is away: four seconds of the bot's
        await insp.start()
        back = time.monotonic()
        await ship.until("rejoining", rooms=("#ford", "#zaphod"))
        watcher = await people(insp.port, "watcher")
        await watcher.answered("!ping back", "pong back")
        assert time.monotonic() - back < 30


async def test_killed_with_its_services_we_log_in_again(
    insp: InspIrcd, atheme: Atheme, people: People
) -> None:
    await insp.start()
    atheme.start()
    watcher = await people(insp.port, "watcher")
    await watcher.identified("alice")
    async with at_sea(insp.port, account="eddie", clock=FastClock(10)) as ship:
        await ship.until("logging in", account="eddie", rooms=("#ford",))
        insp.kill()
        await ship.until_lost()
        await insp.start()
        back = time.monotonic()  # its services are late: they try again each second
        await ship.until("logging in again", account="eddie", rooms=("#ford",), patience=90)
        assert time.monotonic() - back < 90


async def reset(times: int, ircd: InspIrcd | NgIrcd, proxy: Proxy, people: People) -> None:
    await ircd.start()
    proxy.target = ircd.port
    await proxy.start()
    watcher = await people(ircd.port, "watcher")
    async with at_sea(proxy.port, clock=FastClock(40)) as ship:
        for number in range(times):
            await ship.until("joining", rooms=("#ford",))
            assert await watcher.answered(f"!ping {number}", f"pong {number}") == "Eddie"
            assert proxy.most == 1
            proxy.cut()
            await ship.until_lost(number + 1)
        await ship.until("joining", rooms=("#ford",))
        assert proxy.accepted == ship.attempts == times + 1
        assert proxy.most == 1


async def test_a_reset_link_is_one_connection_again_within_20_s(
    insp: InspIrcd, proxy: Proxy, people: People
) -> None:
    await insp.start()
    proxy.target = insp.port
    await proxy.start()
    watcher = await people(insp.port, "watcher")
    async with at_sea(proxy.port) as ship:
        await ship.until("joining", rooms=("#ford",))
        proxy.cut()
        cut = time.monotonic()
        await ship.until_lost()
        await watcher.answered("!ping back", "pong back")
        assert time.monotonic() - cut < 20
        assert proxy.most == 1


async def test_ten_resets(ngircd: NgIrcd, proxy: Proxy, people: People) -> None:
    await reset(10, ngircd, proxy, people)


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_fifty_resets(insp: InspIrcd, proxy: Proxy, people: People) -> None:
    insp.fakelag = False  # the watcher asks at every turn
    await reset(50, insp, proxy, people)


async def kill(times: int, ircd: InspIrcd | NgIrcd, people: People) -> None:
    async with at_sea(ircd.port, clock=FastClock(40)) as ship:
        for number in range(times):
            await ircd.start()
            await ship.until("joining", rooms=("#ford",))
            watcher = await people(ircd.port, f"watcher{number}")
            assert await watcher.answered("!ping hi", "pong hi") == "Eddie"
            ircd.kill()
            await ship.until_lost(number + 1)


async def test_ten_kills_of_the_server(ngircd: NgIrcd, people: People) -> None:
    await kill(10, ngircd, people)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_fifty_kills_of_the_server(insp: InspIrcd, people: People) -> None:
    await kill(50, insp, people)


async def test_a_stalled_link_is_noticed_within_240_s(insp: InspIrcd, proxy: Proxy, people: People) -> None:
    await insp.start()
    proxy.target = insp.port
    await proxy.start()
    watcher = await people(insp.port, "watcher")
    async with at_sea(proxy.port, clock=FastClock(40)) as ship:
        await ship.until("joining", rooms=("#ford",))
        proxy.stall()
        stalled = time.monotonic()
        assert await ship.until_lost() == "the server was silent for 120 s"
        assert 40 * (time.monotonic() - stalled) < 240
        proxy.heal()
        await watcher.answered("!ping back", "pong back")


async def test_a_frozen_server_is_noticed_too(insp: InspIrcd) -> None:
    await insp.start()
    async with at_sea(insp.port, clock=FastClock(40)) as ship:
        await ship.until("joining", rooms=("#ford",))
        insp.freeze(on=True)
        await ship.until_lost()
        insp.freeze(on=False)
        await ship.until("joining", rooms=("#ford",))
        assert ship.attempts > 1


async def test_a_netsplit_drops_accounts_and_they_are_learned_again(
    insp: InspIrcd, atheme: Atheme, pki: Pki, proxy: Proxy, people: People, tmp_path: Path
) -> None:
    (tmp_path / "two").mkdir()
    two = InspIrcd(tmp_path / "two", pki=pki, name="irc2.test", number="002")
    proxy.target = insp.link_port
    await proxy.start()
    insp.linked_to("irc2.test", two.link_port, calls=False)
    two.linked_to("irc.test", proxy.port, calls=True)
    try:
        await insp.start()
        await two.start()
        atheme.start()
        alice = await people(two.port, "alice")
        async with at_sea(insp.port) as ship:
            await ship.until("joining", rooms=("#ford",))
            await alice.identified("alice")
            await alice.answered("!who", "you are alice")
            proxy.cut()
            proxy.stall()
            bob = await people(insp.port, "bob")
            await bob.answered("!who", "you are nobody")
            assert ship.transport._session
            channels = ship.transport._session.world.channels
            assert not channels.sees("alice")
            thief = await people(insp.port, "alicia")
            thief.send("NICK alice")
            await thief.expect(r":alicia!\S+ NICK :?alice")
            await thief.answered("!who", "you are nobody")
            thief.send("QUIT :so long")
            proxy.heal()
            await alice.answered("!who", "you are alice")
            assert channels.account("alice") == "alice"
            assert ship.attempts == 1
    finally:
        two.kill()
