import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.hypervisors.uml.cleaning import clean, last_lines, one_line


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[31;1mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b31mred", "red"),
        ("\x1bPq#0\x1b\\a", "a"),
        ("\x1bc\x1b(Bplain", "plain"),
        ("\x1b]0;never ended\nnext", "\nnext"),
        ("a\tb\r\n\x00\x07c", "a b\nc"),
        ("ab\u202ecd\u200b\ud800", "abcd"),
        ("größe", "größe"),
    ],
)
def test_escapes_and_unseen_characters_go(raw: str, shown: str) -> None:
    assert clean(raw) == shown


def test_one_line_is_one_bounded_line() -> None:
    assert one_line("a\nb\r\n  c\x1b[1m") == "a b c"
    assert one_line("x" * 1000) == "x" * 199 + "…"


@given(st.text())
def test_nothing_gets_through_that_moves_a_cursor(text: str) -> None:
    line = one_line(text)
    assert len(line) <= 200
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in line)


def test_last_lines_skip_blank_ones() -> None:
    assert last_lines(b"one\r\n\n\x1b[2Jtwo\n \xff\nthree", 2) == ("\ufffd", "three")
    assert last_lines(b"one\n", 0) == ()
    assert last_lines(b"", 5) == ()
