"""What guests write, made fit to be shown: no escapes, no control characters, bounded."""

import re

LINE = 200
"""How long a line of a guest's own words may be."""

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, erasing (ECMA-48 5.4)
    r"|\x1b[PX^_\]][^\x07\x1b\n]*(?:\x07|\x1b\\)?"  # DCS, SOS, PM, APC, OSC: titles, links, uploads
    r"|\x1b[ -/]*[0-~]?"  # every other escape
    r"|\x9b[0-?]*[ -/]*[@-~]"  # CSI as one C1 character
)
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    r"\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)


def clean(text: str) -> str:
    r"""Take out escapes, control, bidi and invisible characters; tabs become a space, newlines stay.

    >>> clean("a\x1b[31mred\x1b[0m\tb\r\n")
    'ared b\n'
    """
    return _UNSEEN.sub("", _ESCAPES.sub("", text)).replace("\t", " ")


def one_line(text: str, limit: int = LINE) -> str:
    """Make one clean line of at most `limit` characters out of a guest's words."""
    line = " ".join(clean(text[: limit * 8]).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def last_lines(data: bytes, count: int, limit: int = LINE) -> tuple[str, ...]:
    """Return the last `count` lines that are not blank, each clean and at most `limit` characters."""
    if count <= 0:
        return ()
    lines = data.decode("utf-8", "replace").replace("\r", "\n").split("\n")
    kept = [line for line in (one_line(raw, limit) for raw in lines) if line]
    return tuple(kept[-count:])
