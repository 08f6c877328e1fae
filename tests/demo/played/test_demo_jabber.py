"""The demo's Jabber: on a real Prosody where there is one, and what is said where there is none."""

import asyncio
import io
import os
import shutil
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree.ElementTree import fromstring

import psutil
import pytest

from bot.demo import coop as coops
from bot.demo import kernel, prosody
from bot.demo.client import Event, Happened, Said
from bot.demo.coop import Coop
from bot.demo.jabber import Person, events_of
from bot.demo.prosody import Prosody
from bot.demo.screen import Screen
from bot.demo.script import Step, script
from bot.demo.show import introduce
from bot.demo.stage import Stage, stage
from bot.demo.tour import Tour
from bot.errors import TransportFault
from tests.demo.played.conftest import DEADLINE, Paper

ROOM = "ford@conference.localhost"


@pytest.fixture
def installed() -> None:
    """Skip, loudly, where there is no Prosody; with CI=true that is a failure."""
    missing = [name for name in ("prosody", "openssl") if shutil.which(name) is None]
    if missing and os.environ.get("CI") != "true":
        pytest.skip(f"NO JABBER TESTED, {missing} missing: apt install prosody openssl")
    assert not missing


@pytest.fixture
async def served(tmp_path: Path, installed: None) -> AsyncIterator[Prosody]:  # noqa: ARG001 - it skips
    async with prosody.serving(tmp_path / "prosody", {"alice": "word", "bob": "b"}) as made:
        yield made


def running(folder: Path) -> list[psutil.Process]:
    return [
        one for one in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(one.info["cmdline"] or [])
    ]


@pytest.mark.real
@pytest.mark.usefixtures("installed")
async def test_the_tour_shows_both_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "PROCESSORS", frozenset())
    folder, paper = tmp_path / "demo", Paper()
    screen = Screen(paper)
    async with stage(coops.load(), folder, tmp_path / "cache", print) as made:
        assert made.prosody is not None
        introduce(made, screen)
        await made.play(Tour(made, screen).play(script(made.coop, jabber=True)))
        assert running(folder / "prosody")
        fingerprint = made.prosody.fingerprint
    shown = paper.getvalue()
    assert f"STARTTLS, room {ROOM}, one with #ford;" in shown
    assert f"SHA-256 {fingerprint}\n" in shown
    assert "<Eddie> <fenchurch@jabber> Good morning from Jabber!\n" in shown
    assert "<Eddie@jabber> <alice@irc> And from IRC.\n" in shown
    assert "<Eddie@jabber> You are fenchurch, member, half share; proven as xmpp-jid" in shown
    assert "<fenchurch@jabber> (a form) vm list\n<Eddie@jabber → fenchurch> ford: ford-1 stopped" in shown
    assert "<trillian@jabber> !yes 2\n" in shown
    assert not (folder / "prosody").exists()
    assert not running(folder / "prosody")
    assert (folder / prosody.LOG).exists()


@pytest.mark.real
async def test_people_come_in_talk_and_hear_who_is_there(served: Prosody) -> None:
    alice = await Person.enter(served, "alice", "word", ROOM)
    alice.say(ROOM, "<one> & two")
    bob = await Person.enter(served, "bob", "b", ROOM)
    bob.say("alice@localhost", "psst\nagain")

    async def until(person: Person, wanted: Event) -> None:
        async with asyncio.timeout(DEADLINE):
            async for event in person.events():
                if event == wanted:
                    return

    await until(bob, Happened("alice", f"is in {ROOM}"))
    await until(alice, Said("alice", ROOM, "<one> & two"))
    await until(alice, Said("bob", "alice", "again"))
    bob.fill("vm list")
    await until(bob, Happened("", "service-unavailable"))
    await bob.leave()
    await until(alice, Happened("bob", f"left {ROOM}"))
    await alice.leave()
    assert [event async for event in alice.events()] == []


@pytest.mark.real
async def test_who_cannot_come_in_is_told_why(served: Prosody) -> None:
    with pytest.raises(TransportFault, match="refused alice's password"):
        await Person.enter(served, "alice", "wrong", ROOM)
    with pytest.raises(TransportFault, match="may not come into ford@nowhere"):
        await Person.enter(served, "alice", "word", "ford@nowhere.localhost")
    gone = Prosody(1, 1, served.ca, "")
    with pytest.raises(TransportFault, match="alice cannot reach the Jabber server"):
        await Person.enter(gone, "alice", "word", ROOM)


