"""What somebody probably meant by a word that is not known. Pure."""

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is most like this one; None if none is."""
    from difflib import get_close_matches  # noqa: PLC0415 - 0.2 MiB, for who mistypes

    return next(iter(get_close_matches(word, [*known], n=1)), None)
