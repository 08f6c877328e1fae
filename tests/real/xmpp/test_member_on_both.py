"""Who is on IRC and on Jabber is one member; a question stays where it was asked."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.real.xmpp.people import People
from tests.real.xmpp.prosody import DOMAIN, Prosody
from tests.real.xmpp.prosody import TEAM as ROOM
from tests.ship import BOT, Harbour, harbour, running

pytestmark = pytest.mark.real

JABBER = """
[networks.jabber]
kind = "xmpp"
jid = "eddie@{domain}"
address = "127.0.0.1:{port}"
tls_ca_file = "{ca}"
password_file = "jabber.password"
rooms = ["{room}"]
"""
REFUSED = "Nothing waits for your yes."


@pytest.fixture
async def coast(tmp_path: Path, prosody: Prosody) -> AsyncIterator[Harbour]:
    """An IRC server with accounts and a Prosody; alice and abe, an admin, are on both."""
    assert prosody.pki is not None
    prosody.accounts = ("eddie", "alice", "abe")
    await prosody.start()
    async with harbour(tmp_path) as made:
        secret = tmp_path / "jabber.password"
        secret.write_text("eddiepw")
        secret.chmod(0o600)
        made.write(more=JABBER.format(domain=DOMAIN, port=prosody.port, ca=prosody.pki.ca, room=ROOM))
        made.enrol()
        for name in ("alice", "abe"):
            made.shell("member", "identity", name, f"jabber:{name}@{DOMAIN}")
        yield made


async def test_whoami_names_both_and_a_yes_from_the_other_network_needs_its_number(
    coast: Harbour, prosody: Prosody, people: People
) -> None:
    alice, ann = await coast.seated("alice", "ann")
    far, abe = await people(prosody, "alice"), await people(prosody, "abe")
    async with running(coast.config) as bot:
        await alice.sees_the_bot()
        await far.sees(f"{ROOM}/{BOT}")
        here = await alice.asks("!whoami", "^You are alice, member.* proven as irc-account home:alice;")
        far.say("!whoami")
        there = await far.hears(f"You are alice, member.* proven as xmpp-jid jabber:alice@{DOMAIN};.*")
        for text in (here, there.body):
            known = text.partition("known as ")[2].rstrip(".").split(", ")
            assert sorted(known) == ["home:alice", f"jabber:alice@{DOMAIN}"]

        await alice.asks("!vm start ford-3", "^ford-3 is up")
        await alice.asks("!vm stop ford-3", r"^Stop ford-3 on ford\?")
        far.say("!yes")
        await far.hears(REFUSED)
        await alice.asks("!vm show ford-3", "running")
        await alice.asks("!yes", "^ford-3 is down")

        await ann.asks("!vm start ford-1", "^ford-1 is up")
        question = await ann.asks("!vm kill ford-1", r"another admin's yes: !yes \d+")
        number = question.rpartition("!yes ")[2].split()[0]
        await abe.fence()
        abe.say("!yes")
        await abe.hears(REFUSED)
        await far.fence()
        far.say(f"!yes {number}")
        await far.hears(f"Question {number} waits for the yes of another admin.")
        await ann.asks("!vm show ford-1", "running")
        abe.say(f"!yes {number}")
        await abe.hears("ford-1 is dead.*")
        await ann.hears("ford-1 is dead")
        assert (await bot.terminate())[0] == 0
