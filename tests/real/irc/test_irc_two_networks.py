"""`shipboard run` on two networks at once: one bot, one roster, a yes that comes from the other one."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.real.irc.people import People
from tests.real.irc.servers import Atheme, InspIrcd, Pki

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

BIN = Path(sys.executable).parent
CONFIG = """
[bot]
state = "state"
plugins = ["help", "members", "vms"]
[networks.one]
kind = "irc"
host = "127.0.0.1"
port = {one}
tls_ca_file = "{ca}"
account = "eddie"
password_file = "password"
rooms = ["#ford"]
[networks.two]
kind = "irc"
host = "127.0.0.1"
port = {two}
tls_fingerprints = ["sha256:{pin}"]
account = "eddie"
password_file = "password"
rooms = ["#ford"]
[places]
team = ["one/#ford", "two/#ford"]
admins = ["one/#ford"]
[hosts.ford]
hypervisor = "fake"
"""


@pytest.fixture
async def other(tmp_path: Path, pki: Pki) -> AsyncIterator[tuple[InspIrcd, Atheme]]:
    """A second network, with services of its own."""
    for name in ("insp2", "atheme2"):
        (tmp_path / name).mkdir()
    ircd = InspIrcd(tmp_path / "insp2", pki=pki)
    services = Atheme(tmp_path / "atheme2", ircd=ircd)
    yield ircd, services
    services.kill()
    ircd.kill()


async def shipboard(folder: Path, *words: str) -> None:
    command = (str(BIN / "shipboard"), *words, "--config", "config.toml")
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, stderr=asyncio.subprocess.PIPE)
    _, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()


async def test_the_second_members_yes_comes_from_the_other_network(
    insp: InspIrcd, atheme: Atheme, pki: Pki, people: People, other: tuple[InspIrcd, Atheme], tmp_path: Path
) -> None:
    two, services = other
    for ircd, theirs in ((insp, atheme), (two, services)):
        await ircd.start()
        theirs.start()
    folder = tmp_path / "ship"
    folder.mkdir()
    (folder / "password").write_text("eddiepw")
    (folder / "password").chmod(0o600)
    text = CONFIG.format(one=insp.tls_port, two=two.tls_port, ca=pki.ca, pin=pki.fingerprint("irc"))
    (folder / "config.toml").write_text(text)
    for name, network in (("alice", "two"), ("bob", "one")):
        words = ("--role", "admin", "--share", "full", "--identity", f"{network}:{name}")
        await shipboard(folder, "member", "add", name, *words)
    await shipboard(folder, "machine", "add", "box", "--owner", "alice", "--host", "ford")
    bob = await people(insp.port, "bob")
    alice = await people(two.port, "alice")
    await bob.identified("bob")
    await alice.identified("alice")
    command = (str(BIN / "shipboard"), "run", "--config", "config.toml")
    ship = await asyncio.create_subprocess_exec(*command, cwd=folder, stderr=asyncio.subprocess.PIPE)
    try:
        await bob.answered("!whoami", ".*bob.*admin.*")
        await alice.answered("!whoami", ".*alice.*admin.*")
        alice.say("!vm start box")
        await alice.expect(r":Eddie!\S+ PRIVMSG #ford :box is up.*")
        bob.say("!vm kill box")
        question = await bob.expect(r":Eddie!\S+ PRIVMSG #ford :.*!yes (\d+).*")
        alice.say(f"!yes {question[1]}")
        await alice.expect(r":Eddie!\S+ PRIVMSG #ford :box is dead.*")
        bob.say("!vm show box")
        await bob.expect(r":Eddie!\S+ PRIVMSG #ford :.*stopped.*")
    finally:
        ship.send_signal(signal.SIGTERM)
        _, errors = await asyncio.wait_for(ship.communicate(), 60)
    assert ship.returncode == 0, errors.decode()
