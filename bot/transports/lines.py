"""What leaves the bot, and what comes in: cleaned, split to fit, shared out and paced. Pure.

`clean` is the one gate for text in both directions: what passes it is one line on every network.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

IRC_LINE = 512
"""Bytes of an IRC line with its CR and LF, without tags (RFC 2812, section 2.3)."""

_WIDEST = 4
"""Bytes of the longest code point in UTF-8."""

_COLOUR = "\x03(?:[0-9]{1,2}(?:,[0-9]{1,2})?)?|\x04(?:[0-9A-Fa-f]{6})?"  # mIRC's, https://modern.ircdocs.horse/formatting
_ANSI = "\x1b\\[[0-?]*[ -/]*[@-~]|\x1b\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?"  # ECMA-48 CSI, and xterm's OSC
_BREAKS = "[\t\n\x0b\x0c\r\x85\u2028\u2029]+"
_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_CONTROLS = f"[\x00-\x1f\x7f-\x9f{_BIDI}]+"
_NEITHER = "[\ud800-\udfff\ufffe\uffff]"  # no Char of XML 1.0, section 2.2: a server hangs up on them
_SUSPECT = re.compile(f"{_CONTROLS}|{_BREAKS}|{_NEITHER}")
_PARTS = re.compile(f"(?P<drop>{_COLOUR}|{_ANSI})|(?P<space>{_BREAKS})|(?P<bad>{_NEITHER})|{_CONTROLS}")
_PUT = {"space": " ", "bad": "\ufffd"}


def clean(text: str) -> str:
    """Return the text as one harmless line.

    Line breaks and tabs become one space; colours, ANSI sequences, C0 and C1 controls, DEL and bidirectional
    controls go; a lone surrogate becomes U+FFFD, and so do U+FFFE and U+FFFF. Cleaning twice changes nothing.
    """
    if not _SUSPECT.search(text):
        return text
    return _PARTS.sub(lambda found: _PUT.get(found.lastgroup or "", ""), text)


def hush(text: str, nicks: Iterable[str]) -> str:
    """Return the text with these nicks written so that no client takes them for a mention, looking the same.

    A zero width space behind the first letter is what other bridges do, too. Links stay as they are.
    """
    found = "|".join(re.escape(nick) for nick in sorted(nicks, key=len, reverse=True) if len(nick) > 1)
    if not found:
        return text
    whole = rf"\S+://\S+|(?<![^\W_])(?P<nick>{found})(?![^\W_])"
    return re.sub(whole, _hushed, text, flags=re.IGNORECASE)


def _hushed(found: re.Match[str]) -> str:
    return f"{found[0][0]}\u200b{found[0][1:]}" if found["nick"] else found[0]


def payload(mask: str, target: str) -> int:
    """Return the bytes of text that fit one PRIVMSG as others receive it: `:mask PRIVMSG target :text`."""
    return IRC_LINE - 2 - len(f":{mask} PRIVMSG {target} :".encode(errors="replace"))


def split(text: str, limit: int) -> tuple[str, ...]:
    """Split cleaned text into pieces of at most `limit` bytes of UTF-8, at spaces where there are any.

    Only spaces at the breaks are lost. ValueError if not even one code point would surely fit.
    """
    if limit < _WIDEST:
        raise ValueError(f"a code point may need {_WIDEST} bytes, the limit is {limit}")
    pieces, start = [], 0
    while start < len(text):
        window = text[start : start + limit].encode(errors="replace")[:limit]
        end = start + len(window.decode(errors="ignore"))
        if end < len(text):
            space = text.rfind(" ", start, end + 1)
            end = space if space > start and text[start:space].strip(" ") else end
        pieces.append(text[start:end])
        start = end
        while start < len(text) and text[start] == " ":
            start += 1
    return tuple(pieces)


def share_out(lines: Sequence[str], room_lines: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Part an answer into what the room hears and what goes to the asker directly.

    What does not fit leaves one of the room's lines free, for the note that says so.
    """
    if len(lines) <= room_lines:
        return tuple(lines), ()
    return tuple(lines[: room_lines - 1]), tuple(lines[room_lines - 1 :])


def cap(lines: Sequence[str], limit: int) -> tuple[str, ...]:
    """Return at most `limit` lines; the last then says how many were cut."""
    if len(lines) <= limit:
        return tuple(lines)
    kept = max(limit - 1, 0)
    return (*lines[:kept], f"({len(lines) - kept} more lines were cut)")


@dataclass(slots=True)
class TokenBucket:
    """A token bucket: `burst` at once, then `per_second`; instants are seconds of a monotonic clock."""

    burst: int
    per_second: float
    _tokens: float = field(init=False)
    _at: float | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._tokens = float(self.burst)

    def take(self, now: float, count: int = 1, *, spare: int = 0) -> float:
        """Take tokens and return 0.0, or take none and return in how many seconds they will be there.

        More than `burst` at once are never there, so no more are asked for. `spare` are left for others.
        """
        count = min(count, self.burst)
        spare = min(spare, self.burst - count)
        elapsed = max(0.0, now - self._at) if self._at is not None else 0.0
        self._tokens = min(float(self.burst), self._tokens + elapsed * self.per_second)
        self._at = now
        missing = count + spare - self._tokens
        if missing > 1e-9:  # noqa: PLR2004 - what rounding may lose of a token
            return missing / self.per_second
        self._tokens -= count
        return 0.0
