"""Keeps private words out of the audit book, the logs and the outbox."""

from bot.core.binding import Kind, Signature
from bot.core.words import split_words

MASK = "•••"


def masked(line: str, signature: Signature, private: frozenset[str]) -> str:
    """Return the words of a line with the private ones replaced, whether or not they could be converted.

    What stands behind a private word and fits no parameter is masked too: a slip must not publish a ballot.
    """
    if not private:
        return line
    shown, hide = [], False
    words = split_words(line)
    parameters = signature.words
    for index, word in enumerate(words):
        parameter = parameters[min(index, len(parameters) - 1)]
        hide = parameter.name in private or (hide and index >= len(parameters))
        shown.append(MASK if hide else word.text)
        if parameter.kind is Kind.REST:
            if not hide:
                shown[-1] = line[word.start :].rstrip()
            break
    return " ".join(shown)
