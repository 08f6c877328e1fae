"""How a relayed line reads: `<alice@irc> text`, `* alice@irc waves`. Pure."""

import re

from bot.words import Remark, counted

LINE = 360
"""Bytes of text in a relayed line, so that it fits a line of IRC with its mark."""

LINES = 3
"""Relayed lines that one very long remark becomes."""

NICK = 30
"""Characters of a nick that are shown."""

_UNSEEN = (  # what shows nothing: Default_Ignorable_Code_Point of Unicode, and the blank letters and signs
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800"
    r"\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff"
)
_ODD = re.compile(rf"[\s<>@*{_UNSEEN}]+")
_RELAYED = re.compile(r"<[^<>@\s]+@[a-z][a-z0-9_-]{0,30}>( |$)|\* [^<>@\s]+@[a-z][a-z0-9_-]{0,30} ")


def marked(remark: Remark) -> tuple[str, ...]:
    """Return what the other rooms are shown of a remark; nothing of one that was relayed already.

    Who wrote the mark does not count: another bot that relays the same rooms may have, and lines must not go
    round between the two.
    """
    who = f"{shown(remark.nick)}@{remark.place.network}"
    if remark.more:
        return (f"<{who}> ({counted(remark.more, 'more line')} not relayed)",)
    if _RELAYED.match(remark.text) and not remark.action:
        return ()
    mark = f"* {who}" if remark.action else f"<{who}>"
    return tuple(f"{mark} {part}" for part in _parts(remark.text))


def shown(nick: str) -> str:
    """Return a nick in which nothing is left that could end its mark, or look like another's."""
    plain = _ODD.sub("_", nick) or "_"
    return plain if len(plain) <= NICK else f"{plain[: NICK - 1]}…"


def _parts(text: str) -> list[str]:
    """Cut a text at spaces into a few parts that fit; the last says whether that was all."""
    parts: list[str] = []
    while text and len(parts) < LINES:
        part = text.encode(errors="replace")[:LINE].decode(errors="ignore")
        if len(part) < len(text) and (space := part.rfind(" ")) > len(part) // 2:
            part = part[:space]
        parts.append(part)
        text = text[len(part) :].lstrip(" ")
    if text:
        parts[-1] += " (cut)"
    return parts
