"""One line of typing: what a key does to it, and what is shown of it. No input or output."""

import codecs
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

# A key as a terminal sends it (ECMA-48 CSI, SS3, Alt); an escape that begins none of these is dropped alone.
_KEY = re.compile(r"[^\x1b]|\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|[^\[O]|(?=\[[ -?]*[^ -~]))", re.DOTALL)
_LONGEST = 2000  # characters of a line; more are not taken
_REMEMBERED = 100
_END = "\x04"


class Ended(Exception):  # noqa: N818 - Ctrl-D is no error
    """The person typed Ctrl-D on an empty line."""


@dataclass(slots=True)
class Editor:
    """Takes bytes from a terminal in cbreak mode; knows the usual keys of readline, and its history."""

    text: str = ""
    at: int = 0
    _history: list[str] = field(default_factory=list)
    _shown: int = 0
    _rest: str = ""
    _decoder: codecs.IncrementalDecoder = field(default_factory=codecs.getincrementaldecoder("utf-8"))

    def feed(self, data: bytes) -> list[str]:
        """Take what was typed and return the lines that are whole now; Ended for Ctrl-D on an empty line."""
        self._decoder.errors = "replace"
        self._rest += self._decoder.decode(data)
        lines = []
        while found := _KEY.match(self._rest):
            self._rest = self._rest[found.end() :]
            key = found[0]
            if key in "\r\n":
                lines.append(self._enter())
            elif key == _END and not self.text:
                raise Ended
            elif key in _KEYS:
                _KEYS[key](self)
            else:
                self._type(key)
        if len(self._rest) > _LONGEST:
            self._rest = ""
        return lines

    def view(self, columns: int) -> tuple[str, int]:
        """Return the part of the line that fits, and how many columns the cursor stands left of its end."""
        start = 0
        while width(self.text[start : self.at]) >= columns and start < self.at:
            start += 1
        end = len(self.text)
        while width(self.text[start:end]) >= columns and end > self.at:
            end -= 1
        return self.text[start:end], width(self.text[self.at : end])

    def go(self, at: int) -> None:
        """Move the cursor, at most to an end of the line."""
        self.at = min(max(at, 0), len(self.text))

    def delete(self, start: int, end: int) -> None:
        """Take a part away; the cursor is where it was."""
        self.text = self.text[: max(start, 0)] + self.text[end:]
        self.go(start)

    def word(self) -> int:
        """Return where the word before the cursor begins."""
        return self.text[: self.at].rstrip().rfind(" ") + 1

    def recall(self, step: int) -> None:
        """Show an earlier line again, or a later one."""
        shown = self._shown + step
        if 0 <= shown <= len(self._history):
            self._shown = shown
            self.text = (*self._history, "")[shown]
            self.go(len(self.text))

    def _type(self, char: str) -> None:
        if char.isprintable() and len(self.text) < _LONGEST:
            self.text = self.text[: self.at] + char + self.text[self.at :]
            self.at += 1

    def _enter(self) -> str:
        line = self.text
        if line.strip() and self._history[-1:] != [line]:
            self._history = [*self._history, line][-_REMEMBERED:]
        self._shown = len(self._history)
        self.text, self.at = "", 0
        return line


_KEYS: Mapping[str, Callable[[Editor], None]] = {
    "\x7f": lambda line: line.delete(line.at - 1, line.at),
    "\b": lambda line: line.delete(line.at - 1, line.at),
    "\x04": lambda line: line.delete(line.at, line.at + 1),
    "\x1b[3~": lambda line: line.delete(line.at, line.at + 1),
    "\x15": lambda line: line.delete(0, line.at),
    "\x0b": lambda line: line.delete(line.at, len(line.text)),
    "\x17": lambda line: line.delete(line.word(), line.at),
    **dict.fromkeys(("\x1b[D", "\x1bOD", "\x02"), lambda line: line.go(line.at - 1)),
    **dict.fromkeys(("\x1b[C", "\x1bOC", "\x06"), lambda line: line.go(line.at + 1)),
    **dict.fromkeys(("\x1b[H", "\x1bOH", "\x1b[1~", "\x01"), lambda line: line.go(0)),
    **dict.fromkeys(("\x1b[F", "\x1bOF", "\x1b[4~", "\x05"), lambda line: line.go(len(line.text))),
    **dict.fromkeys(("\x1b[A", "\x1bOA", "\x10"), lambda line: line.recall(-1)),
    **dict.fromkeys(("\x1b[B", "\x1bOB", "\x0e"), lambda line: line.recall(+1)),
}
"""What a key does, by what xterm and its like send for it, and by its control character as in readline."""


def width(text: str) -> int:
    """Return how many columns a terminal gives a text."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(map(bool, map(unicodedata.combining, text)))