async def test_what_is_not_installed_is_named(tmp_path: Path) -> None:
    with pytest.raises(TransportFault, match="prosody is not installed"):
        async with prosody.serving(tmp_path / "prosody", {}):
            pass
    assert not (tmp_path / "prosody").exists()


async def test_without_prosody_the_demo_says_so_in_a_line(played: Stage) -> None:
    out = io.StringIO()
    introduce(played, Screen(out))
    assert out.getvalue().splitlines()[-1] == "  jabber    left out: prosody is not installed"
    assert "jabber" not in (played.folder / "config.toml").read_text()
    with pytest.raises(TransportFault, match="prosody is not installed"):
        await played.jabber_seat("alice")


PROGRAMS = {
    "ends at once": ("exit 3", "prosody ended with status 3, see "),
    "never answers": ("exec sleep 600", "prosody did not answer within 0.5 s, see "),
}


@pytest.mark.parametrize("how", PROGRAMS)
async def test_a_prosody_that_fails_to_start_does_not_stop_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    script, reason = PROGRAMS[how]
    for name, text in (("prosody", script), ("openssl", "exec touch ca.pem server.pem")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr(prosody, "found", lambda name: str(tmp_path / name))
    monkeypatch.setattr(prosody, "SECONDS", 0.5)
    monkeypatch.setattr(ssl, "create_default_context", lambda **_: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    monkeypatch.setattr(kernel, "PROCESSORS", frozenset())
    folder = tmp_path / "demo"
    async with stage(coops.load(), folder, tmp_path / "cache", print) as made:
        assert made.prosody is None
        assert made.without_jabber.startswith(reason)
        assert not (folder / "prosody").exists()
    assert not running(folder / "prosody")


async def test_no_certificate_is_no_jabber(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "openssl").write_text("#!/bin/sh\necho no curve >&2\nexit 1\n")
    (tmp_path / "openssl").chmod(0o755)
    monkeypatch.setattr(prosody, "found", lambda name: str(tmp_path / name))
    with pytest.raises(TransportFault, match="openssl made no certificate: no curve"):
        async with prosody.serving(tmp_path / "prosody", {"alice": "word"}):
            pass
    assert not (tmp_path / "prosody").exists()


def test_without_jabber_the_tour_is_as_it_was() -> None:
    coop = coops.load()
    assert not any("@jabber" in line.who for step in script(coop) for line in step.lines)
    assert len(script(coop, jabber=True)) == len(script(coop)) + 3
    assert all(isinstance(step, Step) for step in script(coop))


def test_somebody_who_is_no_admin_and_not_on_irc_speaks_from_jabber() -> None:
    coop = coops.load()
    assert isinstance(coop, Coop)
    spoken = {line.who for step in script(coop, jabber=True) for line in step.lines}
    assert {"fenchurch@jabber", "trillian@jabber"} <= spoken
    assert "fenchurch" not in spoken


DELAY = "<delay xmlns='urn:xmpp:delay' stamp='2020-01-01T00:00:00Z'/>"
FROM_ROOM = f"<message xmlns='jabber:client' type='groupchat' from='{ROOM}/bob'>"


@pytest.mark.parametrize(
    ("text", "events"),
    [
        (f"{FROM_ROOM}<body>hi\nyou</body></message>", [Said("bob", ROOM, "hi"), Said("bob", ROOM, "you")]),
        (f"{FROM_ROOM}<body>old</body>{DELAY}</message>", []),
        (f"{FROM_ROOM}<subject>tea</subject></message>", []),
        (
            "<message xmlns='jabber:client' type='chat' from='eddie@localhost/x'><body>hi</body></message>",
            [Said("Eddie", "alice", "hi")],
        ),
        (f"<presence xmlns='jabber:client' from='{ROOM}/bob'/>", [Happened("bob", f"is in {ROOM}")]),
        (
            f"<presence xmlns='jabber:client' type='unavailable' from='{ROOM}/bob'/>",
            [Happened("bob", f"left {ROOM}")],
        ),
        ("<presence xmlns='jabber:client' from='bob@localhost'/>", []),
        ("<iq xmlns='jabber:client' type='get' from='localhost'/>", []),
    ],
)
def test_what_is_shown_of_a_stanza(text: str, events: list[Event]) -> None:
    assert list(events_of(fromstring(text), "alice")) == events
