"""What the person before the terminal sees: clean lines, in colour where wanted, above what they type."""

import os
import shutil
import textwrap
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TextIO

from bot.transports.lines import clean

_CLEAR = "\r\x1b[K"
_PLAIN = "\x1b[0m"
_NARROWEST = 40


class Tint(StrEnum):
    """Who or what a line is of, as its colour (ECMA-48 SGR)."""

    BOT = "\x1b[36m"
    PERSON = "\x1b[33m"
    DIRECT = "\x1b[35m"
    QUIET = "\x1b[2m"
    LOUD = "\x1b[1;31m"


def wants_colour(out: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether to use colours: on a terminal that has them, unless https://no-color.org is asked for."""
    return out.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") not in {None, "", "dumb"}


@dataclass(slots=True)
class Screen:
    """Writes lines to `out`.

    `typed` is there while somebody types: it returns, for a number of columns, the prompt, what is typed, and
    how far left of its end the cursor stands.
    """

    out: TextIO
    colour: bool = False
    typed: Callable[[int], tuple[str, str, int]] | None = None

    def line(self, text: str = "", mark: str = "", tint: Tint | None = None) -> None:
        """Show a line, cleaned; its mark (or, without one, all of it) has that colour."""
        mark, text = clean(mark), clean(text)
        whole = self._wrapped(f"{mark} {text}" if mark else text)
        coloured = mark or whole
        if self.colour and tint:
            whole = f"{tint}{coloured}{_PLAIN}{whole[len(coloured) :]}"
        self._write(f"{_CLEAR if self.typed else ''}{whole}\n")
        self.redraw()

    def redraw(self) -> None:
        """Show the prompt and what is typed."""
        if self.typed is not None:
            prompt, text, back = self.typed(shutil.get_terminal_size().columns)
            self._write(f"{_CLEAR}{self._prompt(prompt)}{text}" + (f"\x1b[{back}D" if back else ""))

    def entered(self, text: str) -> None:
        """Leave a typed line where it is, whole."""
        if self.typed is not None:
            prompt, _, _ = self.typed(1)
            self._write(f"{_CLEAR}{self._prompt(prompt)}{clean(text)}\n")

    def release(self) -> None:
        """Take the prompt away: nobody types any more."""
        if self.typed is not None:
            self.typed = None
            self._write(_CLEAR)

    def _prompt(self, prompt: str) -> str:
        return f"{Tint.PERSON}{prompt}{_PLAIN}" if self.colour else prompt

    def _wrapped(self, text: str) -> str:
        columns = shutil.get_terminal_size().columns
        if not self.out.isatty() or columns < _NARROWEST or text.startswith(" "):
            return text
        return textwrap.fill(
            text, columns - 1, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
        )

    def _write(self, text: str) -> None:
        with suppress(OSError):  # the terminal, or who read the pipe, has gone: that is no reason to stumble
            self.out.write(text)
            self.out.flush()
