import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.transports.irc.connection import CappedBuffer, parse
from bot.transports.irc.line import Line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("PING :a b", Line("PING", ("a b",))),
        (":srv 001 Eddie :Hi", Line("001", ("Eddie", "Hi"), "srv")),
        ("@time=x;+y :a!b@c privmsg #r ::)", Line("PRIVMSG", ("#r", ":)"), "a!b@c", "time=x;+y")),
        (":a!b@c QUIT", Line("QUIT", (), "a!b@c")),
        ("JOIN  #a   #b", Line("JOIN", ("#a", "#b"))),
        ("JOIN #a\u00a0b\u3000c", Line("JOIN", ("#a\u00a0b\u3000c",))),
        ("TOPIC #a :", Line("TOPIC", ("#a", ""))),
        ("", None),
        ("   ", None),
        ("@only-tags ", None),
    ],
)
def test_a_line_becomes_a_value(text: str, line: Line | None) -> None:
    assert parse(text) == line


def test_ctcp_quoting_is_left_alone() -> None:
    line = parse(":a!b@c PRIVMSG #r :hi \x10rTOPIC #z :x\x01")
    assert line is not None
    assert line.params == ("#r", "hi \x10rTOPIC #z :x\x01")


def test_missing_parameters_read_as_empty() -> None:
    line = Line("PRIVMSG", ("#r",), "alice!a@h")
    assert (line.param(0), line.param(1), line.param(-1), Line("X").param(-1)) == ("#r", "", "#r", "")
    assert (line.nick, line.userhost, Line("X", source="srv").userhost) == ("alice", "a@h", "")


@pytest.mark.parametrize(
    ("tags", "value"),
    [
        ("account=alice", "alice"),
        ("x=1;account=a\\sb\\:c\\\\d\\r\\n\\e\\", "a b;c\\d\r\ne"),
        ("account=one;account=two", "two"),
        ("account", ""),
        ("accounts=alice", None),
        ("", None),
    ],
)
def test_tags_are_read_when_asked_for(tags: str, value: str | None) -> None:
    assert Line("PRIVMSG", tags=tags).tag("account") == value


@given(st.text(max_size=200))
def test_no_line_is_too_strange_to_parse(text: str) -> None:
    line = parse(text)
    assert line is None or line.command == line.command.upper()


@given(st.lists(st.binary(max_size=100), max_size=20))
def test_the_buffer_serves_every_line_however_it_comes_in(chunks: list[bytes]) -> None:
    capped, lines = CappedBuffer(), []
    for chunk in chunks:
        capped.feed(chunk)
        lines += list(capped)
    assert len(lines) == b"".join(chunks).count(b"\n")


def test_a_line_without_end_is_dropped_and_the_next_one_is_not() -> None:
    capped = CappedBuffer()
    capped.feed(b"PING :1\r\n")
    for _ in range(64):
        capped.feed(b"x" * 16_384)
        assert len(capped) <= 16 * 1024 + 9
    capped.feed(b"xx\r\nPING :2\r\nPING")
    assert list(capped) == ["PING :1", "PING :2"]
    assert capped.dropped == 1


def test_what_is_no_utf_8_is_read_as_latin_1() -> None:
    capped = CappedBuffer()
    capped.feed(b"Ol\xe9\nOl\xc3\xa9\n")
    assert list(capped) == ["Olé", "Olé"]
