import base64

import pytest

from bot.demo.ircd import Ircd
from bot.errors import SetupError
from tests.demo.conftest import HandClock, World, plain


async def test_a_client_without_cap_is_welcomed(world: World) -> None:
    person = await world.stranger()
    person.send("NICK al|ce", "USER al!i@ce 0 * :Alice of Ford")
    lines = await person.until(" 376 ")
    assert [line.split()[1] for line in lines[:5]] == ["001", "002", "003", "004", "005"]
    assert all(line.split()[2] == "al|ce" for line in lines)
    assert {"CASEMAPPING=rfc1459", "PREFIX=(ov)@+", "NICKLEN=30", "WHOX", "CHANTYPES=#"} <= set(
        lines[4].split()
    )
    assert any("Don't panic." in line for line in lines)
    assert [(one.nick, one.user, one.account) for one in world.ircd.clients] == [("al|ce", "alice", None)]


async def test_cap_302_holds_registration_until_its_end(world: World) -> None:
    person = await world.stranger()
    person.send("CAP LS 302", "NICK eddie", "USER eddie 0 * :Eddie")
    offer = await person.line()
    assert offer.startswith(":shipboard.demo CAP * LS :")
    assert {"sasl=PLAIN", "account-tag", "cap-notify", "server-time"} <= set(offer.partition(" :")[2].split())
    assert await person.ask("CAP REQ :account-tag sasl") == [
        ":shipboard.demo CAP eddie ACK :account-tag sasl"
    ]
    assert await person.ask("CAP LIST") == [":shipboard.demo CAP eddie LIST :account-tag cap-notify sasl"]
    person.send("CAP END")
    assert " 001 eddie " in await person.line()


async def test_the_old_cap_ls_has_no_values(world: World) -> None:
    person = await world.stranger()
    (offer,) = await person.ask("CAP LS")
    assert "sasl" in offer.split()
    assert "=" not in offer


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("CAP REQ :batch", "NAK batch"),
        ("CAP REQ :account-tag batch", "NAK :account-tag batch"),
        ("CAP REQ account-tag", "ACK account-tag"),
        ("CAP REQ :-account-tag", "ACK -account-tag"),
        ("CAP REQ :-cap-notify", "NAK -cap-notify"),
        ("CAP LS ²", "LS :"),
    ],
)
async def test_capabilities_are_granted_all_or_none(world: World, asked: str, answer: str) -> None:
    person = await world.stranger()
    await person.ask("CAP LS 302")
    (got,) = await person.ask(asked)
    assert got.startswith(f":shipboard.demo CAP * {answer}")


async def test_a_capability_can_be_given_back(world: World) -> None:
    person = await world.guest("ann", caps="echo-message")
    await person.ask("CAP REQ :-echo-message")
    assert await person.ask("CAP LIST", "PRIVMSG ann :hi") == [
        ":shipboard.demo CAP ann LIST :",
        ":ann!ann@127.0.0.1 PRIVMSG ann hi",
    ]
    assert await person.ask("CAP WHAT") == [":shipboard.demo 410 ann WHAT :Invalid CAP command"]


async def test_sasl_proves_the_account_in_its_own_spelling(world: World) -> None:
    person = await world.stranger()
    person.send("CAP REQ sasl", "AUTHENTICATE PLAIN")
    assert await person.expect("AUTHENTICATE") == "AUTHENTICATE +"
    person.send(f"AUTHENTICATE {plain('BOB', 'battery:staple', 'bob')}")
    assert await person.line() == ":shipboard.demo 900 * *!*@127.0.0.1 Bob :You are now logged in as Bob"
    assert " 903 " in await person.line()
    person.send("NICK robert", "USER r 0 * :R", "CAP END")
    await person.until(" 376 ")
    assert world.ircd.clients[0].account == "Bob"
    assert " 907 " in (await person.ask("AUTHENTICATE PLAIN"))[0]


