"""What somebody wrote behind `!propose`, as the draft of a motion."""

import re

from bot.words import Conflict, PolicyBook, Usage, counting
from plugins.votes import deeds

_MEMBER = re.compile(r"[a-z][a-z0-9_.-]{0,30}")
ABOUT = frozenset({"admit", "expel", "member-terms"})
"""The types of motions whose title begins with the name of whom they concern."""


def draft(kind: str, words: str, book: PolicyBook, members: frozenset[str]) -> deeds.Proposed:
    """Return the draft that `TITLE | TEXT` says, or `TITLE | A, B, C | TEXT` where there is a choice to make.

    Usage and Conflict say what is wrong with it; an unknown type is left to the rules of votes.
    """
    title, _, text = (part.strip() for part in words.partition("|"))
    title = " ".join(title.split())
    options: tuple[str, ...] = ()
    rules = book.rules.get(kind)
    if rules is not None and rules.ballot not in {"yesno", "lazy"}:
        listed, _, text = (part.strip() for part in text.partition("|"))
        options = tuple(filter(None, (" ".join(option.split()) for option in listed.split(","))))
        if not options:
            raise Usage(f"Say what there is to choose from: !propose {kind} {title or 'TITLE'} | A, B, C")
    subject = _subject(kind, title, members) if kind in ABOUT else ""
    return deeds.Proposed(kind, title, text, subject, options)


def _subject(kind: str, title: str, members: frozenset[str]) -> str:
    word = title.split(maxsplit=1)[0].casefold().strip(":,") if title else ""
    if kind == "admit":
        if not _MEMBER.fullmatch(word):
            raise Usage("Begin with the name that they are to have here: !propose admit zoe | Who they are")
        if word in members:
            raise Conflict(f"{word} is a member already.")
        return word
    if word not in members:
        raise Usage(
            f"Begin with the member's name, {counting.shown(word)} is none: !propose {kind} NAME | TEXT"
        )
    return word
