import base64
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.transports.irc.sasl import (
    BadChallenge,
    External,
    Login,
    Mechanism,
    Plain,
    ScramSha256,
    State,
    available,
    pieces,
    saslprep,
)

# the example of RFC 7677, section 3
NONCE = "rOprNGfwEbeRWgbNEkqO"
SERVER_FIRST = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
CLIENT_FINAL = (
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    b",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
)
SERVER_FINAL = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def scram() -> ScramSha256:
    return ScramSha256("user", "pencil", NONCE)


def test_scram_says_what_the_rfc_says() -> None:
    made = scram()
    assert made.respond(b"") == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    assert made.respond(SERVER_FIRST) == CLIENT_FINAL
    assert not made.complete
    assert made.respond(SERVER_FINAL) == b""
    assert made.complete


def test_scram_escapes_the_account() -> None:
    assert ScramSha256("a=b,c", "x", "n").respond(b"") == b"n,,n=a=3Db=2Cc,r=n"


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        b"r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        SERVER_FIRST.replace(b"s=W22", b"s=?"),
        SERVER_FIRST.replace(b"i=4096", b"i=1"),
        SERVER_FIRST.replace(b"i=4096", b"i=999999999"),
        SERVER_FIRST.replace(b"i=4096", b"i=9999999999999"),
        SERVER_FIRST.replace(b"i=4096", b"i=-5"),
        b"m=x," + SERVER_FIRST,
        b"\xff\xfe",
    ],
)
def test_scram_refuses_a_strange_first_message(first: bytes) -> None:
    made = scram()
    made.respond(b"")
    with pytest.raises(BadChallenge):
        made.respond(first)


def test_scram_refuses_a_server_that_does_not_know_the_password() -> None:
    made = scram()
    made.respond(b"")
    made.respond(SERVER_FIRST)
    with pytest.raises(BadChallenge, match="could not prove"):
        made.respond(b"v=" + base64.b64encode(b"x" * 32))
    assert not made.complete
    with pytest.raises(BadChallenge):
        made.respond(b"")


def test_plain_carries_the_account_twice() -> None:
    login = Login([Plain("eddie", "pw")])
    assert login.start("EXTERNAL,PLAIN") == ("AUTHENTICATE PLAIN",)
    assert login.challenge("+") == (f"AUTHENTICATE {b64(b'eddie' + bytes(1) + b'eddie' + bytes(1) + b'pw')}",)
    assert login.numeric("903", "ok") == ()
    assert login.state is State.DONE
    assert login.challenge("+") == ()
    assert login.numeric("904", "late") == ()


def test_a_whole_scram_login() -> None:
    login = Login([scram(), Plain("user", "pencil")])
    assert login.start("") == ("AUTHENTICATE SCRAM-SHA-256",)
    login.challenge("+")
    assert login.challenge(b64(SERVER_FIRST)) == pieces(CLIENT_FINAL)
    assert login.challenge(b64(SERVER_FINAL)) == ("AUTHENTICATE +",)
    login.numeric("903", "ok")
    assert login.state is State.DONE


def test_success_before_the_server_proved_itself_is_none() -> None:
    login = Login([scram()])
    login.start("")
    login.challenge("+")
    login.numeric("903", "trust me")
    assert login.state is State.FAILED
    assert "skipped proving" in login.problem


def test_external_names_the_account() -> None:
    login = Login([External("eddie")])
    login.start("EXTERNAL")
    assert login.challenge("+") == (f"AUTHENTICATE {b64(b'eddie')}",)


@pytest.mark.parametrize("mechanism", [Plain("a", "b"), External("a")])
def test_a_challenge_where_none_belongs_is_refused(mechanism: Mechanism) -> None:
    login = Login([mechanism])
    login.start("")
    assert login.challenge(b64(b"give me your secrets")) == ("AUTHENTICATE *",)
    assert login.state is State.FAILED


def test_the_next_mechanism_is_tried_when_one_is_refused() -> None:
    login = Login([External("eddie"), scram(), Plain("eddie", "pw")])
    login.start("")
    assert login.numeric("908", "PLAIN,EXTERNAL") == ()
    assert login.numeric("904", "no") == ("AUTHENTICATE PLAIN",)
    assert login.numeric("904", "wrong password") == ()
    assert login.problem == "the login was refused: wrong password"


@pytest.mark.parametrize(
    ("mechanisms", "offered", "problem"),
    [
        ([], "PLAIN", "no password or certificate"),
        ([Plain("a", "b")], "EXTERNAL", "offers none of our login mechanisms"),
    ],
)
def test_a_login_that_cannot_work_is_not_begun(
    mechanisms: Sequence[Mechanism], offered: str, problem: str
) -> None:
    login = Login(mechanisms)
    assert login.start(offered) == ()
    assert login.state is State.FAILED
    assert problem in login.problem
    assert login.challenge("+") == ()


def test_other_ends_of_a_login() -> None:
    late, odd, again = (Login([Plain("a", "b")]) for _ in range(3))
    for login in (late, odd, again):
        login.start("")
    assert late.expire() == ("AUTHENTICATE *",)
    assert late.expire() == ()
    odd.numeric("906", "aborted")
    assert odd.problem.endswith("aborted")
    again.numeric("907", "already")
    assert again.state is State.DONE


def test_challenges_come_in_pieces_and_not_without_end() -> None:
    login = Login([scram()])
    login.start("")
    login.challenge("+")
    text = b64(SERVER_FIRST + b",x=" + b"y" * 400)
    assert login.challenge(text[:400]) == ()
    assert login.challenge(text[400:])[0].startswith("AUTHENTICATE ")
    endless = Login([scram()])
    endless.start("")
    answers = [endless.challenge("A" * 400) for _ in range(170)]
    assert endless.problem == "the server's challenge is too long"
    assert answers.count(("AUTHENTICATE *",)) == 1


@pytest.mark.parametrize("chunk", ["?", "é", "AAA", "====", "*"])
def test_what_is_not_base64_ends_the_login(chunk: str) -> None:
    login = Login([scram()])
    login.start("")
    assert login.challenge(chunk) == ("AUTHENTICATE *",)


@given(st.binary(max_size=1300))
def test_pieces_are_400_letters_and_always_end(answer: bytes) -> None:
    texts = [line.removeprefix("AUTHENTICATE ") for line in pieces(answer)]
    assert all(len(text) == 400 for text in texts[:-1])
    assert len(texts[-1]) < 400
    assert (
        base64.b64decode(
            "".join(texts).replace("+", "")
            if texts[-1] == "+" and len(texts) == 1
            else "".join(texts[:-1] if texts[-1] == "+" else texts)
        )
        == answer
    )


def test_what_we_have_decides_the_mechanisms() -> None:
    assert list(available("a", "pw", "n", certificate=True)) == ["EXTERNAL", "SCRAM-SHA-256", "PLAIN"]
    assert list(available("a", None, "n", certificate=False)) == []


def test_saslprep_maps_and_normalizes() -> None:
    assert saslprep("I\u00adX \u00aa\u2168\u00a0x") == "IX aIX x"
