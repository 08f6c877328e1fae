"""What the person before the terminal sees."""

import io

import pytest

from bot.demo.screen import Screen, Tint, wants_colour


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Gone(io.StringIO):
    def write(self, _: str) -> int:
        raise BrokenPipeError


@pytest.mark.parametrize(
    ("out", "environ", "wanted"),
    [
        (Terminal(), {"TERM": "xterm"}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (Terminal(), {}, False),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (io.StringIO(), {"TERM": "xterm"}, False),
    ],
)
def test_colour_is_for_terminals_that_have_it_and_people_who_want_it(
    out: io.StringIO, environ: dict[str, str], *, wanted: bool
) -> None:
    assert wants_colour(out, environ) is wanted


def test_no_escape_code_or_second_line_of_anybodys_gets_through() -> None:
    screen = Screen(io.StringIO())
    screen.line("red \x1b[31m\x1b]0;title\x07 and\r\nmore \u202e", "<e\x1b[2Jvil>")
    screen.line("plain")
    assert isinstance(screen.out, io.StringIO)
    assert screen.out.getvalue() == "<evil> red  and more \nplain\n"


def test_the_mark_is_coloured_or_else_the_whole_line() -> None:
    screen = Screen(io.StringIO(), colour=True)
    screen.line("hello", "<Eddie>", Tint.BOT)
    screen.line("loud", tint=Tint.LOUD)
    assert isinstance(screen.out, io.StringIO)
    assert screen.out.getvalue() == "\x1b[36m<Eddie>\x1b[0m hello\n\x1b[1;31mloud\x1b[0m\n"


def test_what_is_typed_stays_below_what_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    out = Terminal()
    screen = Screen(out, typed=lambda columns: ("<alice> ", f"typed{columns}", 2))
    screen.line("news")
    assert out.getvalue() == "\r\x1b[Knews\n\r\x1b[K<alice> typed60\x1b[2D"
    out.truncate(0)
    out.seek(0)
    screen.entered("a \x1b[Hline")
    screen.release()
    screen.redraw()
    screen.entered("nobody types")
    screen.release()
    assert out.getvalue() == "\r\x1b[K<alice> a line\n\r\x1b[K"


def test_long_lines_are_wrapped_between_words_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "41")
    words = "one two three four five six seven eight nine ten"
    shown = {}
    for out in (Terminal(), io.StringIO()):
        Screen(out).line(words, "<Eddie>")
        shown[out.isatty()] = out.getvalue()
    assert shown[True] == "<Eddie> one two three four five six\n    seven eight nine ten\n"
    assert shown[False] == f"<Eddie> {words}\n"
    out = Terminal()
    Screen(out).line("  irssi -c 127.0.0.1 -p 4711 -w alice:password -n alice")
    assert out.getvalue().count("\n") == 1


def test_a_terminal_that_has_gone_is_no_reason_to_stumble() -> None:
    screen = Screen(Gone(), typed=lambda _: ("> ", "", 0))
    screen.line("hello")
    screen.release()
    assert screen.typed is None
