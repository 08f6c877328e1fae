"""Floods and hostile words on real servers: others are answered, and we are not thrown out."""

import asyncio
import re

import pytest

from bot.config import Pace
from bot.model import Message, Place, Reply
from bot.ports import Report
from bot.testing import QuietRoad
from tests.real.irc.people import FastClock, People, Person, Ship, at_sea
from tests.real.irc.servers import InspIrcd, NgIrcd

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
SAID = re.compile(r" PRIVMSG #ford :!ping \d+\.\d+$")
LONG = (pytest.mark.long, pytest.mark.timeout(400))

ATTACK = (
    "x \x10rTOPIC #ford :owned\x10rPRIVMSG watcher :forged \rTOPIC #ford :owned \nQUIT :x\0 "
    "\x01ACTION\x01\u2028NICK x"
)


class Parrot(QuietRoad):
    """A road that repeats everything that a peer can choose: text, nick and place."""

    async def handle(self, message: Message, report: Report) -> Reply:
        assert report is not None
        verb, _, rest = message.text.partition(" ")
        if verb == "ping":
            return Reply((f"pong {rest}",))
        words = f"{rest} {message.nick} {message.place} {ATTACK}"
        return Reply((words, *words.splitlines()), private=verb == "aside")


async def still_ours(ship: Ship, watcher: Person, mark: str) -> None:
    """The bot answers, the topic is ours, and whatever it said is a message to whom it belongs."""
    await watcher.answered(f"!ping {mark}", f"pong {mark}")
    watcher.send("TOPIC #ford")
    await watcher.expect(r":\S+ 332 \S+ #ford :ours")
    said = [line for line in watcher.seen if line.startswith(":Eddie!")]
    assert all(re.match(r":Eddie!\S+ (JOIN|PRIVMSG #ford) ", line) for line in said), said
    assert ship.attempts == 1
    assert ship.transport.bad_lines == 0


async def test_no_word_that_a_peer_can_choose_makes_us_say_what_we_do_not_mean(
    ngircd: NgIrcd, people: People
) -> None:
    await ngircd.start()
    watcher = await people(ngircd.port, "watcher")
    watcher.send("TOPIC #ford :ours")
    await watcher.expect(".* TOPIC #ford :ours")
    async with at_sea(ngircd.port, road=Parrot(), clock=FastClock(10)) as ship:
        await watcher.expect(r":Eddie!\S+ JOIN :?#ford")
        mallory = await people(ngircd.port, "mallory")
        mallory.send("NICK mal|\\lory")
        for verb in ("echo", "aside", "strange"):
            mallory.say(f"!{verb} {ATTACK}".replace("\r", "").replace("\n", "").replace("\0", ""))
            mallory.say(f"{verb} \x10r\x10nQUIT", "Eddie")
        mallory.send("JOIN #a\x10rQUIT", "TOPIC #a\x10rQUIT :x\x10rQUIT", "INVITE Eddie #a\x10rQUIT")
        mallory.send("PART #ford :\x10rTOPIC #ford :owned", "JOIN #ford", "NICK \x10rQUIT", "AWAY :\x10rQUIT")
        watcher.send("MODE #ford +o mal|\\lory")
        mallory.send("NOTICE #ford :!echo \x10rQUIT", "PRIVMSG #ford :\x01VERSION \x10rQUIT\x01")
        await still_ours(ship, watcher, "words")
        transport = ship.transport
        for name in (ATTACK, f"#ford\r{ATTACK}", f"watcher {ATTACK}", "watcher,mallory", ":x", "\0", ""):
            await transport.say(Place("test", name), [ATTACK])
            await transport.say(Place("test", name, direct=True), [ATTACK])
        await still_ours(ship, watcher, "targets")
        watcher.send(f"KICK #ford Eddie :\x10rQUIT {'x' * 300}")
        await watcher.expect(r":Eddie!\S+ JOIN :?#ford")
        await still_ours(ship, watcher, "kicked")
        mallory.send("QUIT :\x10rTOPIC #ford :owned")
        await still_ours(ship, watcher, "quit")


