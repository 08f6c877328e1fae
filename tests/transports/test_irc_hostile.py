"""Nothing in a peer's, a reply's or a server's line ends the connection, forges a line or costs memory."""

import random
import tracemalloc

import pytest

from bot.model import Place, Reply
from bot.transports.irc.connection import Link
from tests.transports.conftest import Irc, Peer, settle

WORDS = """PRIVMSG NOTICE JOIN PART KICK QUIT NICK MODE TOPIC INVITE PING PONG ERROR CAP AUTHENTICATE ACCOUNT
CHGHOST SETNAME BATCH TAGMSG AWAY WALLOPS FAIL WARN NOTE ACK KILL"""
COMMANDS = [*WORDS.split(), *(f"{number:03}" for number in range(1, 1000))]
FATAL_WORDS = {"ERROR"}


async def still_answers(irc: Irc, peer: Peer, mark: str) -> None:
    peer.say("alice!a@h", "#ford", f"!ping {mark}", tags="account=alice")
    await peer.expect(f"PRIVMSG #ford :pong {mark}")
    assert irc.server.connections == 1


@pytest.mark.parametrize("source", ["", ":alice!a@h ", ":irc.test ", ":Eddie!eddie@bot.host ", ":! ", ":@ "])
@pytest.mark.parametrize(
    "tail", ["", " ", " :", " Eddie", " #ford", " Eddie #ford", " * * * * * :", " :\x01\x02"]
)
async def test_every_command_may_lack_its_parameters(irc: Irc, source: str, tail: str) -> None:
    transport, peer = await irc.admitted(pace="off")
    for command in COMMANDS:
        peer.send(f"{source}{command}{tail}")
    peer.send(":irc.test 001 Eddie :Hi Eddie!e@h", ":irc.test 005 Eddie CASEMAPPING=ascii CHANTYPES=# :ok")
    peer.join("#ford")
    await still_answers(irc, peer, "after")
    assert transport.status().up


async def test_every_byte_and_no_line_end(irc: Irc) -> None:
    transport, peer = await irc.admitted(pace="off")
    for byte in range(256):
        char = bytes([byte])
        peer.writer.write(
            b":alice!a@h PRIVMSG #ford :x" + char + b"y\r\n" + char + b"\r\n" + char * 600 + b"\r\n"
        )
    peer.writer.write(b"@\r\n@ \r\n:\r\n: \r\n@a=b\r\n@a=b :x\r\n@;;=;\\ :a!b@c PRIVMSG\r\n \r\n\r\n")
    await still_answers(irc, peer, "bytes")
    bad = transport.bad_lines
    assert bad > 5
    tracemalloc.start()
    for _ in range(64):
        peer.writer.write(b"x" * 16_384)
        await peer.writer.drain()
        await settle()
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    peer.writer.write(b"\r\n")
    await still_answers(irc, peer, "megabyte")
    assert transport.bad_lines == bad + 1
    assert grown < 1_000_000


async def test_random_lines_of_known_words(irc: Irc) -> None:
    transport, peer = await irc.admitted(pace="off")
    dice = random.Random(42)  # noqa: S311 - repeatable garbage
    words = [
        *COMMANDS,
        "#ford",
        "Eddie",
        "alice",
        "*",
        ":",
        "=",
        "-",
        "+",
        "@",
        ":alice!a@h",
        "a=b",
        "PREFIX=x",
        "é",
        "",
    ]
    for _ in range(3000):
        line = " ".join(dice.choice(words) for _ in range(dice.randrange(6)))
        if not set(line.split()) & FATAL_WORDS:
            peer.send(line)
    peer.send(
        ":irc.test 005 Eddie CASEMAPPING=ascii CHANTYPES=# :ok", f":{transport.status().nick}!e@h NICK Eddie"
    )
    peer.join("#ford")
    await still_answers(irc, peer, "random")


async def test_bad_isupport_is_harmless(irc: Irc) -> None:
    _, peer = await irc.admitted()
    peer.send(
        ":irc.test 005 Eddie CHANLIMIT=#&:x TARGMAX=a:b PREFIX=x NICKLEN=z CASEMAPPING=q = - :are supported"
    )
    await still_answers(irc, peer, "isupport")


ATTACK = "hi \x10rTOPIC #z :owned\x10nQUIT\rPRIVMSG watcher :forged\nNICK evil\0QUIT :x\u2028QUIT\x85QUIT"


async def test_no_reply_place_or_nick_forges_a_line(irc: Irc) -> None:
    irc.road.answers["say"] = Reply((ATTACK, ATTACK.replace("hi", "\x01ACTION")))
    transport, peer = await irc.admitted(pace="off")
    peer.say("alice!a@h", "#ford", f"!say {ATTACK}".replace("\n", "\x10n"), tags="account=alice")
    peer.writer.write(b":ev\ril!e@h PRIVMSG #ford :!ping \x10rQUIT\r\n")
    peer.say("alice!a@h", "Eddie", "\x10rping \x10rQUIT :x", tags="account=alice")
    await transport.say(Place("oftc", "x\r\nQUIT :y", direct=True), ["x"])
    await transport.say(Place("oftc", "#ford\rQUIT"), ["x"])
    lines = await peer.pending()
    assert lines
    assert all(
        line.startswith(("PRIVMSG #ford :", "PRIVMSG ev il :", "PRIVMSG alice :")) for line in lines
    ), lines
    assert "QUIT" not in {line.partition(" ")[0] for line in lines}
    assert all(char >= " " and char != "\x7f" for line in lines for char in line)


async def test_the_wire_itself_refuses_what_ends_a_line() -> None:
    link = Link(lambda _: None, lambda _: None)
    assert link._prep_message("PRIVMSG #a :x\r\nQUIT\0 \ud800") == b"PRIVMSG #a :x  QUIT  ?\r\n"
    long = link._prep_message("PRIVMSG #a :" + "ä" * 400)
    assert len(long) <= 512
    long.decode()
    link.send_raw("into the void")
    assert not link.closed.done()
    link.disconnect()
    assert link.closed.result() == "closed"


async def test_an_error_of_ours_is_reported_and_survived(irc: Irc, monkeypatch: pytest.MonkeyPatch) -> None:
    transport, peer = await irc.admitted()
    session = transport._session
    assert session is not None

    def stumble(_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setitem(session._table, "TOPIC", [stumble])
    for _ in range(20):
        peer.send(":a!b@c TOPIC #ford :x")
    await still_answers(irc, peer, "bug")
    assert [str(cause) for cause in irc.incidents.causes] == ["a bug"] * 5
    assert transport.bad_lines == 20
    irc.incidents.causes.clear()


async def test_a_road_that_raises_costs_only_its_answer(irc: Irc) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("a bug in the road")

    irc.road.gates["ping"] = fail
    _, peer = await irc.admitted()
    peer.say("alice!a@h", "#ford", "!ping", tags="account=alice")
    await peer.pending()
    await settle()
    assert [str(cause) for cause in irc.incidents.causes] == ["a bug in the road"]
    irc.incidents.causes.clear()
    irc.road.gates.clear()
    await still_answers(irc, peer, "road")


async def test_a_server_that_does_not_read_is_given_up(irc: Irc) -> None:
    transport, peer = await irc.admitted(pace="off")
    peer._reader._transport.pause_reading()  # type: ignore[attr-defined]  # asyncio keeps it to itself
    for _ in range(400):
        peer.writer.write(b"PING :" + b"x" * 400 + b"\r\n" * 1)
        peer.writer.write((b"PING :" + b"y" * 400 + b"\r\n") * 60)
        await settle()
        if not transport.status().up:
            break
    assert not transport.status().up
