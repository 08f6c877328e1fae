"""One line of typing: keys, history, what is shown of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.editor import Editor, Ended, width


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        (b"hello\n", "hello"),
        (b"hello\r", "hello"),
        ("grüße → €\n".encode(), "grüße → €"),
        (b"helo\x1b[Dl\n", "hello"),
        (b"helo\x1bODl\x1bOC!\n", "hello!"),
        (b"hellp\x7fo\n", "hello"),
        (b"hellp\bo\n", "hello"),
        (b"\x7f\x1b[3~\x1b[D\x1b[Cx\n", "x"),
        (b"ello\x01h\x05!\n", "hello!"),
        (b"ello\x1b[Hh\x1b[F!\n", "hello!"),
        (b"xhello\x01\x1b[3~\n", "hello"),
        (b"xhello\x01\x04\n", "hello"),
        (b"rubbish\x15hello\n", "hello"),
        (b"hello rubbish\x02\x02\x02\x02\x02\x02\x02\x02\x0b\n", "hello"),
        (b"hello big world  \x17\n", "hello big "),
        (b"a\x1b[5~b\x1b[1;5Cc\x1bxd\x07e\n", "abcde"),
        (b"a\x1b[\x07b\n", "a[b"),
        (b"\xff\xfe\n", "��"),
        (b"\n", ""),
    ],
)
def test_a_key_does_what_it_does_elsewhere(typed: bytes, line: str) -> None:
    assert Editor().feed(typed) == [line]


def test_a_character_and_a_key_may_come_in_pieces() -> None:
    editor = Editor()
    assert [editor.feed(bytes([byte])) for byte in "ü\x1b[Da".encode()] == [[]] * 6
    assert editor.feed(b"\n") == ["aü"]


def test_pasted_lines_are_lines() -> None:
    editor = Editor()
    assert editor.feed(b"one\ntwo\nthr") == ["one", "two"]
    assert editor.text == "thr"


def test_the_history_goes_back_and_forth_and_keeps_no_line_twice() -> None:
    editor = Editor()
    editor.feed(b"one\ntwo\ntwo\n \n")
    up, down = b"\x1b[A", b"\x1b[B"
    shown = []
    for key in (up, up, up, down, down, down):
        editor.feed(key)
        shown.append(editor.text)
    assert shown == ["two", "one", "one", "two", "", ""]


def test_ctrl_d_ends_an_empty_line_only() -> None:
    editor = Editor()
    assert editor.feed(b"x\x04\n") == ["x"]
    with pytest.raises(Ended):
        editor.feed(b"\x04")


def test_what_is_typed_without_end_does_not_grow_without_end() -> None:
    editor = Editor()
    editor.feed(b"x" * 5000)
    assert len(editor.text) == 2000
    editor.feed(b"\x15\x1b[" + b"1" * 5000)
    editor.feed(b"ok")
    assert editor.feed(b"\n")[0].endswith("ok")


@pytest.mark.parametrize(
    ("typed", "columns", "view"),
    [
        (b"hello", 10, ("hello", 0)),
        (b"hello", 4, ("llo", 0)),
        (b"hello\x01", 4, ("hel", 3)),
        (b"hello\x1b[D", 10, ("hello", 1)),
        ("日本語".encode(), 5, ("本語", 0)),
        (b"hello", 1, ("", 0)),
    ],
)
def test_the_part_around_the_cursor_is_shown(typed: bytes, columns: int, view: tuple[str, int]) -> None:
    editor = Editor()
    editor.feed(typed)
    assert editor.view(columns) == view


def test_wide_and_combining_characters_are_counted_as_terminals_do() -> None:
    assert [width(text) for text in ("abc", "日本", "e\u0301", "")] == [3, 4, 1, 0]


@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(1, 30))
def test_no_keys_raise_or_leave_a_control_character(chunks: list[bytes], columns: int) -> None:
    editor = Editor()
    for chunk in chunks:
        try:
            lines = editor.feed(chunk)
        except Ended:
            return
        assert all(line.isprintable() for line in lines)
        shown, back = editor.view(columns)
        assert shown.isprintable()
        assert 0 <= editor.at <= len(editor.text)
        assert 0 <= back <= width(shown)
