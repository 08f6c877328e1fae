"""A bot as it is run, among peers on ngIRCd who send any bytes at all: it answers, and does not grow."""

import re
from pathlib import Path

import pytest

from tests.real.irc.people import People, Person
from tests.real.irc.servers import NgIrcd
from tests.ship import running

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

CONFIG = """
[bot]
state = "state"
plugins = []
[networks.home]
kind = "irc"
host = "127.0.0.1"
port = {port}
tls = false
rooms = ["#ford"]
pace = "off"
"""
WORDS = (
    "PRIVMSG",
    "NOTICE",
    "JOIN",
    "PART",
    "KICK",
    "NICK",
    "MODE",
    "TOPIC",
    "INVITE",
    "WHOIS",
    "WHO",
    "NAMES",
)
ROUNDS, LINES = 75, 40
"""ngIRCd drops whoever reads more slowly than others write, so garbage comes in portions of 16 kB."""

MOST = 1024
"""KiB that 3,000 lines of garbage may cost."""


def odd(mallory: Person) -> None:
    """Send what no client sends: bare CRs, every byte but NUL, commands without their parameters."""
    mallory.writer.write(b"PRIVMSG #ford :!ping one\rPRIVMSG #ford :!ping two\r\r\r\n")
    for byte in range(1, 256):
        char = bytes([byte])
        mallory.writer.write(b"PRIVMSG #ford :!ping x" + char * 3 + b"\r\n" + char + b"\r\n")
    for tail in ("", " ", " :", " #ford", " Eddie", " #ford Eddie", " * * * * * :"):
        mallory.send(*(f"{word}{tail}" for word in WORDS))


def nul(mallory: Person) -> None:
    """Send NULs; ngIRCd hears nothing more from who did."""
    mallory.writer.write(b"PRIVMSG #ford :!ping one\0two\r\nPRIVMSG #ford :\0\r\n\0\r\n")


def endless(mallory: Person) -> None:
    """Send a megabyte without a newline."""
    mallory.writer.write(b"x" * (1 << 20))


async def test_whatever_bytes_peers_send_the_bot_answers_and_does_not_grow(
    ngircd: NgIrcd, people: People, tmp_path: Path
) -> None:
    await ngircd.start()
    watcher = await people(ngircd.port, "watcher")
    config = tmp_path / "config.toml"
    config.write_text(CONFIG.format(port=ngircd.port))
    async with running(config) as bot:
        await watcher.expect(r":Eddie!\S+ JOIN :?#ford")
        for number in range(3):
            odd(await people(ngircd.port, f"odd{number}"))
            nul(await people(ngircd.port, f"nul{number}"))
            endless(await people(ngircd.port, f"endless{number}"))
            await watcher.answered(f"!ping odd{number}", f"pong odd{number}")
        noisy = await people(ngircd.port, "noisy")
        before = 0
        for number in range(2 * ROUNDS):
            if number == ROUNDS:  # what it keeps of the first lines is there now: the allocator's, and caches
                before = bot.resident
            noisy.writer.write((b"PRIVMSG #ford :" + bytes(range(128, 256)) * 3 + b"\r\n") * LINES)
            await watcher.answered(f"!ping {number}", f"pong {number}")
            watcher.seen.clear()
        grown = bot.resident - before
        assert grown < MOST
        assert not [line for line in watcher.seen if re.match(r":Eddie!\S+ (QUIT|PART)", line)]
        assert (await bot.terminate())[0] == 0
