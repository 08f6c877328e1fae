import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.ircd.wire import Line, LineBuffer, fold, is_nick, is_room, parse


@pytest.mark.parametrize("nick", ["alice", "al|ce", "al[ce]", "a-1", "_", "x" * 30, "`{}^\\"])
def test_these_are_nicks(nick: str) -> None:
    assert is_nick(nick)


@pytest.mark.parametrize(
    "nick", ["", "1a", "-a", "x" * 31, "a b", "a!b", "a@b", "älice", "a\n", "#a", "a:b", "@a"]
)
def test_these_are_no_nicks(nick: str) -> None:
    assert not is_nick(nick)


def test_rooms_may_be_called_much_but_not_all() -> None:
    assert all(is_room(name) for name in ["#co-op", "#Ford/2", "#ü", "##", "#" + "x" * 63])
    assert not any(
        is_room(name) for name in ["#", "ford", "&ford", "#a b", "#a,b", "#a\x07", "#" + "x" * 64, "#a\n"]
    )


def test_folding_is_rfc1459() -> None:
    assert fold("AZ[]\\~") == "az{}|^"
    assert fold("Ä") == "Ä"


def test_a_line_is_parsed_and_foreign_tags_and_sources_are_left_out() -> None:
    line = parse(
        "@+typing=active;account=root;time=1;+x/y;+bad;+b{d=1;x=2;; :evil!u@h privmsg  #a,#b :hi : there "
    )
    assert line == Line(
        "PRIVMSG", ("#a,#b", "hi : there "), tags={"+typing": "active", "+x/y": "", "+bad": ""}
    )
    assert parse("@+a=b;account=x :evil!u@h privmsg  #a :hi : there ") == Line(
        "PRIVMSG", ("#a", "hi : there "), tags={"+a": "b"}
    )
    assert parse("PRIVMSG x y") == Line("PRIVMSG", ("x", "y"))
    assert parse("PRIVMSG x :") == Line("PRIVMSG", ("x", ""))
    assert parse("PRIVMSG a\u2028b\xa0c :x").params == ("a\u2028b\xa0c", "x")


@pytest.mark.parametrize("text", ["", " ", ":", ":x", "@", "@a", "@a ", "@a :b", " :"])
def test_a_line_without_a_command_is_an_empty_one(text: str) -> None:
    assert parse(text).command in {"", ":"}


def test_a_line_is_rendered_with_the_tags_asked_for() -> None:
    line = Line("PRIVMSG", ("#a", "hi there"), "a!b@c", {"account": "alice", "+x": ""})
    assert line.render() == b":a!b@c PRIVMSG #a :hi there\r\n"
    assert line.render(["account", "+x"]) == b"@account=alice;+x :a!b@c PRIVMSG #a :hi there\r\n"
    assert Line("X", ("", ":a b", "c d", "")).render() == b"X * _a_b c_d :\r\n"
    assert Line("LIST").render() == b"LIST\r\n"


@pytest.mark.parametrize(
    ("text", "size"), [("x" * 600, 510), ("ü" * 300, 509), ("x" + "ü" * 300, 510), ("🚀" * 150, 508)]
)
def test_a_long_line_is_cut_between_two_characters(text: str, size: int) -> None:
    raw = Line("P", ("x", text)).render(())
    assert raw.endswith(b"\r\n")
    assert raw[:-2].decode().startswith("P x ")
    assert size - 4 <= len(raw) - 2 <= 510


def test_bytes_that_are_no_utf8_pass_unchanged_even_where_cut() -> None:
    (text,) = LineBuffer().feed(b"PRIVMSG a :" + b"\xff\xbf" * 200 + b"\n")
    assert text is not None
    assert (
        Line("X", (parse(text).params[1],), "s" * 400).render().startswith(b":" + b"s" * 400 + b" X \xff\xbf")
    )


def test_cr_and_lf_each_end_a_line_and_nul_is_dropped() -> None:
    assert list(LineBuffer().feed(b"a\r\nb\rc\n\n\r\r\nd\0e\nrest")) == ["a", "b", "c", "de"]


def test_too_long_lines_are_named_once_and_the_next_one_is_read() -> None:
    lines = LineBuffer()
    assert list(lines.feed(b"x" * 511 + b"\n" + b"x" * 510 + b"\n")) == [None, "x" * 510]
    assert list(lines.feed(b"@" + b"t" * 4094 + b" X\n" + b"@" + b"t" * 4095 + b" X\n")) == [
        "@" + "t" * 4094 + " X",
        None,
    ]
    told = [line for _ in range(100) for line in lines.feed(b"x" * 4096)]
    assert told == [None]
    assert list(lines.feed(b"end\nPING a\n")) == ["PING a"]


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_however_the_stream_is_cut_the_lines_are_the_same_and_hold_no_line_end(pieces: list[bytes]) -> None:
    lines, whole = LineBuffer(), b"".join(pieces)
    cut = [line for piece in pieces for line in lines.feed(piece)]
    assert cut == list(LineBuffer().feed(whole))
    for text in cut:
        if text is not None:
            raw = Line("PRIVMSG", parse(text).params, "n!u@h", parse(text).tags).render(parse(text).tags)
            assert raw.count(b"\r") == raw.count(b"\n") == 1
            assert b"\0" not in raw