async def test_every_byte_comes_back_as_a_message_or_not_at_all(ngircd: NgIrcd, people: People) -> None:
    await ngircd.start()
    watcher = await people(ngircd.port, "watcher")
    watcher.send("TOPIC #ford :ours")
    async with at_sea(ngircd.port, road=Parrot()) as ship:
        await watcher.expect(r":Eddie!\S+ JOIN :?#ford")
        mallory = await people(ngircd.port, "mallory")
        for byte in range(1, 256):
            if byte not in {10, 13}:
                mallory.writer.write(b"PRIVMSG #ford :!echo " + bytes([byte]) * 9 + b"\r\n")
            if not byte % 16:  # ngIRCd drops whoever reads more slowly than others write
                await watcher.answered(f"!ping {byte}", f"pong {byte}")
        await still_ours(ship, watcher, "bytes")


def pongs(quick: Person) -> list[str]:
    return [line.partition(":pong ")[2] for line in quick.seen if re.search(r"^:Eddie!.*:pong ", line)]


async def flood(ship: Ship, port: int, people: People, speakers: int, each: int, quick: Person) -> None:
    """Commands of many speakers; somebody else is answered meanwhile, and each one's answers are in order."""
    crowd = [await people(port, f"f{number}") for number in range(speakers)]
    listening = [asyncio.create_task(person.listen()) for person in crowd]
    for number, person in enumerate(crowd):
        for count in range(each):
            person.say(f"!ping {number}.{count}")
    assert await quick.answered("!ping quick", "pong quick", patience=60) == "Eddie"
    assert ship.transport.status().up
    assert ship.attempts == 1
    while len(said := pongs(quick)) <= 3:  # how many the server let through before is the server's own
        await quick.expect(r":Eddie!\S+ PRIVMSG #ford :.*pong \d+\.\d+", patience=60)
    for number in range(speakers):
        mine = [int(text.partition(".")[2]) for text in said if text.startswith(f"{number}.")]
        assert mine == sorted(set(mine))
    ended = [task for task in listening if task.done()]
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)
    assert ended == []


@pytest.mark.parametrize("speakers", [1, pytest.param(20, marks=LONG)])
async def test_a_flood_on_inspircd_with_fakelag(insp: InspIrcd, people: People, speakers: int) -> None:
    await insp.start()
    quick = await people(insp.port, "quick")
    async with at_sea(insp.port, pace=Pace()) as ship:
        await quick.expect(r":Eddie!\S+ JOIN :?#ford")
        await flood(ship, insp.port, people, speakers, 1000 // speakers, quick)


@pytest.mark.parametrize("speakers", [1, pytest.param(20, marks=LONG)])
async def test_a_flood_on_ngircd_with_its_default_penalties(
    ngircd: NgIrcd, people: People, speakers: int
) -> None:
    ngircd.penalty = -1
    await ngircd.start()
    quick = await people(ngircd.port, "quick")
    async with at_sea(ngircd.port, pace=Pace()) as ship:
        await quick.expect(r":Eddie!\S+ JOIN :?#ford")
        await flood(ship, ngircd.port, people, speakers, 1000 // speakers, quick)


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("speakers", [1, 20])
async def test_every_one_of_1000_commands_is_answered_or_refused_aloud(
    ngircd: NgIrcd, people: People, speakers: int
) -> None:
    await ngircd.start()
    quick = await people(ngircd.port, "quick")
    async with at_sea(ngircd.port, pace={"burst": 5, "per_second": 200}) as ship:
        await quick.expect(r":Eddie!\S+ JOIN :?#ford")
        await flood(ship, ngircd.port, people, speakers, 1000 // speakers, quick)
        queues = ship.transport.conversation.queues
        said = sum(bool(SAID.search(line)) for line in quick.seen)
        async with asyncio.timeout(120):
            while said < 1000:
                said += bool(SAID.search(await quick.line()))
        await quick.answered("!ping read", "pong read")
        async with asyncio.timeout(120):
            while queues.total:  # noqa: ASYNC110 - nothing tells that the last one is answered
                await asyncio.sleep(0.1)
        await quick.answered("!ping end", "pong end")
        answered = len([line for line in quick.seen if re.search(r":pong \d+\.\d+", line)])
        assert answered + ship.transport.conversation.dropped == 1000
        assert answered >= (256 if speakers == 1 else 1000)