@pytest.mark.parametrize(
    "payload",
    [
        plain("alice", "wrong"),
        plain("alice", ""),
        plain("nobody", "correct horse"),
        plain("", ""),
        plain("alice", "correct horse", "Bob"),
        "!!!!",
        "ü",
        "+",
        "QQ==",
        base64.b64encode(b"\0alice\0\xff\xfe").decode(),
        base64.b64encode(b"\0alice\0correct horse\0").decode(),
    ],
)
async def test_sasl_refuses_what_is_wrong(world: World, payload: str) -> None:
    person = await world.stranger()
    await person.ask("CAP REQ sasl", "AUTHENTICATE PLAIN")
    (answer,) = await person.ask(f"AUTHENTICATE {payload}")
    assert " 904 " in answer
    person.send("NICK ann", "USER a 0 * :A", "CAP END")
    await person.until(" 376 ")
    assert world.ircd.clients[0].account is None


@pytest.mark.parametrize("length", [299, 300, 301, 600, 900])
async def test_sasl_is_put_together_from_pieces(hand_clock: HandClock, length: int) -> None:
    password = "x" * (length - len("\0alice\0"))
    world = World(hand_clock)
    world.ircd = Ircd({"alice": password}, clock=hand_clock)
    world.port = await world.ircd.start()
    try:
        await world.guest("ann", until=" 422 ")
        person, payload = await world.stranger(), plain("alice", password)
        person.send("CAP REQ sasl", "AUTHENTICATE PLAIN")
        pieces = [payload[at : at + 400] for at in range(0, len(payload), 400)]
        person.send(*(f"AUTHENTICATE {piece}" for piece in pieces))
        if len(pieces[-1]) == 400:
            person.send("AUTHENTICATE +")
        await person.expect(" 903 ")
    finally:
        await world.end()


async def test_sasl_that_does_not_fit_is_told_so(world: World) -> None:
    person = await world.stranger()
    assert " 904 " in (await person.ask("AUTHENTICATE PLAIN"))[0]
    await person.ask("CAP REQ sasl")
    codes = [line.split()[1] for line in await person.ask("AUTHENTICATE EXTERNAL")]
    assert codes == ["908", "904"]
    assert " 905 " in (await person.ask("AUTHENTICATE PLAIN", f"AUTHENTICATE {'x' * 401}"))[-1]
    assert " 905 " in (await person.ask("AUTHENTICATE PLAIN", *[f"AUTHENTICATE {'x' * 400}"] * 9))[-1]
    assert " 906 " in (await person.ask("AUTHENTICATE PLAIN", "AUTHENTICATE *"))[-1]
    assert " 906 " in (await person.ask("AUTHENTICATE *"))[-1]
    assert " 906 " in (await person.ask("AUTHENTICATE PLAIN", "CAP END"))[-1]
    assert "AUTHENTICATE +" in await person.ask("AUTHENTICATE PLAIN")


async def test_five_wrong_passwords_end_the_connection(world: World) -> None:
    person = await world.stranger()
    person.send("CAP REQ sasl", *["AUTHENTICATE PLAIN", f"AUTHENTICATE {plain('alice', 'x')}"] * 6)
    lines = await person.rest()
    assert sum(" 904 " in line for line in lines) == 5
    assert lines[-1] == "ERROR :Closing link: (Too many wrong passwords)"


async def test_pass_proves_an_account_as_bouncers_do(world: World) -> None:
    person = await world.stranger()
    person.send("PASS bob:battery:staple", "NICK rob", "USER r 0 * :R")
    lines = await person.until(" 376 ")
    assert " 900 rob rob!r@127.0.0.1 Bob " in lines[0]
    assert world.ircd.clients[0].account == "Bob"
    assert world.ircd.clients[0].password == ""
    assert " 462 " in (await person.ask("PASS bob:battery:staple"))[0]
    assert " 462 " in (await person.ask("USER a b c :d"))[0]


