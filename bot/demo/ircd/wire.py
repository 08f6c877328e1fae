"""Lines on the wire: cutting, parsing, rendering and folding (RFC 2812 section 2, IRCv3 message-tags).

Bytes that are not UTF-8 pass as surrogate escapes, so that one client's encoding is no other's concern.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

LONGEST_BODY = 510  # bytes, without CR LF
LONGEST_TAGS = 4096  # bytes that a client may send, with "@" and the space; as much again is the server's
NICK_LENGTH = 30
ROOM_LENGTH = 64

_NICK = re.compile(rf"[A-Za-z\[\]\\`_^{{|}}][A-Za-z0-9\[\]\\`_^{{|}}-]{{0,{NICK_LENGTH - 1}}}")
_ROOM = re.compile(rf"#[^\x00-\x20,\x7f]{{1,{ROOM_LENGTH - 1}}}")
_CLIENT_TAG = re.compile(r"\+[A-Za-z0-9./-]+")
_NOT_IN_MIDDLE = re.compile("^:| ")
_END_OF_LINE = re.compile(rb"[\r\n]")
_RFC1459 = str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ[]\\~",
    "abcdefghijklmnopqrstuvwxyz{}|^",
)


def fold(name: str) -> str:
    r"""Return a nick, room or account as CASEMAPPING=rfc1459 compares it.

    >>> fold("Al[ce]\\~")
    'al{ce}|^'
    """
    return name.translate(_RFC1459)


def is_nick(name: str) -> bool:
    """Tell whether a client may call itself that."""
    return _NICK.fullmatch(name) is not None


def is_room(name: str) -> bool:
    """Tell whether a room may have that name."""
    return _ROOM.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class Line:
    """One message; tag values stay escaped as they came, since nobody here reads them."""

    command: str
    params: tuple[str, ...] = ()
    source: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    def render(self, tags: Collection[str] = ()) -> bytes:
        """Return it for the wire with those of its tags, its body cut at 510 bytes between two characters."""
        words = [f":{self.source}"] if self.source else []
        words += [self.command, *(_NOT_IN_MIDDLE.sub("_", param) or "*" for param in self.params[:-1])]
        words += [_last(param) for param in self.params[-1:]]
        kept = [f"{key}={value}" if value else key for key, value in self.tags.items() if key in tags]
        head = f"@{';'.join(kept)} " if kept else ""
        return _bytes(head) + _cut(_bytes(" ".join(words))) + b"\r\n"


def parse(text: str) -> Line:
    """Read a line as a client sends it: its source is ignored, of its tags only client-only ones are kept."""
    tags: dict[str, str] = {}
    if text.startswith("@"):
        head, _, text = text[1:].partition(" ")
        pairs = (tag.partition("=") for tag in head.split(";"))
        tags = {key: value for key, _, value in pairs if _CLIENT_TAG.fullmatch(key)}
    text = text.lstrip(" ")
    if text.startswith(":"):
        text = text.partition(" ")[2]
    middle, colon, last = text.partition(" :")
    command, *params = [word for word in middle.split(" ") if word] or [""]
    return Line(command.upper(), (*params, *([last] if colon else ())), tags=tags)


class LineBuffer:
    """Makes lines of a stream; CR and LF each end one, NUL is dropped, and no more than one line is kept."""

    def __init__(self) -> None:
        self._rest = b""
        self._skipping = False

    def feed(self, data: bytes) -> Iterator[str | None]:
        """Take what came and yield each whole line, None for one that is too long."""
        *whole, rest = _END_OF_LINE.split(self._rest + data.replace(b"\0", b""))
        self._rest = b""
        for raw in whole:
            skipped, self._skipping = self._skipping, False
            if raw and not skipped:
                yield raw.decode("utf-8", "surrogateescape") if _fits(raw) else None
        if len(rest) > LONGEST_TAGS + LONGEST_BODY and not self._skipping:
            self._skipping = True
            yield None
        self._rest = b"" if self._skipping else rest


def _fits(raw: bytes) -> bool:
    tags, body = (b"", raw)
    if raw.startswith(b"@"):
        tags, _, body = raw.partition(b" ")
    return len(tags) < LONGEST_TAGS and len(body) <= LONGEST_BODY


def _last(param: str) -> str:
    return f":{param}" if not param or param.startswith(":") or " " in param else param


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _cut(data: bytes) -> bytes:
    if len(data) <= LONGEST_BODY:
        return data
    end = LONGEST_BODY
    while end > LONGEST_BODY - 4 and data[end] & 0xC0 == 0x80:  # noqa: PLR2004 - a UTF-8 continuation byte
        end -= 1
    return data[:end]
