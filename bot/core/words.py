"""Cuts a line into words. Only a closed double quote groups words; an apostrophe is a letter."""

import re
from dataclasses import dataclass

_WORD = re.compile(r'"([^"]*)"(?=\s|$)|(\S+)')


@dataclass(frozen=True, slots=True)
class Word:
    """A word and where it begins and ends in the line; a quoted one has lost its quotes."""

    text: str
    start: int
    end: int


def split_words(line: str) -> tuple[Word, ...]:
    r"""Return the words of a line.

    >>> [word.text for word in split_words('say "two words" isn\'t "open')]
    ['say', 'two words', "isn't", '"open']
    """
    found = []
    for match in _WORD.finditer(line):
        text = match.group(2) if match.group(1) is None else match.group(1)
        found.append(Word(text, match.start(), match.end()))
    return tuple(found)