@pytest.mark.parametrize("words", ["alice:wrong", "correct", ":", "nobody:", ":correct horse"])
async def test_a_wrong_pass_is_told_and_ends_the_connection(world: World, words: str) -> None:
    person = await world.stranger()
    person.send(f"PASS :{words}", "NICK alice", "USER a 0 * :A")
    lines = await person.rest()
    assert " 464 alice " in lines[0]
    assert lines[-1].startswith("ERROR ")
    assert world.ircd.clients == ()


async def test_a_nick_is_one_persons_however_it_is_spelt(world: World) -> None:
    await world.guest("Al[ce]")
    person = await world.stranger()
    for nick in ["al{ce}", "AL[CE}", "nickserv"]:
        assert " 433 * " in (await person.ask(f"NICK {nick}"))[0]
    for nick in ["9a", "a!b", "x" * 31, ":a b", ":", ""]:
        assert (await person.ask(f"NICK {nick}"))[0].split()[1] in {"431", "432"}
    person.send("NICK bob", "USER b 0 * :B")
    await person.until(" 376 ")
    assert await person.ask("NICK BOB", "NICK BOB") == [":bob!b@127.0.0.1 NICK BOB"]


async def test_a_nick_left_free_can_be_taken(world: World) -> None:
    first = await world.guest("eddie")
    first.send("QUIT :so long")
    assert await first.rest() == ["ERROR :Closing link: (Quit: so long)"]
    await world.guest("eddie")
    assert [one.nick for one in world.ircd.clients] == ["eddie"]


async def test_before_registration_little_is_possible(world: World) -> None:
    person = await world.stranger()
    assert " 451 * " in (await person.ask("JOIN #ford"))[0]
    assert " 451 * " in (await person.ask("NONSENSE"))[0]
    assert " 461 * USER " in (await person.ask("USER a"))[0]
    assert await person.ask("", "  ", ":x", "@a=b", "PONG") == []
    registered = await world.guest("ann")
    assert " 421 ann NONSENSE " in (await registered.ask("nonsense"))[0]
    assert " 461 ann JOIN " in (await registered.ask("JOIN"))[0]
    person.send("NICK bob")
    await person.ask()
    assert " 401 " in (await registered.ask("WHOIS bob"))[0]


async def test_services_come_and_go(world: World) -> None:
    member = await world.member("alice", caps="cap-notify account-tag")
    plain_one = await world.guest("ann")
    modern = await world.stranger()
    await modern.ask("CAP LS 302", "NICK eddie", "USER e 0 * :E")
    world.ircd.services = False
    world.ircd.services = False
    assert not world.ircd.services
    assert await member.ask() == [":shipboard.demo CAP alice DEL sasl"]
    gone, offer = await modern.ask("CAP LS 302")
    assert gone == ":shipboard.demo CAP eddie DEL sasl"
    assert offer.startswith(":shipboard.demo CAP eddie LS :account-notify account-tag cap-notify ")
    assert "sasl" not in offer
    assert " NAK " in (await modern.ask("CAP REQ sasl"))[0]
    assert "Wrong account" in (await plain_one.ask("PRIVMSG NickServ :IDENTIFY alice :correct"))[0]
    world.ircd.services = True
    assert await modern.ask() == [":shipboard.demo CAP eddie NEW sasl=PLAIN"]
    assert await member.ask() == [":shipboard.demo CAP alice NEW sasl"]
    assert await plain_one.ask() == []
    assert world.ircd.clients[0].account == "alice"


@pytest.mark.parametrize("accounts", [{"": "x"}, {"a b": "x"}, {"a;b": "x"}, {"a": ""}, {"x" * 31: "x"}])
def test_impossible_accounts_are_refused(hand_clock: HandClock, accounts: dict[str, str]) -> None:
    with pytest.raises(SetupError, match="account"):
        Ircd(accounts, clock=hand_clock)


async def test_someone_who_does_not_register_is_let_go(world: World) -> None:
    person = await world.stranger()
    await person.ask("CAP LS 302", "NICK ann", "USER a 0 * :A")
    world.clock.move(61)
    assert await person.rest() == ["ERROR :Closing link: (Registration timed out)"]
    await world.guest("ann")
    assert [one.nick for one in world.ircd.clients] == ["ann"]
